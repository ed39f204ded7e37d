// Integers against 128-bit arithmetic, floats against strtod and strtof, decimals against long
// division in digits; what is accepted follows from a grammar of its own.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>

#include "parser/convert/values.h"
#include "tests/fuzz/choices.h"
#include "tests/fuzz/targets.h"

namespace leat::fuzz {
namespace {

using parser::Int128;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// [+-]?digits
bool is_integer(std::string_view text) {
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

/// [+-]?(digits[.digits?]|.digits)([eE][+-]?digits)?
bool is_decimal(std::string_view text) {
  const std::size_t exponent = text.find_first_of("eE");
  if (exponent != text.npos) {
    if (!is_integer(text.substr(exponent + 1))) return false;
    text = text.substr(0, exponent);
  }
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
  std::string digits(text);
  if (const std::size_t point = digits.find('.'); point != digits.npos) digits.erase(point, 1);
  return !digits.empty() && std::all_of(digits.begin(), digits.end(), is_digit);
}

bool is_word_of_floats(std::string_view text) {
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
  std::string lower;
  for (const char c : text) lower += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower == "nan" || lower == "inf" || lower == "infinity";
}

template <class T>
void check_integer(std::string_view text) {
  constexpr T kUntouched = 77;
  T found = kUntouched;
  const bool taken = parser::parse_int(text, found).empty();
  bool expected = is_integer(text);
  Int128 value = 0;
  if (expected) {
    constexpr Int128 kFar = Int128{1} << 100;
    for (const char c : text) {
      if (is_digit(c)) value = std::min(value * 10 + (c - '0'), kFar);
    }
    if (text.front() == '-') value = -value;
    expected = value >= std::numeric_limits<T>::min() && value <= std::numeric_limits<T>::max();
  }
  require(taken == expected, "an integer is taken when it is one and in range", text);
  require(found == (taken ? static_cast<T>(value) : kUntouched), "an integer has its value", text);
}

template <class T, class Bits>
void check_float(std::string_view text, T (*reference)(const char*, char**)) {
  constexpr T kUntouched = 77;
  T found = kUntouched;
  const bool taken = parser::parse_float(text, found).empty();
  if (is_word_of_floats(text)) {
    require(taken && !std::isfinite(found), "NaN and infinity are taken", text);
    require(!std::isnan(found) || !std::signbit(found), "NaN has no sign", text);
    return;
  }
  const std::string copy(text);
  const T expected = is_decimal(text) ? reference(copy.c_str(), nullptr) : 0;
  require(taken == (is_decimal(text) && !std::isinf(expected)),
          "a float is taken when it is one and in range", text);
  require(std::bit_cast<Bits>(found) == std::bit_cast<Bits>(taken ? expected : kUntouched),
          "a float has the bits that strtod gives", text);
}

/// The value × 10^scale as digits, by moving the point in the text; nothing where that is not
/// whole, has more than `precision` digits, or is no number.
std::string shifted_digits(std::string_view text, int precision, int scale) {
  const std::size_t e = std::min(text.find_first_of("eE"), text.size());
  // Far beyond what a text here can hold in digits.
  constexpr long kExponentMax = 1'000'000;
  const long exponent =
      e == text.size()
          ? 0
          : std::clamp(std::strtol(std::string(text.substr(e + 1)).c_str(), nullptr, 10),
                       -kExponentMax, kExponentMax);
  std::string digits;
  long places = 0;
  bool fraction = false;
  for (const char c : text.substr(0, e)) {
    if (c == '.') fraction = true;
    if (!is_digit(c)) continue;
    digits += c;
    places += fraction ? 1 : 0;
  }
  if (digits.find_first_not_of('0') == digits.npos) return "0";
  long zeros = exponent - places + scale;
  // More than any number here can have in front.
  if (zeros > 5'000) return "";
  for (; zeros < 0; ++zeros) {
    if (digits.empty() || digits.back() != '0') return "";
    digits.pop_back();
  }
  digits.append(static_cast<std::size_t>(zeros), '0');
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
  return digits.size() > static_cast<std::size_t>(precision) ? "" : digits;
}

void check_decimal(std::string_view text, int precision, int scale) {
  constexpr Int128 kUntouched = 77;
  Int128 found = kUntouched;
  const bool taken = parser::parse_decimal(text, precision, scale, found).empty();
  const std::string expected = is_decimal(text) ? shifted_digits(text, precision, scale) : "";
  require(taken == !expected.empty(), "a decimal is taken when it fits without rounding", text);
  Int128 value = 0;
  for (const char c : expected) value = value * 10 + (c - '0');
  if (taken && text.front() == '-') value = -value;
  require(found == (taken ? value : kUntouched), "a decimal has its value", text);
}

}  // namespace

void numbers(std::string_view input) {
  Choices choices(input);
  const int precision = 1 + static_cast<int>(choices.below(38));
  const int scale = static_cast<int>(choices.below(static_cast<std::size_t>(precision) + 1));
  const std::string_view text = choices.rest();
  check_integer<std::int16_t>(text);
  check_integer<std::int32_t>(text);
  check_integer<std::int64_t>(text);
  check_float<double, std::uint64_t>(text, std::strtod);
  check_float<float, std::uint32_t>(text, std::strtof);
  check_decimal(text, precision, scale);
}

}  // namespace leat::fuzz
