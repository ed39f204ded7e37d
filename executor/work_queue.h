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
#include <map>
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
  /// Where the split ends, in front of the object's own end: behind a whole record, of plain bytes.
  std::optional<std::uint64_t> end = {};
  /// What was loaded of the object's former version, and `from` is the end of: to be gone on with
  /// if the object begins as its fingerprint says.
  std::shared_ptr<const SplitProgress> former = {};
  std::uint32_t failures = 0;               ///< Reads given up so far, in this run.
  std::chrono::milliseconds not_before{0};  ///< Monotonic time.
};

/// Thread-safe.
class WorkQueue {
 public:
  /// `folder`: what the keys have in common, up to a '/'. Splits of different folders below it come
  /// in turn; without one, splits come as they were pushed.
  WorkQueue(const Clock& clock, std::size_t pending_max, std::optional<std::string> folder = {});

  /// Flags each object of the page whose key is taken up. Only discovery adds keys, so an unflagged
  /// one stays so until discovery itself pushes it.
  void flag_taken(std::span<const ObjectVersion> page, std::vector<bool>& taken) const;

  /// Takes the split up and queues it; waits while the queue is full, or a quarter of it is taken
  /// by splits of the same folder: no folder keeps the others out.
  /// @return  false when stopped.
  bool push(SplitAssignment assignment, std::stop_token stop);
  /// Marks a key as taken up without queueing a split: its outcome is on the way to the ledger, or
  /// its split is queued presently.
  void take(const std::string& key);
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
  /// Objects that were queued and not yet released.
  struct Unsettled {
    std::uint64_t objects = 0;
    std::uint64_t bytes = 0;              ///< As stored.
    std::int64_t oldest_modified_ms = 0;  ///< 0: there are none.
  };
  Unsettled unsettled() const;

 private:
  const Clock& clock_;
  using Queue = std::deque<SplitAssignment>;
  std::string folder_of(const std::string& key) const;
  bool has_room(const std::string& folder) const;

  const std::size_t pending_max_;
  const std::optional<std::string> common_folder_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<std::string, Queue> queues_;  ///< By folder; none is empty.
  std::size_t queued_ = 0;               ///< In all of them.
  std::string last_folder_;              ///< Whose turn was last.
  std::vector<SplitAssignment> delayed_;
  bool delayed_are_watched_ = false;  ///< By a thread in pop().
  struct Taken {
    bool queued = false;  ///< By push(): there is something to read.
    std::uint64_t bytes = 0;
    std::int64_t modified_ms = 0;
  };
  std::unordered_map<std::string, Taken> taken_;
  std::set<std::string> to_list_again_;
};

}  // namespace leat::executor
