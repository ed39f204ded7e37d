// Finds what is to be read: lists, filters by the ledger, and queues splits.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "connector/split_enumerator.h"
#include "executor/backlog.h"
#include "executor/event_queue.h"
#include "executor/forgetting.h"
#include "executor/listing_plan.h"
#include "executor/object_filter.h"
#include "executor/object_router.h"
#include "executor/request_budget.h"
#include "executor/work_queue.h"
#include "leat/object_store.h"
#include "leat/source.h"
#include "state/ledger.h"

namespace leat::executor {

/// Lists as often as it is due: which keys is a ListingPlan's matter, what becomes of them an
/// ObjectRouter's. Runs on one thread; the getters may be called from any.
class Discovery {
 public:
  /// Everything but the enumerator is borrowed.
  Discovery(const SourceOptions& options, connector::SplitEnumerator enumerator,
            ObjectFilter filter, state::Ledger& ledger, const Clock& clock, WorkQueue& work,
            EventQueue& events, Backlog& backlog);

  /// Queues `resumed` first, then lists every poll interval until a stop is requested; with
  /// options.once until one listing has been queued, and again after each relist().
  void run(std::vector<SplitAssignment> resumed, std::stop_token stop);

  /// A queued split has to be found in its new version: list again soon; with options.once before
  /// the end.
  void relist();

  /// All that was listed is queued, and nothing more will be (once, or after a failure).
  bool done() const { return done_.load(); }
  /// Splits queued so far, resumed ones included.
  std::uint64_t queued() const { return router_.queued(); }
  /// Why listing ended, if it failed for good.
  std::optional<Error> failure() const;
  std::uint64_t unsettled() const { return unsettled_.load(); }

 private:
  void poll(std::vector<SplitAssignment> resumed, const std::stop_token& stop);
  Result<void> list(std::stop_token stop);
  void warn_of_unreadable(const connector::EnumeratedPage& page);
  void forget(std::stop_token stop);
  bool wait_for_poll(std::stop_token stop);
  Result<void> check_matches();
  void finish(std::optional<Error> failure, std::stop_token stop);

  const SourceOptions& options_;
  const Clock& clock_;
  EventQueue& events_;
  Backlog& backlog_;
  connector::SplitEnumerator enumerator_;
  ObjectFilter filter_;
  Forgetting forgetting_;
  RequestBudget budget_;
  ListingPlan plan_;
  ObjectRouter router_;

  Clock::Duration interval_;  ///< Before the next poll.
  std::atomic<bool> wake_ = false;
  std::atomic<bool> done_ = false;
  std::atomic<std::uint64_t> unsettled_ = 0;
  std::uint64_t matched_ = 0;  ///< By the last complete listing.
  bool said_nothing_matches_ = false;
  std::set<std::string> said_unreadable_;
  mutable std::mutex mutex_;
  std::condition_variable_any relist_wanted_;
  bool relist_ = false;
  std::optional<Error> failure_;
};

}  // namespace leat::executor
