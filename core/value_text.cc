// The canonical text of values: what PostgreSQL 12 and later print with ISO date style in UTC.
#include "core/value_text.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>

namespace leat {
namespace {

__extension__ typedef __int128 Int128;
__extension__ typedef unsigned __int128 UInt128;

constexpr std::int64_t kSecondUs = 1'000'000;
constexpr std::int64_t kDayUs = 86'400 * kSecondUs;

constexpr std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

// All that write take where to, with room enough, and return where the text ends.

// Eight digits of a number below 10^8, the first one in the lowest byte. Halves, quarters and
// eighths are divided side by side, each by a multiplication that is exact for its range.
constexpr std::uint64_t eight_digits(std::uint32_t number) {
  std::uint64_t x = number / 10'000 | std::uint64_t{number % 10'000} << 32;
  std::uint64_t tens = x * 10'486 >> 20 & 0x0000'007f'0000'007f;  // x / 100 in each half.
  x = tens | (x - tens * 100) << 16;
  tens = x * 103 >> 10 & 0x000f'000f'000f'000f;  // x / 10 in each quarter.
  return tens | (x - tens * 10) << 8;
}

char* write_eight_digits(std::uint64_t digits, std::size_t from, char* to) {
  static_assert(std::endian::native == std::endian::little);
  const std::uint64_t text = (digits | 0x3030'3030'3030'3030) >> 8 * from;
  std::memcpy(to, &text, sizeof text);  // More than there is: there is room.
  return to + 8 - from;
}

// Without a branch for each digit: how many there are is not to be foreseen.
char* write_digits(std::uint64_t value, char* to) {
  constexpr std::uint64_t kEight = 100'000'000;
  if (value < kEight) {
    const std::uint64_t digits = eight_digits(static_cast<std::uint32_t>(value));
    const auto zeros =
        static_cast<std::size_t>(std::countr_zero(digits | std::uint64_t{1} << 56)) / 8;
    return write_eight_digits(digits, zeros, to);
  }
  to = write_digits(value / kEight, to);
  return write_eight_digits(eight_digits(static_cast<std::uint32_t>(value % kEight)), 0, to);
}

template <class T>
char* write_integer(T value, char* to) {
  const auto bits = static_cast<std::uint64_t>(std::int64_t{value});
  *to = '-';
  return value < 0 ? write_digits(0 - bits, to + 1) : write_digits(bits, to);
}

char* write_text(std::string_view text, char* to) {
  return std::copy(text.begin(), text.end(), to);
}

char* write_two_digits(std::uint64_t value, char* to) {
  *to++ = static_cast<char>('0' + value / 10);
  *to++ = static_cast<char>('0' + value % 10);
  return to;
}

// At least `width` digits.
char* write_padded(std::uint64_t value, std::size_t width, char* to) {
  std::uint64_t power = 10;
  for (; width > 1; --width) {
    if (value < power) *to++ = '0';
    power *= 10;
  }
  return write_digits(value, to);
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

// The text of a value (not negative) that is a decimal of few digits; null: it is none.
//
// T tells decimals of digits10 digits apart, so that one that reads as the value is its shortest
// text. None of them lies halfway between two values: that takes more bits than such digits hold.
template <class T>
char* write_short_decimal(T value, char* to) {
  constexpr std::array<std::uint32_t, 4> kScales = {1, 100, 10'000, 1'000'000};
  constexpr T kEnd = std::numeric_limits<T>::digits10 == 15 ? T(1e15) : T(1e6);
  static_assert(std::numeric_limits<T>::digits10 == 15 || std::numeric_limits<T>::digits10 == 6);
  if (value < T(1e-4) && value != 0) return nullptr;  // In scientific notation.
  for (const std::uint32_t scale : kScales) {
    const T scaled = value * static_cast<T>(scale) + T(0.5);
    if (!(scaled < kEnd)) return nullptr;
    const auto digits = static_cast<std::uint64_t>(scaled);
    // Both are exact in T, so that the quotient is what the decimal reads as.
    if (static_cast<T>(digits) / static_cast<T>(scale) != value) continue;
    to = write_digits(digits / scale, to);
    if (scale == 1) return to;
    *to++ = '.';
    // scale + fraction: its digits are a 1 and those of the fraction, zeros in front included.
    std::array<char, kFixedValueTextMax> fraction;
    const char* end = write_digits(scale + digits % scale, fraction.data());
    while (end[-1] == '0') --end;
    return std::copy<const char*>(fraction.data() + 1, end, to);
  }
  return nullptr;
}

template <class T>
char* write_float(T value, char* to) {
  if (std::isnan(value)) return write_text("NaN", to);
  if (std::signbit(value)) *to++ = '-';
  value = std::fabs(value);
  if (std::isinf(value)) return write_text("Infinity", to);
  if (char* const end = write_short_decimal(value, to)) return end;
  constexpr int kFixedExponentMin = -4;
  constexpr int kFixedExponentMax = std::numeric_limits<T>::digits10 - 1;
  const ShortDecimal decimal = shortest_digits(value);
  const std::string_view digits(decimal.digits, static_cast<std::size_t>(decimal.count));
  const int exponent = decimal.exponent;
  if (exponent < kFixedExponentMin || exponent > kFixedExponentMax) {
    *to++ = digits[0];
    if (digits.size() > 1) {
      *to++ = '.';
      to = write_text(digits.substr(1), to);
    }
    *to++ = 'e';
    *to++ = exponent < 0 ? '-' : '+';
    return write_padded(static_cast<std::uint64_t>(std::abs(exponent)), 2, to);
  }
  if (exponent < 0) {
    to = write_text("0.", to);
    to = std::fill_n(to, -exponent - 1, '0');
    return write_text(digits, to);
  }
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  to = write_text(digits.substr(0, whole), to);
  if (digits.size() <= whole) return std::fill_n(to, whole - digits.size(), '0');
  *to++ = '.';
  return write_text(digits.substr(whole), to);
}

char* write_decimal(Int128 value, std::size_t scale, char* to) {
  UInt128 rest = value < 0 ? -static_cast<UInt128>(value) : static_cast<UInt128>(value);
  char digits[kFixedValueTextMax];
  char* const end = digits + sizeof digits;
  char* begin = end;
  // One digit at least before the point.
  const auto put_digits = [&](auto number) {
    for (; number != 0 || end - begin <= static_cast<std::ptrdiff_t>(scale); number /= 10) {
      *--begin = static_cast<char>('0' + static_cast<int>(number % 10));
    }
  };
  // Nearly all of them: a division of 128 bits takes ten times as long.
  if (rest >> 64 == 0) {
    put_digits(static_cast<std::uint64_t>(rest));
  } else {
    put_digits(rest);
  }
  if (value < 0) *to++ = '-';
  to = std::copy(begin, end - scale, to);
  if (scale == 0) return to;
  *to++ = '.';
  return std::copy(end - scale, end, to);
}

// The date without its era; `before_christ` says that " BC" belongs at the end of the text.
char* write_date(std::int64_t days, bool& before_christ, char* to) {
  // <chrono> knows years up to 32767; every 400 years the calendar starts again.
  constexpr std::int64_t kCycleDays = 146'097;
  const std::int64_t cycle = floor_divide(days, kCycleDays);
  const std::chrono::year_month_day date{
      std::chrono::sys_days{std::chrono::days{days - cycle * kCycleDays}}};
  const std::int64_t year = static_cast<int>(date.year()) + 400 * cycle;
  before_christ = year <= 0;  // There is no year 0: 1 BC comes before 1.
  to = write_padded(static_cast<std::uint64_t>(before_christ ? 1 - year : year), 4, to);
  *to++ = '-';
  to = write_two_digits(static_cast<unsigned>(date.month()), to);
  *to++ = '-';
  return write_two_digits(static_cast<unsigned>(date.day()), to);
}

char* write_time(std::int64_t time_us, char* to) {
  const auto seconds = static_cast<std::uint64_t>(time_us / kSecondUs);
  to = write_two_digits(seconds / 3600, to);
  *to++ = ':';
  to = write_two_digits(seconds / 60 % 60, to);
  *to++ = ':';
  to = write_two_digits(seconds % 60, to);
  if (const std::int64_t fraction = time_us % kSecondUs; fraction != 0) {
    *to++ = '.';
    to = write_padded(static_cast<std::uint64_t>(fraction), 6, to);
    while (to[-1] == '0') --to;
  }
  return to;
}

char* write_timestamp(std::int64_t timestamp_us, std::string_view zone, char* to) {
  bool before_christ = false;
  to = write_date(floor_divide(timestamp_us, kDayUs), before_christ, to);
  *to++ = ' ';
  // Not timestamp - days × day: that product may leave the range at its lower end.
  const std::int64_t rest = timestamp_us % kDayUs;
  to = write_time(rest < 0 ? rest + kDayUs : rest, to);
  to = write_text(zone, to);
  return before_christ ? write_text(" BC", to) : to;
}

char* write_hex(const std::uint8_t* bytes, std::size_t size, char* to) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (std::size_t i = 0; i < size; ++i) {
    *to++ = kDigits[bytes[i] >> 4];
    *to++ = kDigits[bytes[i] & 15];
  }
  return to;
}

char* write_uuid(const std::uint8_t* bytes, char* to) {
  std::size_t begin = 0;
  for (const std::size_t end : {4u, 6u, 8u, 10u, 16u}) {
    if (begin != 0) *to++ = '-';
    to = write_hex(bytes + begin, end - begin, to);
    begin = end;
  }
  return to;
}

}  // namespace

char* write_fixed_value(const DataType& type, const Column& column, std::int64_t row, char* to) {
  switch (type.id) {
    case TypeId::kBool:
      return write_text(column.bool_at(row) ? "true" : "false", to);
    case TypeId::kInt16:
      return write_integer(column.at<std::int16_t>(row), to);
    case TypeId::kInt32:
      return write_integer(column.at<std::int32_t>(row), to);
    case TypeId::kInt64:
      return write_integer(column.at<std::int64_t>(row), to);
    case TypeId::kFloat32:
      return write_float(column.at<float>(row), to);
    case TypeId::kFloat64:
      return write_float(column.at<double>(row), to);
    case TypeId::kDecimal:
      return write_decimal(column.at<Int128>(row), type.scale, to);
    case TypeId::kDate: {
      bool before_christ = false;
      to = write_date(column.at<std::int32_t>(row), before_christ, to);
      return before_christ ? write_text(" BC", to) : to;
    }
    case TypeId::kTime:
      return write_time(column.at<std::int64_t>(row), to);
    case TypeId::kTimestamp:
      return write_timestamp(column.at<std::int64_t>(row), "", to);
    case TypeId::kTimestampTz:
      return write_timestamp(column.at<std::int64_t>(row), "+00", to);
    case TypeId::kUuid:
      return write_uuid(column.values.as<std::uint8_t>() + 16 * row, to);
    case TypeId::kText:
    case TypeId::kJson:
    case TypeId::kBytes:
      break;
  }
  return to;
}

char* write_bytes_value(std::string_view bytes, char* to) {
  *to++ = '\\';
  *to++ = 'x';
  return write_hex(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(), to);
}

void append_value_text(const DataType& type, const Column& column, std::int64_t row,
                       std::string& out) {
  switch (type.id) {
    case TypeId::kText:
    case TypeId::kJson:
      out += column.text_at(row);
      return;
    case TypeId::kBytes: {
      const std::string_view bytes = column.text_at(row);
      const std::size_t begin = out.size();
      out.resize(begin + 2 + 2 * bytes.size());
      write_bytes_value(bytes, out.data() + begin);
      return;
    }
    default: {
      char text[kFixedValueTextMax];
      out.append(text, write_fixed_value(type, column, row, text));
    }
  }
}

}  // namespace leat
