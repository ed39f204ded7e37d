#include "leat/schema.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <unordered_set>
#include <utility>

#include "core/ascii_case.h"

namespace leat {
namespace {

constexpr int kPrecisionMax = 38;  // What 128 bits hold.

constexpr std::string_view kKnownTypes =
    "boolean, smallint, integer, bigint, real, double precision, numeric(p,s), date, time, "
    "timestamp, timestamptz, text, bytea, uuid, json";

struct TypeName {
  std::string_view name;
  TypeId id;
};

constexpr TypeName kTypeNames[] = {
    {"bool", TypeId::kBool},
    {"boolean", TypeId::kBool},
    {"int2", TypeId::kInt16},
    {"smallint", TypeId::kInt16},
    {"int", TypeId::kInt32},
    {"int4", TypeId::kInt32},
    {"integer", TypeId::kInt32},
    {"bigint", TypeId::kInt64},
    {"int8", TypeId::kInt64},
    {"float4", TypeId::kFloat32},
    {"real", TypeId::kFloat32},
    {"double precision", TypeId::kFloat64},
    {"float8", TypeId::kFloat64},
    {"dec", TypeId::kDecimal},
    {"decimal", TypeId::kDecimal},
    {"numeric", TypeId::kDecimal},
    {"date", TypeId::kDate},
    {"time", TypeId::kTime},
    {"time without time zone", TypeId::kTime},
    {"timestamp", TypeId::kTimestamp},
    {"timestamp without time zone", TypeId::kTimestamp},
    {"timestamptz", TypeId::kTimestampTz},
    {"timestamp with time zone", TypeId::kTimestampTz},
    {"text", TypeId::kText},
    {"varchar", TypeId::kText},
    {"character varying", TypeId::kText},
    {"bytea", TypeId::kBytes},
    {"uuid", TypeId::kUuid},
    {"json", TypeId::kJson},
};

// Words that PostgreSQL or SQLite do not take as a bare column name. Sorted.
constexpr auto kReservedWords = std::to_array<std::string_view>({
    "add",
    "all",
    "alter",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "authorization",
    "autoincrement",
    "between",
    "binary",
    "both",
    "case",
    "cast",
    "check",
    "collate",
    "collation",
    "column",
    "commit",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "default",
    "deferrable",
    "delete",
    "desc",
    "distinct",
    "do",
    "drop",
    "else",
    "end",
    "escape",
    "except",
    "exists",
    "false",
    "fetch",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "grant",
    "group",
    "having",
    "ilike",
    "in",
    "index",
    "initially",
    "inner",
    "insert",
    "intersect",
    "into",
    "is",
    "isnull",
    "join",
    "lateral",
    "leading",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "natural",
    "not",
    "nothing",
    "notnull",
    "null",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "outer",
    "overlaps",
    "placing",
    "primary",
    "raise",
    "references",
    "returning",
    "right",
    "select",
    "session_user",
    "set",
    "similar",
    "some",
    "symmetric",
    "table",
    "tablesample",
    "then",
    "to",
    "trailing",
    "transaction",
    "true",
    "union",
    "unique",
    "update",
    "user",
    "using",
    "values",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
});
static_assert(std::is_sorted(kReservedWords.begin(), kReservedWords.end()));

constexpr bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
constexpr bool is_name_start(char c) {
  return is_lower(c) || is_upper(c) || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}
constexpr bool is_name_part(char c) { return is_name_start(c) || is_digit(c) || c == '$'; }

// One pass over the text; each read_… skips the spaces before what it reads.
class SchemaReader {
 public:
  explicit SchemaReader(std::string_view sql) : sql_(sql) {}

  Result<Schema> read() {
    if (skip_spaces(); at_ == sql_.size()) {
      return fail("it names no column; an example is \"id bigint not null, name text\"");
    }
    Schema schema;
    std::unordered_set<std::string> seen;
    do {
      auto field = read_field();
      if (!field) return std::move(field).error();
      if (!seen.insert(field->name).second) {
        return fail("column " + quote_identifier(field->name) + " is there twice", field->name);
      }
      schema.fields.push_back(std::move(field).value());
    } while (skip(','));
    if (at_ != sql_.size()) {
      return fail("after a column's type only NOT NULL or a comma may follow, not " + here());
    }
    return schema;
  }

 private:
  Result<Field> read_field() {
    Field field;
    auto name = read_name();
    if (!name) return std::move(name).error();
    field.name = std::move(name).value();
    auto type = read_type(field.name);
    if (!type) return std::move(type).error();
    field.type = *type;
    if (skip_word("not")) {
      if (!skip_word("null")) return fail("NOT must be followed by NULL, not by " + here());
      field.nullable = false;
    }
    return field;
  }

