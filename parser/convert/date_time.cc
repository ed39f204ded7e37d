#include <chrono>

#include "parser/convert/values.h"

namespace leat::parser {
namespace {

constexpr std::int64_t kSecondUs = 1'000'000;
constexpr std::int64_t kMinuteUs = 60 * kSecondUs;
constexpr std::int64_t kHourUs = 60 * kMinuteUs;
constexpr std::int64_t kDayUs = 24 * kHourUs;

constexpr std::int64_t day_number(int year, unsigned month, unsigned day) {
  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{month},
                                         std::chrono::day{day}};
  return std::chrono::sys_days{date}.time_since_epoch().count();
}

constexpr std::int64_t kTimestampMinUs = day_number(1, 1, 1) * kDayUs;
constexpr std::int64_t kTimestampEndUs = (day_number(9999, 12, 31) + 1) * kDayUs;

constexpr std::string_view kNotDate = "not a date (YYYY-MM-DD)";
constexpr std::string_view kNotTime = "not a time (HH:MM:SS with up to 9 digits of a fraction)";
constexpr std::string_view kNotTimestamp =
    "not a timestamp (YYYY-MM-DD HH:MM:SS with up to 9 digits of a fraction)";
constexpr std::string_view kNotTimestampTz =
    "not a timestamp with time zone (YYYY-MM-DD HH:MM:SS+HH:MM with up to 9 digits of a fraction)";
constexpr std::string_view kNoSuchDay = "no such day in the calendar";
constexpr std::string_view kYearOutOfRange = "year out of range (0001 to 9999)";
constexpr std::string_view kClockOutOfRange =
    "hour, minute or second out of range (00:00:00 to 24:00:00)";
constexpr std::string_view kTimeOutOfRange = "out of range for time (00:00:00 to 23:59:59.999999)";
constexpr std::string_view kOffsetOutOfRange = "time zone offset out of range (-15:59 to +15:59)";
constexpr std::string_view kHasOffset =
    "has a time zone offset: make the column timestamptz to keep it";

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Reads a text from front to back.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  bool at_end() const noexcept { return text_.empty(); }

  bool take(char c) noexcept {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }

  bool take(std::string_view word) noexcept {
    if (!text_.starts_with(word)) return false;
    text_.remove_prefix(word.size());
    return true;
  }

  // Exactly `count` digits.
  bool take_number(std::size_t count, int& out) noexcept {
    if (text_.size() < count) return false;
    int number = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (!is_digit(text_[i])) return false;
      number = number * 10 + (text_[i] - '0');
    }
    text_.remove_prefix(count);
    out = number;
    return true;
  }

 private:
  std::string_view text_;
};

// Each read_… below answers like the public functions; `malformed` is the reason when the form does
// not fit.

std::string_view read_date(Cursor& cursor, std::string_view malformed,
                           std::int64_t& days) noexcept {
  int year = 0;
  int month = 0;
  int day = 0;
  if (!cursor.take_number(4, year) || !cursor.take('-') || !cursor.take_number(2, month) ||
      !cursor.take('-') || !cursor.take_number(2, day)) {
    return malformed;
  }
  if (year == 0) return kYearOutOfRange;
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok()) return kNoSuchDay;
  days = std::chrono::sys_days{date}.time_since_epoch().count();
  return {};
}

// The digits after the point of a second, as µs: 1 to 9 digits, rounded half to even. A tenth one
// is left for the caller, who finds that the text does not end there.
bool read_fraction(Cursor& cursor, std::int64_t& fraction_us) noexcept {
  std::int64_t nanoseconds = 0;
  int digits = 0;
  for (int digit = 0; digits < 9 && cursor.take_number(1, digit); ++digits) {
    nanoseconds = nanoseconds * 10 + digit;
  }
  if (digits == 0) return false;
  for (; digits < 9; ++digits) nanoseconds *= 10;
  fraction_us = nanoseconds / 1000;
  const std::int64_t rest = nanoseconds % 1000;
  if (rest > 500 || (rest == 500 && fraction_us % 2 != 0)) ++fraction_us;
  return true;
}

