#include "connector/s3/retry.h"

#include <algorithm>
#include <string>
#include <utility>

namespace leat::connector::s3 {

bool RetryBudget::take(int cost) {
  const std::lock_guard lock(mutex_);
  if (tokens_ < cost) return false;
  tokens_ -= cost;
  return true;
}

void RetryBudget::give_back() {
  const std::lock_guard lock(mutex_);
  tokens_ = std::min(tokens_ + 1, kTokensMax);
}

Retry::Retry(const RetryPolicy& policy, RetryBudget& budget, const Clock& clock,
             const Random& random, std::stop_token stop)
    : policy_(policy),
      budget_(budget),
      clock_(clock),
      random_(random),
      stop_(std::move(stop)),
      start_(clock.monotonic()) {}

std::optional<Error> Retry::after(const S3Failure& failure) {
  Decision decision = decide(failure);
  if (decision.error) return std::move(decision.error);
  if (decision.pause.count() != 0 && !clock_.wait(decision.pause, stop_)) {
    return Error{.code = ErrorCode::kCancelled, .message = "stopped while waiting to try again"};
  }
  return std::nullopt;
}

Retry::Decision Retry::decide(const S3Failure& failure) {
  if (!failure.error.retryable) return {.error = failure.error};
  if (failure.connection_reused && !std::exchange(retried_at_once_, true)) return {.error = {}};

  const auto give_up = [&](const std::string& why) {
    Error error = failure.error;
    error.message += " [" + why + "]";
    return Decision{.error = std::move(error)};
  };
  ++attempts_;
  const auto elapsed = clock_.monotonic() - start_;
  const std::string so_far = std::to_string(attempts_) +
                             (attempts_ == 1 ? " attempt" : " attempts") + " in " +
                             std::to_string(elapsed.count()) + " ms";
  if (attempts_ >= policy_.attempts_max) return give_up("gave up after " + so_far);

  const double base =
      failure.error.code == ErrorCode::kThrottled ? policy_.throttled_base_ms : policy_.base_ms;
  const std::uint32_t doublings = std::min(attempts_ - 1, 20u);
  const double pause_max = std::min<double>(policy_.pause_max_ms, base * (1u << doublings));
  const Clock::Duration pause(static_cast<std::int64_t>(random_() * pause_max));
  if (elapsed + pause >= Clock::Duration(policy_.operation_timeout_ms)) {
    return give_up("gave up after " + so_far + ", the time limit is " +
                   std::to_string(policy_.operation_timeout_ms) + " ms");
  }
  const bool timed_out = failure.error.code == ErrorCode::kTimeout;
  if (!budget_.take(timed_out ? RetryBudget::kTimeoutCost : RetryBudget::kRetryCost)) {
    return give_up("gave up after " + so_far + ": too many requests fail to go on retrying");
  }
  return {.error = {}, .pause = pause};
}

}  // namespace leat::connector::s3
