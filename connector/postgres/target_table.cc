#include "connector/postgres/target_table.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "connector/sql_name.h"
#include "core/ascii_case.h"

namespace leat::connector {
namespace {

constexpr std::size_t kNameBytesMax = 63;
/// SQLSTATE too_many_columns: of a table, 1,600.
constexpr std::string_view kTooManyColumns = "54011";

/// A table's number, kind and full name; whether transactions that add rows to it may wait for one
/// another (PgTargetTable::one_writer), and whether a trigger may fill its columns (fills_rows).
///
/// tgtype & 7 = 7: of a row (1), before (2), on insert (4); tgenabled 'D': it is disabled.
constexpr const char* kFindTable = R"sql(
SELECT c.oid, c.relkind, format('%I.%I', n.nspname, c.relname),
  EXISTS (SELECT FROM pg_index i
          WHERE i.indrelid = ANY (parts) AND (i.indisunique OR i.indisexclusion))
    OR EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = ANY (parts) AND NOT t.tgisinternal)
    OR c.relkind = 'f',
  EXISTS (SELECT FROM pg_trigger t
          WHERE t.tgrelid = c.oid AND t.tgtype & 7 = 7 AND t.tgenabled <> 'D')
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace,
LATERAL (SELECT array_append(ARRAY (SELECT relid::oid FROM pg_partition_tree(c.oid)), c.oid)
         AS parts) p
WHERE c.oid = to_regclass($1)
)sql";

/// The columns of a table as ExistingColumn holds them; b is the type that a domain stands on. A
/// type of somebody else is none of PostgreSQL's own, whatever it is called: hence its full name.
constexpr const char* kFindColumns = R"sql(
SELECT a.attname, format_type(a.atttypid, a.atttypmod),
  CASE WHEN coalesce(b.typnamespace, t.typnamespace) = 'pg_catalog'::regnamespace
         OR coalesce(b.typname, t.typname) = 'citext'
       THEN coalesce(b.typname, t.typname)
       ELSE format_type(coalesce(b.oid, t.oid), NULL) END,
  coalesce(b.typtype, t.typtype),
  CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END,
  a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AND t.typdefault IS NULL,
  a.attgenerated <> ''
FROM pg_attribute a
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_type b ON t.typtype = 'd' AND b.oid = t.typbasetype
WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
)sql";

struct ExistingColumn {
  std::string name;
  std::string declared;  ///< As people write it.
  std::string type;      ///< pg_type's name of it, or of what a domain stands on.
  char kind = 'b';       ///< pg_type.typtype.
  int modifier = -1;     ///< atttypmod.
  bool needs_value = false;
  bool generated = false;
};

struct ExistingTable {
  std::uint32_t oid = 0;
  std::string name;
  char kind = 0;
  bool one_writer = false;
  bool fills_rows = false;  ///< A trigger may give columns their values before they are checked.
  std::vector<ExistingColumn> columns;
};

Result<std::optional<ExistingTable>> look_up(PgConnection& connection, const std::string& name) {
  auto found = connection.run(kFindTable, {{.value = name}});
  if (!found) return std::move(found).error();
  if (found->rows() == 0) return std::optional<ExistingTable>();
  ExistingTable table{.oid = static_cast<std::uint32_t>(found->integer(0, 0)),
                      .name = std::string(found->text(0, 2)),
                      .kind = found->text(0, 1).front(),
                      .one_writer = found->text(0, 3) == "t",
                      .fills_rows = found->text(0, 4) == "t",
                      .columns = {}};
  auto columns = connection.run(kFindColumns, {{.value = found->text(0, 0)}});
  if (!columns) return std::move(columns).error();
  for (int row = 0; row < columns->rows(); ++row) {
    table.columns.push_back({.name = std::string(columns->text(row, 0)),
                             .declared = std::string(columns->text(row, 1)),
                             .type = std::string(columns->text(row, 2)),
                             .kind = columns->text(row, 3).front(),
                             .modifier = static_cast<int>(columns->integer(row, 4)),
                             .needs_value = columns->text(row, 5) == "t",
                             .generated = columns->text(row, 6) == "t"});
  }
  return std::optional<ExistingTable>(std::move(table));
}

