// What is still to be loaded, and what looking for it costs.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "executor/work_queue.h"
#include "leat/clock.h"
#include "leat/object_store.h"
#include "state/ledger.h"

namespace leat::executor {

/// Requests of the last ten minutes, as an average for each minute. Used under a lock.
class RequestMeter {
 public:
  static constexpr std::int64_t kWindowMs = 600'000;

  /// @param total  Requests so far. At most one sample a second is kept.
  void note(std::int64_t monotonic_ms, std::uint64_t total);
  /// Of the time since the first note(), a minute at least, and of ten minutes at most.
  double per_minute(std::int64_t monotonic_ms, std::uint64_t total) const;

 private:
  std::int64_t first_ms_ = 0;
  std::deque<std::pair<std::int64_t, std::uint64_t>> samples_;  ///< One older than the window.
};

/// A pipeline's backlog at one moment. Objects are counted from when a listing shows them until an
/// epoch with their end is committed.
struct BacklogState {
  std::int64_t at_ms = 0;  ///< Unix time.
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;                    ///< As stored.
  std::int64_t oldest_modified_ms = 0;        ///< Of them; 0: there is none.
  std::int64_t last_complete_listing_ms = 0;  ///< Unix time; 0: none ever.
  bool listing = false;                       ///< There may be more than was listed so far.
  std::uint64_t list_requests = 0;            ///< In this run.
  double list_requests_per_minute = 0;

  /// The fact "backlog" of a ledger, see docs/format/ledger.md.
  std::string encode() const;
  /// nullopt: not what encode() makes.
  static std::optional<BacklogState> decode(std::string_view text);
};

/// Thread-safe. Everything is borrowed. Asks the store for nothing but its counters.
class Backlog {
 public:
  /// Name of the fact that keep() writes.
  static constexpr std::string_view kFact = "backlog";

  Backlog(const Clock& clock, const ObjectStore& store, const WorkQueue& work,
          state::Ledger& ledger);

  /// A listing begins; a page of it came; it came to its end, and showed all that is there or not.
  void listing_begins();
  void page_listed();
  void listing_ended(bool complete);

  BacklogState now() const;
  /// Writes now() into the ledger, for those who look at it from outside. What it says is for
  /// people only, so that a failure is nothing to stop for.
  void keep();

 private:
  static constexpr std::int64_t kKeepEveryMs = 10'000;

  std::int64_t monotonic_ms() const { return clock_.monotonic().count(); }

  const Clock& clock_;
  const ObjectStore& store_;
  const WorkQueue& work_;
  state::Ledger& ledger_;
  mutable std::mutex mutex_;
  RequestMeter rate_;
  std::int64_t last_complete_listing_ms_ = 0;
  bool listing_ = false;
  std::optional<std::int64_t> kept_ms_;  ///< Monotonic.
};

}  // namespace leat::executor
