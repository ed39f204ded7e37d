#include "cli/quantities.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <span>
#include <utility>

#include "core/plural.h"
#include "parser/convert/values.h"

namespace leat::cli {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

Result<double> parse_quantity(std::string_view text, std::span<const Unit> units,
                              std::string_view examples) {
  double number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string_view name(rest, static_cast<std::size_t>(text.data() + text.size() - rest));
  while (!name.empty() && name.front() == ' ') name.remove_prefix(1);
  if (error == std::errc() && number >= 0 && std::isfinite(number)) {
    for (const Unit& unit : units) {
      if (unit.name == name) return number * unit.factor;
    }
  }
  return Error{
      ErrorCode::kInvalidArgument,
      "\"" + std::string(text) + "\" is not understood; write e.g. " + std::string(examples)};
}

}  // namespace

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  static constexpr std::array<Unit, 7> kUnits{
      {{"", 1e3}, {"ms", 1}, {"s", 1e3}, {"min", 6e4}, {"m", 6e4}, {"h", 3.6e6}, {"d", 8.64e7}}};
  Result<double> ms = parse_quantity(text, kUnits, "500ms, 10s or 5min");
  if (!ms) return std::move(ms).error();
  if (*ms > 1e12) {
    return Error{ErrorCode::kInvalidArgument, "\"" + std::string(text) + "\" is too long"};
  }
  return std::chrono::milliseconds(std::llround(*ms));
}

Result<std::uint64_t> parse_bytes(std::string_view text) {
  static constexpr double kKi = 1024, kMi = kKi * 1024, kGi = kMi * 1024;
  static constexpr std::array<Unit, 14> kUnits{{{"", 1},
                                                {"B", 1},
                                                {"KiB", kKi},
                                                {"K", kKi},
                                                {"k", kKi},
                                                {"kB", 1e3},
                                                {"KB", 1e3},
                                                {"MiB", kMi},
                                                {"M", kMi},
                                                {"MB", 1e6},
                                                {"GiB", kGi},
                                                {"G", kGi},
                                                {"GB", 1e9},
                                                {"TiB", kGi * 1024}}};
  Result<double> bytes = parse_quantity(text, kUnits, "64KiB, 512MiB or 2GiB");
  if (!bytes) return std::move(bytes).error();
  if (*bytes > 1e18) {
    return Error{ErrorCode::kInvalidArgument, "\"" + std::string(text) + "\" is too large"};
  }
  return static_cast<std::uint64_t>(std::llround(*bytes));
}

Result<RequestRate> parse_rate(std::string_view text) {
  const std::size_t slash = text.find('/');
  RequestRate rate;
  const char* const end = text.data() + std::min(slash, text.size());
  const auto [rest, error] = std::from_chars(text.data(), end, rate.requests);
  if (slash != std::string_view::npos && error == std::errc() && rest == end && rate.requests > 0) {
    const std::string_view unit = text.substr(slash + 1);
    const Result<std::chrono::milliseconds> per = parse_duration("1" + std::string(unit));
    if (!unit.empty() && per) {
      rate.per = *per;
      return rate;
    }
  }
  return Error{ErrorCode::kInvalidArgument,
               "\"" + std::string(text) + "\" is no rate; write e.g. 100/min, 5/s or 2000/h"};
}

Result<std::int64_t> parse_time_ms(std::string_view text) {
  std::int64_t time_us = 0;
  if (const std::string_view reason = parser::parse_timestamptz(text, time_us); !reason.empty()) {
    return Error{
        ErrorCode::kInvalidArgument,
        "\"" + std::string(text) + "\" is no time; write 2026-11-01 or 2026-11-01T10:30:00Z"};
  }
  return time_us / 1000;
}

Result<double> parse_price(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto number = [](std::string_view digits, double& value) {
    const char* const end = digits.data() + digits.size();
    const auto [rest, error] = std::from_chars(digits.data(), end, value);
    return error == std::errc() && rest == end && std::isfinite(value);
  };
  double price = 0;
  double requests = 1;
  if (number(text.substr(0, slash), price) && price >= 0 &&
      (slash == std::string_view::npos ||
       (number(text.substr(slash + 1), requests) && requests > 0))) {
    return price / requests;
  }
  return Error{ErrorCode::kInvalidArgument,
               "\"" + std::string(text) + "\" is no price of requests; write e.g. 0.005/1000"};
}

Result<char> parse_character(std::string_view text) {
  if (text.size() == 1) return text.front();
  static constexpr std::array<std::pair<std::string_view, char>, 6> kNames{{{"\\t", '\t'},
                                                                            {"tab", '\t'},
                                                                            {"space", ' '},
                                                                            {"\\\\", '\\'},
                                                                            {"\\0", '\0'},
                                                                            {"none", '\0'}}};
  for (const auto& [name, character] : kNames) {
    if (name == text) return character;
  }
  return Error{ErrorCode::kInvalidArgument,
               "\"" + std::string(text) +
                   "\" is not one character; write it as it is, or \\t, tab, space, none"};
}

std::string format_bytes(std::uint64_t bytes) {
  static constexpr std::array<std::string_view, 5> kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1000 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  std::array<char, 32> text{};
  const int digits = unit == 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value,
                                 std::chars_format::fixed, digits);
  return std::string(text.data(), end.ptr) + " " + std::string(kUnits[unit]);
}

std::string format_count(std::uint64_t count) {
  std::string digits = std::to_string(count);
  for (std::size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return digits;
}

std::string format_count(std::uint64_t count, std::string_view noun) {
  return format_count(count) + " " + core::plural(count, noun);
}

std::string format_price(double price) {
  int digits = 2;
  for (double least = 0.095; digits < 9 && price > 0 && price < least; least /= 10) ++digits;
  std::array<char, 400> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), price,
                                 std::chars_format::fixed, digits);
  return {text.data(), end.ptr};
}

std::string format_duration(std::chrono::milliseconds duration) {
  const std::int64_t seconds = duration.count() / 1000;
  if (seconds < 60) return std::to_string(seconds) + " s";
  if (seconds < 3600) {
    return std::to_string(seconds / 60) + " min " + std::to_string(seconds % 60) + " s";
  }
  return std::to_string(seconds / 3600) + " h " + std::to_string(seconds / 60 % 60) + " min";
}

}  // namespace leat::cli