std::string shape_of(const ExistingTable& table) {
  std::string shape = std::to_string(table.oid);
  for (const ExistingColumn& column : table.columns) {
    shape += "," + quote_sql_name(column.name) + " " + column.declared + " " + column.type + " " +
             column.kind + " " + std::to_string(column.modifier);
    if (column.needs_value) shape += " needed";
    if (column.generated) shape += " generated";
  }
  return shape;
}

/// Digits behind the point that a numeric column keeps; nothing: all.
std::optional<int> scale_of(int modifier) {
  if (modifier < 4) return std::nullopt;
  // Eleven bits with a sign.
  return ((((modifier - 4) & 0x7ff) ^ 1024) - 1024);
}

bool keeps_microseconds(const ExistingColumn& column) {
  return column.modifier < 0 || column.modifier >= 6;
}

/// The type of leat that a type of PostgreSQL is made for, its limits aside.
std::optional<TypeId> counterpart_of(std::string_view type) {
  static constexpr std::pair<std::string_view, TypeId> kTypes[] = {
      {"bool", TypeId::kBool},           {"int2", TypeId::kInt16},
      {"int4", TypeId::kInt32},          {"int8", TypeId::kInt64},
      {"float4", TypeId::kFloat32},      {"float8", TypeId::kFloat64},
      {"date", TypeId::kDate},           {"time", TypeId::kTime},
      {"timestamp", TypeId::kTimestamp}, {"timestamptz", TypeId::kTimestampTz},
      {"text", TypeId::kText},           {"varchar", TypeId::kText},
      {"bpchar", TypeId::kText},         {"citext", TypeId::kText},
      {"bytea", TypeId::kBytes},         {"uuid", TypeId::kUuid},
      {"json", TypeId::kJson},           {"jsonb", TypeId::kJson}};
  for (const auto& [name, id] : kTypes) {
    if (name == type) return id;
  }
  return std::nullopt;
}

/// Whether the server can be left to read the column from text: types that leat does not know, xml
/// (whose binary form is read in the encoding that the document itself names), and numerics of any
/// scale. Not those that would round or cut.
bool is_read_by_server(const ExistingColumn& column) {
  if (counterpart_of(column.type)) return false;
  if (column.type == "money" || column.type == "char" || column.type == "name") return false;
  if (column.kind == 'd') return false;  // A domain over a domain, whose limits are not looked at.
  return column.modifier < 0 || column.type == "bit" || column.type == "varbit";
}

/// How values of `from` are written into the column so that each stays what it is, or is refused by
/// PostgreSQL; nothing: no way.
std::optional<CopyForm> form_for(const DataType& from, const ExistingColumn& column) {
  const std::string_view to = column.type;
  const bool text = to == "text" || to == "varchar" || to == "bpchar" || to == "citext";
  const bool is_text = from.id == TypeId::kText || from.id == TypeId::kJson;
  if (text) return is_text ? CopyForm::kBytes : CopyForm::kText;
  // Text that PostgreSQL checks: labels of an enumeration, and documents.
  const bool checked_text = column.kind == 'e' || to == "json";
  if (from.id == TypeId::kText && checked_text) return CopyForm::kBytes;
  if (is_text && to == "jsonb") return CopyForm::kJsonb;
  const bool integer =
      from.id == TypeId::kInt16 || from.id == TypeId::kInt32 || from.id == TypeId::kInt64;
  switch (from.id) {
    case TypeId::kBool:
      if (to == "bool") return CopyForm::kBool;
      break;
    case TypeId::kInt16:
      if (to == "int2") return CopyForm::kInt2;
      if (to == "float4") return CopyForm::kFloat4;
      [[fallthrough]];
    case TypeId::kInt32:
      if (to == "int4") return CopyForm::kInt4;
      if (to == "float8") return CopyForm::kFloat8;
      [[fallthrough]];
    case TypeId::kInt64:
      if (to == "int8") return CopyForm::kInt8;
      break;
    case TypeId::kFloat32:
      if (to == "float4") return CopyForm::kFloat4;
      [[fallthrough]];
    case TypeId::kFloat64:
      if (to == "float8") return CopyForm::kFloat8;
      break;
    case TypeId::kDate:
      if (to == "date") return CopyForm::kDate;
      if (to == "timestamp") return CopyForm::kTimestampOfDate;
      break;
    case TypeId::kTime:
      if (to == "time" && keeps_microseconds(column)) return CopyForm::kInt8;
      break;
    case TypeId::kTimestamp:
      if (to == "timestamp" && keeps_microseconds(column)) return CopyForm::kTimestamp;
      break;
    case TypeId::kTimestampTz:
      if (to == "timestamptz" && keeps_microseconds(column)) return CopyForm::kTimestamp;
      break;
    case TypeId::kBytes:
      if (to == "bytea") return CopyForm::kBytes;
      break;
    case TypeId::kUuid:
      if (to == "uuid") return CopyForm::kUuid;
      break;
    case TypeId::kJson:
      if (to == "json") return CopyForm::kBytes;
      break;
    default:
      break;
  }
  if (to == "numeric" && (integer || from.id == TypeId::kDecimal)) {
    const std::optional<int> scale = scale_of(column.modifier);
    if (!scale || *scale >= (integer ? 0 : from.scale)) return CopyForm::kNumeric;
  }
  if (from.id == TypeId::kText && is_read_by_server(column)) return CopyForm::kServerText;
  return std::nullopt;
}

