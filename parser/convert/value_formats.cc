#include "parser/convert/value_formats.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>

#include "parser/convert/values.h"

namespace leat::parser {
namespace {

constexpr std::int64_t kSecondUs = 1'000'000;
constexpr std::int64_t kDayUs = 86'400 * kSecondUs;

constexpr std::string_view kOtherFormat =
    "not as the column's --date-format, --time-format or "
    "--timestamp-format has it";
constexpr std::string_view kNoSuchDay = "no such day in the calendar";
constexpr std::string_view kYearOutOfRange = "year out of range (0001 to 9999)";
constexpr std::string_view kClockOutOfRange =
    "hour, minute or second out of range (00:00:00 to 24:00:00)";
constexpr std::string_view kTimeOutOfRange = "out of range for time (00:00:00 to 23:59:59.999999)";
constexpr std::string_view kHasOffset =
    "has a time zone offset: make the column timestamptz to keep it";

constexpr std::array<std::string_view, 12> kMonths = {
    "january", "february", "march",     "april",   "may",      "june",
    "july",    "august",   "september", "october", "november", "december"};
constexpr std::array<std::string_view, 7> kWeekdays = {
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};
constexpr std::size_t kShortNameLetters = 3;

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

bool starts_with_word(std::string_view text, std::string_view lower) noexcept {
  return text.size() >= lower.size() &&
         std::equal(lower.begin(), lower.end(), text.begin(), [](char l, char t) {
           return l == (t >= 'A' && t <= 'Z' ? static_cast<char>(t - 'A' + 'a') : t);
         });
}

/// A name or its first three letters. @return  Its index.
template <std::size_t Count>
std::optional<int> take_name(std::string_view& text,
                             const std::array<std::string_view, Count>& names) noexcept {
  for (std::size_t i = 0; i < Count; ++i) {
    for (const std::string_view name : {names[i], names[i].substr(0, kShortNameLetters)}) {
      if (!starts_with_word(text, name)) continue;
      text.remove_prefix(name.size());
      return static_cast<int>(i);
    }
  }
  return std::nullopt;
}

bool take_digits(std::string_view& text, std::size_t least, std::size_t most,
                 std::int64_t& out) noexcept {
  std::size_t count = 0;
  std::int64_t number = 0;
  for (; count < most && count < text.size() && is_digit(text[count]); ++count) {
    number = number * 10 + (text[count] - '0');
  }
  if (count < least) return false;
  text.remove_prefix(count);
  out = number;
  return true;
}

/// Digits of a fraction, as µs, rounded half to even.
bool take_fraction(std::string_view& text, std::int64_t& fraction_us) noexcept {
  const std::size_t before = text.size();
  std::int64_t nanoseconds = 0;
  if (!take_digits(text, 1, 9, nanoseconds)) return false;
  for (std::size_t digits = before - text.size(); digits < 9; ++digits) nanoseconds *= 10;
  fraction_us = nanoseconds / 1000;
  const std::int64_t rest = nanoseconds % 1000;
  if (rest > 500 || (rest == 500 && fraction_us % 2 != 0)) ++fraction_us;
  return true;
}

/// Z, z, UTC, ±HH, ±HHMM or ±HH:MM.
bool take_offset(std::string_view& text, std::int64_t& offset_us) noexcept {
  for (const std::string_view utc : {"Z", "z", "UTC"}) {
    if (!text.starts_with(utc)) continue;
    text.remove_prefix(utc.size());
    offset_us = 0;
    return true;
  }
  if (text.empty() || (text[0] != '+' && text[0] != '-')) return false;
  const bool negative = text[0] == '-';
  text.remove_prefix(1);
  std::int64_t hours = 0;
  std::int64_t minutes = 0;
  if (!take_digits(text, 2, 2, hours)) return false;
  const bool colon = text.starts_with(':');
  if (colon) text.remove_prefix(1);
  if (!take_digits(text, 2, 2, minutes) && colon) return false;
  if (hours > 15 || minutes > 59) return false;
  offset_us = (hours * 60 + minutes) * 60 * kSecondUs * (negative ? -1 : 1);
  return true;
}

/// What stands for several.
std::string_view expansion_of(char directive) noexcept {
  switch (directive) {
    case 'F':
      return "%Y-%m-%d";
    case 'T':
      return "%H:%M:%S";
    case 'R':
      return "%H:%M";
    case 'D':
      return "%m/%d/%y";
    default:
      return {};
  }
}

constexpr std::string_view kDirectives = "YymdebBjHIMSfpzaAs";
constexpr std::string_view kNumbers = "YymdebjHIMSs";

Error bad_format(std::string_view format, const std::string& why) {
  return {ErrorCode::kInvalidArgument, "the format \"" + std::string(format) + "\" " + why};
}

}  // namespace

struct TimeFormat::Parts {
  std::int64_t year = 1970;
  std::int64_t month = 1;
  std::int64_t day = 1;
  std::int64_t hour = 0;
  std::int64_t minute = 0;
  std::int64_t second = 0;
  std::int64_t fraction_us = 0;
  std::optional<bool> afternoon;
  std::optional<std::int64_t> offset_us;
  std::optional<std::int64_t> epoch_s;

