#include "connector/sqlite/sqlite_sink.h"

#include <string_view>
#include <utility>

#include "connector/owner_token.h"
#include "connector/progress_row.h"
#include "connector/sink_errors.h"
#include "connector/sql_name.h"
#include "connector/sqlite/record_rows.h"

namespace leat::connector {
namespace {

constexpr std::string_view kMakeTables = R"sql(
CREATE TABLE IF NOT EXISTS leat_pipeline (
  pipeline TEXT NOT NULL PRIMARY KEY, owner TEXT NOT NULL, epoch INTEGER NOT NULL,
  token INTEGER NOT NULL, parent INTEGER NOT NULL, target TEXT);
CREATE TABLE IF NOT EXISTS leat_split (
  pipeline TEXT NOT NULL, key BLOB NOT NULL, epoch INTEGER NOT NULL, progress BLOB NOT NULL,
  PRIMARY KEY (pipeline, key)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS leat_split_epoch ON leat_split (pipeline, epoch);
)sql";

constexpr std::string_view kMakeRejectTable = R"sql(
CREATE TABLE IF NOT EXISTS leat_reject (
  pipeline TEXT NOT NULL, object TEXT NOT NULL, version TEXT NOT NULL, record INTEGER NOT NULL,
  byte_offset INTEGER NOT NULL, column_name TEXT, text TEXT, raw BLOB NOT NULL, code TEXT NOT NULL,
  reason TEXT NOT NULL);
)sql";

}  // namespace

Result<EpochMark> SqliteSink::open(std::string_view pipeline, const EpochMark& ledger,
                                   const ProgressVisitor& visit) {
  if (database_) return Error{ErrorCode::kInternal, "The SQLite sink is open already."};
  pipeline_ = pipeline;
  auto database = Database::open(options_.path, options_.busy_timeout_ms);
  if (!database) return std::move(database).error();
  database_ = *std::move(database);
  failed_ = false;
  auto mark = take_over(ledger);
  if (mark) {
    if (auto visited = visit_progress(ledger.epoch, visit); !visited) {
      mark = std::move(visited).error();
    }
  }
  if (!mark) (void)close();
  return mark;
}

// From its commit on, the transactions of every earlier owner fail their owner check.
Result<EpochMark> SqliteSink::take_over(const EpochMark& ledger) {
  auto token = random_owner_token();
  if (!token) return std::move(token).error();
  if (auto begun = database_->execute("BEGIN IMMEDIATE"); !begun) return std::move(begun).error();
  if (auto made = make_tables(); !made) return std::move(made).error();
  if (auto prepared = prepare_statements(); !prepared) return std::move(prepared).error();
  if (auto there = check_target(); !there) return std::move(there).error();
  auto mark = claim(*token);
  if (!mark) return mark;
  if (!mark->follows(ledger)) return other_history(options_.path, pipeline_, *mark, ledger);
  if (auto done = database_->execute("COMMIT"); !done) return std::move(done).error();
  owner_ = *std::move(token);
  return mark;
}

Result<void> SqliteSink::make_tables() {
  if (auto made = database_->execute(std::string(kMakeTables)); !made) return made;
  return options_.keep_rejects ? database_->execute(std::string(kMakeRejectTable)) : Result<void>();
}

/// That the table which the pipeline was loaded into is still there.
Result<void> SqliteSink::check_target() {
  auto target = database_->prepare(
      "SELECT target FROM leat_pipeline WHERE pipeline = ?1 AND target IS NOT NULL AND "
      "NOT EXISTS (SELECT * FROM sqlite_schema WHERE name = target COLLATE NOCASE)");
  if (!target) return std::move(target).error();
  target->bind_text(1, pipeline_);
  auto gone = target->step(*database_, "look for the table in");
  if (!gone) return std::move(gone).error();
  if (!*gone) return {};
  return Error{ErrorCode::kStateMismatch,
               "the table " + std::string(target->bytes(0)) + " is gone from " + options_.path +
                   ", but the record of what was loaded into it is still there. Restore it; or, "
                   "to load everything again, delete the rows of \"" +
                   pipeline_ + "\" from leat_pipeline and leat_split, and remove the state folder"};
}