  Result<std::string> read_name() {
    skip_spaces();
    if (at_ < sql_.size() && sql_[at_] == '"') return read_quoted_name();
    std::string_view name = read_word();
    if (name.empty()) {
      return fail("a column name was expected at " + here() +
                  "; put names with other characters into double quotes");
    }
    return std::string(name);
  }

  Result<std::string> read_quoted_name() {
    const std::size_t begin = at_++;
    std::string name;
    for (; at_ < sql_.size(); ++at_) {
      if (sql_[at_] == '"' && (++at_ == sql_.size() || sql_[at_] != '"')) {
        if (name.empty()) return fail("a column name is empty (\"\")");
        return name;
      }
      if (sql_[at_] == '\0') return fail("a column name holds a NUL byte");
      name += sql_[at_];
    }
    at_ = begin;
    return fail("the double quote at " + here() + " is not closed");
  }

  Result<DataType> read_type(const std::string& column) {
    // The longest sequence of words that is a type: "double precision", "timestamp with time zone".
    std::string name = core::lower_case(read_word());
    if (name.empty()) {
      return fail("a type was expected at " + here() + "; known types: " + known_types(), column);
    }
    if (name == "double" && skip_word("precision")) name = "double precision";
    if (name == "character" && skip_word("varying")) name = "character varying";

    std::optional<std::pair<int, std::optional<int>>> arguments;
    if (skip('(')) {
      auto read = read_arguments(column);
      if (!read) return std::move(read).error();
      arguments = *read;
    }
    if (name == "timestamp" || name == "time") {
      for (const std::string_view with : {"with", "without"}) {
        if (!skip_word(with)) continue;
        if (!skip_word("time") || !skip_word("zone")) {
          return fail("\"" + name + " " + std::string(with) + "\" must go on with \"time zone\"",
                      column);
        }
        name.append(" ").append(with).append(" time zone");
        break;
      }
    }
    return make_type(name, arguments, column);
  }

  Result<DataType> make_type(const std::string& name,
                             const std::optional<std::pair<int, std::optional<int>>>& arguments,
                             const std::string& column) const {
    if (name == "char" || name == "character" || name == "bpchar" ||
        ((name == "varchar" || name == "character varying") && arguments)) {
      return fail("\"" + name + "\" with a length is not kept; use text, and leave the length to " +
                      "the table",
                  column);
    }
    const auto* known = std::find_if(std::begin(kTypeNames), std::end(kTypeNames),
                                     [&](const TypeName& type) { return type.name == name; });
    if (known == std::end(kTypeNames)) {
      return fail("unknown type \"" + name + "\"; known types: " + known_types(), column);
    }
    switch (known->id) {
      case TypeId::kDecimal:
        return make_decimal(name, arguments, column);
      case TypeId::kTime:
      case TypeId::kTimestamp:
      case TypeId::kTimestampTz:
        if (arguments && (arguments->first != 6 || arguments->second)) {
          return fail("\"" + name + "\" always keeps microseconds; leave the precision out, or " +
                          "write 6",
                      column);
        }
        break;
      default:
        if (arguments) return fail("type \"" + name + "\" takes no (…)", column);
    }
    return DataType{known->id};
  }

  Result<DataType> make_decimal(const std::string& name,
                                const std::optional<std::pair<int, std::optional<int>>>& arguments,
                                const std::string& column) const {
    if (!arguments) {
      return fail("\"" + name + "\" needs precision and scale, such as numeric(18,2)", column);
    }
    const int precision = arguments->first;
    const int scale = arguments->second.value_or(0);
    if (precision < 1 || precision > kPrecisionMax || scale < 0 || scale > precision) {
      return fail("\"" + name + "(" + std::to_string(precision) + "," + std::to_string(scale) +
                      ")\" is out of range: 1 <= precision <= 38 and 0 <= scale <= precision",
                  column);
    }
    return DataType{TypeId::kDecimal, static_cast<std::uint8_t>(precision),
                    static_cast<std::uint8_t>(scale)};
  }

  // "n)" or "n, m)", after the opening parenthesis.
  Result<std::pair<int, std::optional<int>>> read_arguments(const std::string& column) {
    const auto first = read_number();
    std::optional<int> second;
    bool complete = first.has_value();
    if (complete && skip(',')) {
      second = read_number();
      complete = second.has_value();
    }
    if (!complete || !skip(')')) {
      return fail("a number and \")\" were expected at " + here(), column);
    }
    return std::pair(*first, second);
  }

