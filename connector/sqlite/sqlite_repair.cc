// What repairing asks of the SQLite sink: to look, and to take rows out again.

#include <utility>

#include "connector/sink_errors.h"
#include "connector/sql_name.h"
#include "connector/sqlite/record_rows.h"
#include "connector/sqlite/sqlite_reader.h"
#include "connector/sqlite/sqlite_sink.h"

namespace leat::connector {
namespace {

// Lives as long as the connection, or the transaction that made it. Values are TEXT, as the
// lineage columns are, so that an index on _object can be used where there is one. An empty
// version: any.
constexpr std::string_view kRemoved = R"sql(
CREATE TEMP TABLE IF NOT EXISTS leat_removed (
  key TEXT NOT NULL, version TEXT NOT NULL, first INTEGER NOT NULL, behind INTEGER NOT NULL,
  PRIMARY KEY (key, version, first)) WITHOUT ROWID;
DELETE FROM temp.leat_removed;
)sql";

std::int64_t offset(std::uint64_t bytes) {
  return bytes > INT64_MAX ? INT64_MAX : static_cast<std::int64_t>(bytes);
}

}  // namespace

Result<std::unique_ptr<SinkReader>> SqliteSink::read(std::string_view pipeline) const {
  return SqliteReader::open(options_.path, options_.table, pipeline, options_.busy_timeout_ms);
}

Result<std::uint64_t> SqliteSink::remove_rows(std::span<const RowsOfObject> ranges) {
  auto removed = remove_rows_in_transaction(ranges);
  if (!removed) return or_roll_back(std::move(removed).error()).error();
  step("rows removed");
  return removed;
}

Result<std::uint64_t> SqliteSink::remove_rows_in_transaction(std::span<const RowsOfObject> ranges) {
  if (auto begun = begin(); !begun) return std::move(begun).error();
  auto lineage = has_lineage(*database_, options_.table);
  if (!lineage) return std::move(lineage).error();
  if (!*lineage) return no_lineage_to_remove_by(options_.table);
  if (auto made = database_->execute(std::string(kRemoved)); !made) return std::move(made).error();
  {
    auto insert =
        database_->prepare("INSERT OR IGNORE INTO temp.leat_removed VALUES (?1, ?2, ?3, ?4)");
    if (!insert) return std::move(insert).error();
    for (const RowsOfObject& range : ranges) {
      insert->bind_text(1, range.object.key);
      insert->bind_text(2, range.any_version ? std::string_view() : range.object.version);
      insert->bind(3, offset(range.bytes.begin));
      insert->bind(4, offset(range.bytes.end));
      if (auto done = insert->run(*database_, "note rows to remove in"); !done) {
        return std::move(done).error();
      }
    }
  }
  if (auto sole = check_sole_owner(); !sole) return std::move(sole).error();
  auto erase =
      database_->prepare("DELETE FROM " + quote_sql_name(options_.table) +
                         " AS t WHERE t._object IN (SELECT key FROM temp.leat_removed) AND "
                         "EXISTS (SELECT 1 FROM temp.leat_removed AS r WHERE r.key = t._object AND "
                         "(r.version = t._version OR r.version = '') AND t._offset >= r.first AND "
                         "t._offset < r.behind)");
  if (!erase) return std::move(erase).error();
  if (auto done = erase->run(*database_, "take rows out of"); !done) return std::move(done).error();
  const auto removed = static_cast<std::uint64_t>(database_->changes());
  written_.clear();  // Row numbers may be given again from here.
  auto rejects = has_table(*database_, "leat_reject");
  if (!rejects) return std::move(rejects).error();
  if (!*rejects) return removed;
  auto forget = database_->prepare(
      "DELETE FROM leat_reject WHERE pipeline = ?1 AND "
      "EXISTS (SELECT 1 FROM temp.leat_removed AS r WHERE "
      "CAST(r.key AS BLOB) = CAST(object AS BLOB) AND "
      "(r.version = '' OR CAST(r.version AS BLOB) = CAST(leat_reject.version AS BLOB)) AND "
      "byte_offset >= r.first AND byte_offset < r.behind)");
  if (!forget) return std::move(forget).error();
  forget->bind_text(1, pipeline_);
  if (auto done = forget->run(*database_, "take rejects out of"); !done) {
    return std::move(done).error();
  }
  return removed;
}

// Lineage names key and version, not the bucket: two pipelines with a key in common look alike.
Result<void> SqliteSink::check_sole_owner() {
  auto other = database_->prepare(
      "SELECT p.pipeline, s.key FROM leat_pipeline AS p, temp.leat_removed AS r, leat_split AS s "
      "WHERE p.pipeline <> ?1 AND p.target = ?2 COLLATE NOCASE AND s.pipeline = p.pipeline AND "
      "s.key = CAST(r.key AS BLOB) LIMIT 1");
  if (!other) return std::move(other).error();
  other->bind_text(1, pipeline_);
  other->bind_text(2, options_.table);
  auto row = other->step(*database_, "look for other pipelines in");
  if (!row) return std::move(row).error();
  if (!*row) return {};
  return Error{ErrorCode::kUnsupported,
               "the pipeline \"" + std::string(other->bytes(0)) + "\" loaded an object " +
                   std::string(other->bytes(1)) + " into the table " + options_.table +
                   " as well, and rows do not tell whose they are: take them out by hand"};
}

Result<void> SqliteSink::remove_rejects(std::span<const KeptReject> rejects) {
  return or_roll_back(remove_rejects_in_transaction(rejects));
}

Result<void> SqliteSink::remove_rejects_in_transaction(std::span<const KeptReject> rejects) {
  if (auto begun = begin(); !begun) return begun;
  auto erase = database_->prepare(
      "DELETE FROM leat_reject WHERE pipeline = ?1 AND object = ?2 AND version = ?3 AND "
      "record = ?4 AND byte_offset = ?5");
  if (!erase) return std::move(erase).error();
  for (const KeptReject& kept : rejects) {
    erase->bind_text(1, pipeline_);
    bind_readable(*erase, 2, kept.key);
    bind_readable(*erase, 3, kept.version);
    erase->bind(4, static_cast<std::int64_t>(kept.reject.record));
    erase->bind(5, static_cast<std::int64_t>(kept.reject.byte_offset));
    if (auto done = erase->run(*database_, "take a reject out of"); !done) return done;
  }
  step("rejects removed");
  return {};
}

Result<void> SqliteSink::roll_back() {
  if (!database_ || failed_) {
    return Error{ErrorCode::kInternal, "The SQLite sink was used after an error or before open()."};
  }
  database_->rollback();
  step("rolled back");
  // The table may have been made in this very transaction.
  inserter_.reset();
  target_.reset();
  written_.clear();
  first_reject_rowid_.reset();
  return {};
}

}  // namespace leat::connector
