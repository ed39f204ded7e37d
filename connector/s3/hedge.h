// When a read that has not begun is worth asking for a second time.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>

namespace leat::connector::s3 {

/// Knows how long the last reads waited for their first byte. A second request goes out for one
/// that waits longer than 99 of 100 did; the first answer wins. At most one request in twenty is
/// sent twice, so that a service which slows down is not asked to do more. Thread-safe.
class Hedge {
 public:
  using Duration = std::chrono::microseconds;
  static constexpr std::size_t kSamples = 512;
  static constexpr std::size_t kSamplesMin = 100;
  static constexpr double kShareMax = 0.05;

  /// A read waited so long for its first byte.
  void note(Duration wait);
  /// How long to wait before asking again; nullopt: too little is known.
  std::optional<Duration> patience() const;
  /// Whether a second request may go out now; counts it.
  bool take();

  std::uint64_t taken() const;
  /// How often take() said no.
  std::uint64_t refused() const;

 private:
  mutable std::mutex mutex_;
  std::array<Duration, kSamples> samples_{};
  std::size_t count_ = 0;  // Of all; the last kSamples are kept.
  std::optional<Duration> patience_;
  double allowance_ = 1;
  std::uint64_t taken_ = 0;
  std::uint64_t refused_ = 0;
};

}  // namespace leat::connector::s3
