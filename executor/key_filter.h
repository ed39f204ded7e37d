// A set of keys in bounded memory that may take a key for a member, and never a member for none.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace leat::executor {

/// A Bloom filter whose bits of one key lie in one cache line. Used by one thread.
class KeyFilter {
 public:
  static constexpr std::size_t kBytesMin = 1u << 16;
  static constexpr std::size_t kBytesMax = 64u << 20;  ///< 12 bits a key up to 45 million keys.

  /// @param keys  How many are expected: up to there less than 1 in 100 others are taken for
  ///              members. With more of them it is more, but nothing else happens.
  /// @param seed  Which those are differs from seed to seed.
  KeyFilter(std::uint64_t keys, std::uint64_t seed)
      : seed_(seed),
        lines_(std::bit_ceil(std::clamp<std::uint64_t>(keys * 3 / 2, kBytesMin, kBytesMax)) /
               sizeof(Line)) {}

  void add(std::string_view key) noexcept {
    std::uint64_t hash = hash_of(key);
    Line& line = lines_[hash & (lines_.size() - 1)];
    hash = mixed(hash);
    for (int i = 0; i < kBitsPerKey; ++i, hash >>= 9) line[(hash >> 6) & 7] |= bit(hash);
  }

  bool may_contain(std::string_view key) const noexcept {
    std::uint64_t hash = hash_of(key);
    const Line& line = lines_[hash & (lines_.size() - 1)];
    hash = mixed(hash);
    for (int i = 0; i < kBitsPerKey; ++i, hash >>= 9) {
      if ((line[(hash >> 6) & 7] & bit(hash)) == 0) return false;
    }
    return true;
  }

  std::size_t bytes() const noexcept { return lines_.size() * sizeof(Line); }

 private:
  static constexpr int kBitsPerKey = 7;  // Of 9 bits of the hash each.
  using Line = std::array<std::uint64_t, 8>;

  static std::uint64_t bit(std::uint64_t hash) noexcept { return std::uint64_t{1} << (hash & 63); }
  static std::uint64_t mixed(std::uint64_t x) noexcept {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
  }
  std::uint64_t hash_of(std::string_view key) const noexcept {
    return mixed(std::hash<std::string_view>()(key) + seed_);
  }

  const std::uint64_t seed_;
  std::vector<Line> lines_;
};

}  // namespace leat::executor
