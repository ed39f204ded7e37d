// From a header's names to the schema's columns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "leat/parser.h"
#include "leat/result.h"
#include "leat/row_chunk.h"
#include "leat/schema.h"

namespace leat::parser {

/// Where a record's fields go.
struct ColumnMap {
  static constexpr std::size_t kMissing = SIZE_MAX;

  std::size_t record_fields = 0;             ///< Fields that each record has.
  std::vector<std::size_t> field_of_column;  ///< Per schema column; kMissing: the column is null.
  ColumnDrift drift;
};

/// Gives each field without a name that of its place: "column1" is the first one. Data frames leave
/// the name of their row numbers out, and a comma behind the last name makes one more. Where
/// another field has that name already, the field stays without.
void name_nameless(std::vector<std::string>& header);

/// Columns by place: each record has the schema's columns in their order.
ColumnMap map_by_place(const Schema& schema);

/// Columns by name: exact first, then the only name that differs in (ASCII) case alone. A nullable
/// column without a name in the header is null.
///   kSchemaMismatch  None of the columns is there; a NOT NULL one is not; a column's name stands
///                    in the header twice; the header has others and `extra` is kFail, or lacks one
///                    and `missing` is.
Result<ColumnMap> map_by_name(const std::vector<std::string>& header, const Schema& schema,
                              ExtraColumns extra, MissingColumns missing);

/// The header's columns, all nullable text.
///   kSchemaMismatch  Names that are empty, there twice, not UTF-8, or hold a NUL byte.
Result<Schema> schema_of_header(const std::vector<std::string>& header);

}  // namespace leat::parser