/// The type whose values the column is made for; nothing: leat has none.
std::optional<DataType> type_of(const ExistingColumn& column) {
  if (column.kind == 'e') return DataType{TypeId::kText};
  if (is_read_by_server(column)) return DataType{TypeId::kText};
  if (column.type == "numeric") {
    const std::optional<int> scale = scale_of(column.modifier);
    const int precision = (column.modifier - 4) >> 16;
    if (!scale || *scale < 0 || *scale > precision || precision > 38) return std::nullopt;
    return DataType{TypeId::kDecimal, static_cast<std::uint8_t>(precision),
                    static_cast<std::uint8_t>(*scale)};
  }
  const std::optional<TypeId> id = counterpart_of(column.type);
  return id ? std::optional(DataType{*id}) : std::nullopt;
}

std::string create_statement(const std::string& name, const Schema& schema) {
  std::string sql = "CREATE TABLE IF NOT EXISTS " + name + " (";
  for (const Field& field : schema.fields) {
    if (&field != &schema.fields.front()) sql += ", ";
    sql += quote_sql_name(field.name) + " " + field.type.to_sql();
    if (!field.nullable) sql += " NOT NULL";
  }
  return sql + ")";
}

const ExistingColumn* find_column(const ExistingTable& table, std::string_view name) {
  const ExistingColumn* similar = nullptr;
  std::size_t count = 0;
  for (const ExistingColumn& column : table.columns) {
    if (column.name == name) return &column;
    if (core::equal_ignoring_case(column.name, name)) {
      similar = &column;
      ++count;
    }
  }
  return count == 1 ? similar : nullptr;
}

Result<PgTargetTable> match(const ExistingTable& table, const Schema& schema) {
  if (table.kind != 'r' && table.kind != 'p' && table.kind != 'f') {
    return Error{ErrorCode::kSchemaMismatch,
                 table.name + " is no table; rows can only be added to a table"};
  }
  PgTargetTable target{.name = table.name,
                       .oid = table.oid,
                       .shape = shape_of(table),
                       .columns = {},
                       .encodings = {},
                       .as_text = false,
                       .fills_rows = table.fills_rows,
                       .one_writer = table.one_writer};
  std::string differences;
  const auto differs = [&differences](const std::string& how) {
    differences += (differences.empty() ? "" : "; ") + how;
  };
  std::vector<const ExistingColumn*> used;
  for (const Field& field : schema.fields) {
    const ExistingColumn* const column = find_column(table, field.name);
    const std::string quoted = quote_sql_name(field.name);
    if (column == nullptr) {
      differs("it has no column " + quoted + " " + field.type.to_sql() +
              (field.name.size() > kNameBytesMax
                   ? ", whose name is longer than PostgreSQL's 63 bytes: rename it in the schema"
                   : ""));
      continue;
    }
    if (std::find(used.begin(), used.end(), column) != used.end()) {
      differs("two columns of the schema are called like its column " +
              quote_sql_name(column->name));
    }
    used.push_back(column);
    const std::optional<CopyForm> form = form_for(field.type, *column);
    if (column->generated) {
      differs("its column " + quoted + " is generated by the table and takes no values");
    } else if (!form) {
      differs("its column " + quoted + " is of type " + column->declared +
              ", which cannot take every " + field.type.to_sql() + " as it is");
    } else {
      target.columns.push_back(quote_sql_name(column->name));
      target.encodings.push_back({.from = field.type, .form = *form});
      target.as_text = target.as_text || *form == CopyForm::kServerText;
    }
  }
  for (const ExistingColumn& column : table.columns) {
    if (column.needs_value && !column.generated && !table.fills_rows &&
        std::find(used.begin(), used.end(), &column) == used.end()) {
      differs("its column " + quote_sql_name(column.name) +
              " is NOT NULL without a default, and the schema does not have it");
    }
  }
  if (!differences.empty()) {
    return Error{ErrorCode::kSchemaMismatch, "the table " + table.name +
                                                 " does not fit the schema: " + differences +
                                                 ". Alter the table, or the schema"};
  }
  return target;
}

}  // namespace