/// A sink that is opened again takes the pipeline from itself alone.
Result<EpochMark> SqliteSink::claim(const std::string& owner) {
  auto take = database_->prepare(
      "INSERT INTO leat_pipeline (pipeline, owner, epoch, token, parent) VALUES (?1, ?2, 0, 0, 0) "
      "ON CONFLICT (pipeline) DO UPDATE SET owner = excluded.owner WHERE ?3 IN ('', owner) "
      "RETURNING epoch, token, parent");
  if (!take) return std::move(take).error();
  take->bind_text(1, pipeline_);
  take->bind_text(2, owner);
  take->bind_text(3, owner_);  // Empty the first time that the sink is opened.
  auto row = take->step(*database_, "take over the pipeline in");
  if (!row) return std::move(row).error();
  if (!*row) return fenced();
  return EpochMark{.epoch = static_cast<std::uint64_t>(take->integer(0)),
                   .token = static_cast<std::uint64_t>(take->integer(1)),
                   .parent = static_cast<std::uint64_t>(take->integer(2))};
}

Result<void> SqliteSink::visit_progress(std::uint64_t since_epoch, const ProgressVisitor& visit) {
  auto select =
      database_->prepare("SELECT key, progress FROM leat_split WHERE pipeline = ?1 AND epoch > ?2");
  if (!select) return std::move(select).error();
  select->bind_text(1, pipeline_);
  select->bind(2, static_cast<std::int64_t>(since_epoch));
  for (;;) {
    auto row = select->step(*database_, "read the progress in");
    if (!row) return std::move(row).error();
    if (!*row) return {};
    auto progress = decode_progress_row("leat_split", select->bytes(0), select->bytes(1));
    if (!progress) return std::move(progress).error();
    if (auto visited = visit(*progress); !visited) return visited;
  }
}

Result<void> SqliteSink::prepare_statements() {
  auto select_owner = database_->prepare("SELECT owner FROM leat_pipeline WHERE pipeline = ?1");
  if (!select_owner) return std::move(select_owner).error();
  auto upsert_split = database_->prepare(
      "INSERT INTO leat_split (pipeline, key, epoch, progress) VALUES (?1, ?2, ?3, ?4) "
      "ON CONFLICT (pipeline, key) DO UPDATE SET epoch = excluded.epoch, "
      "progress = excluded.progress");
  if (!upsert_split) return std::move(upsert_split).error();
  auto delete_split = database_->prepare("DELETE FROM leat_split WHERE pipeline = ?1 AND key = ?2");
  if (!delete_split) return std::move(delete_split).error();
  auto update_pipeline = database_->prepare(
      "UPDATE leat_pipeline SET epoch = ?3, token = ?4, parent = ?5 "
      "WHERE pipeline = ?1 AND owner = ?2");
  if (!update_pipeline) return std::move(update_pipeline).error();
  statements_ = Statements{.select_owner = *std::move(select_owner),
                           .upsert_split = *std::move(upsert_split),
                           .delete_split = *std::move(delete_split),
                           .update_pipeline = *std::move(update_pipeline),
                           .insert_reject = {},
                           .delete_rejects = {}};
  if (!options_.keep_rejects) return {};
  auto insert_reject = database_->prepare(
      "INSERT INTO leat_reject (pipeline, object, version, record, byte_offset, column_name, text, "
      "raw, code, reason) VALUES (?1, ?2, ?3, ?4, ?5, nullif(?6, ''), ?7, ?8, ?9, ?10)");
  if (!insert_reject) return std::move(insert_reject).error();
  statements_->insert_reject = *std::move(insert_reject);
  auto delete_rejects = database_->prepare(
      "DELETE FROM leat_reject WHERE rowid >= ?1 AND pipeline = ?2 AND object = ?3 "
      "AND version = ?4");
  if (!delete_rejects) return std::move(delete_rejects).error();
  statements_->delete_rejects = *std::move(delete_rejects);
  return {};
}

