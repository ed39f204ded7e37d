// How many ranges of one object are on their way, and how long they are.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace leat::connector::s3 {

/// A service that sends slowly over one connection is asked over several. One that is fast is asked
/// over two, so that it begins with a range while it sends the one before; more of them would only
/// cost a copy of what comes out of turn. Used by one thread.
class RangeWindow {
 public:
  static constexpr std::uint64_t kFirstRangeBytes = std::uint64_t{1} << 20;
  /// Of a range among many, and of one among kRangesMin.
  static constexpr std::uint64_t kRangeBytesMax = std::uint64_t{8} << 20;
  static constexpr std::uint64_t kRangeOfFewBytesMax = std::uint64_t{32} << 20;
  static constexpr std::size_t kRangesMin = 2;
  static constexpr std::size_t kRangesMax = 4;
  /// What all of them together shall bring, bytes/s. Around a third of what a core reads.
  static constexpr double kWantedRate = 400e6;

  std::size_t ranges() const noexcept { return ranges_; }
  /// Of the next range.
  std::uint64_t range_bytes() const noexcept { return range_bytes_; }

  /// A range was asked for.
  void asked() noexcept { range_bytes_ = std::min(range_bytes_ * 2, range_bytes_max()); }

  /// A range's bytes came in this time, first to last.
  void received(std::uint64_t bytes, std::chrono::duration<double> time) noexcept {
    const double wanted_bytes = kWantedRate * time.count();
    const double bytes_each = static_cast<double>(std::max<std::uint64_t>(bytes, 1));
    ranges_ = wanted_bytes >= bytes_each * kRangesMax
                  ? kRangesMax
                  : std::max(kRangesMin, 1 + static_cast<std::size_t>(wanted_bytes / bytes_each));
    range_bytes_ = std::min(range_bytes_, range_bytes_max());
  }

 private:
  std::uint64_t range_bytes_max() const noexcept {
    return ranges_ == kRangesMin ? kRangeOfFewBytesMax : kRangeBytesMax;
  }

  /// Until a range says otherwise the service may be slow.
  std::size_t ranges_ = kRangesMax;
  std::uint64_t range_bytes_ = kFirstRangeBytes;
};

}  // namespace leat::connector::s3
