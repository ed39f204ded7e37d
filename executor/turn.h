// A lock that may be waited for with patience.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace leat::executor {

/// For std::unique_lock, as std::timed_mutex is; but ThreadSanitizer of GCC 12 does not see how
/// that one is locked (pthread_mutex_clocklock).
class Turn {
 public:
  void lock() {
    std::unique_lock lock(mutex_);
    free_.wait(lock, [this] { return !taken_; });
    taken_ = true;
  }
  bool try_lock_for(std::chrono::milliseconds patience) {
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
  std::mutex mutex_;
  std::condition_variable free_;
  bool taken_ = false;
};

}  // namespace leat::executor
