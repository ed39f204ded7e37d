#include "leat/clock.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

namespace leat {
namespace {

class SystemClock final : public Clock {
 public:
  std::int64_t wall_ms() const noexcept override {
    return std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch())
        .count();
  }

  Duration monotonic() const noexcept override {
    return std::chrono::duration_cast<Duration>(
        std::chrono::steady_clock::now().time_since_epoch());
  }

  bool wait(Duration duration, std::stop_token stop) const override {
    // "For ever" must not overflow the deadline that the standard library computes.
    constexpr Duration kLongest = std::chrono::hours(24 * 365);
    std::mutex mutex;
    std::condition_variable_any never_notified;
    std::unique_lock lock(mutex);
    never_notified.wait_for(lock, stop, std::min(duration, kLongest), [] { return false; });
    return !stop.stop_requested();
  }
};

}  // namespace

const Clock& system_clock() noexcept {
  // Never destroyed: threads that outlive main() may still ask for the time.
  static const Clock& clock = *new SystemClock;
  return clock;
}

}  // namespace leat
