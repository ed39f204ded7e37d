#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "parser/convert/values.h"

namespace leat::parser {
namespace {

constexpr std::int64_t kSecondUs = 1'000'000;
constexpr std::int64_t kHourUs = 3600 * kSecondUs;
constexpr std::int64_t kDayUs = 24 * kHourUs;

using Parser = std::string_view (*)(std::string_view, std::int64_t&) noexcept;

// The value as a number, or the reason.
std::string answer(Parser parse, std::string_view text) {
  std::int64_t value = 77;
  const std::string_view reason = parse(text, value);
  if (reason.empty()) return std::to_string(value);
  EXPECT_EQ(value, 77) << "changed on failure: " << text;
  return std::string(reason);
}

std::string date(std::string_view text) {
  std::int32_t value = 77;
  const std::string_view reason = parse_date(text, value);
  if (reason.empty()) return std::to_string(value);
  EXPECT_EQ(value, 77) << "changed on failure: " << text;
  return std::string(reason);
}

std::string time_of(std::string_view text) { return answer(parse_time, text); }
std::string timestamp(std::string_view text) { return answer(parse_timestamp, text); }
std::string timestamptz(std::string_view text) { return answer(parse_timestamptz, text); }

std::string number(std::int64_t value) { return std::to_string(value); }

constexpr std::int64_t kDay20261120Us = 20'777 * kDayUs;  // 2026-11-20

const std::string kNoSuchDay = "no such day in the calendar";
const std::string kYearOutOfRange = "year out of range (0001 to 9999)";
const std::string kTimeOutOfRange = "out of range for time (00:00:00 to 23:59:59.999999)";
const std::string kClockOutOfRange = "hour, minute or second out of range (00:00:00 to 24:00:00)";
const std::string kNotTime = "not a time (HH:MM:SS with up to 9 digits of a fraction)";
const std::string kNotTimestamp =
    "not a timestamp (YYYY-MM-DD HH:MM:SS with up to 9 digits of a fraction)";
const std::string kNotTimestampTz =
    "not a timestamp with time zone (YYYY-MM-DD HH:MM:SS+HH:MM with up to 9 digits of a fraction)";

TEST(ParseDate, CountsDaysSince1970) {
  EXPECT_EQ(date("1970-01-01"), "0");
  EXPECT_EQ(date("1969-12-31"), "-1");
  EXPECT_EQ(date("2026-11-20"), "20777");
  EXPECT_EQ(date("0001-01-01"), "-719162");
  EXPECT_EQ(date("9999-12-31"), "2932896");
}

TEST(ParseDate, KnowsThe29thOfFebruary) {
  EXPECT_EQ(date("2024-02-29"), "19782");
  EXPECT_EQ(date("2000-02-29"), "11016");
  EXPECT_EQ(date("2023-02-29"), kNoSuchDay);
  EXPECT_EQ(date("1900-02-29"), kNoSuchDay);
  EXPECT_EQ(date("2100-02-29"), kNoSuchDay);
  EXPECT_EQ(date("2024-02-30"), kNoSuchDay);
}

TEST(ParseDate, RefusesYearZeroAndBeforeChrist) {
  EXPECT_EQ(date("0000-01-01"), kYearOutOfRange);
  EXPECT_EQ(date("0044-03-15 BC"), kYearOutOfRange);
  EXPECT_NE(date("-0044-03-15").find("not a date"), std::string::npos);
}

TEST(ParseDate, RefusesOtherForms) {
  for (const char* text :
       {"", "2026", "2026-11", "2026-1-2", "26-11-20", "20261120", "2026/11/20", "20.11.2026",
        "11/20/2026", " 2026-11-20", "2026-11-20 ", "2026-11-20T00:00", "12026-11-20",
        "2026-11-20x", "2026-11-2O", "infinity", "today", "+2026-11-20"}) {
    EXPECT_EQ(date(text), "not a date (YYYY-MM-DD)") << text;
  }
  for (const char* text : {"2026-00-01", "2026-13-01", "2026-01-00", "2026-01-32", "2026-04-31"}) {
    EXPECT_EQ(date(text), kNoSuchDay) << text;
  }
}

TEST(ParseDate, AgreesWithACountedCalendar) {
  constexpr int kMonthDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  std::int32_t day_number = -719'162;
  for (int year = 1; year <= 9999; ++year) {
    const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    const bool every_day = year % 97 == 0;  // Else only where months begin and end.
    for (int month = 1; month <= 12; ++month) {
      const int days = kMonthDays[month - 1] + (leap && month == 2 ? 1 : 0);
      for (int day = 1; day <= 31; day += every_day || day >= 27 ? 1 : 26) {
        const char text[] = {static_cast<char>('0' + year / 1000),
                             static_cast<char>('0' + year / 100 % 10),
                             static_cast<char>('0' + year / 10 % 10),
                             static_cast<char>('0' + year % 10),
                             '-',
                             static_cast<char>('0' + month / 10),
                             static_cast<char>('0' + month % 10),
                             '-',
                             static_cast<char>('0' + day / 10),
                             static_cast<char>('0' + day % 10)};
        std::int32_t value = 0;
        const bool taken = parse_date({text, sizeof text}, value).empty();
        ASSERT_EQ(taken, day <= days) << year << "-" << month << "-" << day;
        if (taken) {
          ASSERT_EQ(value, day_number + day - 1) << year << "-" << month << "-" << day;
        }
      }
      day_number += days;
    }
  }
}

TEST(ParseTime, CountsMicroseconds) {
  EXPECT_EQ(time_of("00:00"), "0");
  EXPECT_EQ(time_of("10:30"), number(10 * kHourUs + 1800 * kSecondUs));
  EXPECT_EQ(time_of("10:30:05"), number(10 * kHourUs + 1805 * kSecondUs));
  EXPECT_EQ(time_of("23:59:59.999999"), "86399999999");
}

TEST(ParseTime, RoundsFractionsOfOneToNineDigitsHalfToEven) {
  EXPECT_EQ(time_of("00:00:00.1"), "100000");
  EXPECT_EQ(time_of("00:00:00.12"), "120000");
  EXPECT_EQ(time_of("00:00:00.123"), "123000");
  EXPECT_EQ(time_of("00:00:00.1234"), "123400");
  EXPECT_EQ(time_of("00:00:00.12345"), "123450");
  EXPECT_EQ(time_of("00:00:00.123456"), "123456");
  EXPECT_EQ(time_of("00:00:00.1234567"), "123457");
  EXPECT_EQ(time_of("00:00:00.12345649"), "123456");
  EXPECT_EQ(time_of("00:00:00.123456789"), "123457");
  EXPECT_EQ(time_of("00:00:00.0000005"), "0");
  EXPECT_EQ(time_of("00:00:00.000000501"), "1");
  EXPECT_EQ(time_of("00:00:00.0000015"), "2");
  EXPECT_EQ(time_of("00:00:00.0000025"), "2");
  EXPECT_EQ(time_of("00:00:00.9999999"), "1000000");
  EXPECT_EQ(time_of("00:00:00."), kNotTime);
  EXPECT_EQ(time_of("00:00:00.1234567890"), kNotTime);
}

TEST(ParseTime, RefusesTwentyFourHours) {
  EXPECT_EQ(time_of("24:00"), kTimeOutOfRange);
  EXPECT_EQ(time_of("24:00:00"), kTimeOutOfRange);
  EXPECT_EQ(time_of("23:59:60"), kTimeOutOfRange);
  EXPECT_EQ(time_of("23:59:59.9999996"), kTimeOutOfRange);
}

TEST(ParseTime, CarriesSecondSixty) {
  EXPECT_EQ(time_of("10:30:60"), time_of("10:31:00"));
  EXPECT_EQ(time_of("10:30:60.5"), time_of("10:31:00.5"));
}

TEST(ParseTime, RefusesOtherForms) {
  for (const char* text :
       {"", "10", "1030", "9:05", "10:3", "10:30:", "10:30:5", " 10:30", "10:30 ", "10.30",
        "10:30 PM", "10:30:00Z", "10:30:00+01", "10:30,5", "-1:00", "10:30:00.1x", "10:30.5"}) {
    EXPECT_EQ(time_of(text), kNotTime) << text;
  }
  for (const char* text : {"25:00", "24:01", "10:60", "10:30:61", "99:99:99"}) {
    EXPECT_EQ(time_of(text), kTimeOutOfRange) << text;
  }
}

TEST(ParseTimestamp, TakesABlankOrTBetweenDateAndTime) {
  const std::string expected = number(kDay20261120Us + 10 * kHourUs + 1800 * kSecondUs + 500'000);
  EXPECT_EQ(timestamp("2026-11-20 10:30:00.5"), expected);
  EXPECT_EQ(timestamp("2026-11-20T10:30:00.5"), expected);
  EXPECT_EQ(timestamp("2026-11-20t10:30:00.5"), expected);
  EXPECT_EQ(timestamp("2026-11-20 10:30"),
            number(kDay20261120Us + 10 * kHourUs + 1800 * kSecondUs));
  EXPECT_EQ(timestamp("1969-12-31 23:59:59.999999"), "-1");
}

TEST(ParseTimestamp, TakesADateAloneForMidnight) {
  EXPECT_EQ(timestamp("2026-11-20"), number(kDay20261120Us));
  EXPECT_EQ(timestamptz("2026-11-20"), number(kDay20261120Us));
}

TEST(ParseTimestamp, CarriesLeapSecondsAndTwentyFourHours) {
  EXPECT_EQ(timestamp("2016-12-31 23:59:60"), timestamp("2017-01-01"));
  EXPECT_EQ(timestamp("2026-11-20 10:59:60.25"), timestamp("2026-11-20 11:00:00.25"));
  EXPECT_EQ(timestamp("2026-11-20 24:00:00"), timestamp("2026-11-21"));
  EXPECT_EQ(timestamp("2024-02-28 24:00"), timestamp("2024-02-29"));
  EXPECT_EQ(timestamp("2026-11-20 23:59:59.9999999"), timestamp("2026-11-21"));
  EXPECT_EQ(timestamp("2026-11-20 24:00:01"), kClockOutOfRange);
  EXPECT_EQ(timestamp("2026-11-20 23:59:60.5"), kClockOutOfRange);
  EXPECT_EQ(timestamp("2026-11-20 10:60:00"), kClockOutOfRange);
  EXPECT_EQ(timestamp("2026-11-20 10:00:61"), kClockOutOfRange);
}

TEST(ParseTimestamp, StaysInsideTheYearsOneTo9999) {
  EXPECT_EQ(timestamp("0001-01-01 00:00:00"), "-62135596800000000");
  EXPECT_EQ(timestamp("9999-12-31 23:59:59.999999"), "253402300799999999");
  EXPECT_EQ(timestamp("9999-12-31 24:00"), kYearOutOfRange);
  EXPECT_EQ(timestamp("9999-12-31 23:59:60"), kYearOutOfRange);
  EXPECT_EQ(timestamp("0000-12-31 10:00"), kYearOutOfRange);
  EXPECT_EQ(timestamptz("0001-01-01 00:00:00+00:01"), kYearOutOfRange);
  EXPECT_EQ(timestamptz("9999-12-31 23:59:59-00:01"), kYearOutOfRange);
  EXPECT_EQ(timestamptz("0001-01-01 00:00:00-00:01"), number(-62135596800000000 + 60 * kSecondUs));
}

TEST(ParseTimestamp, RefusesAnOffsetWithAHint) {
  for (const char* text : {"2026-11-20 10:30:00Z", "2026-11-20T10:30:00z", "2026-11-20 10:30:00+01",
                           "2026-11-20 10:30:00-0130", "2026-11-20 10:30:00 UTC"}) {
    EXPECT_EQ(timestamp(text), "has a time zone offset: make the column timestamptz to keep it")
        << text;
  }
}

TEST(ParseTimestamp, RefusesOtherForms) {
  for (const char* text : {"", "2026-11-20 ", "2026-11-20T", "2026-11-20  10:30",
                           "2026-11-20_10:30", "20261120T103000", "2026-11-20 10",
                           "2026-11-20 10:30:00.", "2026-11-20 10:30:00.0123456789",
                           "2026-11-20 10:30:00 ", "2026-11-20 10:30 PM", "1763634600", "infinity",
                           "now", "2026-11-20 10:30:00 Europe/Berlin", "2026-11-20 10:30:00+1"}) {
    EXPECT_EQ(timestamp(text), kNotTimestamp) << text;
  }
  EXPECT_EQ(timestamp("2026-02-29 10:30"), kNoSuchDay);
}

TEST(ParseTimestampTz, TakesEveryFormOfOffset) {
  const std::string utc = number(kDay20261120Us + 10 * kHourUs);
  for (const char* text :
       {"2026-11-20 10:00", "2026-11-20 10:00Z", "2026-11-20 10:00z", "2026-11-20 10:00 Z",
        "2026-11-20 10:00UTC", "2026-11-20 10:00 UTC", "2026-11-20 10:00+00",
        "2026-11-20 10:00-00:00", "2026-11-20 11:00+01", "2026-11-20 11:00 +01",
        "2026-11-20 08:30-01:30", "2026-11-20T08:30-0130", "2026-11-21T01:59+15:59",
        "2026-11-19 18:01:00.000-15:59"}) {
    EXPECT_EQ(timestamptz(text), utc) << text;
  }
}

TEST(ParseTimestampTz, RefusesOtherOffsets) {
  for (const char* text :
       {"2026-11-20 10:00+1", "2026-11-20 10:00+01:", "2026-11-20 10:00+01:3",
        "2026-11-20 10:00+013", "2026-11-20 10:00+01:30:00", "2026-11-20 10:00  Z",
        "2026-11-20 10:00ZZ", "2026-11-20 10:00 ", "2026-11-20 10:00+", "2026-11-20+01",
        "2026-11-20Z", "2026-11-20 10:00 CET", "2026-11-20 10:00+01 UTC"}) {
    EXPECT_EQ(timestamptz(text), kNotTimestampTz) << text;
  }
  for (const char* text :
       {"2026-11-20 10:00+16", "2026-11-20 10:00-99", "2026-11-20 10:00+01:60"}) {
    EXPECT_EQ(timestamptz(text), "time zone offset out of range (-15:59 to +15:59)") << text;
  }
}

}  // namespace
}  // namespace leat::parser
