#include "executor/discovery.h"

#include <chrono>
#include <utility>

#include "executor/log.h"

namespace leat::executor {

using LogLevel = SourceOptions::LogLevel;

Discovery::Discovery(const SourceOptions& options, connector::SplitEnumerator enumerator,
                     ObjectFilter filter, state::Ledger& ledger, const Clock& clock,
                     WorkQueue& work, EventQueue& events)
    : options_(options),
      clock_(clock),
      ledger_(ledger),
      work_(work),
      events_(events),
      enumerator_(std::move(enumerator)),
      filter_(std::move(filter)),
      forgetting_(options, ledger, clock, work, events) {}

void Discovery::run(std::vector<SplitAssignment> resumed, std::stop_token stop) {
  for (SplitAssignment& assignment : resumed) {
    ++queued_;
    if (!work_.push(std::move(assignment), stop)) return;
  }
  while (!stop.stop_requested()) {
    Result<void> swept = sweep(stop);
    if (stop.stop_requested()) return;
    if (!swept) {
      // A first listing that fails is a wrong name or key, to be said at once. Later it is an
      // outage, to be outlasted.
      if (options_.once || !listed_once_) return finish(std::move(swept).error(), stop);
      log(options_, LogLevel::kError,
          "listing failed, trying again at the next poll: " + swept.error().to_string());
    } else if (options_.once) {
      if (unsettled_ > 0) {
        // Files written a moment ago: give them their time once, then take what has settled.
        if (!clock_.wait(std::chrono::milliseconds(options_.store.local.settle_ms) +
                             std::chrono::milliseconds(100),
                         stop)) {
          return;
        }
        swept = sweep(stop);
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
    if (!clock_.wait(options_.poll_interval, stop)) return;
  }
}

/// A misspelt name looks like nothing to do; so it is said, once.
Result<void> Discovery::check_matches() {
  if (matched_ > 0 || unsettled_ > 0 || said_nothing_matches_) return {};
  said_nothing_matches_ = true;
  if (options_.once && enumerator_.names_one_object()) {
    return Error{ErrorCode::kNotFound, "there is no object " + options_.from};
  }
  log(options_, LogLevel::kWarning, "nothing matches " + options_.from);
  return {};
}

void Discovery::relist() {
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
    done_ = !relist_;
  }
  (void)events_.push({.kind = Event::Kind::kWake}, stop);
}

Result<void> Discovery::sweep(std::stop_token stop) {
  enumerator_.begin_sweep();
  forgetting_.begin_listing();
  std::uint64_t unsettled = 0;
  std::uint64_t matched = 0;
  while (!stop.stop_requested()) {
    Result<connector::EnumeratedPage> page = enumerator_.next_page();
    if (!page) return std::move(page).error();
    listed_once_ = true;
    unsettled += page->unsettled;
    matched += page->objects.size();
    for (const std::string& folder : page->unreadable) {
      if (!said_unreadable_.insert(folder).second) continue;
      log(options_, LogLevel::kWarning,
          "the folder " + folder + " may not be read; what is in it is not loaded");
    }
    if (Result<void> queued = queue_page(*page, stop); !queued) return queued;
    forgetting_.listed(*page);
    if (!page->last) continue;
    unsettled_ = unsettled;
    matched_ = matched;
    last_complete_listing_ms_ = clock_.wall_ms();
    const auto covers = [this](std::string_view key) { return enumerator_.covers(key); };
    if (Result<void> judged = forgetting_.complete(covers, stop); !judged) {
      log(options_, LogLevel::kWarning,
          "what is no longer there was not forgotten: " + judged.error().to_string());
    }
    return {};
  }
  return {};
}

Result<void> Discovery::queue_page(const connector::EnumeratedPage& page, std::stop_token stop) {
  std::vector<bool> taken;
  work_.flag_taken(page.objects, taken);
  std::vector<state::Match> matches;
  if (Result<void> known = ledger_.classify(page.objects, page.sorted, matches); !known) {
    return known;
  }
  for (std::size_t i = 0; i < page.objects.size(); ++i) {
    if (taken[i] || matches[i] == state::Match::kFinished) continue;  // Most of them.
    if (!filter_.takes(page.objects[i])) continue;
    auto object = std::make_shared<const ObjectVersion>(page.objects[i]);
    switch (matches[i]) {
      case state::Match::kNew:
      case state::Match::kRetry:
        ++queued_;
        if (!work_.push({.object = std::move(object)}, stop)) return {};
        break;
      case state::Match::kChangedReported:
        if (options_.on_change == SourceOptions::OnChange::kIgnore) break;
        [[fallthrough]];
      case state::Match::kChanged:
        work_.take(*object);
        if (!events_.push({.kind = Event::Kind::kReported, .object = std::move(object)}, stop)) {
          return {};
        }
        break;
      case state::Match::kActive:
      case state::Match::kFinished:
      case state::Match::kAttention:
        break;
    }
  }
  return {};
}

}  // namespace leat::executor
