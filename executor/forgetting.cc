#include "executor/forgetting.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <vector>

#include "executor/log.h"

namespace leat::executor {
namespace {

// In one listing: bounds what an epoch holds. What is left is forgotten after the next one.
constexpr std::uint64_t kForgottenMax = 50'000;

// Judging reads the whole ledger, and an hour more or less is nothing to it.
constexpr std::int64_t kJudgeIntervalMax_ms = 12 * 3'600'000;

}  // namespace

void Forgetting::begin_listing() {
  shown_.reset();
  const std::int64_t interval_ms =
      std::min<std::int64_t>(options_.forget_after.count() / 8, kJudgeIntervalMax_ms);
  const std::int64_t now_ms = clock_.wall_ms();
  if (judged_ms_ && now_ms >= *judged_ms_ && now_ms - *judged_ms_ < interval_ms) return;
  const std::uint64_t seed = (std::uint64_t{random_()} << 32) | random_();
  shown_.emplace(ledger_.estimated_entries(), seed);
  shown_keys_ = 0;
  epoch_before_ = ledger_.epoch();
}

void Forgetting::listed(const connector::EnumeratedPage& page) {
  if (!shown_) return;
  if (!page.unreadable.empty()) {
    shown_.reset();
    return;
  }
  for (const ObjectVersion& object : page.objects) shown_->add(object.key);
  for (const std::string& key : page.unsettled_keys) shown_->add(key);
  shown_keys_ += page.objects.size() + page.unsettled_keys.size();
}

Result<void> Forgetting::complete(const std::function<bool(std::string_view key)>& covers,
                                  std::stop_token stop) {
  // A listing without a single object rather comes of a mount that is missing, or of a name that
  // is wrong, than of a store from which all was taken away.
  if (!shown_ || shown_keys_ == 0) return {};
  const KeyFilter shown = *std::exchange(shown_, std::nullopt);
  const state::Absence absence{
      .absent = [&](std::string_view key) { return !shown.may_contain(key) && covers(key); },
      .epoch_before = epoch_before_,
      .now_ms = clock_.wall_ms(),
      .grace_ms = options_.forget_after.count()};
  std::uint64_t forgotten = 0;
  bool all = false;
  while (!all && forgotten < kForgottenMax && !stop.stop_requested()) {
    Result<state::AbsenceStep> step = ledger_.note_absence(absence, next_);
    if (!step) return std::move(step).error();
    if (Result<void> told = forget(step->due, stop); !told) return told;
    forgotten += step->due.size();
    all = step->last;
    next_ = std::move(step->next);
  }
  if (all) judged_ms_ = absence.now_ms;
  if (forgotten > 0) {
    log(options_, SourceOptions::LogLevel::kInfo,
        std::to_string(forgotten) + " objects are no longer there and are forgotten");
  }
  return {};
}

/// Taken up first, then asked for again: once taken up, nobody else changes an entry.
Result<void> Forgetting::forget(const std::vector<ObjectVersion>& due, std::stop_token stop) {
  std::vector<bool> taken;
  work_.flag_taken(due, taken);
  for (std::size_t i = 0; i < due.size(); ++i) {
    if (!taken[i]) work_.take(due[i].key);
  }
  std::vector<state::Match> matches;
  Result<void> known = ledger_.classify(due, /*sorted=*/true, matches);
  for (std::size_t i = 0; i < due.size(); ++i) {
    if (taken[i]) continue;
    const bool unchanged =
        known && (matches[i] == state::Match::kFinished || matches[i] == state::Match::kAttention ||
                  matches[i] == state::Match::kRetry);
    if (!unchanged) {
      work_.release(due[i].key);
    } else if (!events_.push({.kind = Event::Kind::kForgotten,
                              .object = std::make_shared<const ObjectVersion>(due[i])},
                             stop)) {
      return {};
    }
  }
  return known;
}

}  // namespace leat::executor
