// Dates and times against a slow reading by the standard library's calendar; canonical texts read
// back to the same value.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <string>

#include "leat/row_chunk.h"
#include "parser/convert/values.h"
#include "tests/fuzz/targets.h"

namespace leat::fuzz {
namespace {

using std::chrono::sys_days;

constexpr std::int64_t kSecondUs = 1'000'000;
constexpr std::int64_t kDayUs = 86'400 * kSecondUs;
const std::int64_t kFirstUs =
    sys_days(std::chrono::year(1) / 1 / 1).time_since_epoch().count() * kDayUs;
const std::int64_t kEndUs =
    sys_days(std::chrono::year(10'000) / 1 / 1).time_since_epoch().count() * kDayUs;

/// Takes `count` digits off the front.
std::optional<int> take_number(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int number = 0;
  for (const char c : text.substr(0, count)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + (c - '0');
  }
  text.remove_prefix(count);
  return number;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == any_of.npos) return false;
  text.remove_prefix(1);
  return true;
}

/// Takes a date off the front: days since 1970.
std::optional<std::int64_t> take_date(std::string_view& text) {
  const auto year = take_number(text, 4);
  if (!year || !take(text, "-")) return std::nullopt;
  const auto month = take_number(text, 2);
  if (!month || !take(text, "-")) return std::nullopt;
  const auto day = take_number(text, 2);
  if (!day || *year == 0) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return sys_days(date).time_since_epoch().count();
}

/// Takes HH:MM[:SS[.fraction]] off the front, second 60 too: µs, up to 24:00.
std::optional<std::int64_t> take_time(std::string_view& text) {
  const auto hour = take_number(text, 2);
  if (!hour || !take(text, ":")) return std::nullopt;
  const auto minute = take_number(text, 2);
  if (!minute || *hour > 24 || *minute > 59) return std::nullopt;
  int second = 0;
  std::int64_t fraction_ns = 0;
  if (take(text, ":")) {
    const auto seconds = take_number(text, 2);
    if (!seconds || *seconds > 60) return std::nullopt;
    second = *seconds;
    if (take(text, ".")) {
      int digits = 0;
      for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; ++digits) {
        if (digits < 9) fraction_ns = fraction_ns * 10 + (text.front() - '0');
        text.remove_prefix(1);
      }
      if (digits == 0 || digits > 9) return std::nullopt;
      for (; digits < 9; ++digits) fraction_ns *= 10;
    }
  }
  std::int64_t us = ((*hour * 60LL + *minute) * 60 + second) * kSecondUs + fraction_ns / 1'000;
  const std::int64_t rest = fraction_ns % 1'000;
  if (rest > 500 || (rest == 500 && us % 2 != 0)) ++us;
  if (us > kDayUs) return std::nullopt;
  return us;
}

/// A timestamp, with an offset where `zone` allows one.
std::optional<std::int64_t> read_timestamp(std::string_view text, bool zone) {
  const auto days = take_date(text);
  if (!days) return std::nullopt;
  std::int64_t us = *days * kDayUs;
  if (!text.empty()) {
    if (!take(text, " Tt")) return std::nullopt;
    const auto time = take_time(text);
    if (!time) return std::nullopt;
    us += *time;
  }
  if (!text.empty()) {
    if (!zone) return std::nullopt;
    take(text, " ");
    if (text == "Z" || text == "z" || text == "UTC") {
      text = {};
    } else {
      const bool east = !text.empty() && text.front() == '+';
      if (!take(text, "+-")) return std::nullopt;
      const auto hours = take_number(text, 2);
      if (!hours || *hours > 15) return std::nullopt;
      int minutes = 0;
      if (!text.empty()) {
        take(text, ":");
        const auto number = take_number(text, 2);
        if (!number || *number > 59 || !text.empty()) return std::nullopt;
        minutes = *number;
      }
      us -= (east ? 1 : -1) * (*hours * 60LL + minutes) * 60 * kSecondUs;
    }
  }
  if (us < kFirstUs || us >= kEndUs) return std::nullopt;
  return us;
}

template <class Value>
void check(std::string_view text, std::optional<std::int64_t> expected, TypeId type,
           std::string_view (*parse)(std::string_view, Value&) noexcept) {
  constexpr Value kUntouched = 77;
  Value found = kUntouched;
  const bool taken = parse(text, found).empty();
  require(taken == expected.has_value(), "a date or time is taken when it is one", text);
  require(found == (taken ? static_cast<Value>(*expected) : kUntouched),
          "a date or time has its value", text);
  if (!taken) return;
  Column column;
  column.values.push_back(found);
  std::string canonical;
  append_value_text({type, 0, 0}, column, 0, canonical);
  Value back = kUntouched;
  require(parse(canonical, back).empty() && back == found, "the canonical text reads back", text);
}

}  // namespace

void dates(std::string_view input) {
  std::string_view text = input;
  std::optional<std::int64_t> date = take_date(text);
  if (!text.empty()) date.reset();
  check(input, date, TypeId::kDate, parser::parse_date);

  text = input;
  std::optional<std::int64_t> time = take_time(text);
  if (!text.empty() || (time && *time >= kDayUs)) time.reset();
  check(input, time, TypeId::kTime, parser::parse_time);

  check(input, read_timestamp(input, false), TypeId::kTimestamp, parser::parse_timestamp);
  check(input, read_timestamp(input, true), TypeId::kTimestampTz, parser::parse_timestamptz);
}

}  // namespace leat::fuzz
