// Throttling slows all requests to a bucket together.
#pragma once

#include <mutex>
#include <stop_token>

#include "leat/clock.h"

namespace leat::connector::s3 {

/// A limit on requests per second that the server's answers shape: no limit until it first asks for
/// fewer; then 0.7 of the measured rate, growing back along a cubic curve that stays long near the
/// rate at which trouble began. A minute without trouble lifts it. What is refused within half a
/// second of a burst's first request limits nothing yet. Thread-safe. Borrows the clock.
/// @see RFC 9438 (CUBIC).
class SendRate {
 public:
  explicit SendRate(const Clock& clock);

  /// Waits for this request's turn.
  /// @return  false when stopped.
  bool wait_for_turn(std::stop_token stop);

  void throttled();
  void succeeded();

  /// Requests per second; 0: no limit.
  double limit() const;

 private:
  double now_s() const;
  void measure(double now);

  const Clock& clock_;
  mutable std::mutex mutex_;
  double measured_ = 0;      // Requests per second, smoothed; 0: not known.
  double bucket_start_ = 0;  // Of the half second that is being counted.
  double bucket_count_ = 0;
  bool limited_ = false;
  double limit_ = 0;
  double turns_ = 0;  // Requests that may go at once; negative: turns given away ahead of time.
  double refilled_at_ = 0;
  double rate_at_throttle_ = 0;
  double throttled_at_ = 0;
};

}  // namespace leat::connector::s3
