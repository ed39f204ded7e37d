#include <gtest/gtest.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <random>
#include <string>

#include "leat/row_chunk.h"

namespace leat {
namespace {

__extension__ typedef __int128 Int128;

std::string text_of(const DataType& type, const Column& column, std::int64_t row = 0) {
  std::string text = "before ";
  append_value_text(type, column, row, text);
  EXPECT_EQ(text.substr(0, 7), "before ");
  return text.substr(7);
}

template <class T>
std::string fixed(const DataType& type, T value) {
  Column column;
  column.values.push_back(value);
  return text_of(type, column);
}

std::string float64(double value) { return fixed(DataType{TypeId::kFloat64}, value); }
std::string float32(float value) { return fixed(DataType{TypeId::kFloat32}, value); }
std::string date(std::int32_t days) { return fixed(DataType{TypeId::kDate}, days); }
std::string time_of(std::int64_t time_us) { return fixed(DataType{TypeId::kTime}, time_us); }
std::string timestamp(std::int64_t us) { return fixed(DataType{TypeId::kTimestamp}, us); }
std::string timestamptz(std::int64_t us) { return fixed(DataType{TypeId::kTimestampTz}, us); }

std::string decimal(Int128 unscaled, std::uint8_t scale) {
  return fixed(DataType{TypeId::kDecimal, 38, scale}, unscaled);
}

std::string variable(TypeId type, std::string_view value) {
  Column column;
  column.offsets.push_back<std::int32_t>(3);
  column.offsets.push_back(static_cast<std::int32_t>(3 + value.size()));
  column.values.append("xyz", 3);
  column.values.append(value.data(), value.size());
  return text_of({type}, column);
}

TEST(ValueText, OfBooleans) {
  Column column;
  column.values.push_back<std::uint8_t>(0b00000010);
  column.values.push_back<std::uint8_t>(0b00000100);
  EXPECT_EQ(text_of({TypeId::kBool}, column, 0), "false");
  EXPECT_EQ(text_of({TypeId::kBool}, column, 1), "true");
  EXPECT_EQ(text_of({TypeId::kBool}, column, 10), "true");
  EXPECT_EQ(text_of({TypeId::kBool}, column, 11), "false");
}

TEST(ValueText, OfIntegers) {
  EXPECT_EQ(fixed<std::int16_t>({TypeId::kInt16}, -32768), "-32768");
  EXPECT_EQ(fixed<std::int32_t>({TypeId::kInt32}, 0), "0");
  EXPECT_EQ(fixed({TypeId::kInt64}, std::numeric_limits<std::int64_t>::min()),
            "-9223372036854775808");
  EXPECT_EQ(fixed({TypeId::kInt64}, std::numeric_limits<std::int64_t>::max()),
            "9223372036854775807");
}

// A decimal of up to 15 digits is the shortest text of the double that it reads as, and so for a
// float's six.
template <class T>
void expect_decimals_as_they_are(int digits, std::string (*text_of_value)(T)) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 100'000; ++i) {
    const int places = static_cast<int>(random() % 9);
    const auto end = static_cast<std::uint64_t>(std::pow(10, 1 + random() % digits));
    std::string text = std::to_string(random() % end);
    if (places > 0) {
      if (text.size() <= static_cast<std::size_t>(places)) {
        text.insert(0, static_cast<std::size_t>(places) + 1 - text.size(), '0');
      }
      text.insert(text.size() - static_cast<std::size_t>(places), ".");
      text.erase(text.find_last_not_of('0') + 1);
      if (text.back() == '.') text.pop_back();
    }
    if (text.starts_with("0.0000")) continue;  // In scientific notation.
    T value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    ASSERT_EQ(text_of_value(value), text);
    ASSERT_EQ(text_of_value(-value), "-" + text);
  }
}

TEST(ValueText, OfDoublesThatAreShortDecimalsIsThatDecimal) {
  expect_decimals_as_they_are<double>(15, float64);
}

TEST(ValueText, OfFloatsThatAreShortDecimalsIsThatDecimal) {
  expect_decimals_as_they_are<float>(6, float32);
}

