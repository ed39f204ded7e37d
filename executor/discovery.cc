#include "executor/discovery.h"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "executor/listing_record.h"
#include "executor/log.h"
#include "executor/resumed_split.h"

namespace leat::executor {

using LogLevel = SourceOptions::LogLevel;
using Order = SourceOptions::Order;

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

// Keys of pages in no order that are looked up at once: as many as are in memory at most (some 60
// MB of them), and at first few, so that a first page does not wait.
constexpr std::size_t kUnsortedMax = 262'144;
constexpr std::size_t kUnsortedFirst = 1'000;
// Nor does a page wait for longer than this.
constexpr std::chrono::seconds kUnsortedWait{1};

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

Clock::Duration longest_interval(const SourceOptions& options) {
  return options.poll_interval_max.count() != 0 ? options.poll_interval_max
                                                : 6 * options.poll_interval;
}

}  // namespace

Discovery::Discovery(const SourceOptions& options, connector::SplitEnumerator enumerator,
                     ObjectFilter filter, state::Ledger& ledger, const Clock& clock,
                     WorkQueue& work, EventQueue& events, Backlog& backlog)
    : options_(options),
      clock_(clock),
      ledger_(ledger),
      work_(work),
      events_(events),
      backlog_(backlog),
      enumerator_(std::move(enumerator)),
      filter_(std::move(filter)),
      forgetting_(options, ledger, clock, work, events),
      budget_(options.list_budget, clock),
      listed_(listed_by(options)),
      everything_{{.after = options.key_after, .until = {}}},
      interval_(options.poll_interval),
      oldest_(options.ordered_objects_max) {}

void Discovery::run(std::vector<SplitAssignment> resumed, std::stop_token stop) {
  poll(std::move(resumed), stop);
  // What was committed since the last page moves the front on.
  if (listed_once_ && !queueing_) keep_record();
  enumerator_.end();
}

void Discovery::poll(std::vector<SplitAssignment> resumed, const std::stop_token& stop) {
  for (SplitAssignment& assignment : resumed) {
    ++queued_;
    if (!work_.push(std::move(assignment), stop)) return;
  }
  enumerator_.ask_before_requests([this, stop]() -> Result<void> {
    if (budget_.take(stop)) return {};
    return Error{ErrorCode::kCancelled, "the listing was stopped"};
  });
  if (!options_.where.empty() && !filter_.narrows()) {
    log(options_, LogLevel::kInfo,
        "all folders are listed and then filtered: the pattern " + options_.from +
            " lets a key have two folders of one name, of which the inner one counts; name the "
            "folders, as in in/dt=*/*.csv, and only those that fulfil the condition are listed");
  }
  go_on_from_record();
  while (!stop.stop_requested()) {
    const bool was_cut_short = cut_short_;
    Result<void> swept = list(stop);
    if (stop.stop_requested()) return;
    // The rest of a listing that was cut short comes first, for what was never listed; then all.
    if (swept && was_cut_short && !whole_) continue;
    if (!swept) {
      // A first listing that fails is a wrong name or key, to be said at once. Later it is an
      // outage, to be outlasted.
      if (options_.once || !listed_once_) return finish(std::move(swept).error(), stop);
      log(options_, LogLevel::kError,
          "listing failed, trying again at the next poll: " + swept.error().to_string());
    } else if (left_some_out_) {
      continue;  // The next oldest ones.
    } else if (options_.once) {
      if (unsettled_ > 0) {
        // Files written a moment ago: give them their time once, then take what has settled.
        if (!clock_.wait(std::chrono::milliseconds(options_.store.local.settle_ms) +
                             std::chrono::milliseconds(100),
                         stop)) {
          return;
        }
        swept = list(stop);
        if (stop.stop_requested()) return;
        if (!swept) return finish(std::move(swept).error(), stop);
        if (unsettled_ > 0) {
          log(options_, LogLevel::kWarning,
              std::to_string(unsettled_.load()) +
                  " files are still being written and were left for the next run");
        }
      }
      if (Result<void> matches = check_matches(); !matches) {
        return finish(std::move(matches).error(), stop);
      }
      finish(std::nullopt, stop);
      std::unique_lock lock(mutex_);
      if (!relist_wanted_.wait(lock, stop, [this] { return relist_; })) return;
      relist_ = false;
      continue;
    }
    if (swept) (void)check_matches();
    if (!wait_for_poll(stop)) return;
  }
}

