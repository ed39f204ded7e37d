#include "connector/range_cut.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "connector/key_range.h"

namespace leat::connector {
namespace {

// Bytes that are read as digits. With 7 of them, sums of two distances do not overflow 64 bits.
constexpr std::size_t kDigits = 7;
constexpr unsigned char kLowest = ' ';
constexpr unsigned char kHighest = '~';

/// The bytes of `key` from `begin` on, as the digits of a number in base 256.
std::uint64_t number_of(std::string_view key, std::size_t begin) {
  std::uint64_t number = 0;
  for (std::size_t i = begin; i < begin + kDigits; ++i) {
    number = number << 8 | (i < key.size() ? static_cast<unsigned char>(key[i]) : 0u);
  }
  return number;
}

/// Of printable characters alone: what a request may hold, whatever the service makes of others.
void append_printable(std::uint64_t number, std::string& key) {
  for (int shift = 8 * (kDigits - 1); shift >= 0; shift -= 8) {
    const auto byte = static_cast<unsigned char>(number >> shift & 0xff);
    key.push_back(static_cast<char>(std::clamp(byte, kLowest, kHighest)));
    if (byte > kHighest) return;
  }
}

}  // namespace

std::optional<RangeCut> guess_cut(std::string_view origin, std::string_view at,
                                  std::string_view until) {
  const std::size_t common = static_cast<std::size_t>(
      std::mismatch(origin.begin(), origin.end(), at.begin(), at.end()).second - at.begin());
  // A character of several bytes is not cut.
  if (common == at.size() || static_cast<unsigned char>(at[common]) > kHighest) return std::nullopt;
  const std::uint64_t from = number_of(origin, common);
  const std::uint64_t here = number_of(at, common);
  const std::string_view front = at.substr(0, common);
  const std::uint64_t end = until.starts_with(front) && !until.empty()
                                ? number_of(until, common)
                                : std::uint64_t{kHighest + 1} << 8 * (kDigits - 1);
  if (here <= from || end <= here) return std::nullopt;
  const std::uint64_t made = here - from;
  const std::uint64_t ahead = std::min(made, (end - here) / 2);
  RangeCut cut{.key = std::string(front)};
  append_printable(here + ahead, cut.key);
  if (cut.key <= at || (!until.empty() && cut.key >= until) || cut.key.size() > kKeyBytesMax) {
    return std::nullopt;
  }
  const auto parts = [made](std::uint64_t way) {
    return static_cast<double>(way) / static_cast<double>(made);
  };
  cut.way = 1 + parts(ahead);
  cut.left = std::min(1.0, parts(end - here));
  return cut;
}

}  // namespace leat::connector
