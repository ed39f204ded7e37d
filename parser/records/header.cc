#include "parser/records/header.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "core/ascii_case.h"
#include "parser/convert/values.h"
#include "parser/records/excerpt.h"

namespace leat::parser {
namespace {

constexpr std::size_t kNamesShown = 8;

Error mismatch(std::string message) { return {ErrorCode::kSchemaMismatch, std::move(message)}; }

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
  std::size_t field = 0;  ///< The first one.
  std::size_t second = 0;
  std::size_t count = 0;
  bool told_apart = false;  ///< The schema asks for a later one by its distinct name.
};
using Names = std::unordered_map<std::string, Named>;

Named& add(Names& names, std::string name, std::size_t field) {
  Named& named = names[std::move(name)];
  if (named.count == 0) named.field = field;
  if (named.count == 1) named.second = field;
  ++named.count;
  return named;
}

}  // namespace

std::vector<std::string> distinct_names(const std::vector<std::string>& header) {
  std::vector<std::string> names = header;
  std::unordered_set<std::string> taken;
  std::vector<std::size_t> others;
  for (std::size_t i = 0; i < header.size(); ++i) {
    if (header[i].empty() || !taken.insert(core::lower_case(header[i])).second) others.push_back(i);
  }
  std::unordered_map<std::string, std::size_t> counts;
  for (const std::size_t i : others) {
    if (header[i].empty()) {
      names[i] = "column" + std::to_string(i + 1);
      if (taken.insert(names[i]).second) continue;
    }
    const std::string name = names[i];
    std::size_t& count = counts[core::lower_case(name)];
    do {
      names[i] = name + "_" + std::to_string(++count);
    } while (!taken.insert(core::lower_case(names[i])).second);
  }
  return names;
}

ColumnMap map_by_place(const Schema& schema) {
  ColumnMap map{schema.fields.size(), std::vector<std::size_t>(schema.fields.size()), {}};
  for (std::size_t i = 0; i < map.record_fields; ++i) map.field_of_column[i] = i;
  return map;
}

Result<ColumnMap> map_by_name(const std::vector<std::string>& header, const Schema& schema,
                              ExtraColumns extra, MissingColumns missing) {
  const std::vector<std::string> names = distinct_names(header);
  std::unordered_set<std::string_view> columns;
  std::unordered_set<std::string> folded_columns;
  for (const Field& column : schema.fields) {
    columns.insert(column.name);
    folded_columns.insert(core::lower_case(column.name));
  }
  Names exact;
  Names any_case;
  for (std::size_t i = 0; i < header.size(); ++i) {
    const auto add_name = [&](const std::string& name, bool told_apart) {
      Named& named = add(exact, name, i);
      named.told_apart = named.told_apart || told_apart;
      // A name that some column has exactly is not there for the others.
      if (columns.contains(name)) return;
      Named& loose = add(any_case, core::lower_case(name), i);
      loose.told_apart = loose.told_apart || told_apart;
    };
    const bool renamed = !header[i].empty() && names[i] != header[i];
    if (renamed) add_name(header[i], folded_columns.contains(core::lower_case(names[i])));
    add_name(names[i], false);
  }

  ColumnMap map{header.size(), {}, {}};
  std::vector<const Field*> used(header.size(), nullptr);
  std::vector<std::string> not_null;
  for (const Field& column : schema.fields) {
    const Named* found = nullptr;
    if (const auto at = exact.find(column.name); at != exact.end()) {
      found = &at->second;
    } else if (const auto loose = any_case.find(core::lower_case(column.name));
               loose != any_case.end()) {
      found = &loose->second;
    }
    if (found != nullptr && found->count > 1 && !found->told_apart) {
      return mismatch("the header has " + std::to_string(found->count) + " columns named " +
                      excerpt(column.name) + "; ask for the second one as " +
                      excerpt(names[found->second]) +
                      ", name the file's columns apart, or read them by place (--no-header "
                      "--skip-lines 1)");
    }
    if (found != nullptr && used[found->field] != nullptr) {
      const std::string& other = used[found->field]->name;
      const std::string& name = header[found->field];
      if (core::equal_ignoring_case(other, column.name)) {
        return mismatch("the header's column " + excerpt(name) +
                        " fits two columns of the schema, which differ in case only");
      }
      return mismatch("the header's column " + std::to_string(found->field + 1) + ", " +
                      excerpt(name) + ", fits the columns " + excerpt(other) + " and " +
                      excerpt(column.name) +
                      " of the schema: names that stand twice are told apart by their order, and "
                      "here it is another one");
    }
    if (found == nullptr) (column.nullable ? map.drift.missing : not_null).push_back(column.name);
    if (found != nullptr) used[found->field] = &column;
    map.field_of_column.push_back(found == nullptr ? ColumnMap::kMissing : found->field);
  }
  if (std::all_of(used.begin(), used.end(),
                  [](const Field* column) { return column == nullptr; })) {
    return mismatch("the header has none of the schema's columns: its names are " + list_of(names) +
                    "; if the object has no header, set --no-header, else check --delimiter and "
                    "--schema");
  }
  if (!not_null.empty()) {
    return mismatch("the header lacks columns that must not be null: " + list_of(not_null) +
                    "; its names are " + list_of(names));
  }
  if (missing == MissingColumns::kFail && !map.drift.missing.empty()) {
    return mismatch("the header lacks columns of the schema: " + list_of(map.drift.missing) +
                    "; its names are " + list_of(names) +
                    "; --missing-columns null reads them as null");
  }
  for (std::size_t i = 0; i < header.size(); ++i) {
    if (used[i] == nullptr) map.drift.extra.push_back(names[i]);
  }
  if (extra == ExtraColumns::kFail && !map.drift.extra.empty()) {
    return mismatch(
        "the header has columns that the schema does not know: " + list_of(map.drift.extra) +
        "; add them to --schema, or set --extra-columns ignore");
  }
  return map;
}

Result<Schema> schema_of_names(const std::vector<std::string>& names) {
  Schema schema;
  std::unordered_set<std::string_view> known;
  for (const std::string& name : names) {
    std::string fault;
    if (name.empty()) {
      fault = "is empty";
    } else if (!known.insert(name).second) {
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
