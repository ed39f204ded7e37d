// Says when nothing moves, from a thread of its own: that of the load is the one that waits.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>

#include "cli/console.h"
#include "cli/quantities.h"

namespace leat::cli {

/// Thread-safe. Where no thread can be started it says nothing: the load does not need it.
class WaitNotice {
 public:
  /// Borrows the console.
  explicit WaitNotice(Console& console) : console_(console) {
    try {
      thread_ = std::jthread([this](std::stop_token stop) { watch(stop); });
    } catch (const std::system_error&) {
    }
  }

  /// The load goes on: it has shown its progress.
  void moved() {
    const std::lock_guard lock(mutex_);
    moved_at_ = Clock::now();
  }

 private:
  using Clock = std::chrono::steady_clock;

  static constexpr std::chrono::seconds kInterval{10};

  void watch(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    auto next = moved_at_ + kInterval;
    while (!ended_.wait_until(lock, stop, next, [] { return false; }) && !stop.stop_requested()) {
      const auto still =
          std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - moved_at_);
      if (still >= kInterval) {
        console_.log(SourceOptions::LogLevel::kInfo,
                     "waiting for the sink for " + format_duration(still) +
                         ": a lock on its table, a server that does not answer, or a slow disk");
        next = Clock::now() + kInterval;
      } else {
        next = moved_at_ + kInterval;
      }
    }
  }

  Console& console_;
  std::mutex mutex_;
  std::condition_variable_any ended_;
  Clock::time_point moved_at_ = Clock::now();
  std::jthread thread_;  ///< Ends before what it uses.
};

}  // namespace leat::cli