  std::string_view days(std::int64_t& out) const noexcept {
    if (year == 0) return kYearOutOfRange;
    const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(year)},
                                           std::chrono::month{static_cast<unsigned>(month)},
                                           std::chrono::day{static_cast<unsigned>(day)}};
    if (!date.ok()) return kNoSuchDay;
    out = std::chrono::sys_days{date}.time_since_epoch().count();
    return {};
  }

  /// At most that of 24:00.
  std::string_view time_us(std::int64_t& out) const noexcept {
    std::int64_t hours = hour;
    if (afternoon) {
      if (hour < 1 || hour > 12) return kClockOutOfRange;
      hours = hour % 12 + (*afternoon ? 12 : 0);
    }
    if (minute > 59 || second > 60) return kClockOutOfRange;
    const std::int64_t total = ((hours * 60 + minute) * 60 + second) * kSecondUs + fraction_us;
    if (total > kDayUs) return kClockOutOfRange;
    out = total;
    return {};
  }
};

Result<TimeFormat> TimeFormat::of(std::string_view format, Use use) {
  std::string spelt;
  for (std::size_t i = 0; i < format.size(); ++i) {
    const char next = format[i] == '%' && i + 1 < format.size() ? format[i + 1] : '\0';
    const std::string_view several = expansion_of(next);
    spelt += several.empty() ? format.substr(i, next == '\0' ? 1 : 2) : several;
    if (next != '\0') ++i;
  }
  TimeFormat made;
  std::string seen;
  for (std::size_t i = 0; i < spelt.size(); ++i) {
    Item item;
    item.literal = spelt[i];
    if (spelt[i] == '%') {
      if (++i == spelt.size()) return bad_format(format, "ends with a lone %");
      if (spelt[i] != '%') item.directive = spelt[i];
      if (item.directive != '\0' && kDirectives.find(item.directive) == kDirectives.npos) {
        return bad_format(format, std::string("holds %") + item.directive +
                                      ", which is unknown; known are %Y %y %m %d %e %b %B %H %I "
                                      "%M %S %f %p %z %a %A %s %F %T %R %D %%");
      }
      if (item.directive == 'j') return bad_format(format, "holds %j: days of a year are not read");
      if (item.directive == 'B') item.directive = 'b';
      if (item.directive == 'A') item.directive = 'a';
      if (item.directive == 'e') item.directive = 'd';
      if (item.directive != '\0' && seen.find(item.directive) != seen.npos) {
        return bad_format(format, std::string("holds %") + spelt[i] + " twice");
      }
      if (item.directive != '\0') seen += item.directive;
    }
    made.items_.push_back(item);
  }
  const auto has = [&seen](std::string_view any) { return seen.find_first_of(any) != seen.npos; };
  const auto numeric = [](const Item& item) {
    return item.directive != '\0'
               ? item.directive != 'b' && kNumbers.find(item.directive) != kNumbers.npos
               : is_digit(item.literal);
  };
  for (std::size_t i = 0; i < made.items_.size(); ++i) {
    made.items_[i].all_digits = (i != 0 && numeric(made.items_[i - 1])) ||
                                (i + 1 < made.items_.size() && numeric(made.items_[i + 1]));
  }
  const bool whole_date = has("Yy") && has("mb") && has("d");
  const bool any_date = has("Yymbdas");
  const bool any_time = has("HIMSfpzs");
  if (has("Y") && has("y")) return bad_format(format, "holds the year twice");
  if (has("m") && has("b")) return bad_format(format, "holds the month twice");
  if (has("H") && has("I")) return bad_format(format, "holds the hour twice");
  if (has("I") != has("p")) return bad_format(format, "needs both %I and %p, or neither");
  if (has("s") && has("YymbdaHIMSpz")) return bad_format(format, "holds more beside %s");
  if (use == Use::kDate && any_time) return bad_format(format, "holds a time of day");
  if (use == Use::kTime && any_date) return bad_format(format, "holds a date");
  if (use == Use::kTime && has("z")) return bad_format(format, "holds an offset");
  if (use == Use::kTime && !has("HI")) return bad_format(format, "lacks the hour");
  if (use != Use::kTime && !whole_date && !has("s")) {
    return bad_format(format, "lacks year, month or day");
  }
  return made;
}

