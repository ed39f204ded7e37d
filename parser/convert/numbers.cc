#include <fast_float/fast_float.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "parser/convert/values.h"

namespace leat::parser {
namespace {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

// `lower` is in lower case.
bool equals_ignoring_case(std::string_view text, std::string_view lower) noexcept {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(), [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + ('a' - 'A')) : a) == b;
  });
}

// Takes a sign off the front; true when it is a minus.
bool take_sign(std::string_view& text) noexcept {
  if (text.empty() || (text.front() != '-' && text.front() != '+')) return false;
  const bool negative = text.front() == '-';
  text.remove_prefix(1);
  return negative;
}

template <class T>
constexpr std::string_view out_of_range() {
  if constexpr (std::is_same_v<T, std::int16_t>) {
    return "out of range for smallint (-32768 to 32767)";
  } else if constexpr (std::is_same_v<T, std::int32_t>) {
    return "out of range for integer (-2147483648 to 2147483647)";
  } else if constexpr (std::is_same_v<T, std::int64_t>) {
    return "out of range for bigint (-9223372036854775808 to 9223372036854775807)";
  } else if constexpr (std::is_same_v<T, float>) {
    return "out of range for real (up to 3.4028235e+38)";
  } else {
    return "out of range for double precision (up to 1.7976931348623157e+308)";
  }
}

constexpr std::string_view kNotInteger =
    "not an integer (digits with an optional sign, nothing around or between them)";
constexpr std::string_view kNotFloat =
    "not a number (decimal digits, optionally with sign, point and exponent, nothing around them)";
constexpr std::string_view kNotDecimal =
    "not a decimal number (digits, optionally with sign, point and exponent, nothing around them)";

// A decimal literal taken apart: digits × 10^exponent.
struct DecimalLiteral {
  std::string_view whole;
  std::string_view fraction;
  std::int64_t exponent = 0;

  std::int64_t digit_count() const noexcept {
    return static_cast<std::int64_t>(whole.size() + fraction.size());
  }
  int digit(std::int64_t index) const noexcept {
    const auto i = static_cast<std::size_t>(index);
    return (i < whole.size() ? whole[i] : fraction[i - whole.size()]) - '0';
  }
};

std::string_view take_digits(std::string_view& text) noexcept {
  std::size_t count = 0;
  while (count < text.size() && is_digit(text[count])) ++count;
  const std::string_view digits = text.substr(0, count);
  text.remove_prefix(count);
  return digits;
}

// False when `text` (without sign) is no such literal.
bool read_literal(std::string_view text, DecimalLiteral& out) noexcept {
  out.whole = take_digits(text);
  if (!text.empty() && text.front() == '.') {
    text.remove_prefix(1);
    out.fraction = take_digits(text);
  }
  if (out.digit_count() == 0) return false;
  if (text.empty()) return true;
  if (text.front() != 'e' && text.front() != 'E') return false;
  text.remove_prefix(1);
  const bool negative = take_sign(text);
  const std::string_view digits = take_digits(text);
  if (digits.empty() || !text.empty()) return false;
  // Beyond any number of digits that a text can have: saturate.
  constexpr std::int64_t kExponentMax = 1'000'000'000'000;
  for (const char c : digits) {
    out.exponent = std::min(out.exponent * 10 + (c - '0'), kExponentMax);
  }
  if (negative) out.exponent = -out.exponent;
  return true;
}

}  // namespace

std::string_view parse_bool(std::string_view text, bool& out) noexcept {
  for (const std::string_view word : {"t", "true", "1", "y", "yes", "on"}) {
    if (equals_ignoring_case(text, word)) {
      out = true;
      return {};
    }
  }
  for (const std::string_view word : {"f", "false", "0", "n", "no", "off"}) {
    if (equals_ignoring_case(text, word)) {
      out = false;
      return {};
    }
  }
  return "not a boolean (true, t, yes, y, on, 1 or false, f, no, n, off, 0)";
}

template <class T>
std::string_view parse_int(std::string_view text, T& out) noexcept {
  // Every number of so many digits fits into 64 bits without sign.
  constexpr std::size_t kDigitsMax = 19;
  const bool negative = take_sign(text);
  if (text.empty()) return kNotInteger;
  while (text.size() > 1 && text.front() == '0') text.remove_prefix(1);
  if (text.size() > kDigitsMax) {
    return std::all_of(text.begin(), text.end(), is_digit) ? out_of_range<T>() : kNotInteger;
  }
  std::uint64_t magnitude = 0;
  for (const char c : text) {
    if (!is_digit(c)) return kNotInteger;
    magnitude = magnitude * 10 + static_cast<std::uint64_t>(c - '0');
  }
  const auto limit = static_cast<std::uint64_t>(std::numeric_limits<T>::max()) + negative;
  if (magnitude > limit) return out_of_range<T>();
  out = static_cast<T>(negative ? 0 - magnitude : magnitude);
  return {};
}

template std::string_view parse_int(std::string_view, std::int16_t&) noexcept;
template std::string_view parse_int(std::string_view, std::int32_t&) noexcept;
template std::string_view parse_int(std::string_view, std::int64_t&) noexcept;

template <class T>
std::string_view parse_float(std::string_view text, T& out) noexcept {
  const bool negative = take_sign(text);
  if (text.empty()) return kNotFloat;
  T value = 0;
  if (is_digit(text.front()) || text.front() == '.') {
    const char* end = text.data() + text.size();
    const auto result = fast_float::from_chars(text.data(), end, value);
    // Not result.ec: its versions differ in what they make of overflow and underflow.
    if (result.ec == std::errc::invalid_argument || result.ptr != end) return kNotFloat;
    if (std::isinf(value)) return out_of_range<T>();
  } else if (equals_ignoring_case(text, "nan")) {
    out = std::numeric_limits<T>::quiet_NaN();
    return {};
  } else if (equals_ignoring_case(text, "infinity") || equals_ignoring_case(text, "inf")) {
    value = std::numeric_limits<T>::infinity();
  } else {
    return kNotFloat;
  }
  out = negative ? -value : value;
  return {};
}

template std::string_view parse_float(std::string_view, float&) noexcept;
template std::string_view parse_float(std::string_view, double&) noexcept;

std::string_view parse_decimal(std::string_view text, int precision, int scale,
                               Int128& out) noexcept {
  const bool negative = take_sign(text);
  DecimalLiteral literal;
  if (!read_literal(text, literal)) {
    return equals_ignoring_case(text, "nan") ? "NaN is not a value of a numeric column"
                                             : kNotDecimal;
  }
  const std::int64_t count = literal.digit_count();
  std::int64_t first = 0;  // First digit that is not zero.
  while (first < count && literal.digit(first) == 0) ++first;
  if (first == count) {
    out = 0;
    return {};
  }
  // The digits before index `kept` make up the unscaled value; it may lie outside of the literal.
  const std::int64_t kept =
      static_cast<std::int64_t>(literal.whole.size()) + literal.exponent + scale;
  if (kept - first > precision) {
    return "out of range: more digits before the decimal point than the column's numeric type has";
  }
  for (std::int64_t i = std::max(first, kept); i < count; ++i) {
    if (literal.digit(i) != 0) {
      return "more digits after the decimal point than the column's numeric type has";
    }
  }
  Int128 value = 0;
  for (std::int64_t i = first; i < kept; ++i) {
    value = value * 10 + (i < count ? literal.digit(i) : 0);
  }
  out = negative ? -value : value;
  return {};
}

}  // namespace leat::parser
