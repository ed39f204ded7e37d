#include "parser/csv/header.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "parser/convert/values.h"
#include "parser/csv/excerpt.h"

namespace leat::parser {
namespace {

constexpr std::size_t kNamesShown = 8;

Error mismatch(std::string message) { return {ErrorCode::kSchemaMismatch, std::move(message)}; }

std::string lower_case(std::string_view name) {
  std::string lower(name);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

/// "a", "b", … : some of the names, for messages.
std::string list_of(const std::vector<std::string>& names) {
  std::string list;
  for (std::size_t i = 0; i < std::min(names.size(), kNamesShown); ++i) {
    list += (i == 0 ? "" : ", ") + excerpt(names[i]);
  }
  if (names.size() > kNamesShown) list += ", … (" + std::to_string(names.size()) + " in all)";
  return list;
}

/// Fields of the header under one name.
struct Named {
  std::size_t field = 0;
  std::size_t count = 0;
};
using Names = std::unordered_map<std::string, Named>;

void add(Names& names, std::string name, std::size_t field) {
  Named& named = names[std::move(name)];
  if (named.count++ == 0) named.field = field;
}

}  // namespace

void name_nameless(std::vector<std::string>& header) {
  for (std::size_t i = 0; i < header.size(); ++i) {
    if (!header[i].empty()) continue;
    std::string name = "column" + std::to_string(i + 1);
    if (std::find(header.begin(), header.end(), name) == header.end()) header[i] = std::move(name);
  }
}

ColumnMap map_by_place(const Schema& schema) {
  ColumnMap map{schema.fields.size(), std::vector<std::size_t>(schema.fields.size()), {}};
  for (std::size_t i = 0; i < map.record_fields; ++i) map.field_of_column[i] = i;
  return map;
}

Result<ColumnMap> map_by_name(const std::vector<std::string>& header, const Schema& schema,
                              ExtraColumns extra, MissingColumns missing) {
  std::unordered_set<std::string_view> columns;
  for (const Field& column : schema.fields) columns.insert(column.name);
  Names exact;
  Names any_case;
  for (std::size_t i = 0; i < header.size(); ++i) {
    add(exact, header[i], i);
    // A name that some column has exactly is not there for the others.
    if (!columns.contains(header[i])) add(any_case, lower_case(header[i]), i);
  }

  ColumnMap map{header.size(), {}, {}};
  std::vector<bool> used(header.size(), false);
  std::vector<std::string> not_null;
  for (const Field& column : schema.fields) {
    const Named* found = nullptr;
    if (const auto at = exact.find(column.name); at != exact.end()) {
      found = &at->second;
    } else if (const auto loose = any_case.find(lower_case(column.name)); loose != any_case.end()) {
      found = &loose->second;
    }
    if (found != nullptr && found->count > 1) {
      return mismatch("the header has " + std::to_string(found->count) + " columns named " +
                      excerpt(column.name) +
                      "; name the file's columns apart, or read them by place (--no-header "
                      "--skip-lines 1)");
    }
    if (found != nullptr && used[found->field]) {
      return mismatch("the header's column " + excerpt(header[found->field]) +
                      " fits two columns of the schema, which differ in case only");
    }
    if (found == nullptr) (column.nullable ? map.drift.missing : not_null).push_back(column.name);
    if (found != nullptr) used[found->field] = true;
    map.field_of_column.push_back(found == nullptr ? ColumnMap::kMissing : found->field);
  }
  if (std::find(used.begin(), used.end(), true) == used.end()) {
    return mismatch("the header has none of the schema's columns: its names are " +
                    list_of(header) +
                    "; if the object has no header, set --no-header, else check --delimiter and "
                    "--schema");
  }
  if (!not_null.empty()) {
    return mismatch("the header lacks columns that must not be null: " + list_of(not_null) +
                    "; its names are " + list_of(header));
  }
  if (missing == MissingColumns::kFail && !map.drift.missing.empty()) {
    return mismatch("the header lacks columns of the schema: " + list_of(map.drift.missing) +
                    "; its names are " + list_of(header) +
                    "; --missing-columns null reads them as null");
  }
  for (std::size_t i = 0; i < header.size(); ++i) {
    if (!used[i]) map.drift.extra.push_back(header[i]);
  }
  if (extra == ExtraColumns::kFail && !map.drift.extra.empty()) {
    return mismatch(
        "the header has columns that the schema does not know: " + list_of(map.drift.extra) +
        "; add them to --schema, or set --extra-columns ignore");
  }
  return map;
}

Result<Schema> schema_of_header(const std::vector<std::string>& header) {
  Schema schema;
  std::unordered_set<std::string_view> names;
  for (const std::string& name : header) {
    std::string fault;
    if (name.empty()) {
      fault = "is empty";
    } else if (!names.insert(name).second) {
      fault = "stands there twice";
    } else if (!valid_utf8(name)) {
      fault = "is not UTF-8";
    } else if (name.find('\0') != std::string::npos) {
      fault = "holds a NUL byte";
    }
    if (!fault.empty()) {
      return mismatch("the name of column " + std::to_string(schema.fields.size() + 1) +
                      " in the header, " + excerpt(name) + ", " + fault +
                      "; set --schema to say which columns to read, or --no-header with --schema");
    }
    schema.fields.push_back({name, {}, true});
  }
  return schema;
}

}  // namespace leat::parser
