#include "connector/sqlite/target_table.h"

#include <sqlite3.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

namespace leat::connector {
namespace {

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         sqlite3_strnicmp(a.data(), b.data(), static_cast<int>(a.size())) == 0;
}

// Declared types choose SQLite's affinity: numbers as numbers, all else as the text it is given.
std::string_view declared_type(TypeId type) {
  switch (type) {
    case TypeId::kBool:
    case TypeId::kInt16:
    case TypeId::kInt32:
    case TypeId::kInt64:
      return "INTEGER";
    case TypeId::kFloat32:
    case TypeId::kFloat64:
      return "REAL";
    case TypeId::kBytes:
      return "BLOB";
    default:
      return "TEXT";
  }
}

std::string create_statement(const std::string& name, const Schema& schema) {
  std::string sql = "CREATE TABLE " + quote_sqlite_name(name) + " (";
  for (const Field& field : schema.fields) {
    if (&field != &schema.fields.front()) sql += ", ";
    sql += quote_sqlite_name(field.name);
    sql += " ";
    sql += declared_type(field.type.id);
    if (!field.nullable) sql += " NOT NULL";
  }
  return sql + ")";
}

struct ExistingTable {
  std::string kind;  ///< "table", "view", "virtual"; empty: there is none.
  bool without_rowid = false;
  bool integer_key = false;  ///< A column of the user's is the row number.
  std::vector<std::string> columns;
};

Result<ExistingTable> look_at(Database& database, const std::string& name) {
  ExistingTable table;
  auto list = database.prepare(
      "SELECT type, wr FROM pragma_table_list WHERE schema = 'main' AND name = ?1 COLLATE NOCASE");
  if (!list) return std::move(list).error();
  list->bind_text(1, name);
  auto found = list->step(database, "look at the tables of");
  if (!found) return std::move(found).error();
  if (!*found) return table;
  table.kind = list->bytes(0);
  table.without_rowid = list->integer(1) != 0;

  auto info = database.prepare("SELECT name, type, pk FROM pragma_table_info(?1, 'main')");
  if (!info) return std::move(info).error();
  info->bind_text(1, name);
  for (;;) {
    auto row = info->step(database, "look at the columns of");
    if (!row) return std::move(row).error();
    if (!*row) return table;
    table.columns.emplace_back(info->bytes(0));
    if (info->integer(2) != 0 && same_name(info->bytes(1), "INTEGER")) table.integer_key = true;
  }
}

}  // namespace

Result<TargetTable> open_target_table(Database& database, const std::string& name,
                                      const Schema& schema) {
  for (const std::string_view own : {"leat_pipeline", "leat_split", "leat_reject"}) {
    if (same_name(name, own)) {
      return Error{ErrorCode::kInvalidArgument,
                   "The table " + name + " is leat's own. Choose another --table."};
    }
  }
  auto table = look_at(database, name);
  if (!table) return std::move(table).error();
  if (table->kind.empty()) {
    if (auto made = database.execute(create_statement(name, schema)); !made) {
      return std::move(made).error();
    }
    for (const Field& field : schema.fields) table->columns.push_back(field.name);
  } else if (table->kind == "view") {
    return Error{ErrorCode::kSchemaMismatch,
                 name + " is a view; rows can only be added to a table."};
  }
  const auto has_column = [&table](std::string_view wanted) {
    return std::any_of(table->columns.begin(), table->columns.end(),
                       [&](const std::string& column) { return same_name(column, wanted); });
  };
  std::string missing;
  for (const Field& field : schema.fields) {
    if (has_column(field.name)) continue;
    missing += (missing.empty() ? "" : ", ") + quote_sqlite_name(field.name) + " " +
               std::string(declared_type(field.type.id));
  }
  if (!missing.empty()) {
    return Error{ErrorCode::kSchemaMismatch,
                 "The table " + name + " has no column " + missing +
                     ". Add it with ALTER TABLE, or leave it out of the schema."};
  }
  TargetTable target{.name = name, .rowid = {}};
  if (table->without_rowid || table->integer_key || table->kind == "virtual") return target;
  for (const std::string_view alias : {"_rowid_", "rowid", "oid"}) {
    if (!has_column(alias)) {
      target.rowid = alias;
      break;
    }
  }
  return target;
}

}  // namespace leat::connector