  std::optional<int> read_number() {
    skip_spaces();
    int number = 0;
    const char* end = sql_.data() + sql_.size();
    const auto [stop, error] = std::from_chars(sql_.data() + at_, end, number);
    if (error != std::errc()) return std::nullopt;
    at_ = static_cast<std::size_t>(stop - sql_.data());
    return number;
  }

  std::string_view read_word() {
    skip_spaces();
    const std::size_t begin = at_;
    if (at_ < sql_.size() && is_name_start(sql_[at_])) {
      while (at_ < sql_.size() && is_name_part(sql_[at_])) ++at_;
    }
    return sql_.substr(begin, at_ - begin);
  }

  bool skip_word(std::string_view word) {
    const std::size_t begin = at_;
    if (core::equal_ignoring_case(read_word(), word)) return true;
    at_ = begin;
    return false;
  }

  bool skip(char c) {
    skip_spaces();
    if (at_ == sql_.size() || sql_[at_] != c) return false;
    ++at_;
    return true;
  }

  void skip_spaces() {
    while (at_ < sql_.size() && is_space(sql_[at_])) ++at_;
  }

  static std::string known_types() { return std::string(kKnownTypes); }

  // What stands at the place where reading stopped, for messages.
  std::string here() const {
    if (at_ == sql_.size()) return "the end";
    constexpr std::size_t kShown = 20;
    const std::string_view rest = sql_.substr(at_);
    std::string shown(1, '"');
    shown += rest.substr(0, kShown);
    shown += rest.size() > kShown ? "…\"" : "\"";
    return shown;
  }

  static Error fail(std::string reason, std::string column = {}) {
    Error error{ErrorCode::kInvalidArgument, "the schema cannot be read: " + std::move(reason)};
    error.at.column = std::move(column);
    return error;
  }

  std::string_view sql_;
  std::size_t at_ = 0;
};

}  // namespace

std::size_t DataType::width() const noexcept {
  switch (id) {
    case TypeId::kInt16:
      return 2;
    case TypeId::kInt32:
    case TypeId::kFloat32:
    case TypeId::kDate:
      return 4;
    case TypeId::kInt64:
    case TypeId::kFloat64:
    case TypeId::kTime:
    case TypeId::kTimestamp:
    case TypeId::kTimestampTz:
      return 8;
    case TypeId::kDecimal:
    case TypeId::kUuid:
      return 16;
    case TypeId::kBool:
    case TypeId::kText:
    case TypeId::kBytes:
    case TypeId::kJson:
      break;
  }
  return 0;
}

std::string DataType::to_sql() const {
  switch (id) {
    case TypeId::kBool:
      return "boolean";
    case TypeId::kInt16:
      return "smallint";
    case TypeId::kInt32:
      return "integer";
    case TypeId::kInt64:
      return "bigint";
    case TypeId::kFloat32:
      return "real";
    case TypeId::kFloat64:
      return "double precision";
    case TypeId::kDecimal:
      return "numeric(" + std::to_string(precision) + "," + std::to_string(scale) + ")";
    case TypeId::kDate:
      return "date";
    case TypeId::kTime:
      return "time";
    case TypeId::kTimestamp:
      return "timestamp";
    case TypeId::kTimestampTz:
      return "timestamptz";
    case TypeId::kText:
      return "text";
    case TypeId::kBytes:
      return "bytea";
    case TypeId::kUuid:
      return "uuid";
    case TypeId::kJson:
      return "json";
  }
  return "unknown";
}

int Schema::find(std::string_view name) const noexcept {
  int folded = -1;
  bool ambiguous = false;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].name == name) return static_cast<int>(i);
    if (core::equal_ignoring_case(fields[i].name, name)) {
      ambiguous = folded >= 0;
      folded = static_cast<int>(i);
    }
  }
  return ambiguous ? -1 : folded;
}

std::string Schema::to_sql() const {
  std::string sql;
  for (const Field& field : fields) {
    if (!sql.empty()) sql += ", ";
    sql.append(quote_identifier(field.name)).append(" ").append(field.type.to_sql());
    if (!field.nullable) sql += " not null";
  }
  return sql;
}

Result<Schema> parse_schema(std::string_view sql) { return SchemaReader(sql).read(); }

std::string quote_identifier(std::string_view name) {
  // Upper case is not safe: PostgreSQL folds bare names to lower case.
  const bool bare = !name.empty() && (is_lower(name.front()) || name.front() == '_') &&
                    std::all_of(name.begin(), name.end(),
                                [](char c) { return is_lower(c) || is_digit(c) || c == '_'; }) &&
                    !std::binary_search(kReservedWords.begin(), kReservedWords.end(), name);
  if (bare) return std::string(name);
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted += '"';
}

}  // namespace leat
