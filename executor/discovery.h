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
#include "executor/object_filter.h"
#include "executor/oldest_objects.h"
#include "executor/request_budget.h"
#include "executor/work_queue.h"
#include "leat/object_store.h"
#include "leat/source.h"
#include "state/ledger.h"

namespace leat::executor {

/// Runs on one thread; the getters may be called from any.
///
/// A listing is of everything, or of what is left: of one that was cut short (a crash, a failure),
/// or with Discovery::kTail of the keys behind the frontier. What is left begins below the lowest
/// key whose outcome the ledger does not know, and is in the ledger itself for the next start. Only
/// a listing of everything, begun and ended by one process, is a complete one: it alone says what
/// is no longer there.
///
/// The order of look-ups keeps a split from being taken up twice while its outcome moves from the
/// work queue to the ledger: first which keys are taken up, then what the ledger says. A key that
/// was released in between is in the ledger already.
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
  std::uint64_t queued() const { return queued_.load(); }
  /// Why listing ended, if it failed for good.
  std::optional<Error> failure() const;
  std::uint64_t unsettled() const { return unsettled_.load(); }

 private:
  void poll(std::vector<SplitAssignment> resumed, const std::stop_token& stop);
  void go_on_from_record();
  Result<void> begin_listing();
  Result<std::vector<connector::KeyRange>> wanted_parts(std::size_t pages_max, bool divide);
  Result<void> list(std::stop_token stop);
  void complete(std::stop_token stop);
  Result<void> queue_page(const connector::EnumeratedPage& page, std::stop_token stop);
  Result<void> queue_objects(const std::vector<ObjectVersion>& objects, bool sorted,
                             std::stop_token stop);
  std::vector<connector::KeyRange> remaining();
  void keep_record();
  bool wait_for_poll(std::stop_token stop);
  void queue_new(std::shared_ptr<const ObjectVersion> object, std::stop_token stop);
  void queue_oldest(std::stop_token stop);
  Result<void> queue_returned(const ObjectVersion& object, std::stop_token stop);
  Result<void> queue_changed(std::shared_ptr<const ObjectVersion> object, std::stop_token stop);
  Result<void> check_matches();
  void finish(std::optional<Error> failure, std::stop_token stop);

  const SourceOptions& options_;
  const Clock& clock_;
  state::Ledger& ledger_;
  WorkQueue& work_;
  EventQueue& events_;
  Backlog& backlog_;
  connector::SplitEnumerator enumerator_;
  ObjectFilter filter_;
  Forgetting forgetting_;
  RequestBudget budget_;
  const std::string listed_;  ///< ListingRecord::listed.
  const std::vector<connector::KeyRange> everything_;

  /// To be listed next, if not everything is. None: nothing was listed yet.
  std::vector<connector::KeyRange> left_;
  bool cut_short_ = false;  ///< left_ is of a listing of everything that did not come to its end.
  bool whole_ = false;      ///< The listing under way is of everything.
  std::size_t pages_ = 0;   ///< Of the last listing of everything.
  std::int64_t complete_ms_ = 0;  ///< Unix time of the last complete listing, of earlier runs too.
  std::string record_;            ///< As the ledger has it.
  Clock::Duration recorded_at_{0};
  Clock::Duration interval_;  ///< Before the next poll.
  bool queueing_ = false;     ///< Of the page at hand not all is taken up.
  bool found_ = false;        ///< The listing found something to be read or reported.
  std::atomic<bool> wake_ = false;
  /// Of pages in no order, which are looked up together: the more at once, the less each costs.
  std::vector<ObjectVersion> unsorted_;
  std::size_t unsorted_max_ = 0;       ///< Grows with each look-up of a listing.
  Clock::Duration unsorted_since_{0};  ///< Monotonic; of its first page.
  OldestObjects oldest_;               ///< Order::kModified: of the listing at hand.
  bool left_some_out_ = false;         ///< Of the last listing, for the sake of their order.

  std::atomic<bool> done_ = false;
  std::atomic<std::uint64_t> queued_ = 0;
  std::atomic<std::uint64_t> unsettled_ = 0;
  std::uint64_t matched_ = 0;  ///< By the last complete listing.
  bool said_nothing_matches_ = false;
  std::set<std::string> said_unreadable_;
  mutable std::mutex mutex_;
  std::condition_variable_any relist_wanted_;
  bool relist_ = false;
  std::optional<Error> failure_;
  bool listed_once_ = false;
};

}  // namespace leat::executor