// `time_us` is at most that of 24:00. A leap second is the first second of the next minute, as in
// PostgreSQL.
std::string_view read_time(Cursor& cursor, std::string_view malformed,
                           std::int64_t& time_us) noexcept {
  int hour = 0;
  int minute = 0;
  int second = 0;
  std::int64_t fraction_us = 0;
  if (!cursor.take_number(2, hour) || !cursor.take(':') || !cursor.take_number(2, minute)) {
    return malformed;
  }
  if (cursor.take(':')) {
    if (!cursor.take_number(2, second)) return malformed;
    if (cursor.take('.') && !read_fraction(cursor, fraction_us)) return malformed;
  }
  if (minute > 59 || second > 60) return kClockOutOfRange;
  const std::int64_t total = hour * kHourUs + minute * kMinuteUs + second * kSecondUs + fraction_us;
  if (total > kDayUs) return kClockOutOfRange;
  time_us = total;
  return {};
}

// Z, z, UTC, ±HH, ±HHMM, ±HH:MM, or nothing, also after one space.
std::string_view read_offset(Cursor& cursor, std::string_view malformed, bool& present,
                             std::int64_t& offset_us) noexcept {
  offset_us = 0;
  present = !cursor.at_end();
  if (!present) return {};
  cursor.take(' ');
  if (cursor.take('Z') || cursor.take('z') || cursor.take("UTC")) return {};
  const bool negative = cursor.take('-');
  if (!negative && !cursor.take('+')) return malformed;
  int hours = 0;
  int minutes = 0;
  if (!cursor.take_number(2, hours)) return malformed;
  if (!cursor.at_end()) {
    cursor.take(':');
    if (!cursor.take_number(2, minutes)) return malformed;
  }
  if (hours > 15 || minutes > 59) return kOffsetOutOfRange;
  offset_us = hours * kHourUs + minutes * kMinuteUs;
  if (negative) offset_us = -offset_us;
  return {};
}

std::string_view read_timestamp(std::string_view text, bool with_offset,
                                std::int64_t& out) noexcept {
  const std::string_view malformed = with_offset ? kNotTimestampTz : kNotTimestamp;
  Cursor cursor(text);
  std::int64_t days = 0;
  std::int64_t time_us = 0;
  std::int64_t offset_us = 0;
  if (const auto reason = read_date(cursor, malformed, days); !reason.empty()) return reason;
  if (!cursor.at_end()) {
    if (!cursor.take('T') && !cursor.take(' ') && !cursor.take('t')) return malformed;
    if (const auto reason = read_time(cursor, malformed, time_us); !reason.empty()) return reason;
    bool has_offset = false;
    if (const auto reason = read_offset(cursor, malformed, has_offset, offset_us);
        !reason.empty()) {
      return reason;
    }
    if (!cursor.at_end()) return malformed;
    if (has_offset && !with_offset) return kHasOffset;
  }
  const std::int64_t total = days * kDayUs + time_us - offset_us;
  if (total < kTimestampMinUs || total >= kTimestampEndUs) return kYearOutOfRange;
  out = total;
  return {};
}

}  // namespace

std::string_view parse_date(std::string_view text, std::int32_t& out) noexcept {
  Cursor cursor(text);
  std::int64_t days = 0;
  if (const auto reason = read_date(cursor, kNotDate, days); !reason.empty()) return reason;
  if (!cursor.at_end()) return cursor.take(" BC") ? kYearOutOfRange : kNotDate;
  out = static_cast<std::int32_t>(days);
  return {};
}

std::string_view parse_time(std::string_view text, std::int64_t& out) noexcept {
  Cursor cursor(text);
  std::int64_t time_us = 0;
  if (const auto reason = read_time(cursor, kNotTime, time_us); !reason.empty()) {
    return reason == kClockOutOfRange ? kTimeOutOfRange : reason;
  }
  if (!cursor.at_end()) return kNotTime;
  if (time_us == kDayUs) return kTimeOutOfRange;
  out = time_us;
  return {};
}

std::string_view parse_timestamp(std::string_view text, std::int64_t& out) noexcept {
  return read_timestamp(text, false, out);
}

std::string_view parse_timestamptz(std::string_view text, std::int64_t& out) noexcept {
  return read_timestamp(text, true, out);
}

}  // namespace leat::parser