bool TimeFormat::take(const Item& item, std::string_view& text, Parts& parts) noexcept {
  const std::size_t least = item.all_digits ? 2 : 1;
  switch (item.directive) {
    case 'Y':
      return take_digits(text, 4, 4, parts.year);
    case 'y':
      if (!take_digits(text, 2, 2, parts.year)) return false;
      parts.year += parts.year < 69 ? 2000 : 1900;
      return true;
    case 'm':
      return take_digits(text, least, 2, parts.month);
    case 'd':
      if (text.size() > 1 && text[0] == ' ' && is_digit(text[1])) {
        text.remove_prefix(1);
        return take_digits(text, 1, 1, parts.day);
      }
      return take_digits(text, least, 2, parts.day);
    case 'H':
    case 'I':
      return take_digits(text, least, 2, parts.hour);
    case 'M':
      return take_digits(text, least, 2, parts.minute);
    case 'S':
      return take_digits(text, least, 2, parts.second);
    case 'f':
      return take_fraction(text, parts.fraction_us);
    case 'b': {
      const std::optional<int> index = take_name(text, kMonths);
      parts.month = index.value_or(-1) + 1;
      return index.has_value();
    }
    case 'a':
      return take_name(text, kWeekdays).has_value();
    case 'p': {
      const bool pm = starts_with_word(text, "pm");
      if (!pm && !starts_with_word(text, "am")) return false;
      text.remove_prefix(2);
      parts.afternoon = pm;
      return true;
    }
    case 'z': {
      std::int64_t offset_us = 0;
      if (!take_offset(text, offset_us)) return false;
      parts.offset_us = offset_us;
      return true;
    }
    case 's': {
      const bool negative = text.starts_with('-');
      if (negative) text.remove_prefix(1);
      std::int64_t seconds = 0;
      if (!take_digits(text, 1, 12, seconds)) return false;
      parts.epoch_s = negative ? -seconds : seconds;
      return true;
    }
    default:
      if (text.empty() || text.front() != item.literal) return false;
      text.remove_prefix(1);
      return true;
  }
}

bool TimeFormat::read(std::string_view text, Parts& parts) const noexcept {
  return std::all_of(items_.begin(), items_.end(),
                     [&](const Item& item) { return take(item, text, parts); }) &&
         text.empty();
}

