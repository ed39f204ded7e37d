// A clock that stands still until a test, or a wait, moves it.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <stop_token>
#include <thread>

#include "leat/clock.h"

namespace leat::testing {

/// wait() moves the time on at once: what a program does over minutes, a test sees in microseconds.
class ManualClock final : public Clock {
 public:
  std::int64_t wall_ms() const noexcept override {
    const std::lock_guard lock(mutex_);
    return 1'800'000'000'000 + now_.count();
  }
  Duration monotonic() const noexcept override {
    const std::lock_guard lock(mutex_);
    return now_;
  }
  bool wait(Duration duration, std::stop_token stop) const override {
    {
      const std::lock_guard lock(mutex_);
      now_ += duration;
    }
    std::this_thread::yield();
    return !stop.stop_requested();
  }

 private:
  mutable std::mutex mutex_;
  mutable Duration now_{0};
};

}  // namespace leat::testing
