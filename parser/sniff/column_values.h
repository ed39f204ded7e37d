// The values of one column, and the narrowest type that all of them fit.
//
// A type is a candidate as long as few values speak against it. What fits is what the converters of
// parser/convert read: a type that is named here really converts. Beyond them, a value speaks
// against a type that would lose or guess something: see docs/sniff.md.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "leat/schema.h"
#include "leat/sniff.h"
#include "parser/convert/value_formats.h"

namespace leat::parser {

/// True for a number, date, time, UUID and so on: anything but text, JSON and bytes.
bool is_typed(const DataType& type) noexcept;

/// That of a column of this value alone.
DataType type_of_value(std::string_view text);

/// What a column of text would be with other flags.
struct OtherReading {
  std::string flags;
  const char* what;  ///< "numbers" or "points in time"
};

/// Digits of a number in plain decimal form.
struct DecimalDigits {
  bool plain = false;  ///< Optional minus, digits, optional point with digits behind it.
  int before = 0;      ///< Leading zeros left out.
  int behind = 0;
  int significant = 0;
};

/// A value, taken for a number.
struct NumberText {
  std::string_view text;  ///< With '.' as its decimal separator, and none between groups.
  bool is_code = false;   ///< It would lose a sign or zeros.
  DecimalDigits digits;
};

class ColumnValues {
 public:
  ColumnValues();
  /// `formats`: how values are written; outlives this.
  explicit ColumnValues(const ValueFormats& formats) : formats_(&formats) {}

  /// Where a value stands; asked for only when it is kept as evidence.
  using Locate = std::function<SniffedMisfit()>;

  void add_null() { ++nulls_; }
  /// `text` is the field without quotes and escapes.
  void add(std::string_view text, bool quoted, const Locate& locate);
  /// From here on values are of transcoded text (Sample::transcoded): what is no UTF-8 is none of
  /// the other encoding either, and is text that no row can hold.
  void expect_transcoded(bool transcoded) noexcept { transcoded_ = transcoded; }
  /// A string of JSON: where its writer meant a number, a truth value or an object, there would be
  /// one.
  void add_json_string(std::string_view text, const Locate& locate);

  std::uint64_t values() const noexcept { return values_; }
  std::uint64_t nulls() const noexcept { return nulls_; }

  /// Text where there are no values.
  DataType type() const;
  /// See SniffedColumn::near.
  std::optional<NearType> near() const;
  /// See SniffedColumn::misfit.
  std::optional<SniffedMisfit> misfit() const;
  /// How all values of a column of text would be numbers or points in time; nullopt: in no way, or
  /// it is none.
  std::optional<OtherReading> other_reading() const;
  /// Values of such text, and the first of them.
  std::uint64_t undecodable() const noexcept { return undecodable_; }
  const SniffedMisfit& first_undecodable() const noexcept { return first_undecodable_; }
  /// The type is bytea because some value is not UTF-8.
  bool holds_other_than_utf8() const noexcept { return chosen() == kBytes; }

 private:
  /// From narrow to wide: the first that all values fit is the type.
  enum Candidate : std::uint8_t {
    kBool,
    kInteger,
    kLongInteger,   ///< Beyond bigint: numeric(38,0).
    kFixedDecimal,  ///< Always the same 2 to 4 digits behind the point.
    kFloat,
    kLongDecimal,  ///< More digits than a double keeps.
    kDate,
    kTime,
    kTimestamp,
    kTimestampTz,
    kUuid,
    kJson,
    kHexBytes,
    kText,
    kBytes,
    kCandidates,
  };
  /// Values that do not fit a candidate.
  struct Misses {
    std::uint32_t count = 0;
    std::uint8_t first = 0;  ///< Index into evidence_.
    bool one_text = true;
    bool quoted = true;  ///< All of them were.
    bool hopeless = false;
  };

  bool fits(Candidate candidate, std::string_view text);
  const NumberText& number_of(std::string_view text);
  bool fits_number(Candidate candidate, const NumberText& number);
  void see_other_forms(std::string_view text, bool quoted);
  void see_without_spaces(std::string_view text, bool quoted);
  void miss(Misses& misses, std::string_view text, bool quoted, const Locate& locate);
  void keep_evidence(std::string_view text, const Locate& locate);
  std::size_t chosen() const noexcept;
  bool is_sure(Candidate candidate) const noexcept;
  DataType type_of(Candidate candidate) const noexcept;

  const ValueFormats* formats_;
  std::string plain_;
  std::optional<NumberText> number_;  ///< The value at hand; none: nobody asked yet.
  std::uint32_t other_forms_ = ~0u;   ///< Bit i: all values so far are written in form i.
  bool comma_is_sure_ = false;        ///< A number with a comma that does not group thousands.
  bool points_group_ = false;         ///< One with points between groups.
  bool padded_ = false;               ///< A field without quotes that begins or ends with a space.
  std::uint64_t values_ = 0;
  std::uint64_t nulls_ = 0;
  std::array<Misses, kCandidates> misses_;
  /// First values that did not fit a candidate: few, since most candidates meet theirs at once.
  std::vector<SniffedMisfit> evidence_;
  std::uint64_t evidence_of_ = 0;  ///< The number of the value that stands last in evidence_.

  bool transcoded_ = false;
  std::uint64_t undecodable_ = 0;
  SniffedMisfit first_undecodable_;

  bool saw_bool_word_ = false;
  bool saw_t_ = false;
  bool saw_f_ = false;
  bool saw_digit_ = false;  ///< In a float: not all of them are NaN.
  int fixed_scale_ = 0;     ///< 0: no such value yet.
  int fixed_digits_ = 0;    ///< Most digits in front of the point.
  int long_scale_ = 0;
  int long_digits_ = 0;
};

}  // namespace leat::parser
