// What append_value_text prints, the parse functions read back: canonical text loses nothing.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <random>
#include <string>

#include "parser/convert/values.h"

namespace leat::parser {
namespace {

constexpr int kValues = 20'000;
constexpr std::int64_t kTimestampMinUs = -62'135'596'800'000'000;  // 0001-01-01
constexpr std::int64_t kTimestampEndUs = 253'402'300'800'000'000;  // 10000-01-01
constexpr std::int64_t kDayUs = 86'400'000'000;

template <class T, class Parse>
void expect_read_back(const DataType& type, T value, Parse parse) {
  Column column;
  column.values.push_back(value);
  std::string text;
  append_value_text(type, column, 0, text);
  T back{};
  ASSERT_EQ(parse(text, back), "") << text;
  ASSERT_EQ(std::memcmp(&back, &value, sizeof value), 0) << text;
}

std::int64_t between(std::mt19937_64& random, std::int64_t begin, std::int64_t end) {
  return begin + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(end - begin));
}

template <class T>
T from_bits(std::mt19937_64& random) {
  const auto bits = random();
  T value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

TEST(CanonicalText, OfNumbersReadsBack) {
  std::mt19937_64 random(1);
  for (int i = 0; i < kValues && !HasFatalFailure(); ++i) {
    expect_read_back({TypeId::kInt16}, from_bits<std::int16_t>(random), parse_int<std::int16_t>);
    expect_read_back({TypeId::kInt32}, from_bits<std::int32_t>(random), parse_int<std::int32_t>);
    expect_read_back({TypeId::kInt64}, from_bits<std::int64_t>(random), parse_int<std::int64_t>);
    if (const auto value = from_bits<float>(random); !std::isnan(value)) {
      expect_read_back({TypeId::kFloat32}, value, parse_float<float>);
    }
    if (const auto value = from_bits<double>(random); !std::isnan(value)) {
      expect_read_back({TypeId::kFloat64}, value, parse_float<double>);
    }
  }
}

TEST(CanonicalText, OfDecimalsReadsBack) {
  std::mt19937_64 random(2);
  Int128 limit = 1;
  for (int precision = 1; precision <= 38; ++precision) {
    limit *= 10;
    for (int scale = 0; scale <= precision && !HasFatalFailure(); ++scale) {
      const Int128 wide = static_cast<Int128>(random() >> 1) << 64 | static_cast<Int128>(random());
      for (const Int128 value : {limit - 1, 1 - limit, wide % limit, -(wide % limit)}) {
        expect_read_back({TypeId::kDecimal, static_cast<std::uint8_t>(precision),
                          static_cast<std::uint8_t>(scale)},
                         value, [&](std::string_view text, Int128& out) {
                           return parse_decimal(text, precision, scale, out);
                         });
      }
    }
  }
}

TEST(CanonicalText, OfDatesAndTimesReadsBack) {
  std::mt19937_64 random(3);
  for (int i = 0; i < kValues && !HasFatalFailure(); ++i) {
    const std::int64_t timestamp_us = between(random, kTimestampMinUs, kTimestampEndUs);
    expect_read_back({TypeId::kTimestamp}, timestamp_us, parse_timestamp);
    expect_read_back({TypeId::kTimestampTz}, timestamp_us, parse_timestamptz);
    expect_read_back({TypeId::kTime}, between(random, 0, kDayUs), parse_time);
    expect_read_back({TypeId::kDate},
                     static_cast<std::int32_t>(between(random, -719'162, 2'932'897)), parse_date);
  }
}

TEST(CanonicalText, OfBytesAndUuidsReadsBack) {
  std::mt19937_64 random(4);
  for (int i = 0; i < kValues && !HasFatalFailure(); ++i) {
    Column column;
    column.offsets.push_back<std::int32_t>(0);
    for (auto left = random() % 20; left != 0; --left) {
      column.values.push_back(static_cast<std::uint8_t>(random()));
    }
    column.offsets.push_back(static_cast<std::int32_t>(column.values.size()));
    std::string text;
    append_value_text({TypeId::kBytes}, column, 0, text);
    Buffer back;
    ASSERT_EQ(parse_bytes(text, back), "") << text;
    ASSERT_EQ(std::string_view(back.as<char>(), back.size()), column.text_at(0)) << text;

    using Uuid = std::array<std::uint8_t, 16>;
    Uuid uuid;
    for (auto& byte : uuid) byte = static_cast<std::uint8_t>(random());
    expect_read_back({TypeId::kUuid}, uuid, [](std::string_view uuid_text, Uuid& out) {
      return parse_uuid(uuid_text, out.data());
    });
  }
}

}  // namespace
}  // namespace leat::parser
