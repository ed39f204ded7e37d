#include "connector/postgres/removal.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "connector/postgres/record.h"
#include "connector/postgres/target_table.h"
#include "connector/sink_errors.h"

namespace leat::connector {
namespace {

std::string bigint_text(std::uint64_t number) {
  return std::to_string(std::min<std::uint64_t>(number, INT64_MAX));
}

/// Ranges as the columns of a statement: all of them as bytea, which needs no escaping. An empty
/// version stands for any.
class RangeArrays {
 public:
  void append(std::string_view key, std::string_view version, std::uint64_t first,
              std::uint64_t behind) {
    keys_.append(key);
    versions_.append(version);
    firsts_.append(bigint_text(first));
    behinds_.append(bigint_text(behind));
    ++count_;
  }
  bool empty() const { return count_ == 0; }

  /// Deletes from a table the rows, called t, for which `condition` on them and on r holds.
  ///
  /// @return  How many.
  Result<std::uint64_t> erase(PgConnection& connection, const std::string& table,
                              const std::string& condition) {
    auto erased = connection.run(
        "DELETE FROM " + table +
            " AS t USING (SELECT k AS key, convert_from(v, 'UTF8') AS version, convert_from(a, "
            "'UTF8')::bigint AS first, convert_from(b, 'UTF8')::bigint AS behind FROM "
            "unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::bytea[]) AS u (k, v, a, b)) AS r "
            "WHERE " +
            condition,
        {keys_.parameter(), versions_.parameter(), firsts_.parameter(), behinds_.parameter()});
    if (!erased) return std::move(erased).error();
    return static_cast<std::uint64_t>(erased->changed());
  }

 private:
  PgByteaArray keys_, versions_, firsts_, behinds_;
  std::size_t count_ = 0;
};

/// Lineage names key and version, not the bucket: two pipelines with a key in common look alike.
Result<void> check_sole_owner(PgConnection& connection, const std::string& pipeline,
                              const std::string& table, std::span<const RowsOfObject> ranges) {
  PgByteaArray keys;
  for (const RowsOfObject& range : ranges) keys.append(range.object.key);
  auto other = connection.run(
      "SELECT p.pipeline, encode(s.key, 'hex') FROM leat.pipeline p JOIN leat.position s ON "
      "s.pipeline = p.pipeline WHERE p.pipeline <> $1 AND to_regclass(p.target) = "
      "to_regclass($2::text) AND s.key = ANY ($3::bytea[]) LIMIT 1",
      {{.value = pipeline}, {.value = table}, keys.parameter()});
  if (!other) return std::move(other).error();
  if (other->rows() == 0) return {};
  return Error{ErrorCode::kUnsupported,
               "the pipeline \"" + std::string(other->text(0, 0)) + "\" loaded an object " +
                   bytes_of_hex(other->text(0, 1)) + " into the table " + table +
                   " as well, and rows do not tell whose they are: take them out by hand"};
}

Result<std::uint64_t> erase_rows(PgConnection& connection, const std::string& table,
                                 const PgLineage& lineage, std::span<const RowsOfObject> ranges) {
  RangeArrays arrays;
  for (const RowsOfObject& range : ranges) {
    // Of other keys there can be no rows: they stand in a column of text.
    if (!is_pg_text(range.object.key) || !is_pg_text(range.object.version)) continue;
    arrays.append(range.object.key, range.any_version ? "" : range.object.version,
                  range.bytes.begin, range.bytes.end);
  }
  if (arrays.empty()) return std::uint64_t{0};
  return arrays.erase(connection, table,
                      "t." + lineage.object + "::text = convert_from(r.key, 'UTF8') COLLATE " +
                          lineage.object_collation + " AND (r.version = '' OR t." +
                          lineage.version + "::text = r.version COLLATE \"C\") AND t." +
                          lineage.offset + "::bigint >= r.first AND t." + lineage.offset +
                          "::bigint < r.behind");
}

}  // namespace

Result<std::optional<PgLineage>> find_pg_lineage(PgConnection& connection,
                                                 const std::string& table) {
  constexpr std::array<std::string_view, 4> kNames{"_object", "_version", "_offset", "_record"};
  auto columns = find_postgres_columns(connection, table, kNames);
  if (!columns) return std::move(columns).error();
  if (columns->empty()) return Error{ErrorCode::kNotFound, "there is no table " + table};
  if (std::find(columns->begin(), columns->end(), "") != columns->end()) {
    return std::optional<PgLineage>();
  }
  auto collation = connection.run(
      "SELECT format('%I.%I', n.nspname, c.collname) FROM pg_attribute a JOIN pg_collation c ON "
      "c.oid = a.attcollation JOIN pg_namespace n ON n.oid = c.collnamespace WHERE a.attrelid = "
      "to_regclass($1) AND '\"' || replace(a.attname, '\"', '\"\"') || '\"' = $2 AND "
      "c.collisdeterministic",
      {{.value = table}, {.value = columns->front(), .type = kPgTextOid}});
  if (!collation) return std::move(collation).error();
  return std::optional<PgLineage>(PgLineage{
      .object = (*columns)[0],
      .object_collation = collation->rows() == 1 ? std::string(collation->text(0, 0)) : "\"C\"",
      .version = (*columns)[1],
      .offset = (*columns)[2],
      .record = (*columns)[3]});
}

Result<std::uint64_t> remove_pg_rows(PgConnection& connection, const std::string& pipeline,
                                     const std::string& table,
                                     std::span<const RowsOfObject> ranges) {
  Result<std::optional<PgLineage>> lineage = find_pg_lineage(connection, table);
  if (!lineage) return std::move(lineage).error();
  if (!*lineage) return no_lineage_to_remove_by(table);
  if (Result<void> sole = check_sole_owner(connection, pipeline, table, ranges); !sole) {
    return std::move(sole).error();
  }
  Result<std::uint64_t> removed = erase_rows(connection, table, **lineage, ranges);
  if (!removed) return removed;
  RangeArrays arrays;
  for (const RowsOfObject& range : ranges) {
    arrays.append(range.object.key,
                  range.any_version ? std::string()
                                    : pg_readable(range.object.version, connection.holds_unicode()),
                  range.bytes.begin, range.bytes.end);
  }
  auto rejects = arrays.erase(connection, "leat.reject",
                              "t.pipeline = " + connection.literal(pipeline) +
                                  " AND t.key = r.key AND r.version IN ('', t.version) AND "
                                  "t.byte_offset >= r.first AND t.byte_offset < r.behind");
  if (!rejects) return std::move(rejects).error();
  return removed;
}

Result<void> remove_pg_rejects(PgConnection& connection, const std::string& pipeline,
                               std::span<const KeptReject> rejects) {
  RangeArrays arrays;
  for (const KeptReject& kept : rejects) {
    arrays.append(kept.key, pg_readable(kept.version, connection.holds_unicode()),
                  kept.reject.record, kept.reject.byte_offset);
  }
  if (arrays.empty()) return {};
  auto erased = arrays.erase(connection, "leat.reject",
                             "t.pipeline = " + connection.literal(pipeline) +
                                 " AND t.key = r.key AND t.version = r.version AND t.record = "
                                 "r.first AND t.byte_offset = r.behind");
  if (!erased) return std::move(erased).error();
  return {};
}

}  // namespace leat::connector
