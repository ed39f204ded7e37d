// The splits that wait to be read, and those that are on their way: what discovery hands to
// workers.
//
// A key is in here from the moment discovery takes it up until the ledger holds its outcome: this
// is what keeps a listing from taking up twice what is being read. Bounded: discovery waits while
// `pending_max` splits are queued, so a bucket of any size needs the same memory.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "leat/clock.h"
#include "leat/split.h"

namespace leat::executor {

/// One split to read, from where it stands.
struct SplitAssignment {
  std::shared_ptr<const ObjectVersion> object = {};
  Position from = {};
  std::uint32_t failures = 0;               ///< Reads given up so far, in this run.
  std::chrono::milliseconds not_before{0};  ///< Monotonic time.
};

/// Thread-safe.
class WorkQueue {
 public:
  WorkQueue(const Clock& clock, std::size_t pending_max);

  /// Flags each object of the page whose key is taken up. Only discovery adds keys, so an unflagged
  /// one stays so until discovery itself pushes it.
  void flag_taken(std::span<const ObjectVersion> page, std::vector<bool>& taken) const;

  /// Takes the split up and queues it; waits while the queue is full.
  /// @return  false when stopped.
  bool push(SplitAssignment assignment, std::stop_token stop);
  /// Marks a split as taken up without queueing it: its outcome is on the way to the ledger.
  void take(const ObjectVersion& object);
  /// The same for a key that nobody waits for: it makes the oldest object no older.
  void hold(const std::string& key);
  /// Queues a split again that is already taken up: reading failed for now. Never waits.
  void push_again(SplitAssignment assignment);

  /// The next split that is due; waits for one. nullopt when stopped.
  std::optional<SplitAssignment> pop(std::stop_token stop);

  /// The ledger knows the key's outcome (or it is to be listed afresh).
  void release(const std::string& key);
  /// No outcome of the key is known: it is for the next listing to find, if it is still there.
  /// Until one begins it stays open.
  void release_to_list_again(const std::string& key);

  /// The lowest key after `after` and before `until` (empty: no end) that is taken up, or is to be
  /// listed again.
  std::optional<std::string> lowest_open(std::string_view after, std::string_view until) const;
  /// A listing begins that is to find these keys: those that were to be listed again.
  std::set<std::string> take_to_list_again();

  /// Splits queued, not yet popped.
  std::size_t pending() const;
  /// Modification time of the oldest object that is taken up; 0: none is.
  std::int64_t oldest_taken_modified_ms() const;

 private:
  const Clock& clock_;
  const std::size_t pending_max_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<SplitAssignment> queue_;
  std::vector<SplitAssignment> delayed_;
  std::unordered_map<std::string, std::int64_t> taken_;  ///< Key to modification time.
  std::set<std::string> to_list_again_;
};

}  // namespace leat::executor