Result<void> SqliteSink::begin() {
  if (!database_ || failed_) {
    return Error{ErrorCode::kInternal, "The SQLite sink was used after an error or before open()."};
  }
  if (database_->in_transaction()) return {};
  // Nobody can take the pipeline over from here to the commit: SQLite has one writer at a time.
  if (auto begun = database_->execute("BEGIN IMMEDIATE"); !begun) return begun;
  Statement& select = statements_->select_owner;
  select.bind_text(1, pipeline_);
  auto row = select.step(*database_, "read the owner in");
  const bool owned = row && *row && select.bytes(0) == owner_;
  select.reset();
  if (!row) return std::move(row).error();
  if (!owned) return fenced();
  return {};
}

Result<void> SqliteSink::write(const RowChunk& chunk) {
  return or_roll_back(write_in_transaction(chunk));
}

Result<void> SqliteSink::write_in_transaction(const RowChunk& chunk) {
  if (auto begun = begin(); !begun) return begun;
  if (!inserter_ && chunk.schema) {
    auto target = open_target_table(*database_, options_.table, *chunk.schema);
    if (!target) return std::move(target).error();
    auto inserter = RowInserter::create(*database_, target->name, *chunk.schema);
    if (!inserter) return std::move(inserter).error();
    auto keep = database_->prepare("UPDATE leat_pipeline SET target = ?2 WHERE pipeline = ?1");
    if (!keep) return std::move(keep).error();
    keep->bind_text(1, pipeline_);
    keep->bind_text(2, target->name);
    if (auto kept = keep->run(*database_, "name the table in"); !kept) return kept;
    target_ = *std::move(target);
    inserter_ = *std::move(inserter);
  }
  if (chunk.rows > 0) {
    if (auto rows = write_rows(chunk); !rows) return rows;
  }
  if (options_.keep_rejects && !chunk.rejects.empty()) return write_rejects(chunk);
  return {};
}

Result<void> SqliteSink::write_rows(const RowChunk& chunk) {
  const std::int64_t before = database_->total_changes();
  auto largest = target_->rowid.empty() ? Result<std::int64_t>(0) : largest_rowid();
  if (!largest) return std::move(largest).error();
  if (auto inserted = inserter_->insert(chunk); !inserted) return inserted;
  // SQLite numbers new rows upwards from the largest there is, so the chunk's rows lie together
  // behind it: unless rules of the table left rows out, or the largest number was taken already.
  Written range{.split = *chunk.split,
                .first_rowid = database_->last_insert_rowid() - chunk.rows + 1,
                .last_rowid = database_->last_insert_rowid(),
                .contiguous = database_->total_changes() - before == chunk.rows &&
                              database_->last_insert_rowid() - *largest == chunk.rows};
  if (!written_.empty() && written_.back().contiguous && range.contiguous &&
      written_.back().split.same_version(range.split) &&
      written_.back().last_rowid + 1 == range.first_rowid) {
    written_.back().last_rowid = range.last_rowid;
  } else {
    written_.push_back(std::move(range));
  }
  return {};
}

Result<std::int64_t> SqliteSink::largest_rowid() {
  auto select = database_->prepare("SELECT ifnull(max(" + target_->rowid + "), 0) FROM " +
                                   quote_sql_name(target_->name));
  if (!select) return std::move(select).error();
  auto row = select->step(*database_, "look at the rows of");
  if (!row) return std::move(row).error();
  return select->integer(0);
}

Result<void> SqliteSink::write_rejects(const RowChunk& chunk) {
  Statement& insert = *statements_->insert_reject;
  for (const RejectedRow& reject : chunk.rejects) {
    insert.bind_text(1, pipeline_);
    bind_readable(insert, 2, chunk.split->key);
    bind_readable(insert, 3, chunk.split->version);
    insert.bind(4, static_cast<std::int64_t>(reject.record));
    insert.bind(5, static_cast<std::int64_t>(reject.byte_offset));
    bind_readable(insert, 6, reject.column);
    bind_readable(insert, 7, reject.text);
    insert.bind_blob(8, reject.raw);
    insert.bind_text(9, error_code_name(reject.code));
    bind_readable(insert, 10, reject.reason);
    if (auto done = insert.run(*database_, "add a reject to"); !done) return done;
    if (!first_reject_rowid_) first_reject_rowid_ = database_->last_insert_rowid();
  }
  return {};
}

