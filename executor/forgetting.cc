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
constexpr std::int64_t kJudgeIntervalMaxMs = std::int64_t{12} * 3'600'000;

}  // namespace

bool Forgetting::judged_lately() const {
  const std::int64_t interval_ms =
      std::min<std::int64_t>(options_.forget_after.count() / 8, kJudgeIntervalMaxMs);
  const std::int64_t now_ms = clock_.wall_ms();
  return judged_ms_ != 0 && now_ms >= judged_ms_ && now_ms - judged_ms_ < interval_ms;
}

void Forgetting::begin_listing() {
  shown_.reset();
  marked_only_ = judged_lately();
  if (marked_only_) {
    // An error comes again, to be told, when the entries are judged.
    const Result<bool> any = ledger_.any_marked();
    if (any && !*any) return;
  }
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
      .grace_ms = options_.forget_after.count(),
      .marked_only = marked_only_};
  std::uint64_t forgotten = 0;
  state::AbsenceStep step;
  while (!step.last && !stop.stop_requested()) {
    Result<state::AbsenceStep> next = ledger_.note_absence(absence, step.next);
    if (!next) return std::move(next).error();
    step = *std::move(next);
    if (forgotten >= kForgottenMax) continue;
    Result<std::uint64_t> told = forget(step.due, stop);
    if (!told) return std::move(told).error();
    forgotten += *told;
  }
  if (step.last && !marked_only_) judged_ms_ = absence.now_ms;
  if (forgotten > 0) {
    log(options_, SourceOptions::LogLevel::kInfo,
        std::to_string(forgotten) + " objects are no longer there and are forgotten");
  }
  return {};
}

/// Taken up first, then asked for again: once taken up, nobody else changes an entry.
Result<std::uint64_t> Forgetting::forget(std::span<const ObjectVersion> due, std::stop_token stop) {
  std::vector<bool> taken;
  work_.flag_taken(due, taken);
  for (std::size_t i = 0; i < due.size(); ++i) {
    if (!taken[i]) work_.take(due[i].key);
  }
  std::vector<state::Match> matches;
  Result<void> known = ledger_.classify(due, /*sorted=*/true, matches);
  std::uint64_t told = 0;
  for (std::size_t i = 0; i < due.size(); ++i) {
    if (taken[i]) continue;
    const bool unchanged =
        known && (matches[i] == state::Match::kFinished || matches[i] == state::Match::kAttention ||
                  matches[i] == state::Match::kReturned || matches[i] == state::Match::kRetry);
    if (!unchanged) {
      work_.release(due[i].key);
    } else if (events_.push({.kind = Event::Kind::kForgotten,
                             .object = std::make_shared<const ObjectVersion>(due[i])},
                            stop)) {
      ++told;
    } else {
      return told;
    }
  }
  if (!known) return std::move(known).error();
  return told;
}

}  // namespace leat::executor
