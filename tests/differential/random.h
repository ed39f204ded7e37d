// Random choices that follow from a seed alone, on every machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace leat::differential {

/// SplitMix64. Cheap to seed: each file has its own.
class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept : state_(seed) {}
  /// The choices of one file of a run.
  Random(std::uint64_t seed, std::uint64_t number) noexcept : state_(seed) {
    state_ = next() ^ (number * 0x9e3779b97f4a7c15);
  }

  std::uint64_t next() noexcept {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  /// In [0, limit); limit > 0.
  std::size_t below(std::size_t limit) noexcept { return next() % limit; }
  /// In [first, last].
  std::size_t between(std::size_t first, std::size_t last) noexcept {
    return first + below(last - first + 1);
  }
  bool one_in(std::size_t count) noexcept { return below(count) == 0; }

  std::string_view one_of(std::initializer_list<std::string_view> choices) noexcept {
    return choices.begin()[below(choices.size())];
  }
  char character_of(std::string_view characters) noexcept {
    return characters[below(characters.size())];
  }

  std::string digits(std::size_t count) {
    std::string text(count, '0');
    for (char& digit : text) digit = static_cast<char>('0' + below(10));
    return text;
  }

 private:
  std::uint64_t state_;
};

}  // namespace leat::differential
