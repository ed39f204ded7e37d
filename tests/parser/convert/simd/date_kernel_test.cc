#include <cstdio>
#include <numeric>

#include "tests/parser/convert/simd/field_block.h"

namespace leat::parser::simd {
namespace {

const KernelUnderTest<std::int32_t> kDate = {&ColumnKernels::convert_date, parse_date};
const KernelUnderTest<std::int64_t> kTimestamp = {&ColumnKernels::convert_timestamp,
                                                  parse_timestamp};

std::string date_text(std::size_t year, std::size_t month, std::size_t day) {
  char text[32];
  const int size = std::snprintf(text, sizeof text, "%04zu-%02zu-%02zu", year, month, day);
  return {text, static_cast<std::size_t>(size)};
}

std::string time_text(std::size_t hour, std::size_t minute, std::size_t second) {
  char text[32];
  const int size = std::snprintf(text, sizeof text, "%02zu:%02zu:%02zu", hour, minute, second);
  return {text, static_cast<std::size_t>(size)};
}

class DateKernel : public SeededTest {
 protected:
  std::string date() { return date_text(1 + below(9999), 1 + below(12), 1 + below(28)); }

  std::string timestamp() {
    std::string text = date() + one_of(" T") + time_text(below(24), below(60), below(60));
    if (below(2) == 0) text += "." + digits(1 + below(6));
    return text;
  }
};

using TimestampKernel = DateKernel;

TEST_F(DateKernel, ConvertsEveryDayOfTheCalendarInOrder) {
  constexpr std::size_t kYears = 100;
  for (std::size_t first = 0; first <= 9900; first += kYears) {
    std::vector<std::string> fields;
    for (std::size_t year = std::max<std::size_t>(first, 1); year < first + kYears; ++year) {
      const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
      for (std::size_t month = 1; month <= 12; ++month) {
        const std::size_t days = month == 2 ? 28 + leap : 30 + (month + month / 8) % 2;
        for (std::size_t day = 1; day <= days; ++day) {
          fields.push_back(date_text(year, month, day));
        }
      }
    }
    std::int32_t first_day = 0;
    ASSERT_EQ(parse_date(fields.front(), first_day), "");
    std::vector<std::int32_t> expected(fields.size());
    std::iota(expected.begin(), expected.end(), first_day);
    const FieldBlock block(fields, Layout::kSideBySide);
    for (const SimdTarget target : available_simd_targets()) {
      // It is values.h, slow where nothing is optimised.
      if (target == SimdTarget::kPortable) continue;
      const auto converted = run(kDate, target, block.column());
      ASSERT_TRUE(converted.abnormal.empty()) << simd_target_name(target);
      ASSERT_EQ(converted.values, expected) << simd_target_name(target);
    }
  }
}

TEST_F(DateKernel, LeavesOverDaysThatAreNotInTheCalendar) {
  for (const std::size_t year : {0, 1, 4, 100, 400, 1900, 1970, 2000, 2023, 2024, 9900, 9999}) {
    std::vector<std::string> fields;
    for (std::size_t month = 0; month < 100; ++month) {
      for (std::size_t day = 0; day < 100; ++day) fields.push_back(date_text(year, month, day));
    }
    expect_same_as_values_h(kDate, fields);
  }
}

TEST_F(DateKernel, LeavesOverEveryOtherByte) {
  std::vector<std::string> fields;
  for (std::size_t place = 0; place < 10; ++place) {
    for (int byte = 0; byte < 256; ++byte) {
      fields.push_back(date());
      fields.back()[place] = static_cast<char>(byte);
    }
  }
  expect_same_as_values_h(kDate, fields);
}

TEST_F(DateKernel, AgreesWithTheScalarOneOnMutatedDates) {
  std::vector<std::string> fields = {"", "2024-02-29 BC", "2024-02-29 ", "2024-2-9", "02024-02-29"};
  for (int i = 0; i < 200'000; ++i) {
    fields.push_back(date());
    while (below(4) == 0) fields.back() = mutated(fields.back());
  }
  expect_same_as_values_h(kDate, fields);
}

TEST_F(TimestampKernel, ConvertsOrdinaryTimestampsWithoutLeavingAnyOver) {
  std::vector<std::string> fields = {"0001-01-01 00:00:00",        "9999-12-31 23:59:59.999999",
                                     "1970-01-01T00:00:00",        "1969-12-31T23:59:59.999999",
                                     "2024-02-29 12:34:56.000001", "2000-02-29 12:34:56.1"};
  for (int i = 0; i < 100'000; ++i) fields.push_back(timestamp());
  EXPECT_EQ(expect_same_as_values_h(kTimestamp, fields), 0u);
  std::erase_if(fields, [](const std::string& text) { return text.size() != 19; });
  EXPECT_EQ(expect_same_as_values_h(kTimestamp, fields), 0u);
}

TEST_F(TimestampKernel, LeavesOverTimesThatAreNotOnTheClock) {
  std::vector<std::string> fields;
  for (std::size_t number = 0; number < 100; ++number) {
    for (std::size_t other = 0; other < 60; ++other) {
      fields.push_back(date() + " " + time_text(number, other, 0));
      fields.push_back(date() + " " + time_text(0, number, other));
      fields.push_back(date() + " " + time_text(other % 24, 0, number));
      fields.push_back(fields.back() + "." + digits(below(11)));
    }
  }
  for (std::size_t month = 0; month < 100; ++month) {
    for (std::size_t day = 0; day < 100; ++day) {
      fields.push_back(date_text(below(3) * 4, month, day) + " 01:02:03");
    }
  }
  expect_same_as_values_h(kTimestamp, fields);
}

TEST_F(TimestampKernel, LeavesOverEveryOtherByte) {
  std::vector<std::string> fields;
  for (std::size_t size = 0; size < 30; ++size) {
    for (std::size_t place = 0; place < size; ++place) {
      for (int byte = 0; byte < 256; ++byte) {
        fields.push_back(timestamp() + "." + digits(10));
        fields.back().resize(size);
        fields.back()[place] = static_cast<char>(byte);
      }
    }
  }
  expect_same_as_values_h(kTimestamp, fields);
}

TEST_F(TimestampKernel, AgreesWithTheScalarOneOnMutatedTimestamps) {
  std::vector<std::string> fields = {"",
                                     "2024-02-29",
                                     "2024-02-29 24:00:00",
                                     "2024-02-29t12:34:56",
                                     "2024-02-29 12:34",
                                     "2024-02-29 12:34:60",
                                     "9999-12-31 23:59:60",
                                     "2024-02-29 12:34:56.",
                                     "2024-02-29 12:34:56.1234567",
                                     "2024-02-29 12:34:56.123456789",
                                     "2024-02-29 12:34:56Z",
                                     "2024-02-29 12:34:56+01"};
  for (int i = 0; i < 200'000; ++i) {
    fields.push_back(timestamp());
    while (below(4) == 0) fields.back() = mutated(fields.back());
  }
  expect_same_as_values_h(kTimestamp, fields);
}

}  // namespace
}  // namespace leat::parser::simd
