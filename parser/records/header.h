// From a header's names to the schema's columns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
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

/// The names that the header's fields go by, no two of which are the same, in whatever case: some
/// targets do not tell "ID" from "id". A name stands for the first field that has it, the later
/// ones are "name_1", "name_2", …; a field without a name has that of its place ("column1" is the
/// first one: data frames leave out the name of their row numbers). No name that is made up here is
/// one that stands in the header, and names that are distinct stay as they are.
std::vector<std::string> distinct_names(const std::vector<std::string>& header);

/// Columns by place: each record has the schema's columns in their order.
ColumnMap map_by_place(const Schema& schema);

/// Columns by name: exact first, then the only name that differs in (ASCII) case alone. A nullable
/// column without a name in the header is null. `header`: as it stands in the object. The second
/// field of a name is found as distinct_names has it; the first one by its plain name, where the
/// schema asks for another of them, too.
///   kSchemaMismatch  None of the columns is there; a NOT NULL one is not; a column's name stands
///                    in the header twice, and the schema knows of one only; the header has others
///                    and `extra` is kFail, or lacks one and `missing` is.
Result<ColumnMap> map_by_name(const std::vector<std::string>& header, const Schema& schema,
                              ExtraColumns extra, MissingColumns missing);

/// Columns of these names, all nullable text.
///   kSchemaMismatch  Names that are empty, there twice, not UTF-8, or hold a NUL byte.
Result<Schema> schema_of_names(const std::vector<std::string>& names);

}  // namespace leat::parser
