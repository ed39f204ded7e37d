#include "parser/convert/value_formats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <random>

#include "parser/convert/values.h"

namespace leat::parser {
namespace {

using ::testing::HasSubstr;
using Use = TimeFormat::Use;

TimeFormat format(std::string_view text, Use use) {
  Result<TimeFormat> made = TimeFormat::of(text, use);
  EXPECT_TRUE(made) << text;
  return made ? *std::move(made) : TimeFormat();
}

/// The date as ISO has it, or the reason.
std::string date(std::string_view pattern, std::string_view text) {
  std::int32_t days = 0;
  const std::string_view reason = format(pattern, Use::kDate).parse_date(text, days);
  if (!reason.empty()) return std::string(reason);
  Column column;
  column.values.append(&days, sizeof days);
  std::string out;
  append_value_text({TypeId::kDate, 0, 0}, column, 0, out);
  return out;
}

std::string timestamp(std::string_view pattern, std::string_view text, bool with_offset = false) {
  std::int64_t us = 0;
  const std::string_view reason =
      format(pattern, Use::kTimestamp).parse_timestamp(text, with_offset, us);
  if (!reason.empty()) return std::string(reason);
  Column column;
  column.values.append(&us, sizeof us);
  std::string out;
  append_value_text({TypeId::kTimestamp, 0, 0}, column, 0, out);
  return out;
}

TEST(TimeFormat, ReadsDates) {
  EXPECT_EQ(date("%d.%m.%Y", "20.11.2026"), "2026-11-20");
  EXPECT_EQ(date("%d.%m.%Y", "1.2.0001"), "0001-02-01");
  EXPECT_EQ(date("%m/%d/%y", "12/31/68"), "2068-12-31");
  EXPECT_EQ(date("%m/%d/%y", "12/31/69"), "1969-12-31");
  EXPECT_EQ(date("%Y%m%d", "20240229"), "2024-02-29");
  EXPECT_EQ(date("%d %b %Y", "03 sep 2026"), "2026-09-03");
  EXPECT_EQ(date("%A, %d. %B %Y", "Friday, 20. NOVEMBER 2026"), "2026-11-20");
  EXPECT_EQ(date("%b %e %Y", "May  3 2026"), "2026-05-03");
  EXPECT_EQ(date("%Y年%m月%d日", "2026年1月2日"), "2026-01-02");
  EXPECT_EQ(date("%F", "2026-11-20"), "2026-11-20");
}

TEST(TimeFormat, RefusesWhatIsNoSuchDate) {
  EXPECT_THAT(date("%d.%m.%Y", "29.02.2026"), HasSubstr("no such day"));
  EXPECT_THAT(date("%d.%m.%Y", "1.1.0000"), HasSubstr("year out of range"));
  for (const char* text : {"2026-11-20", "20.11.26", "20.11.2026 ", " 20.11.2026", "20.11", "",
                           "20.11.2026.", "+1.11.2026", "020.11.2026"}) {
    EXPECT_THAT(date("%d.%m.%Y", text), HasSubstr("--date-format")) << text;
  }
  EXPECT_THAT(date("%Y%m%d", "2026111"), HasSubstr("--date-format"));
}

TEST(TimeFormat, ReadsTimestamps) {
  EXPECT_EQ(timestamp("%m/%d/%Y %I:%M:%S %p", "1/2/2026 12:00:01 AM"), "2026-01-02 00:00:01");
  EXPECT_EQ(timestamp("%m/%d/%Y %I:%M %p", "1/2/2026 12:30 pm"), "2026-01-02 12:30:00");
  EXPECT_EQ(timestamp("%F %T.%f", "2026-11-20 10:00:00.1234565"), "2026-11-20 10:00:00.123456");
  EXPECT_EQ(timestamp("%F %H", "2026-11-20 24"), "2026-11-21 00:00:00");
  EXPECT_EQ(timestamp("%d/%b/%Y:%T %z", "20/Nov/2026:10:00:00 +0230", true), "2026-11-20 07:30:00");
  EXPECT_EQ(timestamp("%FT%T%z", "2026-11-20T10:00:00Z", true), "2026-11-20 10:00:00");
  EXPECT_EQ(timestamp("%s", "-1"), "1969-12-31 23:59:59");
  EXPECT_EQ(timestamp("%s.%f", "1700000000.25"), "2023-11-14 22:13:20.25");
  EXPECT_THAT(timestamp("%FT%T%z", "2026-11-20T10:00:00Z"), HasSubstr("offset"));
  EXPECT_THAT(timestamp("%F %I %p", "2026-11-20 13 pm"), HasSubstr("out of range"));
  EXPECT_THAT(timestamp("%F %T", "2026-11-20 10:61:00"), HasSubstr("out of range"));
  EXPECT_THAT(timestamp("%F %R%z", "9999-12-31 23:30-0100", true), HasSubstr("year out of range"));
}

TEST(TimeFormat, MustSayAllThatItsTypeNeedsAndNoMore) {
  const auto fault = [](const char* text, Use use) {
    const Result<TimeFormat> made = TimeFormat::of(text, use);
    return made ? std::string() : made.error().message;
  };
  EXPECT_THAT(fault("%Y-%m", Use::kDate), HasSubstr("lacks"));
  EXPECT_THAT(fault("%Y-%m-%d %H", Use::kDate), HasSubstr("time of day"));
  EXPECT_THAT(fault("%M:%S", Use::kTime), HasSubstr("hour"));
  EXPECT_THAT(fault("%I:%M", Use::kTime), HasSubstr("%p"));
  EXPECT_THAT(fault("%F %Q", Use::kTimestamp), HasSubstr("%Q"));
  EXPECT_THAT(fault("%F %m", Use::kTimestamp), HasSubstr("twice"));
  EXPECT_THAT(fault("%d.%m.%Y%", Use::kDate), HasSubstr("lone %"));
  EXPECT_THAT(fault("%y %Y %m %d", Use::kDate), HasSubstr("year twice"));
}

TEST(TimeFormat, ReadsWhatStrftimeWrites) {
  std::mt19937_64 random(20261126);
  for (const char* pattern : {"%d.%m.%Y %H:%M:%S", "%Y%m%d%H%M%S", "%a %b %e %T %Y",
                              "%m/%d/%Y %I:%M:%S %p", "%A, %d. %B %Y %R:%S"}) {
    const TimeFormat made = format(pattern, Use::kTimestamp);
    for (int i = 0; i < 300; ++i) {
      const std::time_t second = static_cast<std::time_t>(random() % 253'402'300'800ULL);
      std::tm parts{};
      gmtime_r(&second, &parts);
      char text[100];
      const std::size_t size = std::strftime(text, sizeof text, pattern, &parts);
      std::int64_t us = 0;
      const std::string written(text, size);
      EXPECT_EQ(made.parse_timestamp(written, false, us), "") << pattern << ": " << written;
      EXPECT_EQ(us, second * 1'000'000LL) << written;
    }
  }
}

TEST(NumberFormat, GroupsAreOfThreeDigits) {
  FormatOptions options;
  options.thousands_separator = ',';
  const ValueFormats formats(options);
  std::string plain;
  for (const char* good : {"1,234", "12,345,678.5", "-1,000", "0", "1234567", "1e5", "NaN"}) {
    EXPECT_NE(formats.number(good, plain), "?") << good;
  }
  for (const char* bad :
       {"1,23", ",123", "1,2345", "1234,567", "1,,234", "1.2,345", "1,234,", "1,e5"}) {
    EXPECT_EQ(formats.number(bad, plain), "?") << bad;
  }
  EXPECT_EQ(formats.number("-12,345,678.5", plain), "-12345678.5");
}

}  // namespace
}  // namespace leat::parser
