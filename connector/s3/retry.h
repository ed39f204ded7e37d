// When to try again, and how long to wait first.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>

#include "connector/s3/s3_error.h"
#include "leat/clock.h"
#include "leat/result.h"

namespace leat::connector::s3 {

struct RetryPolicy {
  std::uint32_t attempts_max = 10;  ///< The first included.
  std::uint32_t operation_timeout_ms = 180'000;
  /// The n-th pause is random(0, 1) × min(pause_max, base × 2ⁿ).
  std::uint32_t base_ms = 50;
  std::uint32_t throttled_base_ms = 1'000;
  std::uint32_t pause_max_ms = 20'000;
};

/// Uniform in [0, 1). Thread-safe.
using Random = std::function<double()>;

/// What all requests to one bucket of one endpoint may spend on retries together, so that a service
/// in trouble is not buried in them. Thread-safe.
class RetryBudget {
 public:
  static constexpr int kTokensMax = 500;
  static constexpr int kRetryCost = 5;
  static constexpr int kTimeoutCost = 10;

  /// False: nothing is taken.
  bool take(int cost);
  /// An answer came: pays one back.
  void give_back();

 private:
  std::mutex mutex_;
  int tokens_ = kTokensMax;
};

/// The retries of one operation. Used by one thread. Borrows all that it is given.
class Retry {
 public:
  Retry(const RetryPolicy& policy, RetryBudget& budget, const Clock& clock, const Random& random,
        std::stop_token stop);

  /// What is to be done after a failure.
  struct Decision {
    std::optional<Error> error;  ///< Report it. nullopt: try again,
    Clock::Duration pause{0};    ///< after this time.
  };

  /// A first failure on a reused connection is tried again at once, and does not count: the server
  /// had merely closed it. The error says how often was tried.
  Decision decide(const S3Failure& failure);
  /// The same, and waits as long as is due.
  /// @return  nullopt: try again. Otherwise the error to report.
  std::optional<Error> after(const S3Failure& failure);

 private:
  const RetryPolicy& policy_;
  RetryBudget& budget_;
  const Clock& clock_;
  const Random& random_;
  const std::stop_token stop_;
  const Clock::Duration start_;
  std::uint32_t attempts_ = 0;
  bool retried_at_once_ = false;
};

}  // namespace leat::connector::s3
