// Which keys the next listing is of, and how far listings have come.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "connector/split_enumerator.h"
#include "executor/object_filter.h"
#include "executor/work_queue.h"
#include "leat/clock.h"
#include "leat/result.h"
#include "leat/source.h"
#include "state/ledger.h"

namespace leat::executor {

/// A listing is of everything, or of what is left: of one that was cut short (a crash, a failure),
/// or with Discovery::kTail of the keys behind the frontier. What is left begins below the lowest
/// key whose outcome the ledger does not know, and is in the ledger itself for the next start. Only
/// a listing of everything, begun and ended by one process, is a complete one: it alone says what
/// is no longer there.
///
/// Used by the discovery thread.
class ListingPlan {
 public:
  /// Everything is borrowed.
  ListingPlan(const SourceOptions& options, connector::SplitEnumerator& enumerator,
              ObjectFilter& filter, state::Ledger& ledger, const Clock& clock, WorkQueue& work);

  /// Takes up where the ledger says that an earlier process stood, if that listed the same.
  /// @return  When all entries of the ledger were last judged by a listing; nullopt: not known.
  std::optional<std::int64_t> go_on_from_record();

  /// The enumerator begins the listing that is due.
  ///   Errors of SplitEnumerator::walk
  Result<void> begin();
  /// The listing that was begun last is of everything.
  bool whole() const noexcept { return whole_; }
  /// One of everything was begun, be it by an earlier process, and has not come to its end.
  bool cut_short() const noexcept { return cut_short_; }
  /// There was a page, ever.
  bool listed_once() const noexcept { return listed_once_; }

  /// A page came.
  void page_came();
  /// It was not taken up, and does not count as listed.
  void page_failed();
  /// It was the last one.
  void ended();
  /// It was not: a listing that turns out to be a long one is divided along its folders.
  ///   Errors of SplitEnumerator::walk
  Result<void> divide_long_one();

  /// Now and then a record is due: a crash lists again what was listed since the last.
  bool is_record_due() const;
  /// Writes into the ledger where the listing stands. All that was listed has to be routed.
  void keep_record(std::int64_t judged_ms);

 private:
  Result<std::vector<connector::KeyRange>> wanted_parts(std::size_t pages_max, bool divide);
  std::vector<connector::KeyRange> remaining();

  const SourceOptions& options_;
  connector::SplitEnumerator& enumerator_;
  ObjectFilter& filter_;
  state::Ledger& ledger_;
  const Clock& clock_;
  WorkQueue& work_;
  const std::string listed_;  ///< ListingRecord::listed.
  const std::vector<connector::KeyRange> everything_;

  /// To be listed next, if not everything is. None: nothing was listed yet.
  std::vector<connector::KeyRange> left_;
  bool cut_short_ = false;
  bool whole_ = false;
  bool listed_once_ = false;
  std::size_t pages_ = 0;         ///< Of the listing at hand.
  std::size_t whole_pages_ = 0;   ///< Of the last listing of everything.
  std::int64_t complete_ms_ = 0;  ///< Unix time of the last complete listing, of earlier runs too.
  std::string record_;            ///< As the ledger has it.
  Clock::Duration recorded_at_{0};
};

}  // namespace leat::executor
