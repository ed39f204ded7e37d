// What workers and discovery tell the consumer, in order, within a memory limit.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include "executor/change_policy.h"
#include "leat/result.h"
#include "leat/row_chunk.h"
#include "leat/split.h"

namespace leat::executor {

struct Event {
  enum class Kind {
    kRows,       ///< `chunk` of `object`.
    kFinished,   ///< `object` was read to its end.
    kFailed,     ///< `object` cannot be read on: `error` and `end` say why and where.
    kReported,   ///< `object` is listed in a version other than the loaded one, as `seen` says.
    kOpened,     ///< OnChange::kAppend: the reading of `object` begins as `opened` says.
    kReturned,   ///< `object`, which was gone, is there again: it is gone on with as `opened` says.
    kNotGrown,   ///< The same, of a split that was queued to be gone on with.
    kForgotten,  ///< `object` has not been listed for long enough.
    kWake,       ///< Look again whether all is done.
  };
  Kind kind = Kind::kWake;
  std::shared_ptr<const ObjectVersion> object = {};
  RowChunk chunk = {};
  Position end = {};
  Error error = {};
  std::string offending = {};
  std::shared_ptr<const SplitProgress> opened = {};
  bool open_ended = false;  ///< kFinished: its last record has no end yet, and was left.
  /// kReported, kNotGrown. With Seen::kNotGrown `error` says why.
  Change::Seen seen = Change::Seen::kListed;
  bool is_known = false;  ///< kReported: the change is on record, though not its version.
};

/// Bounded FIFO, many producers, one consumer.
///
/// The bound counts the chunks' memory, and a flat size at least for each event: there may be as
/// many small ones as objects are listed. An event handed out stays on the account until the next
/// pop: the consumer works on it meanwhile. One event is always let in, whatever its size, so that
/// a limit below one chunk slows things down but never stops them.
class EventQueue {
 public:
  /// More than a small event takes, with its object. What is queued while the consumer commits is
  /// memory that the process keeps: some hundred events are enough for it to go on with.
  static constexpr std::size_t kEventBytesMin = 16u << 10;
  /// How long the consumer waits for more, when there was something just before: to be woken for
  /// each event costs it and the producers more than the event does.
  static constexpr std::chrono::milliseconds kGathering{1};

  explicit EventQueue(std::size_t memory_bytes_max) : memory_bytes_max_(memory_bytes_max) {}

  /// Waits for room. @return  false when stopped: the event is dropped.
  bool push(Event event, std::stop_token stop) {
    const std::size_t bytes = std::max(kEventBytesMin, event.chunk.memory_bytes());
    std::unique_lock lock(mutex_);
    const auto has_room = [&] {
      return memory_bytes_ == 0 || memory_bytes_ + bytes <= memory_bytes_max_;
    };
    if (!has_room() && std::exchange(gathers_, false)) arrived_.notify_one();
    if (!room_.wait(lock, stop, has_room)) return false;
    memory_bytes_ += bytes;
    events_.push_back({std::move(event), bytes});
    if (memory_bytes_ > memory_bytes_max_ / 2) gathers_ = false;
    const bool wakes = !gathers_;
    // The consumer must not wake only to wait for the lock.
    lock.unlock();
    if (wakes) arrived_.notify_one();
    return true;
  }

  /// The next event, or nullopt after `timeout`.
  std::optional<Event> pop(std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex_);
    memory_bytes_ -= handed_out_bytes_;
    handed_out_bytes_ = 0;
    // Not for each one: producers would be woken for a single event at a time.
    if (memory_bytes_ <= memory_bytes_max_ / 2) room_.notify_all();
    if (events_.empty() && found_one_) {
      gathers_ = true;
      arrived_.wait_for(lock, std::min(timeout, kGathering), [this] { return !gathers_; });
      gathers_ = false;
    }
    found_one_ = arrived_.wait_for(lock, timeout, [this] { return !events_.empty(); });
    if (!found_one_) return {};
    Entry entry = std::move(events_.front());
    events_.pop_front();
    handed_out_bytes_ = entry.bytes;
    return std::move(entry.event);
  }

 private:
  struct Entry {
    Event event;
    std::size_t bytes;
  };

  const std::size_t memory_bytes_max_;
  std::mutex mutex_;
  std::condition_variable_any room_;
  std::condition_variable arrived_;
  std::deque<Entry> events_;
  std::size_t memory_bytes_ = 0;
  std::size_t handed_out_bytes_ = 0;
  bool found_one_ = false;  ///< The last pop() did.
  bool gathers_ = false;    ///< The consumer waits for more than one event.
};

}  // namespace leat::executor
