// A clock that runs faster than the machine's.
#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>

#include "leat/clock.h"

namespace leat::fault {

/// Its time passes `speed` times as fast, for waits and for those who measure: policies that deal
/// with many requests at once see a time that fits together, as with a slow server. The wall's time
/// is the machine's, as signatures need it. Thread-safe.
class FastClock final : public Clock {
 public:
  /// @param error  How wrong the wall's clock is.
  explicit FastClock(int speed, Duration error = {}) : speed_(speed), error_(error) {}

  std::int64_t wall_ms() const noexcept override {
    return system_clock().wall_ms() + error_.count();
  }
  Duration monotonic() const noexcept override {
    return std::chrono::duration_cast<Duration>((std::chrono::steady_clock::now() - start_) *
                                                speed_);
  }
  bool wait(Duration duration, std::stop_token stop) const override {
    return system_clock().wait((duration + Duration(speed_ - 1)) / speed_, std::move(stop));
  }

 private:
  const int speed_;
  const Duration error_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace leat::fault
