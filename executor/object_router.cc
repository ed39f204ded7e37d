#include "executor/object_router.h"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "executor/change_policy.h"
#include "executor/resumed_split.h"

namespace leat::executor {
namespace {

// Keys of pages in no order that are looked up at once: as many as are in memory at most (some 60
// MB of them), and at first few, so that a first page does not wait.
constexpr std::size_t kUnsortedMax = 262'144;
constexpr std::size_t kUnsortedFirst = 1'000;
// Nor does a page wait for longer than this.
constexpr std::chrono::seconds kUnsortedWait{1};

}  // namespace

ObjectRouter::ObjectRouter(const SourceOptions& options, ObjectFilter& filter,
                           state::Ledger& ledger, const Clock& clock, WorkQueue& work,
                           EventQueue& events)
    : options_(options),
      filter_(filter),
      ledger_(ledger),
      clock_(clock),
      work_(work),
      events_(events),
      oldest_(options.ordered_objects_max) {}

bool ObjectRouter::queue(SplitAssignment assignment, std::stop_token stop) {
  ++queued_;
  return work_.push(std::move(assignment), std::move(stop));
}

bool ObjectRouter::resume(std::vector<SplitAssignment> splits, std::stop_token stop) {
  return std::all_of(splits.begin(), splits.end(),
                     [&](SplitAssignment& split) { return queue(std::move(split), stop); });
}

void ObjectRouter::begin_listing() {
  found_ = false;
  (void)oldest_.take();
  unsorted_.clear();
  unsorted_max_ = kUnsortedFirst;
}

Result<void> ObjectRouter::route(const connector::EnumeratedPage& page, std::stop_token stop) {
  behind_ = true;
  Result<void> looked_up = look_up_what_is_due(page, stop);
  if (looked_up && page.last) queue_oldest(stop);
  if (!stop.stop_requested()) behind_ = looked_up && !unsorted_.empty();
  return looked_up;
}

Result<void> ObjectRouter::look_up_what_is_due(const connector::EnumeratedPage& page,
                                               std::stop_token stop) {
  if (page.sorted) {
    if (Result<void> queued = look_up(page.objects, true, stop); !queued) return queued;
  } else {
    if (unsorted_.empty()) unsorted_since_ = clock_.monotonic();
    unsorted_.insert(unsorted_.end(), page.objects.begin(), page.objects.end());
  }
  const bool may_wait = unsorted_.size() < unsorted_max_ && !page.last &&
                        clock_.monotonic() - unsorted_since_ < kUnsortedWait;
  if (unsorted_.empty() || may_wait) return {};
  Result<void> queued = look_up(unsorted_, false, stop);
  unsorted_.clear();
  unsorted_max_ = std::min(unsorted_max_ * 2, kUnsortedMax);
  return queued;
}

Result<void> ObjectRouter::look_up(const std::vector<ObjectVersion>& objects, bool sorted,
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
      case state::Match::kChanged:
      case state::Match::kChangedReported:
      case state::Match::kChangedWhileRead:
        found_ = found_ || matches[i] == state::Match::kChanged;
        if (Result<void> queued = queue_changed(std::move(object), matches[i], stop); !queued) {
          return queued;
        }
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

void ObjectRouter::queue_new(std::shared_ptr<const ObjectVersion> object, std::stop_token stop) {
  found_ = true;
  if (options_.order == SourceOptions::Order::kModified) return oldest_.offer(std::move(object));
  (void)queue({.object = std::move(object)}, std::move(stop));
}

/// What a complete listing has shown, in the order of its times.
void ObjectRouter::queue_oldest(std::stop_token stop) {
  OldestObjects::Taken oldest = oldest_.take();
  left_some_out_ = oldest.left_out;
  std::unordered_set<std::string> begun;
  for (std::shared_ptr<const ObjectVersion>& object : oldest.objects) {
    // Where listings have no order, two parts of one may show the same key.
    if (!begun.insert(object->key).second) continue;
    if (!queue({.object = std::move(object)}, stop)) return;
  }
}

/// An object that could not be found once rows of it were committed is there again, in the same
/// version: it is gone on with behind them.
Result<void> ObjectRouter::queue_returned(const ObjectVersion& object, std::stop_token stop) {
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
  (void)work_.push(std::move(assignment), std::move(stop));
  return {};
}

/// An object that was loaded is listed in the version `object`: reports it, or has a worker go on
/// with it.
Result<void> ObjectRouter::queue_changed(std::shared_ptr<const ObjectVersion> object,
                                         state::Match match, std::stop_token stop) {
  const ChangeStep step =
      step_for(options_.on_change,
               {.seen = Change::Seen::kListed, .noted = match == state::Match::kChangedReported});
  if (step == ChangeStep::kLeave) return {};
  Event report{.kind = Event::Kind::kReported,
               .object = object,
               .is_known = match == state::Match::kChangedWhileRead};
  if (step == ChangeStep::kGoOn) {
    Result<std::vector<SplitProgress>> entries = ledger_.find(object->key);
    if (!entries) return std::move(entries).error();
    // The open entry comes first, and counts what the finished one does.
    const auto loaded = std::find_if(entries->begin(), entries->end(), [](const auto& entry) {
      return entry.rows + entry.rejected > 0;
    });
    if (loaded != entries->end() && loaded->fingerprint) {
      SplitAssignment assignment{.object = std::move(object), .from = loaded->position};
      assignment.former = std::make_shared<const SplitProgress>(std::move(*loaded));
      (void)queue(std::move(assignment), std::move(stop));
      return {};
    }
    report.seen = Change::Seen::kNotGrown;
    report.error.message =
        "it cannot be gone on with: it is compressed or not in UTF-8, or was loaded without "
        "--on-change append";
  }
  work_.take(report.object->key);
  (void)events_.push(std::move(report), stop);
  return {};
}

}  // namespace leat::executor
