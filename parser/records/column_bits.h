// Bits of Arrow columns: validity, and the values of booleans.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "leat/row_chunk.h"

namespace leat::parser {

inline std::size_t bytes_of_bits(std::size_t bits) { return (bits + 7) / 8; }

inline bool bit(const Buffer& bits, std::size_t at) {
  return ((bits.as<std::uint8_t>()[at / 8] >> (at % 8)) & 1) != 0;
}

inline void set_bit(Buffer& bits, std::size_t at, bool value) {
  const auto mask = static_cast<std::uint8_t>(1u << (at % 8));
  std::uint8_t& byte = bits.as<std::uint8_t>()[at / 8];
  byte = value ? static_cast<std::uint8_t>(byte | mask) : static_cast<std::uint8_t>(byte & ~mask);
}

/// Clears, from bit `at` on, the bit of each value that is 0; the others are 1.
inline void clear_bits(Buffer& bits, std::size_t at, const std::vector<std::uint8_t>& values) {
  auto* const bytes = bits.as<std::uint8_t>();
  for (const std::uint8_t value : values) {
    bytes[at / 8] = static_cast<std::uint8_t>(bytes[at / 8] & ~((value ^ 1u) << (at % 8)));
    ++at;
  }
}

/// Grows to `bits` with ones, so that what is appended is valid until said otherwise: bits past the
/// end are ones at all times.
inline void grow_valid(Buffer& validity, std::size_t bits) {
  const std::size_t size = validity.size();
  const std::size_t wanted = bytes_of_bits(bits);
  if (wanted <= size) return;
  validity.resize(wanted);
  std::memset(validity.data() + size, 0xff, wanted - size);
}

}  // namespace leat::parser
