// What becomes of each object that a listing shows, by what the ledger knows of it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <vector>

#include "connector/split_enumerator.h"
#include "executor/event_queue.h"
#include "executor/object_filter.h"
#include "executor/oldest_objects.h"
#include "executor/work_queue.h"
#include "leat/clock.h"
#include "leat/result.h"
#include "leat/source.h"
#include "state/ledger.h"

namespace leat::executor {

/// Queues new objects, and those to be gone on with, for the workers; reports changed ones to the
/// consumer; leaves the others alone. Used by the discovery thread, queued() by any.
///
/// The order of look-ups keeps a split from being taken up twice while its outcome moves from the
/// work queue to the ledger: first which keys are taken up, then what the ledger says. A key that
/// was released in between is in the ledger already.
class ObjectRouter {
 public:
  /// Everything is borrowed.
  ObjectRouter(const SourceOptions& options, ObjectFilter& filter, state::Ledger& ledger,
               const Clock& clock, WorkQueue& work, EventQueue& events);

  /// Splits that an earlier run began; their keys are taken up already.
  /// @return  false when stopped.
  bool resume(std::vector<SplitAssignment> splits, std::stop_token stop);

  void begin_listing();
  /// A page of it.
  ///   Errors of Ledger::classify and Ledger::find; part of the page may be queued then.
  Result<void> route(const connector::EnumeratedPage& page, std::stop_token stop);

  /// Of what was listed not all is routed yet: pages wait to be looked up together, or a stop came
  /// in the middle of one.
  bool is_behind() const noexcept { return behind_; }
  /// The listing has shown something to be read or reported.
  bool found() const noexcept { return found_; }
  /// Order::kModified: the listing showed more than could be put in order. They come with the next.
  bool left_some_out() const noexcept { return left_some_out_; }
  /// Splits queued so far, resumed ones included.
  std::uint64_t queued() const noexcept { return queued_.load(); }

 private:
  Result<void> look_up_what_is_due(const connector::EnumeratedPage& page, std::stop_token stop);
  Result<void> look_up(const std::vector<ObjectVersion>& objects, bool sorted,
                       std::stop_token stop);
  bool queue(SplitAssignment assignment, std::stop_token stop);
  void queue_new(std::shared_ptr<const ObjectVersion> object, std::stop_token stop);
  void queue_oldest(std::stop_token stop);
  Result<void> queue_returned(const ObjectVersion& object, std::stop_token stop);
  Result<void> queue_changed(std::shared_ptr<const ObjectVersion> object, state::Match match,
                             std::stop_token stop);

  const SourceOptions& options_;
  ObjectFilter& filter_;
  state::Ledger& ledger_;
  const Clock& clock_;
  WorkQueue& work_;
  EventQueue& events_;

  bool behind_ = false;
  bool found_ = false;
  bool left_some_out_ = false;
  OldestObjects oldest_;  ///< Order::kModified: of the listing at hand.
  /// Of pages in no order, which are looked up together: the more at once, the less each costs.
  std::vector<ObjectVersion> unsorted_;
  std::size_t unsorted_max_ = 0;       ///< Grows with each look-up of a listing.
  Clock::Duration unsorted_since_{0};  ///< Monotonic; of its first page.
  std::atomic<std::uint64_t> queued_ = 0;
};

}  // namespace leat::executor
