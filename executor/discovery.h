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
#include "executor/event_queue.h"
#include "executor/forgetting.h"
#include "executor/object_filter.h"
#include "executor/work_queue.h"
#include "leat/object_store.h"
#include "leat/source.h"
#include "state/ledger.h"

namespace leat::executor {

/// Runs on one thread; the getters may be called from any.
///
/// The order of look-ups keeps a split from being taken up twice while its outcome moves from the
/// work queue to the ledger: first which keys are taken up, then what the ledger says. A key that
/// was released in between is in the ledger already.
class Discovery {
 public:
  /// Everything but the enumerator is borrowed.
  Discovery(const SourceOptions& options, connector::SplitEnumerator enumerator,
            ObjectFilter filter, state::Ledger& ledger, const Clock& clock, WorkQueue& work,
            EventQueue& events);

  /// Queues `resumed` first, then lists every poll interval until a stop is requested; with
  /// options.once until a complete listing has been queued, and again after each relist().
  void run(std::vector<SplitAssignment> resumed, std::stop_token stop);

  /// once: list again before the end, a queued split has to be found in its new version.
  void relist();

  /// All that was listed is queued, and nothing more will be (once, or after a failure).
  bool done() const { return done_.load(); }
  /// Splits queued so far, resumed ones included.
  std::uint64_t queued() const { return queued_.load(); }
  /// Why listing ended, if it failed for good.
  std::optional<Error> failure() const;
  std::uint64_t unsettled() const { return unsettled_.load(); }
  std::int64_t last_complete_listing_ms() const { return last_complete_listing_ms_.load(); }

 private:
  Result<void> sweep(std::stop_token stop);
  Result<void> queue_page(const connector::EnumeratedPage& page, std::stop_token stop);
  Result<void> check_matches();
  void finish(std::optional<Error> failure, std::stop_token stop);

  const SourceOptions& options_;
  const Clock& clock_;
  const state::Ledger& ledger_;
  WorkQueue& work_;
  EventQueue& events_;
  connector::SplitEnumerator enumerator_;
  ObjectFilter filter_;
  Forgetting forgetting_;

  std::atomic<bool> done_ = false;
  std::atomic<std::uint64_t> queued_ = 0;
  std::atomic<std::uint64_t> unsettled_ = 0;
  std::uint64_t matched_ = 0;  ///< By the last complete listing.
  bool said_nothing_matches_ = false;
  std::set<std::string> said_unreadable_;
  std::atomic<std::int64_t> last_complete_listing_ms_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable_any relist_wanted_;
  bool relist_ = false;
  std::optional<Error> failure_;
  bool listed_once_ = false;
};

}  // namespace leat::executor
