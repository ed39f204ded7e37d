// The memory that all readers of a store have for reading ahead.
#pragma once

#include <cstdint>
#include <mutex>

namespace leat::connector::s3 {

/// Handed out before a request is sent for it: what has no memory is not asked for. Thread-safe.
///
/// Nobody waits. A reader that holds nothing always gets a little, so that readers which are used
/// in turn by one thread cannot block one another; everything above that comes out of one budget,
/// in equal shares.
class ReadBudget {
 public:
  static constexpr std::uint64_t kLittleBytes = std::uint64_t{64} << 10;

  explicit ReadBudget(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}
  ReadBudget(const ReadBudget&) = delete;
  ReadBudget& operator=(const ReadBudget&) = delete;

  /// A reader's part. Used by one thread.
  class Part {
   public:
    explicit Part(ReadBudget& budget);
    Part(const Part&) = delete;
    Part& operator=(const Part&) = delete;
    /// Gives all back.
    ~Part();

    /// @param wanted  Bytes; > 0.
    /// @return  What may be used of it; 0: nothing at this moment.
    std::uint64_t take(std::uint64_t wanted);
    void give(std::uint64_t bytes);
    /// There is no other reader at this moment.
    bool is_alone() const;

   private:
    ReadBudget& budget_;
    std::uint64_t held_ = 0;
  };

  /// Held by all readers together: at most the maximum and a little for each reader.
  std::uint64_t held() const;

 private:
  const std::uint64_t bytes_max_;
  mutable std::mutex mutex_;
  std::uint64_t held_ = 0;
  std::uint64_t readers_ = 0;
};

}  // namespace leat::connector::s3