/// @return  false when stopped.
bool Discovery::wait_for_poll(std::stop_token stop) {
  const Clock::Duration longest = longest_interval(options_);
  interval_ = found_ ? options_.poll_interval : std::min(interval_ * 2, longest);
  Clock::Duration waited{0};
  while (waited < interval_) {
    const Clock::Duration step = std::min(options_.poll_interval, interval_ - waited);
    if (!clock_.wait(step, stop)) return false;
    waited += step;
    if (wake_.exchange(false)) interval_ = options_.poll_interval;
  }
  return true;
}

void Discovery::go_on_from_record() {
  const std::optional<std::string> kept = ledger_.listing();
  if (!kept) return;
  std::optional<ListingRecord> record = ListingRecord::decode(*kept);
  if (!record || record->listed != listed_) return;
  forgetting_.go_on_from(record->judged_ms);
  // What an interrupted listing offered in the order of times was in memory alone.
  const bool goes_on = record->interrupted && options_.order != Order::kModified;
  if (options_.discovery == SourceOptions::Discovery::kSweep && !goes_on) return;
  record_ = *kept;
  complete_ms_ = record->complete_ms;
  cut_short_ = record->interrupted;
  left_ = std::move(record->remaining);
}

std::vector<connector::KeyRange> Discovery::remaining() {
  const bool tail = options_.discovery == SourceOptions::Discovery::kTail;
  return enumerator_.remaining(
      [this](const connector::KeyRange& range) {
        return work_.lowest_open(range.after, range.until);
      },
      tail ? options_.late_window_keys : 0);
}

