#include "connector/s3/send_rate.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace leat::connector::s3 {
namespace {

constexpr double kBeta = 0.7;        // What is left of the rate when throttled.
constexpr double kCubicScale = 0.4;  // Steepness of the growth; RFC 9438's C.
constexpr double kSmoothing = 0.8;   // Weight of the latest half second.
constexpr double kLimitMin = 0.5;    // Requests per second.
constexpr double kBucketSeconds = 0.5;
constexpr double kIdleSeconds = 2;     // After such a pause the rate is unknown again.
constexpr double kMemorySeconds = 60;  // Without throttling: the limit is lifted.

}  // namespace

SendRate::SendRate(const Clock& clock) : clock_(clock) {
  bucket_start_ = refilled_at_ = throttled_at_ = now_s();
}

double SendRate::now_s() const { return static_cast<double>(clock_.monotonic().count()) / 1'000; }

bool SendRate::wait_for_turn(std::stop_token stop) {
  double wait_s = 0;
  {
    const std::lock_guard lock(mutex_);
    const double now = now_s();
    measure(now);
    if (limited_ && now - throttled_at_ > kMemorySeconds) limited_ = false;
    if (limited_) {
      turns_ = std::min(turns_ + (now - refilled_at_) * limit_, std::max(1.0, limit_));
      refilled_at_ = now;
      turns_ -= 1;
      if (turns_ < 0) wait_s = -turns_ / limit_;
    }
  }
  if (wait_s <= 0) return !stop.stop_requested();
  return clock_.wait(Clock::Duration(static_cast<std::int64_t>(std::ceil(wait_s * 1'000))),
                     std::move(stop));
}

void SendRate::throttled() {
  const std::lock_guard lock(mutex_);
  const double now = now_s();
  // In the first half second of a burst there is no rate to take a part of, and a guess that is too
  // low costs many seconds: the request itself waits, and if more are refused, the rate is known.
  if (measured_ == 0 && !limited_) return;
  double rate = measured_ > 0 ? measured_ : limit_;
  if (limited_) {
    rate = std::min(rate, limit_);
  } else {
    turns_ = 0;
    refilled_at_ = now;
  }
  limited_ = true;
  rate_at_throttle_ = rate;
  throttled_at_ = now;
  limit_ = std::max(rate * kBeta, kLimitMin);
}

void SendRate::succeeded() {
  const std::lock_guard lock(mutex_);
  if (!limited_) return;
  const double now = now_s();
  // Seconds until the curve is back at the old rate.
  const double window = std::cbrt(rate_at_throttle_ * (1 - kBeta) / kCubicScale);
  const double since = now - throttled_at_ - window;
  const double wanted = kCubicScale * since * since * since + rate_at_throttle_;
  // Not far beyond what is asked for anyway: the next burst must not find the gates wide open.
  limit_ = std::max(measured_ > 0 ? std::min(wanted, 2 * measured_) : wanted, kLimitMin);
}

double SendRate::limit() const {
  const std::lock_guard lock(mutex_);
  return limited_ ? limit_ : 0;
}

void SendRate::measure(double now) {
  if (now - bucket_start_ > kIdleSeconds) {
    measured_ = 0;
    bucket_start_ = now;
    bucket_count_ = 0;
  }
  bucket_count_ += 1;
  if (now - bucket_start_ < kBucketSeconds) return;
  const double rate = bucket_count_ / (now - bucket_start_);
  measured_ = kSmoothing * rate + (1 - kSmoothing) * measured_;
  bucket_start_ = now;
  bucket_count_ = 0;
}

}  // namespace leat::connector::s3
