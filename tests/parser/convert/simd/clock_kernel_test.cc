// Times of the day, and timestamps with a time zone.
#include <cstdio>

#include "tests/parser/convert/simd/field_block.h"

namespace leat::parser::simd {
namespace {

const KernelUnderTest<std::int64_t> kTime = {&ColumnKernels::convert_time, parse_time};
const KernelUnderTest<std::int64_t> kTimestampTz = {&ColumnKernels::convert_timestamptz,
                                                    parse_timestamptz};

class ClockKernel : public SeededTest {
 protected:
  static std::string two(std::size_t number) {
    char text[8];
    std::snprintf(text, sizeof text, "%02zu", number % 100);
    return text;
  }

  std::string time() {
    std::string text = two(below(24)) + ":" + two(below(60)) + ":" + two(below(60));
    if (below(2) == 0) text += "." + digits(1 + below(6));
    return text;
  }

  std::string zone() {
    const std::string sign(1, one_of("+-"));
    switch (below(4)) {
      case 0:
        return "Z";
      case 1:
        return sign + two(below(16));
      case 2:
        return sign + two(below(16)) + ":" + two(below(60));
      default:
        return "";
    }
  }

  std::string timestamp() {
    return two(19 + below(3)) + two(below(100)) + "-" + two(1 + below(12)) + "-" +
           two(1 + below(28)) + one_of(" T") + time();
  }
};

TEST_F(ClockKernel, ConvertsOrdinaryTimesWithoutLeavingAnyOver) {
  std::vector<std::string> fields = {"00:00:00", "23:59:59", "23:59:59.999999", "00:00:00.000001"};
  for (int i = 0; i < 50'000; ++i) fields.push_back(time());
  EXPECT_EQ(expect_same_as_values_h(kTime, fields), 0u);
}

TEST_F(ClockKernel, AgreesWithTheScalarOneOnOtherTimes) {
  std::vector<std::string> fields = {"", "24:00:00", "23:59:60", "12:30", "12:30:00.", "-1:00:00"};
  for (std::size_t place = 0; place < 8; ++place) {
    for (int byte = 0; byte < 256; ++byte) {
      fields.push_back(time());
      fields.back()[place] = static_cast<char>(byte);
    }
  }
  for (int i = 0; i < 100'000; ++i) {
    fields.push_back(time());
    while (below(4) == 0) fields.back() = mutated(fields.back());
  }
  expect_same_as_values_h(kTime, fields);
}

TEST_F(ClockKernel, ConvertsOrdinaryZonesWithoutLeavingAnyOver) {
  std::vector<std::string> fields = {
      "2024-02-29 12:34:56",          "2024-02-29T12:34:56Z",
      "2024-02-29 12:34:56+00",       "2024-02-29 12:34:56.5-05",
      "2024-02-29 12:34:56+15:59",    "2024-02-29 12:34:56.123456-15:59",
      "0001-01-01 00:00:00Z",         "0001-01-01 05:00:00+05",
      "9999-12-31 23:59:59.999999+0", "9999-12-31 18:59:59.999999-05:00"};
  fields[8] += "0";
  for (int i = 0; i < 100'000; ++i) fields.push_back(timestamp() + zone());
  EXPECT_EQ(expect_same_as_values_h(kTimestampTz, fields), 0u);
}

TEST_F(ClockKernel, AgreesWithTheScalarOneOnEveryOffset) {
  std::vector<std::string> fields;
  for (std::size_t hours = 0; hours < 100; ++hours) {
    for (std::size_t minutes = 0; minutes < 100; ++minutes) {
      const std::string sign(1, one_of("+-"));
      fields.push_back(timestamp() + sign + two(hours) + ":" + two(minutes));
      fields.push_back(timestamp() + sign + two(hours) + two(minutes));
      fields.push_back("0001-01-01 " + time() + sign + two(hours) + ":" + two(minutes));
      fields.push_back("9999-12-31 " + time() + sign + two(hours));
    }
  }
  expect_same_as_values_h(kTimestampTz, fields);
}

TEST_F(ClockKernel, AgreesWithTheScalarOneOnMutatedZones) {
  std::vector<std::string> fields = {"",
                                     "2024-02-29",
                                     "2024-02-29Z",
                                     "2024-02-29 12:34",
                                     "2024-02-29 12:34Z",
                                     "2024-02-29 12:34+01",
                                     "2024-02-29 12:34-01:00",
                                     "2024-02-29 12:34:56 Z",
                                     "2024-02-29 12:34:56 UTC",
                                     "2024-02-29 12:34:56z",
                                     "2024-02-29 12:34:56.Z",
                                     "2024-02-29 12:34:56+1",
                                     "2024-02-29 12:34:56+01:",
                                     "2024-02-29 12:34:56++01",
                                     "2024-02-29 12:34:56.1234567+01",
                                     "2024-02-29 24:00:00+01"};
  for (int i = 0; i < 200'000; ++i) {
    fields.push_back(timestamp() + zone());
    while (below(3) == 0) fields.back() = mutated(fields.back());
  }
  expect_same_as_values_h(kTimestampTz, fields);
}

}  // namespace
}  // namespace leat::parser::simd