/// Those parts of everything that hold what is wanted, as the folders tell, in so many parts that
/// several can be listed at a time.
Result<std::vector<connector::KeyRange>> Discovery::wanted_parts(std::size_t pages_max,
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

Result<void> Discovery::begin_listing() {
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
  found_ = false;
  if (whole_) {
    left_ = everything_;
    const bool is_long = pages_ > kShortListingPages;
    if (is_long || filter_.narrows()) {
      const std::size_t pages_max = filter_.narrows()
                                        ? kNarrowingPagesMax
                                        : std::clamp<std::size_t>(pages_ / 8, 1, kWalkPagesMax);
      Result<std::vector<connector::KeyRange>> wanted = wanted_parts(pages_max, is_long);
      if (!wanted) return std::move(wanted).error();
      left_ = *std::move(wanted);
    }
    forgetting_.begin_listing();
  }
  enumerator_.begin(left_, options_.list_parallel);
  return {};
}

/// Not the ledger's own business: without it the next start lists more.
void Discovery::keep_record() {
  recorded_at_ = clock_.monotonic();
  std::string record = ListingRecord{.listed = listed_,
                                     .interrupted = cut_short_,
                                     .complete_ms = complete_ms_,
                                     .judged_ms = forgetting_.judged_ms(),
                                     .remaining = remaining()}
                           .encode();
  if (record == record_) return;
  if (Result<void> kept = ledger_.put_listing(record); !kept) {
    log(options_, LogLevel::kDebug,
        "how far the listing is was not kept: " + kept.error().to_string());
    return;
  }
  record_ = std::move(record);
}

/// A misspelt name looks like nothing to do; so it is said, once.
Result<void> Discovery::check_matches() {
  if (!whole_ || matched_ > 0 || unsettled_ > 0 || said_nothing_matches_) return {};
  said_nothing_matches_ = true;
  if (options_.once && enumerator_.names_one_object()) {
    return Error{ErrorCode::kNotFound, "there is no object " + options_.from};
  }
  log(options_, LogLevel::kWarning, "nothing matches " + options_.from);
  return {};
}

void Discovery::relist() {
  wake_ = true;
  const std::lock_guard lock(mutex_);
  if (!options_.once || failure_) return;
  done_ = false;
  relist_ = true;
  relist_wanted_.notify_all();
}

std::optional<Error> Discovery::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

void Discovery::finish(std::optional<Error> failure, std::stop_token stop) {
  {
    const std::lock_guard lock(mutex_);
    failure_ = std::move(failure);
    // After a failure nobody lists again, whatever was asked for.
    done_ = failure_ || !relist_;
  }
  (void)events_.push({.kind = Event::Kind::kWake}, stop);
}

Result<void> Discovery::list(std::stop_token stop) {
  if (Result<void> begun = begin_listing(); !begun) return begun;
  cut_short_ = cut_short_ || whole_;
  (void)oldest_.take();
  unsorted_.clear();
  unsorted_max_ = kUnsortedFirst;
  backlog_.listing_begins();
  std::size_t pages = 0;
  std::uint64_t unsettled = 0;
  std::uint64_t matched = 0;
  while (!stop.stop_requested()) {
    Result<connector::EnumeratedPage> page = enumerator_.next_page();
    if (!page) return std::move(page).error();
    if (options_.order == Order::kKey && !page->sorted) {
      return Error{ErrorCode::kUnsupported,
                   "this store does not list its keys in order: --order key cannot be had of it, "
                   "--order modified can"};
    }
    listed_once_ = true;
    ++pages;
    unsettled += page->unsettled;
    matched += page->objects.size();
    for (const std::string& folder : page->unreadable) {
      if (!said_unreadable_.insert(folder).second) continue;
      log(options_, LogLevel::kWarning,
          "the folder " + folder + " may not be read; what is in it is not loaded");
    }
    queueing_ = true;
    if (Result<void> queued = queue_page(*page, stop); !queued) {
      enumerator_.begin(left_);  // The page does not count as listed.
      queueing_ = false;
      return queued;
    }
    if (page->last) queue_oldest(stop);
    if (stop.stop_requested()) break;
    queueing_ = !unsorted_.empty();
    backlog_.page_listed();
    if (whole_) forgetting_.listed(*page);
    enumerator_.reuse(std::move(page->objects));
    if (page->last) {
      unsettled_ = unsettled;
      cut_short_ = false;
      if (whole_) {
        matched_ = matched;
        pages_ = pages;
        complete(stop);
      }
      backlog_.listing_ended(whole_);
    } else if (whole_ && pages == kShortListingPages && left_ == everything_) {
      Result<std::vector<connector::KeyRange>> wanted =
          wanted_parts(kWalkPagesMax, /*divide=*/true);
      if (!wanted) return std::move(wanted).error();
      if (*wanted != everything_) {
        enumerator_.divide(*std::move(wanted), options_.list_parallel);
      }
    }
    if (!queueing_ && (page->last || clock_.monotonic() - recorded_at_ >= kRecordInterval)) {
      keep_record();
    }
    if (page->last) return {};
  }
  return {};
}

/// All was listed.
void Discovery::complete(std::stop_token stop) {
  complete_ms_ = clock_.wall_ms();
  const auto covers = [this](std::string_view key) { return enumerator_.covers(key); };
  if (Result<void> judged = forgetting_.complete(covers, stop); !judged) {
    log(options_, LogLevel::kWarning,
        "what is no longer there was not forgotten: " + judged.error().to_string());
  }
}

Result<void> Discovery::queue_page(const connector::EnumeratedPage& page, std::stop_token stop) {
  if (page.sorted) {
    if (Result<void> queued = queue_objects(page.objects, true, stop); !queued) return queued;
  } else {
    if (unsorted_.empty()) unsorted_since_ = clock_.monotonic();
    unsorted_.insert(unsorted_.end(), page.objects.begin(), page.objects.end());
  }
  const bool may_wait = unsorted_.size() < unsorted_max_ && !page.last &&
                        clock_.monotonic() - unsorted_since_ < kUnsortedWait;
  if (unsorted_.empty() || may_wait) return {};
  Result<void> queued = queue_objects(unsorted_, false, stop);
  unsorted_.clear();
  unsorted_max_ = std::min(unsorted_max_ * 2, kUnsortedMax);
  return queued;
}

Result<void> Discovery::queue_objects(const std::vector<ObjectVersion>& objects, bool sorted,
                                      std::stop_token stop) {
  std::vector<bool> taken;
  work_.flag_taken(objects, taken);
  std::vector<state::Match> matches;
  if (Result<void> known = ledger_.classify(objects, sorted, matches); !known) return known;
  std::unordered_set<std::string_view> begun;
  for (std::size_t i = 0; i < objects.size(); ++i) {
    if (taken[i] || matches[i] == state::Match::kFinished) continue;  // Most of them.
    if (!filter_.takes(objects[i])) continue;
    // Without an order a key may be listed twice, on pages that are looked up together.
    if (!sorted && !begun.insert(objects[i].key).second) continue;
    auto object = std::make_shared<const ObjectVersion>(objects[i]);
    switch (matches[i]) {
      case state::Match::kNew:
      case state::Match::kRetry:
        queue_new(std::move(object), stop);
        break;
      case state::Match::kChangedReported:
        if (options_.on_change == SourceOptions::OnChange::kIgnore ||
            options_.on_change == SourceOptions::OnChange::kAppend) {
          break;
        }
        [[fallthrough]];
      case state::Match::kChanged:
        found_ = found_ || matches[i] == state::Match::kChanged;
        if (Result<void> queued = queue_changed(std::move(object), stop); !queued) return queued;
        break;
      case state::Match::kReturned:
        if (Result<void> queued = queue_returned(*object, stop); !queued) return queued;
        break;
      case state::Match::kActive:
      case state::Match::kFinished:
      case state::Match::kAttention:
        break;
    }
  }
  return {};
}

void Discovery::queue_new(std::shared_ptr<const ObjectVersion> object, std::stop_token stop) {
  found_ = true;
  if (options_.order == Order::kModified) return oldest_.offer(std::move(object));
  ++queued_;
  (void)work_.push({.object = std::move(object)}, stop);
}

/// What a complete listing has shown, in the order of its times.
void Discovery::queue_oldest(std::stop_token stop) {
  OldestObjects::Taken oldest = oldest_.take();
  left_some_out_ = oldest.left_out;
  std::unordered_set<std::string> begun;
  for (std::shared_ptr<const ObjectVersion>& object : oldest.objects) {
    // Where listings have no order, two parts of one may show the same key.
    if (!begun.insert(object->key).second) continue;
    ++queued_;
    if (!work_.push({.object = std::move(object)}, stop)) return;
  }
}

/// An object that could not be found once rows of it were committed is there again, in the same
/// version: it is gone on with behind them.
Result<void> Discovery::queue_returned(const ObjectVersion& object, std::stop_token stop) {
  Result<std::vector<SplitProgress>> entries = ledger_.find(object.key);
  if (!entries) return std::move(entries).error();
  const auto gone = std::find_if(entries->begin(), entries->end(), [](const auto& entry) {
    return entry.state == SplitState::kGone;
  });
  if (gone == entries->end()) return {};
  found_ = true;
  SplitAssignment assignment = rest_of(*gone);
  work_.take(assignment.object->key);
  ++queued_;
  // The consumer has to know of its rows before more of them come.
  if (!events_.push({.kind = Event::Kind::kReturned,
                     .object = assignment.object,
                     .opened = std::make_shared<const SplitProgress>(resumed(std::move(*gone)))},
                    stop)) {
    return {};
  }
  (void)work_.push(std::move(assignment), stop);
  return {};
}

/// An object that was loaded is listed in the version `object`: reports it, or has a worker go on
/// with it.
Result<void> Discovery::queue_changed(std::shared_ptr<const ObjectVersion> object,
                                      std::stop_token stop) {
  Event report{.kind = Event::Kind::kReported, .object = object};
  if (options_.on_change == SourceOptions::OnChange::kAppend) {
    Result<std::vector<SplitProgress>> entries = ledger_.find(object->key);
    if (!entries) return std::move(entries).error();
    // The open entry comes first, and counts what the finished one does.
    const auto loaded = std::find_if(entries->begin(), entries->end(), [](const auto& entry) {
      return entry.rows + entry.rejected > 0;
    });
    if (loaded != entries->end() && loaded->fingerprint) {
      SplitAssignment assignment{.object = std::move(object), .from = loaded->position};
      assignment.former = std::make_shared<const SplitProgress>(std::move(*loaded));
      ++queued_;
      (void)work_.push(std::move(assignment), stop);
      return {};
    }
    report.error.message =
        "it cannot be gone on with: it is compressed or not in UTF-8, or was loaded without "
        "--on-change append";
  }
  work_.take(report.object->key);
  (void)events_.push(std::move(report), stop);
  return {};
}

}  // namespace leat::executor
