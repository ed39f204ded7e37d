// How many ranges of one object are on their way, and how long they are.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace leat::connector::s3 {

/// A service that sends slowly over one connection is asked over several. One that is fast is asked
/// for one range after the other, each just before the end of the one before: what comes out of
/// turn has to be kept, and copied once more. Used by one thread.
class RangeWindow {
 public:
  static constexpr std::uint64_t kFirstRangeBytes = std::uint64_t{1} << 20;
  /// Of a range among many, of one among at most kFewRanges, and of one on demand. Each range costs
  /// the service some time, and how fast it is shows at a range's end.
  static constexpr std::uint64_t kRangeBytesMax = std::uint64_t{8} << 20;
  static constexpr std::uint64_t kRangeOfFewBytesMax = std::uint64_t{32} << 20;
  static constexpr std::uint64_t kRangeOnDemandBytesMax = std::uint64_t{256} << 20;
  static constexpr std::size_t kFewRanges = 2;
  static constexpr std::size_t kRangesMax = 4;
  /// Until the first one has come. More would hardly be faster, and take memory, which is the most
  /// of what a fast service costs.
  static constexpr std::size_t kRangesAtFirst = 2;
  /// What all of them together shall bring, bytes/s. Around a third of what a core reads.
  static constexpr double kWantedRate = 500e6;
  /// Bounds of ask_before_end().
  static constexpr std::uint64_t kAskBeforeEndMin = std::uint64_t{512} << 10;
  static constexpr std::uint64_t kAskBeforeEndMax = std::uint64_t{8} << 20;

  /// What is known of a range that has come.
  struct Came {
    std::uint64_t bytes = 0;
    std::chrono::duration<double> until_first;  ///< From the request to the first byte.
    std::chrono::duration<double> to_last;      ///< From the first byte to the last.
  };

  /// How many shall be on their way.
  std::size_t ranges() const noexcept { return ranges_; }
  /// Of the next range.
  /// @param on_demand  It needs no memory for its length.
  std::uint64_t range_bytes(bool on_demand) const noexcept {
    return std::min(range_bytes_, range_bytes_max(on_demand));
  }

  /// A range was asked for.
  void asked(bool on_demand) noexcept {
    range_bytes_ = std::min(range_bytes(on_demand) * 2, range_bytes_max(on_demand));
  }

  /// So many bytes before the end of a single range the next one is asked for: what comes while the
  /// service thinks about it.
  std::uint64_t ask_before_end() const noexcept { return ask_before_end_; }

  void received(const Came& range) noexcept {
    const double bytes = static_cast<double>(std::max<std::uint64_t>(range.bytes, 1));
    const double seconds = std::max(range.to_last.count(), 1e-9);
    const double ranges_wanted = kWantedRate * seconds / bytes + 1;
    ranges_ = ranges_wanted >= kRangesMax ? kRangesMax : static_cast<std::size_t>(ranges_wanted);
    range_bytes_ = range_bytes(/*on_demand=*/ranges_ == 1);
    // One late answer says nothing of the service.
    until_first_ = std::min(until_first_ * 1.05, range.until_first.count());
    const double meanwhile = bytes * until_first_ / seconds;
    ask_before_end_ = meanwhile >= kAskBeforeEndMax
                          ? kAskBeforeEndMax
                          : std::max(kAskBeforeEndMin, static_cast<std::uint64_t>(meanwhile));
  }

 private:
  std::uint64_t range_bytes_max(bool on_demand) const noexcept {
    if (on_demand) return kRangeOnDemandBytesMax;
    return ranges_ <= kFewRanges ? kRangeOfFewBytesMax : kRangeBytesMax;
  }

  std::size_t ranges_ = kRangesAtFirst;
  std::uint64_t range_bytes_ = kFirstRangeBytes;
  std::uint64_t ask_before_end_ = kAskBeforeEndMin;
  double until_first_ = 1;  // Seconds, of the fastest answers.
};

}  // namespace leat::connector::s3
