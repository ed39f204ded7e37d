// Rows in the formats of PostgreSQL's COPY. Stateless but for tables; any thread.
//
// @see PostgreSQL manual, COPY, "Binary Format" and "Text Format".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "leat/row_chunk.h"
#include "leat/schema.h"

namespace leat::connector {

/// The binary form of a column's values. The field's type says what it is made of.
enum class CopyForm : std::uint8_t {
  kBool,
  kInt2,
  kInt4,
  kInt8,
  kFloat4,
  kFloat8,
  kNumeric,          ///< From integers and decimals.
  kDate,             ///< Days since 2000.
  kTimestamp,        ///< Microseconds since 2000.
  kTimestampOfDate,  ///< The same, at midnight.
  kUuid,
  kBytes,       ///< The bytes as they are: text, bytea, json.
  kJsonb,       ///< A version byte, then text.
  kText,        ///< The value's canonical text.
  kServerText,  ///< None that leat knows: the server reads it from text. In the text format only.
};

struct CopyColumn {
  DataType from;
  CopyForm form;
};

/// What a COPY in the binary format begins and ends with.
std::string_view copy_header() noexcept;
std::string_view copy_trailer() noexcept;

/// Appends the rows [first, last) of the chunk. `columns` has one entry for each of its columns.
void append_copy_rows(const RowChunk& chunk, const std::vector<CopyColumn>& columns,
                      std::int64_t first, std::int64_t last, Buffer& out);

/// The same in the text format, which takes any type from its text, and takes longer.
void append_copy_text_rows(const RowChunk& chunk, const std::vector<CopyColumn>& columns,
                           std::int64_t first, std::int64_t last, Buffer& out);

/// Appends one row of byte fields; a null pointer is null.
void append_copy_row(const std::vector<const std::string*>& fields, Buffer& out);

}  // namespace leat::connector