// All of these are what PostgreSQL 15 prints.
TEST(ValueText, OfDoublesIsShortestInPostgresForm) {
  EXPECT_EQ(float64(0), "0");
  EXPECT_EQ(float64(-0.0), "-0");
  EXPECT_EQ(float64(1), "1");
  EXPECT_EQ(float64(-1.5), "-1.5");
  EXPECT_EQ(float64(0.1), "0.1");
  EXPECT_EQ(float64(0.1 + 0.2), "0.30000000000000004");
  EXPECT_EQ(float64(100), "100");
  EXPECT_EQ(float64(123456.789), "123456.789");
  EXPECT_EQ(float64(0.0001), "0.0001");
  EXPECT_EQ(float64(0.00001), "1e-05");
  EXPECT_EQ(float64(0.00012345), "0.00012345");
  EXPECT_EQ(float64(1e14), "100000000000000");
  EXPECT_EQ(float64(1e15), "1e+15");
  EXPECT_EQ(float64(1e20), "1e+20");
  EXPECT_EQ(float64(123456789012345.6), "123456789012345.6");
  EXPECT_EQ(float64(9007199254740992), "9.007199254740992e+15");
  EXPECT_EQ(float64(1.7976931348623157e308), "1.7976931348623157e+308");
  EXPECT_EQ(float64(5e-324), "5e-324");
  EXPECT_EQ(float64(-1e-100), "-1e-100");
}

TEST(ValueText, OfDoublesAvoidsDigitsHalfwayBetweenNeighbours) {
  EXPECT_EQ(float64(1e23), "9.999999999999999e+22");
  EXPECT_EQ(float64(8.41e21), "8.409999999999999e+21");
  EXPECT_EQ(float64(-1e23), "-9.999999999999999e+22");
  EXPECT_EQ(float32(9e9F), "8.999999e+09");
}

TEST(ValueText, OfFloatsIsShortestInPostgresForm) {
  EXPECT_EQ(float32(0.1F), "0.1");
  EXPECT_EQ(float32(100000), "100000");
  EXPECT_EQ(float32(1e6F), "1e+06");
  EXPECT_EQ(float32(1234567), "1.234567e+06");
  EXPECT_EQ(float32(123456), "123456");
  EXPECT_EQ(float32(16777216), "1.6777216e+07");
  EXPECT_EQ(float32(8589934592.0F), "8.589935e+09");
  EXPECT_EQ(float32(3.4028235e38F), "3.4028235e+38");
  EXPECT_EQ(float32(1e-45F), "1e-45");
}

TEST(ValueText, OfFloatsThatAreNoNumbers) {
  EXPECT_EQ(float64(std::numeric_limits<double>::infinity()), "Infinity");
  EXPECT_EQ(float64(-std::numeric_limits<double>::infinity()), "-Infinity");
  EXPECT_EQ(float64(std::numeric_limits<double>::quiet_NaN()), "NaN");
  EXPECT_EQ(float64(-std::numeric_limits<double>::quiet_NaN()), "NaN");
  EXPECT_EQ(float32(-std::numeric_limits<float>::infinity()), "-Infinity");
  EXPECT_EQ(float32(std::numeric_limits<float>::quiet_NaN()), "NaN");
}

TEST(ValueText, OfDoublesReadsBackToTheSameValue) {
  std::mt19937_64 random(20261120);
  for (int i = 0; i < 50'000; ++i) {
    const auto bits = random();
    double value;
    std::memcpy(&value, &bits, sizeof value);
    if (!std::isfinite(value)) continue;
    const std::string text = float64(value);
    double back = 0;
    std::from_chars(text.data(), text.data() + text.size(), back);
    EXPECT_EQ(std::memcmp(&back, &value, sizeof value), 0) << text;
  }
}

TEST(ValueText, OfDecimalsHasExactlyTheScalesDigits) {
  EXPECT_EQ(decimal(0, 0), "0");
  EXPECT_EQ(decimal(0, 2), "0.00");
  EXPECT_EQ(decimal(5, 2), "0.05");
  EXPECT_EQ(decimal(-5, 2), "-0.05");
  EXPECT_EQ(decimal(1234, 2), "12.34");
  EXPECT_EQ(decimal(-1200, 2), "-12.00");
  EXPECT_EQ(decimal(100, 0), "100");
  Int128 most = 1;
  for (int i = 0; i < 38; ++i) most *= 10;
  --most;
  const std::string nines(38, '9');
  EXPECT_EQ(decimal(most, 0), nines);
  EXPECT_EQ(decimal(-most, 38), "-0." + nines);
  EXPECT_EQ(decimal(1, 38), "0." + std::string(37, '0') + "1");
}

