// The first of a few bytes in a text, a word at a time.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace leat::parser {

template <std::size_t N>
class ByteSearch {
 public:
  explicit constexpr ByteSearch(std::array<char, N> bytes) noexcept : bytes_(bytes) {
    for (std::size_t i = 0; i < N; ++i) {
      words_[i] = kEveryByte * static_cast<unsigned char>(bytes[i]);
    }
  }

  /// Index of the first one at or after `from`; the text's size when there is none.
  std::size_t find(std::string_view text, std::size_t from) const noexcept {
    static_assert(std::endian::native == std::endian::little, "it counts from the low end");
    std::size_t at = from;
    for (; text.size() - at >= sizeof(std::uint64_t); at += sizeof(std::uint64_t)) {
      std::uint64_t word;
      std::memcpy(&word, text.data() + at, sizeof word);
      std::uint64_t found = 0;
      for (const std::uint64_t wanted : words_) found |= zero_bytes(word ^ wanted);
      if (found != 0) return at + static_cast<std::size_t>(std::countr_zero(found)) / 8;
    }
    for (; at < text.size(); ++at) {
      for (const char wanted : bytes_) {
        if (text[at] == wanted) return at;
      }
    }
    return at;
  }

 private:
  static constexpr std::uint64_t kEveryByte = 0x0101010101010101;

  /// Top bit of each zero byte; bytes above the first zero may be marked falsely.
  static constexpr std::uint64_t zero_bytes(std::uint64_t word) noexcept {
    return (word - kEveryByte) & ~word & (kEveryByte << 7);
  }

  std::array<char, N> bytes_;
  std::array<std::uint64_t, N> words_{};
};

/// Whether an odd number of `byte` is in the text. Many times as fast as to count them: the
/// compiler compares as many bytes at once as fit a vector.
inline bool is_count_odd(std::string_view text, char byte) noexcept {
  unsigned char odd = 0;
  for (const char each : text) odd ^= static_cast<unsigned char>(each == byte);
  return odd != 0;
}

/// True when an odd number of `escape` stands in front of text[at].
inline bool is_escaped_at(std::string_view text, std::size_t at, char escape) noexcept {
  std::size_t begin = at;
  while (begin != 0 && text[begin - 1] == escape) --begin;
  return (at - begin) % 2 != 0;
}

}  // namespace leat::parser