Result<void> SqliteSink::discard(const ObjectVersion& split) {
  if (!database_ || failed_ || !database_->in_transaction()) return {};
  for (const Written& range : written_) {
    if (range.split.same_version(split) && !(range.contiguous && !target_->rowid.empty())) {
      return Error{ErrorCode::kUnsupported,
                   "Rows of " + split.key + " cannot be taken back from the table " +
                       options_.table + ": its rows have no numbers of SQLite's own."};
    }
  }
  return or_roll_back(discard_in_transaction(split));
}

Result<void> SqliteSink::discard_in_transaction(const ObjectVersion& split) {
  for (const Written& range : written_) {
    if (!range.split.same_version(split)) continue;
    auto erase = database_->prepare("DELETE FROM " + quote_sql_name(target_->name) + " WHERE " +
                                    target_->rowid + " BETWEEN ?1 AND ?2");
    if (!erase) return std::move(erase).error();
    erase->bind(1, range.first_rowid);
    erase->bind(2, range.last_rowid);
    if (auto done = erase->run(*database_, "take rows back from"); !done) return done;
  }
  std::erase_if(written_,
                [&split](const Written& range) { return range.split.same_version(split); });
  if (!first_reject_rowid_) return {};
  Statement& erase = *statements_->delete_rejects;
  erase.bind(1, *first_reject_rowid_);
  erase.bind_text(2, pipeline_);
  bind_readable(erase, 3, split.key);
  bind_readable(erase, 4, split.version);
  return erase.run(*database_, "take rejects back from");
}

Result<void> SqliteSink::commit(const Checkpoint& checkpoint) {
  return or_roll_back(commit_in_transaction(checkpoint));
}

Result<void> SqliteSink::commit_in_transaction(const Checkpoint& checkpoint) {
  if (auto begun = begin(); !begun) return begun;
  for (const SplitProgress& split : checkpoint.splits) {
    if (split.state == SplitState::kNoted) continue;
    if (auto kept = keep_progress(split); !kept) return kept;
  }
  Statement& update = statements_->update_pipeline;
  update.bind_text(1, pipeline_);
  update.bind_text(2, owner_);
  update.bind(3, static_cast<std::int64_t>(checkpoint.epoch));
  update.bind(4, static_cast<std::int64_t>(checkpoint.token));
  update.bind(5, static_cast<std::int64_t>(checkpoint.parent));
  if (auto done = update.run(*database_, "write the epoch to"); !done) return done;
  if (database_->changes() != 1) return fenced();
  step("commit begins");
  if (auto done = database_->execute("COMMIT"); !done) return done;
  step("commit answered");
  written_.clear();
  first_reject_rowid_.reset();
  return {};
}

Result<void> SqliteSink::keep_progress(const SplitProgress& progress) {
  if (progress.state == SplitState::kForgotten) {
    Statement& erase = statements_->delete_split;
    erase.bind_text(1, pipeline_);
    erase.bind_blob(2, progress.object.key);
    return erase.run(*database_, "drop the progress of a forgotten object from");
  }
  const std::string bytes = encode_progress_row(progress);
  Statement& upsert = statements_->upsert_split;
  upsert.bind_text(1, pipeline_);
  upsert.bind_blob(2, progress.object.key);
  upsert.bind(3, static_cast<std::int64_t>(progress.epoch));
  upsert.bind_blob(4, bytes);
  return upsert.run(*database_, "write the progress to");
}

Result<void> SqliteSink::close() {
  if (!database_) return {};
  database_->rollback();
  inserter_.reset();
  target_.reset();
  statements_.reset();
  database_.reset();
  written_.clear();
  first_reject_rowid_.reset();
  return {};
}

Result<void> SqliteSink::or_roll_back(Result<void> result) {
  if (!result) {
    if (database_) database_->rollback();
    failed_ = true;
  }
  return result;
}

Error SqliteSink::fenced() const {
  return {.code = ErrorCode::kFenced,
          .message = "Another loader took the pipeline \"" + pipeline_ + "\" over in " +
                     options_.path +
                     ": nothing more was written. Only one loader may run a pipeline."};
}

}  // namespace leat::connector
