// The columns of a source: names and types, and how they are written in SQL.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "leat/result.h"

namespace leat {

/// The logical types, with their Arrow layout. The numbers are persisted: never renumber.
enum class TypeId : std::uint8_t {
  kBool = 1,          ///< bits, LSB first                                   Arrow "b"
  kInt16 = 2,         ///< int16                                             Arrow "s"
  kInt32 = 3,         ///< int32                                             Arrow "i"
  kInt64 = 4,         ///< int64                                             Arrow "l"
  kFloat32 = 5,       ///< IEEE 754 binary32                                 Arrow "f"
  kFloat64 = 6,       ///< IEEE 754 binary64                                 Arrow "g"
  kDecimal = 7,       ///< int128 little-endian, unscaled                    Arrow "d:p,s"
  kDate = 8,          ///< int32 days since 1970-01-01                       Arrow "tdD"
  kTime = 9,          ///< int64 µs since midnight, < 86'400'000'000         Arrow "ttu"
  kTimestamp = 10,    ///< int64 µs since 1970-01-01T00:00, no zone          Arrow "tsu:"
  kTimestampTz = 11,  ///< int64 µs since 1970-01-01T00:00Z                  Arrow "tsu:UTC"
  kText = 12,         ///< int32 offsets + UTF-8                             Arrow "u"
  kBytes = 13,        ///< int32 offsets + bytes                             Arrow "z"
  kUuid = 14,  ///< 16 bytes, big-endian as written                   Arrow "w:16", arrow.uuid
  kJson = 15,  ///< int32 offsets + UTF-8 JSON text                   Arrow "u", arrow.json
};

/// A column's type. Precision and scale are 0 except for kDecimal (1 <= p <= 38, 0 <= s <= p).
struct DataType {
  TypeId id = TypeId::kText;
  std::uint8_t precision = 0;
  std::uint8_t scale = 0;

  bool operator==(const DataType&) const = default;

  /// True for types stored as int32 offsets + bytes.
  bool is_variable() const noexcept {
    return id == TypeId::kText || id == TypeId::kBytes || id == TypeId::kJson;
  }
  /// Bytes per value for fixed-width types; 0 for kBool (one bit) and variable types.
  std::size_t width() const noexcept;
  /// SQL name, e.g. "bigint", "numeric(10,2)", "timestamptz".
  std::string to_sql() const;
};

struct Field {
  std::string name;
  DataType type;
  bool nullable = true;

  bool operator==(const Field&) const = default;
};

/// An ordered list of columns with distinct, non-empty names.
struct Schema {
  std::vector<Field> fields;

  bool operator==(const Schema&) const = default;

  /// Index of the column, or -1. Exact match first, then the only case-insensitive (ASCII) match.
  int find(std::string_view name) const noexcept;
  /// "id bigint not null, \"full name\" text": what parse_schema reads back to an equal Schema.
  std::string to_sql() const;
};

/// Reads "name type [not null], …" with SQL type names (bigint, int8, integer, int4, smallint,
/// real, double precision, numeric(p,s), boolean, date, time, timestamp, timestamptz, timestamp
/// with time zone, text, varchar, bytea, uuid, json, … any case). Names may be "double-quoted". An
/// unquoted name keeps its case: headers are case-sensitive.
///   kInvalidArgument  Syntax, unknown type, missing precision, duplicate or empty name; the text
///                     in question and the names that are known are in the message.
Result<Schema> parse_schema(std::string_view sql);

/// `name` as an SQL identifier: bare where that is safe, else "double-quoted".
std::string quote_identifier(std::string_view name);

}  // namespace leat
