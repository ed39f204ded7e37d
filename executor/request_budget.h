// How many requests may be made, over time: a token bucket.
#pragma once

#include <chrono>
#include <mutex>
#include <stop_token>

#include "leat/clock.h"
#include "leat/source.h"

namespace leat::executor {

/// Full at the begin, and never fuller than a tenth of the budget (at least one request): short
/// listings do not wait, long ones keep to the rate. Thread-safe. Borrows the clock.
class RequestBudget {
 public:
  RequestBudget(RequestRate rate, const Clock& clock);

  /// Waits until one more request may be made. At once where there is no limit.
  /// @return  false when stopped.
  bool take(std::stop_token stop);

 private:
  const RequestRate rate_;
  const Clock& clock_;
  const double tokens_max_;
  std::mutex mutex_;
  double tokens_;  ///< Below 0: promised to those who wait.
  Clock::Duration filled_at_;
};

}  // namespace leat::executor
