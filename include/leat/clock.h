// Time as the library sees it: injected, so that tests decide what time it is.
#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>

namespace leat {

/// A source of time. Thread-safe.
class Clock {
 public:
  using Duration = std::chrono::milliseconds;

  virtual ~Clock() = default;
  /// Unix time in milliseconds.
  virtual std::int64_t wall_ms() const noexcept = 0;
  /// Time that never goes back, since an arbitrary start.
  virtual Duration monotonic() const noexcept = 0;
  /// Returns after `duration`, or as soon as a stop is requested.
  /// @return  false when stopped.
  virtual bool wait(Duration duration, std::stop_token stop) const = 0;
};

/// The machine's clock. Lives for the whole process.
const Clock& system_clock() noexcept;

}  // namespace leat
