// The table that takes the rows: made by leat, or found and matched.
#pragma once

#include <string>

#include "connector/sqlite/database.h"
#include "leat/result.h"
#include "leat/schema.h"

namespace leat::connector {

struct TargetTable {
  std::string name;
  /// The name under which rows can be addressed by number, quoted; empty where they cannot, where
  /// the number is a column of the user's, or where triggers have a say in which rows there are.
  std::string rowid;
};

/// Makes the table `name` for the schema, or checks that an existing one has all its columns
/// (compared as SQLite does: ASCII case does not count), declared so that values stay what they
/// are. Inside the transaction that is open.
///   kInvalidArgument  The name is one of leat's own tables, or reserved by SQLite.
///   kSchemaMismatch   It is a view, or columns are missing or alter values; the message names
///                     all of them.
///   others            Database::error
Result<TargetTable> open_target_table(Database& database, const std::string& name,
                                      const Schema& schema);

}  // namespace leat::connector
