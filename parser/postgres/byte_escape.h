// One backslash sequence of PostgreSQL's text format.
#pragma once

#include <cstddef>
#include <string_view>

#include "core/hex_digit.h"

namespace leat::parser {

struct ByteEscape {
  char byte = 0;           ///< What the sequence stands for.
  std::size_t length = 1;  ///< Bytes of the sequence behind its backslash.
  bool by_number = false;  ///< Written in octal or hexadecimal digits.
};

/// Reads the sequence whose backslash stands in front of `text`, which is not empty.
constexpr ByteEscape read_byte_escape(std::string_view text) noexcept {
  const char first = text.front();
  switch (first) {
    case 'b':
      return {'\b'};
    case 'f':
      return {'\f'};
    case 'n':
      return {'\n'};
    case 'r':
      return {'\r'};
    case 't':
      return {'\t'};
    case 'v':
      return {'\v'};
    default:
      break;
  }
  const bool hexadecimal = first == 'x';
  const std::size_t begin = hexadecimal ? 1 : 0;
  const std::size_t digits_max = hexadecimal ? 2 : 3;
  unsigned value = 0;
  std::size_t at = begin;
  for (; at < text.size() && at - begin < digits_max; ++at) {
    const int digit = core::hex_digit(text[at]);
    if (digit < 0 || (!hexadecimal && digit > 7)) break;
    value = value * (hexadecimal ? 16 : 8) + static_cast<unsigned>(digit);
  }
  if (at == begin) return {first};
  return {static_cast<char>(value & 0xff), at, true};
}

}  // namespace leat::parser
