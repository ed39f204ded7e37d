#include "connector/s3/hedge.h"

#include <algorithm>

namespace leat::connector::s3 {
namespace {

constexpr std::size_t kSortEvery = 32;
constexpr double kAllowanceMax = 10;

}  // namespace

void Hedge::note(Duration wait) {
  const std::lock_guard lock(mutex_);
  samples_[count_++ % kSamples] = wait;
  allowance_ = std::min(allowance_ + kShareMax, kAllowanceMax);
  if (count_ < kSamplesMin || (count_ != kSamplesMin && count_ % kSortEvery != 0)) return;
  std::array<Duration, kSamples> sorted = samples_;
  const auto end = sorted.begin() + static_cast<std::ptrdiff_t>(std::min(count_, kSamples));
  const auto p99 = sorted.begin() + (end - sorted.begin()) * 99 / 100;
  std::nth_element(sorted.begin(), p99, end);
  patience_ = *p99;
}

std::optional<Hedge::Duration> Hedge::patience() const {
  const std::lock_guard lock(mutex_);
  return patience_;
}

bool Hedge::take() {
  const std::lock_guard lock(mutex_);
  if (allowance_ < 1) {
    ++refused_;
    return false;
  }
  allowance_ -= 1;
  ++taken_;
  return true;
}

std::uint64_t Hedge::taken() const {
  const std::lock_guard lock(mutex_);
  return taken_;
}

std::uint64_t Hedge::refused() const {
  const std::lock_guard lock(mutex_);
  return refused_;
}

}  // namespace leat::connector::s3
