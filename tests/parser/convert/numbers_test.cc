#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>
#include <string>

#include "parser/convert/values.h"

namespace leat::parser {
namespace {

// A fixed seed: a failure is found again. LEAT_TEST_SEED tries others.
std::mt19937_64 seeded() {
  const char* given = std::getenv("LEAT_TEST_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : 20261120;
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  return std::mt19937_64(seed);
}

std::uint64_t below(std::mt19937_64& random, std::uint64_t end) { return random() % end; }

template <class T>
std::string_view int_reason(std::string_view text) {
  T value = 0;
  return parse_int<T>(text, value);
}

template <class T>
T int_value(std::string_view text) {
  T value = 77;
  EXPECT_EQ(parse_int<T>(text, value), "") << text;
  return value;
}

std::string_view double_reason(std::string_view text) {
  double value = 0;
  return parse_float<double>(text, value);
}

double double_value(std::string_view text) {
  double value = 77;
  EXPECT_EQ(parse_float<double>(text, value), "") << text;
  return value;
}

std::string decimal_text(Int128 value) {
  if (value == 0) return "0";
  std::string digits;
  const bool negative = value < 0;
  for (; value != 0; value /= 10) {
    const int digit = static_cast<int>(value % 10);
    digits.insert(digits.begin(), static_cast<char>('0' + (digit < 0 ? -digit : digit)));
  }
  return (negative ? "-" : "") + digits;
}

// The unscaled value, or the reason.
std::string decimal(std::string_view text, int precision, int scale) {
  Int128 value = 77;
  const std::string_view reason = parse_decimal(text, precision, scale, value);
  if (reason.empty()) return decimal_text(value);
  EXPECT_TRUE(value == 77) << "changed on failure: " << text;
  return std::string(reason);
}

constexpr std::string_view kTooLong =
    "out of range: more digits before the decimal point than the column's numeric type has";
constexpr std::string_view kTooFine =
    "more digits after the decimal point than the column's numeric type has";

TEST(ParseBool, TakesPostgresWordsInAnyCase) {
  for (const char* text : {"t", "true", "TRUE", "True", "y", "YES", "yes", "on", "On", "1"}) {
    bool value = false;
    EXPECT_EQ(parse_bool(text, value), "") << text;
    EXPECT_TRUE(value) << text;
  }
  for (const char* text : {"f", "false", "FALSE", "n", "no", "NO", "off", "oFF", "0"}) {
    bool value = true;
    EXPECT_EQ(parse_bool(text, value), "") << text;
    EXPECT_FALSE(value) << text;
  }
}

TEST(ParseBool, RefusesAnythingElse) {
  for (const char* text :
       {"", " true", "true ", "2", "00", "tru", "truth", "o", "ja", "-1", "t\n"}) {
    bool value = true;
    EXPECT_EQ(parse_bool(text, value),
              "not a boolean (true, t, yes, y, on, 1 or false, f, no, n, off, 0)")
        << text;
    EXPECT_TRUE(value);
  }
  bool value = true;
  EXPECT_NE(parse_bool(std::string_view("t\0", 2), value), "");
}

TEST(ParseInt, TakesASignAndLeadingZeros) {
  EXPECT_EQ(int_value<std::int32_t>("+1"), 1);
  EXPECT_EQ(int_value<std::int32_t>("-0"), 0);
  EXPECT_EQ(int_value<std::int32_t>("007"), 7);
  EXPECT_EQ(int_value<std::int16_t>("-00000000000000000000000000000012"), -12);
  EXPECT_EQ(int_value<std::int64_t>(std::string(100, '0')), 0);
}

TEST(ParseInt, KeepsToTheRangeOfItsType) {
  EXPECT_EQ(int_value<std::int16_t>("32767"), 32767);
  EXPECT_EQ(int_value<std::int16_t>("-32768"), -32768);
  EXPECT_EQ(int_reason<std::int16_t>("32768"), "out of range for smallint (-32768 to 32767)");
  EXPECT_EQ(int_reason<std::int16_t>("-32769"), "out of range for smallint (-32768 to 32767)");
  EXPECT_EQ(int_value<std::int32_t>("2147483647"), 2147483647);
  EXPECT_EQ(int_value<std::int32_t>("-2147483648"), std::numeric_limits<std::int32_t>::min());
  EXPECT_EQ(int_reason<std::int32_t>("2147483648"),
            "out of range for integer (-2147483648 to 2147483647)");
  EXPECT_EQ(int_value<std::int64_t>("9223372036854775807"),
            std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(int_value<std::int64_t>("-9223372036854775808"),
            std::numeric_limits<std::int64_t>::min());
}

TEST(ParseInt, RefusesTwoToThe63InsteadOfWrapping) {
  const std::string_view reason =
      "out of range for bigint (-9223372036854775808 to 9223372036854775807)";
  EXPECT_EQ(int_reason<std::int64_t>("9223372036854775808"), reason);
  EXPECT_EQ(int_reason<std::int64_t>("-9223372036854775809"), reason);
  EXPECT_EQ(int_reason<std::int64_t>("18446744073709551616"), reason);  // 2^64
  EXPECT_EQ(int_reason<std::int64_t>("18446744073709551617"), reason);
  EXPECT_EQ(int_reason<std::int64_t>("99999999999999999999999999999999999999"), reason);
}

TEST(ParseInt, RefusesEverythingThatIsNoPlainInteger) {
  const std::string_view reason =
      "not an integer (digits with an optional sign, nothing around or between them)";
  for (const char* text :
       {"", " 1", "1 ", "0x10", "1_000", "1,000", "1.0", "1.9", "1e3", "+", "-", "+-1", "--1",
        "- 1", "NaN", "१", "1\n", "99999999999999999999x", "0000000000000000000000x"}) {
    EXPECT_EQ(int_reason<std::int32_t>(text), reason) << text;
    EXPECT_EQ(int_reason<std::int64_t>(text), reason) << text;
  }
  EXPECT_EQ(int_reason<std::int32_t>(std::string_view("1\0", 2)), reason);
}

TEST(ParseInt, LeavesTheValueAloneOnFailure) {
  std::int32_t value = 77;
  EXPECT_NE(parse_int("12x", value), "");
  EXPECT_NE(parse_int("99999999999", value), "");
  EXPECT_EQ(value, 77);
}

template <class T>
void expect_as_strtoll(const std::string& text) {
  const std::size_t sign = text.find_first_of("+-") == 0 ? 1 : 0;
  const bool plain =
      text.size() > sign && text.find_first_not_of("0123456789", sign) == std::string::npos;
  errno = 0;
  const long long expected = std::strtoll(text.c_str(), nullptr, 10);
  const bool fits = errno != ERANGE && expected >= std::numeric_limits<T>::min() &&
                    expected <= std::numeric_limits<T>::max();
  T value = 0;
  const std::string_view reason = parse_int<T>(text, value);
  EXPECT_EQ(reason.empty(), plain && fits) << text;
  if (reason.empty()) {
    EXPECT_EQ(value, expected) << text;
  } else {
    EXPECT_EQ(reason.starts_with("out of range"), plain) << text;
  }
}

TEST(ParseInt, AgreesWithStrtollOnRandomTexts) {
  auto random = seeded();
  for (int i = 0; i < 200'000; ++i) {
    std::string text;
    if (const auto sign = below(random, 3); sign != 0) text += sign == 1 ? '-' : '+';
    if (below(random, 4) == 0) {
      // Near the limits of the types.
      constexpr int kBits[] = {15, 31, 63, 64};
      const int bits = kBits[below(random, 4)];
      const std::uint64_t limit = bits == 64 ? 0 : std::uint64_t{1} << bits;
      text += std::to_string(limit + below(random, 5) - 2);
    } else {
      const auto digits = 1 + below(random, 22);
      for (std::uint64_t d = 0; d < digits; ++d) text += static_cast<char>('0' + below(random, 10));
    }
    if (below(random, 20) == 0) {
      text.insert(below(random, text.size() + 1), 1, " ._eEx-+,"[below(random, 9)]);
    }
    expect_as_strtoll<std::int16_t>(text);
    expect_as_strtoll<std::int32_t>(text);
    expect_as_strtoll<std::int64_t>(text);
  }
}

TEST(ParseFloat, TakesDecimalAndExponentForms) {
  EXPECT_EQ(double_value("1"), 1);
  EXPECT_EQ(double_value("+1"), 1);
  EXPECT_EQ(double_value("-1.5"), -1.5);
  EXPECT_EQ(double_value("1."), 1);
  EXPECT_EQ(double_value(".5"), 0.5);
  EXPECT_EQ(double_value("1e3"), 1000);
  EXPECT_EQ(double_value("1E+03"), 1000);
  EXPECT_EQ(double_value("+1.25e-2"), 0.0125);
  EXPECT_EQ(double_value("0000000000000000000000001"), 1);
}

TEST(ParseFloat, KeepsTheSignOfZero) {
  EXPECT_TRUE(std::signbit(double_value("-0")));
  EXPECT_TRUE(std::signbit(double_value("-0.0e5")));
  EXPECT_FALSE(std::signbit(double_value("+0")));
}

TEST(ParseFloat, TakesNanAndInfinityInAnyCase) {
  for (const char* text : {"NaN", "nan", "NAN", "+NaN", "-nan"}) {
    EXPECT_TRUE(std::isnan(double_value(text))) << text;
    EXPECT_FALSE(std::signbit(double_value(text))) << text;
  }
  for (const char* text : {"Infinity", "infinity", "INF", "inf", "+Inf"}) {
    EXPECT_EQ(double_value(text), std::numeric_limits<double>::infinity()) << text;
  }
  EXPECT_EQ(double_value("-Infinity"), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(double_value("-inf"), -std::numeric_limits<double>::infinity());
}

TEST(ParseFloat, RefusesOverflowInsteadOfInfinity) {
  EXPECT_EQ(double_reason("1e400"),
            "out of range for double precision (up to 1.7976931348623157e+308)");
  EXPECT_EQ(double_reason("-1e400"),
            "out of range for double precision (up to 1.7976931348623157e+308)");
  EXPECT_EQ(double_value("1.7976931348623157e308"), std::numeric_limits<double>::max());
  EXPECT_EQ(double_reason("1.7976931348623159e308").substr(0, 12), "out of range");
  float value = 77;
  EXPECT_EQ(parse_float("1e39", value), "out of range for real (up to 3.4028235e+38)");
  EXPECT_EQ(parse_float("1e99999999999999999999", value),
            "out of range for real (up to 3.4028235e+38)");
  EXPECT_EQ(value, 77);
}

TEST(ParseFloat, RoundsWhatIsTooSmallAsStrtodDoes) {
  EXPECT_EQ(double_value("1e-400"), 0);
  EXPECT_TRUE(std::signbit(double_value("-1e-400")));
  EXPECT_EQ(double_value("4.9e-324"), std::numeric_limits<double>::denorm_min());
  EXPECT_EQ(double_value("2e-324"), 0);
  EXPECT_EQ(double_value("1e-99999999999999999999"), 0);
}

TEST(ParseFloat, RefusesEverythingThatIsNoPlainNumber) {
  const std::string_view reason =
      "not a number (decimal digits, optionally with sign, point and exponent, nothing around "
      "them)";
  for (const char* text :
       {"",       " 1",   "1 ",      "0x10", "0x1p3",     "1_000", "1,5", "1e",    "1e+",
        "e5",     ".",    "+",       "-",    "+-1",       "--1",   ".e1", "1.2.3", "1f",
        "nan(1)", "nanx", "infinit", "in",   "infinityx", "1d5",   "1\t"}) {
    EXPECT_EQ(double_reason(text), reason) << text;
  }
  EXPECT_EQ(double_reason(std::string_view("1\0", 2)), reason);
}

template <class T>
void expect_as_c_library(const std::string& text, T expected) {
  T value = 0;
  const std::string_view reason = parse_float<T>(text, value);
  if (std::isinf(expected)) {
    EXPECT_TRUE(reason.starts_with("out of range")) << text;
    return;
  }
  ASSERT_EQ(reason, "") << text;
  EXPECT_EQ(std::memcmp(&value, &expected, sizeof value), 0) << text << " gave " << value;
}

std::string random_literal(std::mt19937_64& random) {
  char text[64];
  const auto bits = random();
  double value;
  std::memcpy(&value, &bits, sizeof value);
  switch (below(random, 4)) {
    case 0:  // Any double, with more or fewer digits than it needs.
      if (!std::isfinite(value)) value = 1.5;
      std::snprintf(text, sizeof text, "%.*e", static_cast<int>(below(random, 20)), value);
      return text;
    case 1:  // What files are full of.
      std::snprintf(text, sizeof text, "%.*f", static_cast<int>(below(random, 7)),
                    static_cast<double>(static_cast<std::int64_t>(random()) >> 40) / 100);
      return text;
    case 2: {  // Exactly between two floats, and one digit beside it.
      float base = static_cast<float>(1 + below(random, 1 << 24)) *
                   static_cast<float>(std::ldexp(1.0, static_cast<int>(below(random, 60)) - 30));
      const double halfway =
          (static_cast<double>(base) + static_cast<double>(std::nextafter(base, 1e38F))) / 2;
      std::string exact(400, '\0');
      exact.resize(
          static_cast<std::size_t>(std::snprintf(exact.data(), exact.size(), "%.70f", halfway)));
      if (below(random, 2) != 0) exact += '1';
      return exact;
    }
    default: {  // Random digits and exponent.
      std::string literal = below(random, 2) != 0 ? "-" : "+";
      const auto digits = 1 + below(random, 40);
      const auto point = below(random, digits + 1);
      for (std::uint64_t i = 0; i < digits; ++i) {
        if (i == point) literal += '.';
        literal += static_cast<char>('0' + below(random, 10));
      }
      if (below(random, 2) != 0) {
        literal += "e" + std::to_string(static_cast<int>(below(random, 700)) - 350);
      }
      return literal;
    }
  }
}

TEST(ParseFloat, IsBitEqualToStrtodOnRandomLiterals) {
  auto random = seeded();
  for (int i = 0; i < 200'000; ++i) {
    const std::string text = random_literal(random);
    expect_as_c_library<double>(text, std::strtod(text.c_str(), nullptr));
    expect_as_c_library<float>(text, std::strtof(text.c_str(), nullptr));
    if (HasFailure()) return;
  }
}

TEST(ParseFloat, ReadsAMegabyteOfDigits) {
  EXPECT_EQ(double_value("0." + std::string(1'000'000, '0') + "1e1000001"), 1);
  EXPECT_EQ(double_value(std::string(300, '1') + "." + std::string(1'000'000, '7')),
            std::strtod((std::string(300, '1') + ".7777777777").c_str(), nullptr));
}

TEST(ParseDecimal, ScalesExactly) {
  EXPECT_EQ(decimal("12.34", 10, 2), "1234");
  EXPECT_EQ(decimal("-12.3", 10, 2), "-1230");
  EXPECT_EQ(decimal("+12", 10, 2), "1200");
  EXPECT_EQ(decimal("12.", 10, 2), "1200");
  EXPECT_EQ(decimal(".5", 10, 2), "50");
  EXPECT_EQ(decimal("-0", 10, 2), "0");
  EXPECT_EQ(decimal("0.1", 1, 1), "1");
  EXPECT_EQ(decimal("000000000000000000000000000000000000000000000012", 2, 0), "12");
}

TEST(ParseDecimal, TakesExponents) {
  EXPECT_EQ(decimal("1e5", 10, 2), "10000000");
  EXPECT_EQ(decimal("1.2345e2", 10, 2), "12345");
  EXPECT_EQ(decimal("12345E-2", 10, 2), "12345");
  EXPECT_EQ(decimal("0e400", 10, 2), "0");
  EXPECT_EQ(decimal("0.000e-400", 10, 2), "0");
  EXPECT_EQ(decimal("1" + std::string(60, '0') + "e-60", 1, 0), "1");
  EXPECT_EQ(decimal("0." + std::string(60, '0') + "1e61", 1, 0), "1");
}

TEST(ParseDecimal, RefusesDigitsBeyondTheScaleInsteadOfRounding) {
  EXPECT_EQ(decimal("1.230", 10, 2), "123");
  EXPECT_EQ(decimal("1.23000000000000000000000000000000000000000000000", 10, 2), "123");
  EXPECT_EQ(decimal("1.234", 10, 2), kTooFine);
  EXPECT_EQ(decimal("1.2300000000000000000000000000000000000000000000001", 10, 2), kTooFine);
  EXPECT_EQ(decimal("1e-3", 10, 2), kTooFine);
  EXPECT_EQ(decimal("1e-999999999999999999999", 10, 2), kTooFine);
  EXPECT_EQ(decimal("0.5", 10, 0), kTooFine);
}

TEST(ParseDecimal, KeepsToThePrecision) {
  EXPECT_EQ(decimal("999.99", 5, 2), "99999");
  EXPECT_EQ(decimal("1000", 5, 2), kTooLong);
  EXPECT_EQ(decimal("1000.00", 5, 2), kTooLong);
  EXPECT_EQ(decimal("1", 1, 1), kTooLong);
  EXPECT_EQ(decimal("1e400", 10, 2), kTooLong);
  EXPECT_EQ(decimal("1e999999999999999999999", 10, 2), kTooLong);
  const std::string most(38, '9');
  EXPECT_EQ(decimal(most, 38, 0), most);
  EXPECT_EQ(decimal("-" + most, 38, 0), "-" + most);
  EXPECT_EQ(decimal("-." + most, 38, 38), "-" + most);
  EXPECT_EQ(decimal("1" + std::string(38, '0'), 38, 0), kTooLong);
}

TEST(ParseDecimal, RefusesNanAndEverythingThatIsNoPlainNumber) {
  EXPECT_EQ(decimal("NaN", 10, 2), "NaN is not a value of a numeric column");
  for (const char* text : {"", " 1", "1 ", "0x10", "1_000", "1,5", "1e", "1e+", "e5", ".", "+", "-",
                           "+-1", "1.2.3", "Infinity", "1e5x", "1e1.5", "$1"}) {
    EXPECT_TRUE(decimal(text, 10, 2).starts_with("not a decimal number")) << text;
  }
}

TEST(ParseDecimal, ReadsBackRandomValuesInAnyForm) {
  auto random = seeded();
  for (int i = 0; i < 100'000; ++i) {
    const int precision = 1 + static_cast<int>(below(random, 38));
    const int scale = static_cast<int>(below(random, static_cast<std::uint64_t>(precision) + 1));
    std::string digits;
    const auto count = 1 + below(random, static_cast<std::uint64_t>(precision));
    for (std::uint64_t d = 0; d < count; ++d) digits += static_cast<char>('0' + below(random, 10));
    const std::string sign = below(random, 2) != 0 ? "-" : "";
    std::string expected = digits.substr(std::min(digits.find_first_not_of('0'), count - 1));
    if (expected != "0") expected = sign + expected;
    // digits × 10^-scale, with the point moved by `shift` and the exponent moved back.
    const auto shift = static_cast<int>(below(random, count + 1));
    std::string text = digits;
    text.insert(count - static_cast<std::uint64_t>(shift), ".");
    text = sign + text + "e" + std::to_string(shift - scale);
    EXPECT_EQ(decimal(text, precision, scale), expected)
        << text << " " << precision << "," << scale;
  }
}

}  // namespace
}  // namespace leat::parser