TEST(ValueText, OfDates) {
  EXPECT_EQ(date(0), "1970-01-01");
  EXPECT_EQ(date(-1), "1969-12-31");
  EXPECT_EQ(date(20'777), "2026-11-20");
  EXPECT_EQ(date(19'782), "2024-02-29");
  EXPECT_EQ(date(-719'162), "0001-01-01");
  EXPECT_EQ(date(2'932'896), "9999-12-31");
  // Not from leat's own parsers, but a chunk may hold them.
  EXPECT_EQ(date(2'932'897), "10000-01-01");
  EXPECT_EQ(date(-719'163), "0001-12-31 BC");
  EXPECT_EQ(date(-735'160), "0044-03-15 BC");
  EXPECT_EQ(date(std::numeric_limits<std::int32_t>::max()), "5881580-07-11");
  EXPECT_EQ(date(std::numeric_limits<std::int32_t>::min()), "5877642-06-23 BC");
}

TEST(ValueText, OfTimesHasNoTrailingZeros) {
  EXPECT_EQ(time_of(0), "00:00:00");
  EXPECT_EQ(time_of(37'800'000'000), "10:30:00");
  EXPECT_EQ(time_of(37'800'500'000), "10:30:00.5");
  EXPECT_EQ(time_of(37'800'000'001), "10:30:00.000001");
  EXPECT_EQ(time_of(37'800'000'010), "10:30:00.00001");
  EXPECT_EQ(time_of(86'399'999'999), "23:59:59.999999");
}

TEST(ValueText, OfTimestamps) {
  EXPECT_EQ(timestamp(0), "1970-01-01 00:00:00");
  EXPECT_EQ(timestamp(-1), "1969-12-31 23:59:59.999999");
  EXPECT_EQ(timestamp(1'795'170'600'500'000), "2026-11-20 10:30:00.5");
  EXPECT_EQ(timestamp(-86'400'000'000), "1969-12-31 00:00:00");
  EXPECT_EQ(timestamp(-62'135'596'800'000'000), "0001-01-01 00:00:00");
  EXPECT_EQ(timestamp(-62'135'596'800'000'001), "0001-12-31 23:59:59.999999 BC");
  EXPECT_EQ(timestamptz(1'795'170'600'500'000), "2026-11-20 10:30:00.5+00");
  EXPECT_EQ(timestamptz(-62'135'596'800'000'001), "0001-12-31 23:59:59.999999+00 BC");
  EXPECT_EQ(timestamp(std::numeric_limits<std::int64_t>::max()), "294247-01-10 04:00:54.775807");
  EXPECT_EQ(timestamp(std::numeric_limits<std::int64_t>::min()), "290309-12-21 19:59:05.224192 BC");
}

TEST(ValueText, OfTextAndJsonIsTheTextItself) {
  EXPECT_EQ(variable(TypeId::kText, ""), "");
  EXPECT_EQ(variable(TypeId::kText, "ä\n\"b\""), "ä\n\"b\"");
  EXPECT_EQ(variable(TypeId::kJson, "{\"a\": 1}"), "{\"a\": 1}");
}

TEST(ValueText, OfBytesIsHex) {
  EXPECT_EQ(variable(TypeId::kBytes, ""), "\\x");
  EXPECT_EQ(variable(TypeId::kBytes, std::string_view("\0\xff\x7f", 3)), "\\x00ff7f");
}

TEST(ValueText, OfUuids) {
  Column column;
  column.values.resize(32);
  for (std::uint8_t i = 0; i < 32; ++i) column.values.as<std::uint8_t>()[i] = i;
  EXPECT_EQ(text_of({TypeId::kUuid}, column, 1), "10111213-1415-1617-1819-1a1b1c1d1e1f");
}

}  // namespace
}  // namespace leat