std::string_view TimeFormat::parse_date(std::string_view text, std::int32_t& out) const noexcept {
  if (is_iso()) return parser::parse_date(text, out);
  Parts parts;
  if (!read(text, parts)) return kOtherFormat;
  std::int64_t days = 0;
  if (const std::string_view reason = parts.days(days); !reason.empty()) return reason;
  out = static_cast<std::int32_t>(days);
  return {};
}

std::string_view TimeFormat::parse_time(std::string_view text, std::int64_t& out) const noexcept {
  if (is_iso()) return parser::parse_time(text, out);
  Parts parts;
  if (!read(text, parts)) return kOtherFormat;
  std::int64_t time_us = 0;
  const std::string_view reason = parts.time_us(time_us);
  if (!reason.empty() || time_us == kDayUs) return kTimeOutOfRange;
  out = time_us;
  return {};
}

std::string_view TimeFormat::parse_timestamp(std::string_view text, bool with_offset,
                                             std::int64_t& out) const noexcept {
  if (is_iso()) {
    return with_offset ? parser::parse_timestamptz(text, out) : parser::parse_timestamp(text, out);
  }
  constexpr std::int64_t kMinUs = -719'162 * kDayUs;         // 0001-01-01
  constexpr std::int64_t kEndUs = (2'932'896 + 1) * kDayUs;  // Behind 9999-12-31.
  Parts parts;
  if (!read(text, parts)) return kOtherFormat;
  if (parts.offset_us && !with_offset) return kHasOffset;
  std::int64_t total = 0;
  if (parts.epoch_s) {
    total =
        *parts.epoch_s * kSecondUs + (*parts.epoch_s < 0 ? -parts.fraction_us : parts.fraction_us);
  } else {
    std::int64_t days = 0;
    std::int64_t time_us = 0;
    if (const std::string_view reason = parts.days(days); !reason.empty()) return reason;
    if (const std::string_view reason = parts.time_us(time_us); !reason.empty()) return reason;
    total = days * kDayUs + time_us - parts.offset_us.value_or(0);
  }
  if (total < kMinUs || total >= kEndUs) return kYearOutOfRange;
  out = total;
  return {};
}

ValueFormats::ValueFormats(const FormatOptions& options)
    : decimal_(options.decimal_separator), thousands_(options.thousands_separator) {
  const auto format = [](const std::string& text, TimeFormat::Use use) {
    Result<TimeFormat> made = TimeFormat::of(text, use);
    return text.empty() || !made ? TimeFormat() : *std::move(made);
  };
  date_ = format(options.date_format, TimeFormat::Use::kDate);
  time_ = format(options.time_format, TimeFormat::Use::kTime);
  timestamp_ = format(options.timestamp_format, TimeFormat::Use::kTimestamp);
}

std::string_view ValueFormats::number(std::string_view text, std::string& plain) const {
  constexpr std::string_view kNone = "?";
  if (plain_numbers()) return text;
  plain.clear();
  std::size_t group = 0;  // Digits since the last separator.
  bool grouped = false;
  bool whole = true;  // In front of the decimal separator and the exponent.
  const auto group_is_whole = [&] { return !grouped || group == 3; };
  for (const char c : text) {
    if (whole && is_digit(c)) {
      ++group;
      plain += c;
    } else if (whole && c == thousands_ && thousands_ != '\0') {
      if (group == 0 || group > 3 || !group_is_whole()) return kNone;
      grouped = true;
      group = 0;
    } else if (whole && c == decimal_) {
      if (!group_is_whole()) return kNone;
      whole = false;
      plain += '.';
    } else if (c == '.' || c == ',') {
      return kNone;
    } else {
      if (whole && group != 0) {
        if (!group_is_whole()) return kNone;
        whole = false;
      }
      plain += c;
    }
  }
  if (whole && !group_is_whole()) return kNone;
  return plain;
}

}  // namespace leat::parser
