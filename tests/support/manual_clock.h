// A clock that stands still until a test, or a wait, moves it.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "leat/clock.h"

namespace leat::testing {

/// wait() moves the time on at once: what a program does over minutes, a test sees in microseconds.
/// Thread-safe.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(std::int64_t wall_ms = 1'800'000'000'000) : start_ms_(wall_ms) {}

  std::int64_t wall_ms() const noexcept override {
    const std::lock_guard lock(mutex_);
    return start_ms_ + elapsed_.count();
  }
  Duration monotonic() const noexcept override {
    const std::lock_guard lock(mutex_);
    return elapsed_;
  }
  bool wait(Duration duration, std::stop_token stop) const override {
    if (stop.stop_requested()) return false;
    {
      const std::lock_guard lock(mutex_);
      waits_.push_back(duration);
      elapsed_ += duration;
    }
    std::this_thread::yield();
    return !stop.stop_requested();
  }

  void advance(Duration duration) {
    const std::lock_guard lock(mutex_);
    elapsed_ += duration;
  }
  /// All waits so far, in order.
  std::vector<Duration> waits() const {
    const std::lock_guard lock(mutex_);
    return waits_;
  }

 private:
  const std::int64_t start_ms_;
  mutable std::mutex mutex_;
  mutable Duration elapsed_{0};
  mutable std::vector<Duration> waits_;
};

}  // namespace leat::testing
