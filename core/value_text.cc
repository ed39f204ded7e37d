// The canonical text of values: what PostgreSQL 12 and later print with ISO date style in UTC.
#include <charconv>
#include <chrono>
#include <cmath>
#include <limits>
#include <system_error>

#include "leat/row_chunk.h"

namespace leat {
namespace {

__extension__ typedef __int128 Int128;
__extension__ typedef unsigned __int128 UInt128;

constexpr std::int64_t kSecondUs = 1'000'000;
constexpr std::int64_t kDayUs = 86'400 * kSecondUs;

constexpr std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

template <class T>
void append_integer(T value, std::string& out) {
  char text[24];
  out.append(text, std::to_chars(text, text + sizeof text, value).ptr);
}

// At least `width` digits.
void append_padded(std::uint64_t value, std::size_t width, std::string& out) {
  char text[24];
  const char* end = std::to_chars(text, text + sizeof text, value).ptr;
  const auto digits = static_cast<std::size_t>(end - text);
  if (digits < width) out.append(width - digits, '0');
  out.append(text, digits);
}

void append_two_digits(std::uint64_t value, std::string& out) {
  const char digits[] = {static_cast<char>('0' + value / 10), static_cast<char>('0' + value % 10)};
  out.append(digits, sizeof digits);
}

// digits × 10^exponent, in scientific notation: the first digit stands before the point.
struct ShortDecimal {
  char digits[24];
  int count = 0;
  int exponent = 0;