Result<std::string> parse_postgres_table(std::string_view name) {
  const auto refused = [name](const std::string& why) {
    return Error{ErrorCode::kInvalidArgument, "the table's name " + std::string(name) + " " + why +
                                                  "; write table, schema.table or \"Any Name\""};
  };
  std::vector<std::string> parts(1);
  bool closed = false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '.') {
      if (parts.back().empty()) return refused("has an empty part");
      parts.emplace_back();
      closed = false;
    } else if (closed) {
      return refused("goes on after a closing quote");
    } else if (name[i] == '"' && parts.back().empty()) {
      for (++i;; ++i) {
        if (i >= name.size()) return refused("has a quote that stays open");
        if (name[i] == '"' && (i + 1 >= name.size() || name[i + 1] != '"')) break;
        if (name[i] == '"') ++i;
        parts.back().push_back(name[i]);
      }
      closed = true;
    } else {
      parts.back().push_back(core::to_lower(name[i]));
    }
  }
  if (parts.back().empty()) return refused("has an empty part");
  if (parts.size() > 2) return refused("has more than two parts");
  std::string quoted;
  for (const std::string& part : parts) {
    if (part.size() > kNameBytesMax) return refused("is longer than PostgreSQL's 63 bytes");
    quoted += (quoted.empty() ? "" : ".") + quote_sql_name(part);
  }
  return quoted;
}

Result<std::vector<std::string>> find_postgres_columns(PgConnection& connection,
                                                       const std::string& name,
                                                       std::span<const std::string_view> fields) {
  auto table = look_up(connection, name);
  if (!table) return std::move(table).error();
  std::vector<std::string> columns;
  if (!*table) return columns;
  for (const std::string_view field : fields) {
    const ExistingColumn* const column = find_column(**table, field);
    columns.push_back(column == nullptr ? "" : quote_sql_name(column->name));
  }
  return columns;
}

Result<Schema> find_postgres_schema(PgConnection& connection, const std::string& name) {
  auto table = look_up(connection, name);
  if (!table) return std::move(table).error();
  Schema schema;
  if (!*table) return schema;
  for (const ExistingColumn& column : (*table)->columns) {
    const std::optional<DataType> type = type_of(column);
    if (!type || column.generated || !form_for(*type, column)) continue;
    schema.fields.push_back({column.name, *type});
  }
  return schema;
}

Result<bool> is_postgres_table_unchanged(PgConnection& connection, const PgTargetTable& target) {
  auto table = look_up(connection, target.name);
  if (!table) return std::move(table).error();
  return *table && shape_of(**table) == target.shape;
}

Result<PgTargetTable> open_postgres_table(PgConnection& connection, const std::string& name,
                                          const Schema& schema, bool create) {
  auto table = look_up(connection, name);
  if (!table) return std::move(table).error();
  if (!*table) {
    if (!create) {
      return Error{ErrorCode::kNotFound,
                   "there is no table " + name +
                       ", and it is not to be made. Its columns: " + schema.to_sql()};
    }
    if (auto made = connection.run(create_statement(name, schema)); !made) {
      Error error = std::move(made).error();
      if (connection.failure().sqlstate == kTooManyColumns) {
        error.message = "the table " + name + " would have " +
                        std::to_string(schema.fields.size()) +
                        " columns: name those that are wanted with --schema. " + error.message;
      }
      return error;
    }
    table = look_up(connection, name);
    if (!table) return std::move(table).error();
    if (!*table) {
      return Error{ErrorCode::kNotFound, "the table " + name +
                                             " was made, but is not found: is its schema in the "
                                             "search_path?"};
    }
  }
  return match(**table, schema);
}

}  // namespace leat::connector
