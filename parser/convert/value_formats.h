// Numbers and points in time that are not written as the functions of values.h read them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "leat/parser.h"
#include "leat/result.h"

namespace leat::parser {

/// A format of points in time, as strptime has them; docs/types.md lists what it may hold.
class TimeFormat {
 public:
  enum class Use : std::uint8_t { kDate, kTime, kTimestamp };

  /// ISO 8601, by the functions of values.h.
  TimeFormat() = default;
  ///   kInvalidArgument  It holds something unknown, or lacks what the type needs.
  static Result<TimeFormat> of(std::string_view format, Use use);

  bool is_iso() const noexcept { return items_.empty(); }
  /// As the functions of values.h with these names.
  std::string_view parse_date(std::string_view text, std::int32_t& out) const noexcept;
  std::string_view parse_time(std::string_view text, std::int64_t& out) const noexcept;
  std::string_view parse_timestamp(std::string_view text, bool with_offset,
                                   std::int64_t& out) const noexcept;

 private:
  struct Item {
    char directive = '\0';  ///< '\0': `literal` itself.
    char literal = '\0';
    bool all_digits = false;  ///< Digits stand beside it: it has all of its own.
  };
  struct Parts;

  static bool take(const Item& item, std::string_view& text, Parts& parts) noexcept;
  bool read(std::string_view text, Parts& parts) const noexcept;

  std::vector<Item> items_;
};

/// How an object's values are written, from options that validate.
class ValueFormats {
 public:
  explicit ValueFormats(const FormatOptions& options);

  /// Numbers are written as values.h reads them.
  bool plain_numbers() const noexcept { return decimal_ == '.' && thousands_ == '\0'; }
  /// The number as values.h reads it, `plain` keeps it where it has to be changed; text that is no
  /// number so written becomes one that no function reads.
  std::string_view number(std::string_view text, std::string& plain) const;

  const TimeFormat& date() const noexcept { return date_; }
  const TimeFormat& time() const noexcept { return time_; }
  const TimeFormat& timestamp() const noexcept { return timestamp_; }

 private:
  char decimal_;
  char thousands_;
  TimeFormat date_;
  TimeFormat time_;
  TimeFormat timestamp_;
};

}  // namespace leat::parser