  // Reads "1.234e+05", without sign.
  ShortDecimal(const char* text, const char* end) {
    for (; *text != 'e'; ++text) {
      if (*text != '.') digits[count++] = *text;
    }
    text += text[1] == '+' ? 2 : 1;
    std::from_chars(text, end, exponent);
    while (count > 1 && digits[count - 1] == '0') --count;
  }
};

// True when the decimal lies exactly between two neighbours of a binary format. Such a text only
// reads back to the same value where ties go to even; PostgreSQL avoids it (1e23 is printed as
// 9.999999999999999e+22).
bool is_halfway(const ShortDecimal& decimal, int mantissa_bits) {
  constexpr int kPowerMax = 23;  // 5^24 no longer fits into the 54 bits of a halfway mantissa.
  std::uint64_t digits = 0;      // At most 17 decimal digits.
  for (int i = 0; i < decimal.count; ++i) {
    digits = digits * 10 + static_cast<unsigned>(decimal.digits[i] - '0');
  }
  int power = decimal.exponent - (decimal.count - 1);
  if (digits == 0 || power > kPowerMax) return false;
  for (; power < 0; ++power) {
    if (digits % 5 != 0) return false;
    digits /= 5;
  }
  UInt128 odd_part = digits;
  for (; power > 0; --power) odd_part *= 5;
  while ((odd_part & 1) == 0) odd_part >>= 1;
  return odd_part >> mantissa_bits == 1;
}

// The shortest digits that read back to `value` (finite, not negative).
template <class T>
ShortDecimal shortest_digits(T value) {
  constexpr int kMantissaBits = std::numeric_limits<T>::digits;
  char text[40];
  char* const last = text + sizeof text;
  const char* end = std::to_chars(text, last, value, std::chars_format::scientific).ptr;
  ShortDecimal decimal(text, end);
  if (!is_halfway(decimal, kMantissaBits)) return decimal;
  for (int precision = decimal.count;; ++precision) {
    end = std::to_chars(text, last, value, std::chars_format::scientific, precision).ptr;
    T back = 0;
    std::from_chars(text, end, back);
    decimal = ShortDecimal(text, end);
    if (back == value && !is_halfway(decimal, kMantissaBits)) return decimal;
  }
}

template <class T>
void append_float(T value, std::string& out) {
  if (std::isnan(value)) {
    out += "NaN";
    return;
  }
  if (std::signbit(value)) out += '-';
  value = std::fabs(value);
  if (std::isinf(value)) {
    out += "Infinity";
    return;
  }
  constexpr int kFixedExponentMin = -4;
  constexpr int kFixedExponentMax = std::numeric_limits<T>::digits10 - 1;
  const ShortDecimal decimal = shortest_digits(value);
  const auto count = static_cast<std::size_t>(decimal.count);
  const int exponent = decimal.exponent;
  if (exponent < kFixedExponentMin || exponent > kFixedExponentMax) {
    out += decimal.digits[0];
    if (count > 1) out.append(".").append(decimal.digits + 1, count - 1);
    out += exponent < 0 ? "e-" : "e+";
    append_padded(static_cast<std::uint64_t>(std::abs(exponent)), 2, out);
  } else if (exponent < 0) {
    out.append("0.").append(static_cast<std::size_t>(-exponent - 1), '0');
    out.append(decimal.digits, count);
  } else {
    const auto whole = static_cast<std::size_t>(exponent) + 1;
    if (count <= whole) {
      out.append(decimal.digits, count).append(whole - count, '0');
    } else {
      out.append(decimal.digits, whole).append(".");
      out.append(decimal.digits + whole, count - whole);
    }
  }
}

void append_decimal(Int128 value, std::size_t scale, std::string& out) {
  UInt128 rest = value < 0 ? -static_cast<UInt128>(value) : static_cast<UInt128>(value);
  char digits[64];
  char* const end = digits + sizeof digits;
  char* begin = end;
  // One digit at least before the point.
  while (rest != 0 || end - begin <= static_cast<std::ptrdiff_t>(scale)) {
    *--begin = static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
  }
  if (value < 0) out += '-';
  out.append(begin, end - scale);
  if (scale != 0) out.append(".").append(end - scale, end);
}

// Appends the date without its era; true when " BC" belongs at the end of the text.
bool append_date(std::int64_t days, std::string& out) {
  // <chrono> knows years up to 32767; every 400 years the calendar starts again.
  constexpr std::int64_t kCycleDays = 146'097;
  const std::int64_t cycle = floor_divide(days, kCycleDays);
  const std::chrono::year_month_day date{
      std::chrono::sys_days{std::chrono::days{days - cycle * kCycleDays}}};
  const std::int64_t year = static_cast<int>(date.year()) + 400 * cycle;
  const bool before_christ = year <= 0;  // There is no year 0: 1 BC comes before 1.
  append_padded(static_cast<std::uint64_t>(before_christ ? 1 - year : year), 4, out);
  out += '-';
  append_two_digits(static_cast<unsigned>(date.month()), out);
  out += '-';
  append_two_digits(static_cast<unsigned>(date.day()), out);
  return before_christ;
}

void append_time(std::int64_t time_us, std::string& out) {
  const auto seconds = static_cast<std::uint64_t>(time_us / kSecondUs);
  append_two_digits(seconds / 3600, out);
  out += ':';
  append_two_digits(seconds / 60 % 60, out);
  out += ':';
  append_two_digits(seconds % 60, out);
  if (const std::int64_t fraction = time_us % kSecondUs; fraction != 0) {
    out += '.';
    append_padded(static_cast<std::uint64_t>(fraction), 6, out);
    while (out.back() == '0') out.pop_back();
  }
}

void append_timestamp(std::int64_t timestamp_us, std::string_view zone, std::string& out) {
  const std::int64_t days = floor_divide(timestamp_us, kDayUs);
  const bool before_christ = append_date(days, out);
  out += ' ';
  // Not timestamp - days × day: that product may leave the range at its lower end.
  const std::int64_t rest = timestamp_us % kDayUs;
  append_time(rest < 0 ? rest + kDayUs : rest, out);
  out += zone;
  if (before_christ) out += " BC";
}

void append_hex(const std::uint8_t* bytes, std::size_t size, std::string& out) {
  constexpr char kDigits[] = "0123456789abcdef";
  const std::size_t begin = out.size();
  out.resize(begin + 2 * size);
  char* to = out.data() + begin;
  for (std::size_t i = 0; i < size; ++i) {
    *to++ = kDigits[bytes[i] >> 4];
    *to++ = kDigits[bytes[i] & 15];
  }
}

void append_uuid(const std::uint8_t* bytes, std::string& out) {
  std::size_t begin = 0;
  for (const std::size_t end : {4u, 6u, 8u, 10u, 16u}) {
    if (begin != 0) out += '-';
    append_hex(bytes + begin, end - begin, out);
    begin = end;
  }
}

}  // namespace

void append_value_text(const DataType& type, const Column& column, std::int64_t row,
                       std::string& out) {
  switch (type.id) {
    case TypeId::kBool:
      out += column.bool_at(row) ? "true" : "false";
      break;
    case TypeId::kInt16:
      append_integer(column.at<std::int16_t>(row), out);
      break;
    case TypeId::kInt32:
      append_integer(column.at<std::int32_t>(row), out);
      break;
    case TypeId::kInt64:
      append_integer(column.at<std::int64_t>(row), out);
      break;
    case TypeId::kFloat32:
      append_float(column.at<float>(row), out);
      break;
    case TypeId::kFloat64:
      append_float(column.at<double>(row), out);
      break;
    case TypeId::kDecimal:
      append_decimal(column.at<Int128>(row), type.scale, out);
      break;
    case TypeId::kDate:
      if (append_date(column.at<std::int32_t>(row), out)) out += " BC";
      break;
    case TypeId::kTime:
      append_time(column.at<std::int64_t>(row), out);
      break;
    case TypeId::kTimestamp:
      append_timestamp(column.at<std::int64_t>(row), "", out);
      break;
    case TypeId::kTimestampTz:
      append_timestamp(column.at<std::int64_t>(row), "+00", out);
      break;
    case TypeId::kText:
    case TypeId::kJson:
      out += column.text_at(row);
      break;
    case TypeId::kBytes: {
      const std::string_view bytes = column.text_at(row);
      out += "\\x";
      append_hex(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(), out);
      break;
    }
    case TypeId::kUuid:
      append_uuid(column.values.as<std::uint8_t>() + 16 * row, out);
      break;
  }
}

}  // namespace leat
