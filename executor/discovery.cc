#include "executor/discovery.h"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

#include "executor/log.h"

namespace leat::executor {

using LogLevel = SourceOptions::LogLevel;

namespace {

/// Before the second further listing of a source that lists `once`; doubles from then on.
constexpr Clock::Duration kRelistPause{20};

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
      events_(events),
      backlog_(backlog),
      enumerator_(std::move(enumerator)),
      filter_(std::move(filter)),
      forgetting_(options, ledger, clock, work, events),
      budget_(options.list_budget, clock),
      plan_(options, enumerator_, filter_, ledger, clock, work),
      router_(options, filter_, ledger, clock, work, events),
      interval_(options.poll_interval) {}

void Discovery::run(std::vector<SplitAssignment> resumed, std::stop_token stop) {
  poll(std::move(resumed), stop);
  // What was committed since the last page moves the front on.
  if (plan_.listed_once() && !router_.is_behind()) plan_.keep_record(forgetting_.judged_ms());
  enumerator_.end();
}

void Discovery::poll(std::vector<SplitAssignment> resumed, const std::stop_token& stop) {
  if (!router_.resume(std::move(resumed), stop)) return;
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
  if (const std::optional<std::int64_t> judged_ms = plan_.go_on_from_record()) {
    forgetting_.go_on_from(*judged_ms);
  }
  Clock::Duration relist_pause{0};
  while (!stop.stop_requested()) {
    const bool was_cut_short = plan_.cut_short();
    Result<void> swept = list(stop);
    if (stop.stop_requested()) return;
    // The rest of a listing that was cut short comes first, for what was never listed; then all.
    if (swept && was_cut_short && !plan_.whole()) continue;
    if (!swept) {
      // A first listing that fails is a wrong name or key, to be said at once. Later it is an
      // outage, to be outlasted.
      if (options_.once || !plan_.listed_once()) return finish(std::move(swept).error(), stop);
      log(options_, LogLevel::kError,
          "listing failed, trying again at the next poll: " + swept.error().to_string());
    } else if (router_.left_some_out()) {
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
      lock.unlock();
      // Not in a loop without a pause, where a store lists what it does not have.
      if (!clock_.wait(std::min<Clock::Duration>(options_.poll_interval, relist_pause), stop)) {
        return;
      }
      relist_pause = std::max(2 * relist_pause, kRelistPause);
      continue;
    }
    if (swept) (void)check_matches();
    if (!wait_for_poll(stop)) return;
  }
}

/// @return  false when stopped.
bool Discovery::wait_for_poll(std::stop_token stop) {
  const Clock::Duration longest = longest_interval(options_);
  interval_ = router_.found() ? options_.poll_interval : std::min(interval_ * 2, longest);
  Clock::Duration waited{0};
  while (waited < interval_) {
    const Clock::Duration step = std::min(options_.poll_interval, interval_ - waited);
    if (!clock_.wait(step, stop)) return false;
    waited += step;
    if (wake_.exchange(false)) interval_ = options_.poll_interval;
  }
  return true;
}

/// A misspelt name looks like nothing to do; so it is said, once.
Result<void> Discovery::check_matches() {
  if (!plan_.whole() || matched_ > 0 || unsettled_ > 0 || said_nothing_matches_) return {};
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
  if (Result<void> begun = plan_.begin(); !begun) return begun;
  if (plan_.whole()) forgetting_.begin_listing();
  router_.begin_listing();
  backlog_.listing_begins();
  std::uint64_t unsettled = 0;
  std::uint64_t matched = 0;
  for (bool last = false; !last;) {
    Result<connector::EnumeratedPage> page = enumerator_.next_page();
    if (!page) return std::move(page).error();
    if (options_.order == SourceOptions::Order::kKey && !page->sorted) {
      return Error{ErrorCode::kUnsupported,
                   "this store does not list its keys in order: --order key cannot be had of it, "
                   "--order modified can"};
    }
    plan_.page_came();
    last = page->last;
    unsettled += page->unsettled;
    matched += page->objects.size();
    warn_of_unreadable(*page);
    if (Result<void> routed = router_.route(*page, stop); !routed) {
      plan_.page_failed();
      return routed;
    }
    if (stop.stop_requested()) return {};
    backlog_.page_listed();
    if (plan_.whole()) forgetting_.listed(*page);
    enumerator_.reuse(std::move(page->objects));
    if (last) {
      unsettled_ = unsettled;
      plan_.ended();
      if (plan_.whole()) {
        matched_ = matched;
        forget(stop);
      }
      backlog_.listing_ended(plan_.whole());
    } else if (Result<void> divided = plan_.divide_long_one(); !divided) {
      return divided;
    }
    if (!router_.is_behind() && (last || plan_.is_record_due())) {
      plan_.keep_record(forgetting_.judged_ms());
    }
    if (stop.stop_requested()) return {};
  }
  return {};
}

void Discovery::warn_of_unreadable(const connector::EnumeratedPage& page) {
  for (const std::string& folder : page.unreadable) {
    if (!said_unreadable_.insert(folder).second) continue;
    log(options_, LogLevel::kWarning,
        "the folder " + folder + " may not be read; what is in it is not loaded");
  }
}

/// All was listed.
void Discovery::forget(std::stop_token stop) {
  const auto covers = [this](std::string_view key) { return enumerator_.covers(key); };
  if (Result<void> judged = forgetting_.complete(covers, std::move(stop)); !judged) {
    log(options_, LogLevel::kWarning,
        "what is no longer there was not forgotten: " + judged.error().to_string());
  }
}

}  // namespace leat::executor
