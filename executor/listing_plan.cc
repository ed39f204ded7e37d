#include "executor/listing_plan.h"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

#include "executor/listing_record.h"
#include "executor/log.h"

namespace leat::executor {
namespace {

// A listing of so many pages is worth a look at the folders: one that needs no more costs no
// request more than its pages.
constexpr std::size_t kShortListingPages = 4;
// What that look may cost, beside the pages of the listing itself, …
constexpr std::size_t kWalkPagesMax = 16;
// … and where folders decide which objects are wanted at all.
constexpr std::size_t kNarrowingPagesMax = 100;
// For each listing at a time: folders hold unequal numbers of objects.
constexpr std::size_t kPartsPerListing = 4;

// A crash lists again what was listed since.
constexpr std::chrono::seconds kRecordInterval{1};

/// All that decides which objects a listing shows and takes up.
std::string listed_by(const SourceOptions& options) {
  std::string listed = options.from + '\n' + options.where + '\n' + options.key_after;
  if (options.discovery == SourceOptions::Discovery::kTail) {
    listed += "\ntail " + std::to_string(options.late_window_keys);
  }
  if (options.modified_after_ms) listed += '\n' + std::to_string(*options.modified_after_ms);
  for (const Field& field : options.partitions.fields) {
    listed += '\n' + field.name + ' ' + field.type.to_sql();
  }
  return listed;
}

}  // namespace

ListingPlan::ListingPlan(const SourceOptions& options, connector::SplitEnumerator& enumerator,
                         ObjectFilter& filter, state::Ledger& ledger, const Clock& clock,
                         WorkQueue& work)
    : options_(options),
      enumerator_(enumerator),
      filter_(filter),
      ledger_(ledger),
      clock_(clock),
      work_(work),
      listed_(listed_by(options)),
      everything_{{.after = options.key_after, .until = {}}} {}

std::optional<std::int64_t> ListingPlan::go_on_from_record() {
  const std::optional<std::string> kept = ledger_.listing();
  if (!kept) return std::nullopt;
  std::optional<ListingRecord> record = ListingRecord::decode(*kept);
  if (!record || record->listed != listed_) return std::nullopt;
  // What an interrupted listing offered in the order of times was in memory alone.
  const bool goes_on = record->interrupted && options_.order != SourceOptions::Order::kModified;
  if (options_.discovery == SourceOptions::Discovery::kSweep && !goes_on) {
    return record->judged_ms;
  }
  record_ = *kept;
  complete_ms_ = record->complete_ms;
  cut_short_ = record->interrupted;
  left_ = std::move(record->remaining);
  return record->judged_ms;
}

std::vector<connector::KeyRange> ListingPlan::remaining() {
  const bool tail = options_.discovery == SourceOptions::Discovery::kTail;
  return enumerator_.remaining(
      [this](const connector::KeyRange& range) {
        return work_.lowest_open(range.after, range.until);
      },
      tail ? options_.late_window_keys : 0);
}

/// Those parts of everything that hold what is wanted, as the folders tell, in so many parts that
/// several can be listed at a time.
Result<std::vector<connector::KeyRange>> ListingPlan::wanted_parts(std::size_t pages_max,
                                                                   bool divide) {
  divide = divide && options_.list_parallel > 1;
  const std::size_t parts = kPartsPerListing * options_.list_parallel;
  std::size_t folders = 0;
  const auto verdict = [&](std::string_view folder) {
    if (!enumerator_.glob().can_match_below(folder) || filter_.excludes(folder)) {
      return connector::FolderVerdict::kSkip;
    }
    ++folders;
    return filter_.open_in(folder) || (divide && folders < parts)
               ? connector::FolderVerdict::kLookInside
               : connector::FolderVerdict::kKeep;
  };
  Result<connector::FolderWalk> walk = enumerator_.walk(verdict, pages_max);
  if (!walk) return std::move(walk).error();
  std::vector<connector::KeyRange> wanted = walk->kept(everything_.front());
  return divide ? cut_at_folders(wanted, *walk, parts) : wanted;
}

Result<void> ListingPlan::begin() {
  if (listed_once_) left_ = remaining();
  const std::int64_t age_ms = clock_.wall_ms() - complete_ms_;
  const bool at_frontier = options_.discovery == SourceOptions::Discovery::kTail &&
                           complete_ms_ != 0 && age_ms >= 0 &&
                           age_ms < options_.reconcile_interval.count();
  whole_ = left_.empty() || left_ == everything_ || (!cut_short_ && !at_frontier);
  for (const std::string& key : work_.take_to_list_again()) {
    whole_ = whole_ || std::none_of(left_.begin(), left_.end(),
                                    [&](const auto& range) { return range.contains(key); });
  }
  if (whole_) {
    left_ = everything_;
    const bool is_long = whole_pages_ > kShortListingPages;
    if (is_long || filter_.narrows()) {
      const std::size_t pages_max =
          filter_.narrows() ? kNarrowingPagesMax
                            : std::clamp<std::size_t>(whole_pages_ / 8, 1, kWalkPagesMax);
      Result<std::vector<connector::KeyRange>> wanted = wanted_parts(pages_max, is_long);
      if (!wanted) return std::move(wanted).error();
      left_ = *std::move(wanted);
    }
  }
  cut_short_ = cut_short_ || whole_;
  pages_ = 0;
  enumerator_.begin(left_, options_.list_parallel);
  return {};
}

void ListingPlan::page_came() {
  listed_once_ = true;
  ++pages_;
}

void ListingPlan::page_failed() { enumerator_.begin(left_); }

void ListingPlan::ended() {
  cut_short_ = false;
  if (!whole_) return;
  whole_pages_ = pages_;
  complete_ms_ = clock_.wall_ms();
}

Result<void> ListingPlan::divide_long_one() {
  if (!whole_ || pages_ != kShortListingPages || left_ != everything_) return {};
  Result<std::vector<connector::KeyRange>> wanted = wanted_parts(kWalkPagesMax, /*divide=*/true);
  if (!wanted) return std::move(wanted).error();
  if (*wanted != everything_) enumerator_.divide(*std::move(wanted), options_.list_parallel);
  return {};
}

bool ListingPlan::is_record_due() const {
  return clock_.monotonic() - recorded_at_ >= kRecordInterval;
}

/// Not the ledger's own business: without it the next start lists more.
void ListingPlan::keep_record(std::int64_t judged_ms) {
  recorded_at_ = clock_.monotonic();
  std::string record = ListingRecord{.listed = listed_,
                                     .interrupted = cut_short_,
                                     .complete_ms = complete_ms_,
                                     .judged_ms = judged_ms,
                                     .remaining = remaining()}
                           .encode();
  if (record == record_) return;
  if (Result<void> kept = ledger_.put_listing(record); !kept) {
    log(options_, SourceOptions::LogLevel::kDebug,
        "how far the listing is was not kept: " + kept.error().to_string());
    return;
  }
  record_ = std::move(record);
}

}  // namespace leat::executor
