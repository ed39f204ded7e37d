// A lock that may be waited for with patience.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>

namespace leat::executor {

/// For std::unique_lock, as std::timed_mutex is; but ThreadSanitizer of GCC 12 does not see how
/// that one is locked (pthread_mutex_clocklock).
///
/// Most turns are over sooner than a thread has gone to sleep and been woken: it stays awake for as
/// long as that takes.
class Turn {
 public:
  void lock() {
    watch();
    std::unique_lock lock(mutex_);
    free_.wait(lock, [this] { return !taken_; });
    taken_ = true;
  }
  bool try_lock_for(std::chrono::milliseconds patience) {
    watch();
    std::unique_lock lock(mutex_);
    if (!free_.wait_for(lock, patience, [this] { return !taken_; })) return false;
    taken_ = true;
    return true;
  }
  void unlock() {
    {
      const std::lock_guard lock(mutex_);
      taken_ = false;
    }
    free_.notify_one();
  }

 private:
  static constexpr std::chrono::microseconds kAwake{25};

  void watch() const noexcept {
    const auto end = std::chrono::steady_clock::now() + kAwake;
    while (taken_.load(std::memory_order_relaxed) && std::chrono::steady_clock::now() < end) {
    }
  }

  std::mutex mutex_;
  std::condition_variable free_;
  std::atomic<bool> taken_ = false;
};

}  // namespace leat::executor
