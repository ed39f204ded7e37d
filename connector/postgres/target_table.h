// The table that takes the rows: made by leat, or found and matched.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "connector/postgres/connection.h"
#include "connector/postgres/copy_encoder.h"
#include "leat/result.h"
#include "leat/schema.h"

namespace leat::connector {

struct PgTargetTable {
  std::string name;  ///< Quoted, with its schema: ready for SQL.
  std::uint32_t oid = 0;
  std::string shape;                  ///< All that was matched, to tell when it is altered.
  std::vector<std::string> columns;   ///< Quoted; one for each field of the schema.
  std::vector<CopyColumn> encodings;  ///< How each field is written into its column.
  /// A column is of a type that the server has to read from text: all of a row is sent as text.
  bool as_text = false;
  /// A trigger may fill columns that take no null and that leat does not have.
  bool fills_rows = false;
  /// Transactions that add rows beside each other may wait for one another: because of a unique
  /// index, an exclusion constraint or a trigger.
  bool one_writer = false;
};

/// A table's name as SQL reads it: schema.table, either part "double-quoted" or not; ASCII letters
/// outside of quotes become lower case.
/// @return  The name with each part quoted.
///   kInvalidArgument
Result<std::string> parse_postgres_table(std::string_view name);

/// The columns of a table that go by these names, as open_postgres_table matches them: quoted, an
/// empty text for one that is not there. No columns at all: there is no such table.
Result<std::vector<std::string>> find_postgres_columns(PgConnection& connection,
                                                       const std::string& name,
                                                       std::span<const std::string_view> fields);

/// The columns of a table, each with the type of leat that its values are to have: text where the
/// server reads them from text, see CopyForm::kServerText. Those that take none, and generated
/// ones, are left out. Empty: there is no such table.
Result<Schema> find_postgres_schema(PgConnection& connection, const std::string& name);

/// Whether the table is still the one that was matched, with columns of the same names and types.
Result<bool> is_postgres_table_unchanged(PgConnection& connection, const PgTargetTable& target);

/// Makes the table for the schema where it is absent and `create` allows it, or checks that the
/// existing one can take the rows: each field has a column of its name (exact, else the only one
/// that differs in ASCII case), of a type that keeps every value or refuses it, and each other
/// column may be left out.
///
/// @param name  As parse_postgres_table returned it.
///   kNotFound        It is absent and `create` is false.
///   kSchemaMismatch  It cannot take the rows; the message names every difference.
///   others           PgConnection
Result<PgTargetTable> open_postgres_table(PgConnection& connection, const std::string& name,
                                          const Schema& schema, bool create);

}  // namespace leat::connector
