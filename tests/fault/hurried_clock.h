// The machine's clock, whose pauses take no time.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <stop_token>
#include <utility>

#include "leat/clock.h"

namespace leat::fault {

/// What a client would wait for between its attempts passes at once: its time jumps ahead. Real
/// time goes on beside it, as real servers need it. Thread-safe.
class HurriedClock final : public Clock {
 public:
  /// @param error  How wrong the wall's clock is.
  explicit HurriedClock(Duration error = {}) : error_(error) {}

  std::int64_t wall_ms() const noexcept override {
    return system_clock().wall_ms() + error_.count();
  }
  Duration monotonic() const noexcept override {
    const std::lock_guard lock(mutex_);
    return system_clock().monotonic() + skipped_;
  }
  bool wait(Duration duration, std::stop_token stop) const override {
    std::function<void()> hook;
    {
      const std::lock_guard lock(mutex_);
      skipped_ += duration;
      ++pauses_;
      hook = on_pause_;
    }
    if (hook) hook();
    return !stop.stop_requested();
  }

  /// Called at each pause, by whoever pauses.
  void on_pause(std::function<void()> hook) {
    const std::lock_guard lock(mutex_);
    on_pause_ = std::move(hook);
  }
  Duration skipped() const {
    const std::lock_guard lock(mutex_);
    return skipped_;
  }
  std::size_t pauses() const {
    const std::lock_guard lock(mutex_);
    return pauses_;
  }

 private:
  const Duration error_;
  mutable std::mutex mutex_;
  mutable Duration skipped_{0};
  mutable std::size_t pauses_ = 0;
  std::function<void()> on_pause_;
};

}  // namespace leat::fault
