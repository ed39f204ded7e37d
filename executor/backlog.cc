#include "executor/backlog.h"

#include <algorithm>
#include <cinttypes>
#include <cmath>
#include <cstdio>

namespace leat::executor {
namespace {

// Without floating point, whose decimal point is the locale's.
constexpr const char* kFormat =
    "at_ms=%" PRId64 " objects=%" PRIu64 " bytes=%" PRIu64 " oldest_modified_ms=%" PRId64
    " last_complete_listing_ms=%" PRId64 " listing=%d list_requests=%" PRIu64
    " list_requests_per_minute=%" PRIu64 ".%03" PRIu64;
constexpr const char* kScanFormat =
    "at_ms=%" SCNd64 " objects=%" SCNu64 " bytes=%" SCNu64 " oldest_modified_ms=%" SCNd64
    " last_complete_listing_ms=%" SCNd64 " listing=%d list_requests=%" SCNu64
    " list_requests_per_minute=%" SCNu64 ".%3" SCNu64;
constexpr int kFields = 9;

}  // namespace

void RequestMeter::note(std::int64_t monotonic_ms, std::uint64_t total) {
  if (samples_.empty()) first_ms_ = monotonic_ms;
  if (!samples_.empty() && monotonic_ms - samples_.back().first < 1'000) return;
  samples_.emplace_back(monotonic_ms, total);
  while (samples_.size() > 1 && samples_[1].first <= monotonic_ms - kWindowMs) {
    samples_.pop_front();
  }
}

double RequestMeter::per_minute(std::int64_t monotonic_ms, std::uint64_t total) const {
  if (samples_.empty()) return 0;
  const std::int64_t from = monotonic_ms - kWindowMs;
  // What was counted when the window began: the last sample in front of it, else the first of all.
  std::uint64_t before = first_ms_ > from ? 0 : samples_.front().second;
  for (const auto& [at, count] : samples_) {
    if (at > from) break;
    before = count;
  }
  const std::int64_t span = std::clamp<std::int64_t>(monotonic_ms - first_ms_, 60'000, kWindowMs);
  return static_cast<double>(total - before) * 60'000 / static_cast<double>(span);
}

std::string BacklogState::encode() const {
  const auto thousandths =
      static_cast<std::uint64_t>(std::llround(list_requests_per_minute * 1'000));
  char text[320];
  const int size = std::snprintf(text, sizeof text, kFormat, at_ms, objects, bytes,
                                 oldest_modified_ms, last_complete_listing_ms, listing ? 1 : 0,
                                 list_requests, thousandths / 1'000, thousandths % 1'000);
  return {text, static_cast<std::size_t>(size)};
}

std::optional<BacklogState> BacklogState::decode(std::string_view text) {
  BacklogState state;
  int listing = 0;
  std::uint64_t whole = 0;
  std::uint64_t thousandths = 0;
  if (std::sscanf(std::string(text).c_str(), kScanFormat, &state.at_ms, &state.objects,
                  &state.bytes, &state.oldest_modified_ms, &state.last_complete_listing_ms,
                  &listing, &state.list_requests, &whole, &thousandths) != kFields) {
    return std::nullopt;
  }
  state.list_requests_per_minute =
      static_cast<double>(whole) + static_cast<double>(thousandths) / 1'000;
  state.listing = listing != 0;
  return state;
}

Backlog::Backlog(const Clock& clock, const ObjectStore& store, const WorkQueue& work,
                 state::Ledger& ledger)
    : clock_(clock), store_(store), work_(work), ledger_(ledger) {
  // What an earlier run listed is still what was listed last.
  const auto kept = BacklogState::decode(ledger.meta(kFact).value_or(""));
  if (kept) last_complete_listing_ms_ = kept->last_complete_listing_ms;
}

void Backlog::listing_begins() {
  const std::uint64_t requests = store_.stats().list_requests;
  const std::lock_guard lock(mutex_);
  rate_.note(monotonic_ms(), requests);
  listing_ = true;
}

void Backlog::page_listed() {
  const std::uint64_t requests = store_.stats().list_requests;
  {
    const std::lock_guard lock(mutex_);
    rate_.note(monotonic_ms(), requests);
    if (kept_ms_ && monotonic_ms() - *kept_ms_ < kKeepEveryMs) return;
  }
  keep();
}

void Backlog::listing_ended(bool complete) {
  {
    const std::lock_guard lock(mutex_);
    if (complete) last_complete_listing_ms_ = clock_.wall_ms();
    listing_ = false;
  }
  keep();
}

BacklogState Backlog::now() const {
  const WorkQueue::Unsettled unsettled = work_.unsettled();
  BacklogState state{.at_ms = clock_.wall_ms(),
                     .objects = unsettled.objects,
                     .bytes = unsettled.bytes,
                     .oldest_modified_ms = unsettled.oldest_modified_ms,
                     .list_requests = store_.stats().list_requests};
  const std::lock_guard lock(mutex_);
  state.last_complete_listing_ms = last_complete_listing_ms_;
  state.listing = listing_;
  state.list_requests_per_minute = rate_.per_minute(monotonic_ms(), state.list_requests);
  return state;
}

void Backlog::keep() {
  {
    const std::lock_guard lock(mutex_);
    kept_ms_ = monotonic_ms();
  }
  (void)ledger_.put_note(kFact, now().encode());
}

}  // namespace leat::executor
