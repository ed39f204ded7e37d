#include "executor/request_budget.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace leat::executor {

RequestBudget::RequestBudget(RequestRate rate, const Clock& clock)
    : rate_(rate),
      clock_(clock),
      tokens_max_(std::max(1.0, static_cast<double>(rate.requests) / 10)),
      tokens_(tokens_max_),
      filled_at_(clock.monotonic()) {}

bool RequestBudget::take(std::stop_token stop) {
  if (rate_.requests == 0) return !stop.stop_requested();
  const double per_ms =
      static_cast<double>(rate_.requests) / static_cast<double>(rate_.per.count());
  Clock::Duration wait{0};
  {
    const std::lock_guard lock(mutex_);
    const Clock::Duration now = clock_.monotonic();
    tokens_ =
        std::min(tokens_max_, tokens_ + static_cast<double>((now - filled_at_).count()) * per_ms);
    filled_at_ = now;
    // Taken ahead of time: whoever comes later waits for longer.
    tokens_ -= 1;
    if (tokens_ < 0)
      wait = Clock::Duration(static_cast<std::int64_t>(std::ceil(-tokens_ / per_ms)));
  }
  return wait.count() == 0 ? !stop.stop_requested() : clock_.wait(wait, std::move(stop));
}

}  // namespace leat::executor
