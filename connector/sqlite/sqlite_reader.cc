#include "connector/sqlite/sqlite_reader.h"

#include <utility>

#include "connector/progress_row.h"
#include "connector/sink_errors.h"
#include "connector/sql_name.h"

namespace leat::connector {

Result<bool> has_table(Database& database, const std::string& name) {
  auto select = database.prepare(
      "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1 COLLATE NOCASE");
  if (!select) return std::move(select).error();
  select->bind_text(1, name);
  return select->step(database, "look at the tables of");
}

Result<bool> has_lineage(Database& database, const std::string& table) {
  auto select = database.prepare(
      "SELECT count(*) FROM pragma_table_info(?1, 'main') WHERE name COLLATE NOCASE IN "
      "('_object', '_version', '_offset', '_record')");
  if (!select) return std::move(select).error();
  select->bind_text(1, table);
  auto row = select->step(database, "look at the columns of");
  if (!row) return std::move(row).error();
  return select->integer(0) == 4;
}

Result<std::unique_ptr<SinkReader>> SqliteReader::open(const std::string& path,
                                                       const std::string& table,
                                                       std::string_view pipeline,
                                                       int busy_timeout_ms) {
  auto database = Database::open_to_read(path, busy_timeout_ms);
  if (!database) return std::move(database).error();
  std::unique_ptr<SqliteReader> reader(new SqliteReader(*std::move(database), table, pipeline));
  if (auto begun = reader->begin(); !begun) return std::move(begun).error();
  return std::unique_ptr<SinkReader>(std::move(reader));
}

Result<void> SqliteReader::begin() {
  if (auto begun = database_.execute("BEGIN"); !begun) return begun;
  auto known = has_table(database_, "leat_pipeline");
  if (!known) return std::move(known).error();
  Error unknown{ErrorCode::kNotFound, "there is no record of the pipeline \"" + pipeline_ +
                                          "\" beside the table " + table_ +
                                          ": nothing was committed to it under this name"};
  if (!*known) return unknown;
  auto select = database_.prepare(
      "SELECT epoch, token, parent, target IS NOT NULL FROM leat_pipeline WHERE pipeline = ?1");
  if (!select) return std::move(select).error();
  select->bind_text(1, pipeline_);
  auto row = select->step(database_, "read the epoch in");
  if (!row) return std::move(row).error();
  if (!*row) return unknown;
  mark_ = {.epoch = static_cast<std::uint64_t>(select->integer(0)),
           .token = static_cast<std::uint64_t>(select->integer(1)),
           .parent = static_cast<std::uint64_t>(select->integer(2))};
  loaded_into_ = select->integer(3) != 0;
  return {};
}

Result<std::optional<SplitProgress>> SqliteReader::next_progress() {
  if (!progress_) {
    auto select =
        database_.prepare("SELECT key, progress FROM leat_split WHERE pipeline = ?1 ORDER BY key");
    if (!select) return std::move(select).error();
    progress_ = *std::move(select);
    progress_->bind_text(1, pipeline_);
  }
  auto row = progress_->step(database_, "read the progress in");
  if (!row) return std::move(row).error();
  if (!*row) return std::optional<SplitProgress>();
  auto progress = decode_progress_row("leat_split", progress_->bytes(0), progress_->bytes(1));
  if (!progress) return std::move(progress).error();
  return std::optional<SplitProgress>(*std::move(progress));
}

Result<Statement> SqliteReader::select_rows() {
  auto made = has_table(database_, table_);
  if (!made) return std::move(made).error();
  // It is made with its first rows.
  if (!*made && !loaded_into_) return database_.prepare("SELECT NULL WHERE false");
  auto lineage = has_lineage(database_, table_);
  if (!lineage) return std::move(lineage).error();
  if (!*lineage) return no_lineage_to_count_by(table_);
  // By place: a column of the user's may have any name that could be given here.
  return database_.prepare(
      "SELECT CAST(_object AS BLOB), CAST(_version AS BLOB), count(*), count(DISTINCT _record) "
      "FROM " +
      quote_sql_name(table_) + " WHERE _object IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2");
}

Result<std::optional<ObjectRows>> SqliteReader::next_rows() {
  if (!rows_) {
    auto select = select_rows();
    if (!select) return std::move(select).error();
    rows_ = *std::move(select);
  }
  auto row = rows_->step(database_, "count the rows of");
  if (!row) return std::move(row).error();
  if (!*row) return std::optional<ObjectRows>();
  return std::optional<ObjectRows>(
      ObjectRows{.key = std::string(rows_->bytes(0)),
                 .version = std::string(rows_->bytes(1)),
                 .rows = static_cast<std::uint64_t>(rows_->integer(2)),
                 .records = static_cast<std::uint64_t>(rows_->integer(3))});
}

Result<std::optional<KeptReject>> SqliteReader::next_reject() {
  if (!rejects_) {
    auto kept = has_table(database_, "leat_reject");
    if (!kept) return std::move(kept).error();
    if (!*kept) return std::optional<KeptReject>();
    auto select = database_.prepare(
        "SELECT object, version, record, byte_offset, ifnull(column_name, ''), text, raw, code, "
        "reason FROM leat_reject WHERE pipeline = ?1 ORDER BY CAST(object AS BLOB), record, "
        "byte_offset");
    if (!select) return std::move(select).error();
    rejects_ = *std::move(select);
    rejects_->bind_text(1, pipeline_);
  }
  auto row = rejects_->step(database_, "read the rejects of");
  if (!row) return std::move(row).error();
  if (!*row) return std::optional<KeptReject>();
  const Statement& at = *rejects_;
  KeptReject kept{
      .key = std::string(at.bytes(0)),
      .version = std::string(at.bytes(1)),
      .reject = {.record = static_cast<std::uint64_t>(at.integer(2)),
                 .byte_offset = static_cast<std::uint64_t>(at.integer(3)),
                 .column = std::string(at.bytes(4)),
                 .text = std::string(at.bytes(5)),
                 .raw = std::string(at.bytes(6)),
                 .code = leat::error_code_of(at.bytes(7)).value_or(ErrorCode::kBadValue),
                 .reason = std::string(at.bytes(8))}};
  return std::optional<KeptReject>(std::move(kept));
}

}  // namespace leat::connector
