#include "connector/sqlite/target_table.h"

#include <sqlite3.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "connector/sql_name.h"

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
  std::string sql = "CREATE TABLE " + quote_sql_name(name) + " (";
  for (const Field& field : schema.fields) {
    if (&field != &schema.fields.front()) sql += ", ";
    sql += quote_sql_name(field.name);
    sql += " ";
    sql += declared_type(field.type.id);
    if (!field.nullable) sql += " NOT NULL";
  }
  return sql + ")";
}

/// SQLite's own rule of how a declared type treats what is stored in the column.
/// @see https://www.sqlite.org/datatype3.html, section 3.1.
enum class Affinity { kInteger, kText, kBlob, kReal, kNumeric };

Affinity affinity_of(std::string_view declared) {
  std::string type;
  for (const char c : declared) type += c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  const auto holds = [&type](std::string_view part) {
    return type.find(part) != std::string::npos;
  };
  if (holds("INT")) return Affinity::kInteger;
  if (holds("CHAR") || holds("CLOB") || holds("TEXT")) return Affinity::kText;
  if (type.empty() || holds("BLOB")) return Affinity::kBlob;
  if (holds("REAL") || holds("FLOA") || holds("DOUB")) return Affinity::kReal;
  return Affinity::kNumeric;
}

/// Whether values of the type come out of such a column as they went in: text that looks like a
/// number would become one ("007" is 7), and a large integer a float.
bool keeps_values(Affinity affinity, TypeId type) {
  switch (type) {
    case TypeId::kBool:
    case TypeId::kInt16:
    case TypeId::kInt32:
      return true;
    case TypeId::kInt64:
      return affinity != Affinity::kReal;
    case TypeId::kFloat32:
    case TypeId::kFloat64:
      return affinity != Affinity::kText;
    case TypeId::kBytes:
      return true;  // A blob is never converted.
    default:
      return affinity == Affinity::kText || affinity == Affinity::kBlob;
  }
}

struct ExistingColumn {
  std::string name;
  std::string declared_type;
};

struct ExistingTable {
  std::string kind;  ///< "table", "view", "virtual"; empty: there is none.
  bool without_rowid = false;
  bool has_triggers = false;
  bool integer_key = false;  ///< A column of the user's is the row number.
  std::vector<ExistingColumn> columns;
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

  auto triggers = database.prepare(
      "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?1 COLLATE NOCASE");
  if (!triggers) return std::move(triggers).error();
  triggers->bind_text(1, name);
  auto counted = triggers->step(database, "look at the triggers of");
  if (!counted) return std::move(counted).error();
  table.has_triggers = triggers->integer(0) > 0;

  auto info = database.prepare("SELECT name, type, pk FROM pragma_table_info(?1, 'main')");
  if (!info) return std::move(info).error();
  info->bind_text(1, name);
  for (;;) {
    auto row = info->step(database, "look at the columns of");
    if (!row) return std::move(row).error();
    if (!*row) return table;
    table.columns.push_back({std::string(info->bytes(0)), std::string(info->bytes(1))});
    if (info->integer(2) != 0 && same_name(info->bytes(1), "INTEGER")) table.integer_key = true;
  }
}

const ExistingColumn* find_column(const ExistingTable& table, std::string_view name) {
  const auto column =
      std::find_if(table.columns.begin(), table.columns.end(),
                   [name](const ExistingColumn& each) { return same_name(each.name, name); });
  return column == table.columns.end() ? nullptr : &*column;
}

/// What open_target_table() says of a name that is no user's.
Result<void> check_name(const std::string& name) {
  for (const std::string_view own : {"leat_pipeline", "leat_split", "leat_reject"}) {
    if (same_name(name, own)) {
      return Error{ErrorCode::kInvalidArgument,
                   "The table " + name + " is leat's own. Choose another --table."};
    }
  }
  return {};
}

Result<void> make_table(Database& database, const std::string& name, const Schema& schema) {
  const auto columns_max =
      static_cast<std::size_t>(sqlite3_limit(database.handle(), SQLITE_LIMIT_COLUMN, -1));
  if (schema.fields.size() > columns_max) {
    return Error{ErrorCode::kSchemaMismatch,
                 "the table " + name + " would have " + std::to_string(schema.fields.size()) +
                     " columns, and SQLite's tables hold " + std::to_string(columns_max) +
                     " at most: name those that are wanted with --schema"};
  }
  return database.execute(create_statement(name, schema));
}

Result<void> check_columns(const ExistingTable& table, const std::string& name,
                           const Schema& schema) {
  std::string differences;
  const auto differs = [&differences](const std::string& how) {
    differences += (differences.empty() ? "" : "; ") + how;
  };
  for (const Field& field : schema.fields) {
    const std::string wanted(declared_type(field.type.id));
    const ExistingColumn* const column = find_column(table, field.name);
    if (column == nullptr) {
      differs("it has no column " + quote_sql_name(field.name) + " " + wanted);
    } else if (!keeps_values(affinity_of(column->declared_type), field.type.id)) {
      differs("its column " + quote_sql_name(field.name) + " is declared " + column->declared_type +
              ", which would alter values of type " + field.type.to_sql() + " (" + wanted +
              " would not)");
    }
  }
  if (differences.empty()) return {};
  return Error{ErrorCode::kSchemaMismatch, "the table " + name + " does not fit the schema: " +
                                               differences + ". Alter the table, or the schema"};
}

/// As TargetTable::rowid.
std::string rowid_of(const ExistingTable& table) {
  if (table.without_rowid || table.integer_key || table.has_triggers || table.kind == "virtual") {
    return {};
  }
  for (const char* const alias : {"_rowid_", "rowid", "oid"}) {
    if (find_column(table, alias) == nullptr) return alias;
  }
  return {};
}

}  // namespace

Result<TargetTable> open_target_table(Database& database, const std::string& name,
                                      const Schema& schema) {
  if (auto usable = check_name(name); !usable) return std::move(usable).error();
  auto table = look_at(database, name);
  if (!table) return std::move(table).error();
  if (table->kind.empty()) {
    if (auto made = make_table(database, name, schema); !made) return std::move(made).error();
    table = look_at(database, name);
    if (!table) return std::move(table).error();
  } else if (table->kind == "view") {
    return Error{ErrorCode::kSchemaMismatch,
                 name + " is a view; rows can only be added to a table."};
  }
  if (auto fit = check_columns(*table, name, schema); !fit) return std::move(fit).error();
  return TargetTable{.name = name, .rowid = rowid_of(*table)};
}

}  // namespace leat::connector
