// Hexadecimal digits, as several formats write bytes and code points.
#pragma once

#include <string_view>

namespace leat::core {

/// The digits that leat writes, by their value.
inline constexpr std::string_view kHexDigits = "0123456789abcdef";

/// 0 to 15; -1: no such digit.
constexpr int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace leat::core
