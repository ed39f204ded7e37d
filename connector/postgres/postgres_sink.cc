#include "connector/postgres/postgres_sink.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "connector/owner_token.h"
#include "connector/postgres/postgres_reader.h"
#include "connector/postgres/record.h"
#include "connector/progress_row.h"
#include "connector/sink_errors.h"

namespace leat::connector {
namespace {

// How long a former owner's transaction may take to end before its sessions are ended.
constexpr std::uint32_t kTakeOverWaitMs = 2'000;
constexpr int kTakeOverAttempts = 5;

Buffer copy_of(const Buffer& buffer) {
  Buffer copy;
  copy.append(buffer.data(), buffer.size());
  return copy;
}

RowChunk copy_of(const RowChunk& chunk) {
  RowChunk copy;
  copy.schema = chunk.schema;
  copy.rows = chunk.rows;
  for (const Column& column : chunk.columns) {
    copy.columns.push_back({.validity = copy_of(column.validity),
                            .offsets = copy_of(column.offsets),
                            .values = copy_of(column.values),
                            .null_count = column.null_count});
  }
  copy.split = chunk.split;
  copy.records = chunk.records;
  copy.record_offsets = copy_of(chunk.record_offsets);
  copy.record_numbers = copy_of(chunk.record_numbers);
  copy.rejects = chunk.rejects;
  return copy;
}

}  // namespace

PostgresSink::PostgresSink(std::string uri, std::string table, const SinkOptions& options)
    : options_(options), table_(std::move(table)) {
  context_.session = {.uri = std::move(uri),
                      .application_name = {},
                      .statement_timeout_ms = options.statement_timeout_ms,
                      .lock_timeout_ms = options.lock_timeout_ms};
  context_.table = table_;
  context_.keep_rejects = options.keep_rejects;
  context_.reject_refused = options.reject_refused;
  context_.refused_rows_max = options.refused_rows_max;
  context_.on_step = options.on_step;
}

Result<EpochMark> PostgresSink::open(std::string_view pipeline, const EpochMark& ledger,
                                     const ProgressVisitor& visit) {
  if (control_) return Error{ErrorCode::kInternal, "The PostgreSQL sink is open already."};
  // An attempt whose answer was lost may have made that one the owner.
  Result<std::string> owner = claimed_.empty() ? random_owner_token() : claimed_;
  if (!owner) return std::move(owner).error();
  context_.pipeline = pipeline;
  context_.session.application_name = application_name(*owner);
  Result<PgConnection> control = PgConnection::open(context_.session);
  if (!control) return std::move(control).error();
  control_ = *std::move(control);
  failed_ = false;
  Result<EpochMark> mark = take_over(ledger, *owner);
  if (mark) {
    owner_ = *owner;
    claimed_.clear();
    context_.owner = owner_;
    if (Result<void> visited = visit_progress(ledger.epoch, visit); !visited) {
      mark = std::move(visited).error();
    }
  }
  if (!mark) (void)close();
  return mark;
}

Result<EpochMark> PostgresSink::take_over(const EpochMark& ledger, const std::string& owner) {
  for (int attempt = 1;; ++attempt) {
    Result<EpochMark> mark = try_take_over(ledger, owner);
    if (mark) return mark;
    const bool waited = control_->failure().sqlstate == "55P03";
    if (control_->alive()) (void)control_->run("ROLLBACK");
    if (!waited || attempt >= kTakeOverAttempts) return mark;
    // The former owner is stopped, or cut off: its transaction would stay open for as long as its
    // session does. To end it is to roll it back.
    if (Result<void> ended = end_former_sessions(); !ended) return std::move(ended).error();
  }
}

/// From its commit on, the transactions of every earlier owner fail their owner check; those that
/// passed it have ended before.
Result<EpochMark> PostgresSink::try_take_over(const EpochMark& ledger, const std::string& owner) {
  PgConnection& sql = *control_;
  if (auto begun = sql.begin("SET LOCAL lock_timeout = '" + std::to_string(kTakeOverWaitMs) + "'");
      !begun) {
    return std::move(begun).error();
  }
  if (Result<void> made = make_pg_tables(sql); !made) return std::move(made).error();
  if (Result<void> there = check_target(); !there) return std::move(there).error();
  if (Result<void> claimed = claim(owner); !claimed) return std::move(claimed).error();
  Result<EpochMark> mark = find_pg_mark(sql, context_.pipeline);
  if (!mark) return mark;
  if (!mark->follows(ledger)) {
    return other_history("PostgreSQL", context_.pipeline, *mark, ledger);
  }
  if (auto done = sql.run("COMMIT"); !done) return std::move(done).error();
  return mark;
}

/// Whether the record is that of the table that is there.
Result<void> PostgresSink::check_target() {
  // A table that is made anew is another one. Not after the record itself was brought back from a
  // dump, which gives all of them other numbers.
  auto gone = control_->run(
      "SELECT target FROM leat.pipeline WHERE pipeline = $1 AND target IS NOT NULL AND "
      "CASE WHEN target_oid <> 0 AND record_oid = 'leat.pipeline'::regclass "
      "THEN NOT EXISTS (SELECT FROM pg_class WHERE oid = target_oid) "
      "ELSE to_regclass(target) IS NULL END",
      {{.value = context_.pipeline}});
  if (!gone) return std::move(gone).error();
  if (gone->rows() > 0) {
    return Error{ErrorCode::kStateMismatch,
                 "the table " + std::string(gone->text(0, 0)) +
                     " is gone, or was made anew, but the record of what was loaded into it is "
                     "still there. Restore it (and then set target_oid in leat.pipeline to null); "
                     "or, to load everything again, delete the rows of \"" +
                     context_.pipeline +
                     "\" from leat.pipeline, leat.epoch and leat.position, and remove the state "
                     "folder"};
  }
  return {};
}

Result<void> PostgresSink::claim(const std::string& owner) {
  // A sink that is opened again goes on as the writer it was, unless it no longer is. First without
  // waiting: whoever took over may be at work.
  if (!owner_.empty()) {
    auto still =
        control_->run("SELECT FROM leat.pipeline WHERE pipeline = $1 AND owner IN ($2, $3)",
                      {{.value = context_.pipeline}, {.value = owner_}, {.value = claimed_}});
    if (!still) return std::move(still).error();
    if (still->rows() != 1) return pg_fenced(context_.pipeline);
  }
  const std::string former = std::exchange(claimed_, owner);
  auto taken = control_->run(
      "INSERT INTO leat.pipeline (pipeline, owner) VALUES ($1, $2) "
      "ON CONFLICT (pipeline) DO UPDATE SET owner = excluded.owner, taken_over = now() "
      "WHERE $3 = '' OR leat.pipeline.owner IN ($3, $4)",
      {{.value = context_.pipeline},
       {.value = owner, .type = kPgTextOid},
       {.value = owner_, .type = kPgTextOid},
       {.value = former, .type = kPgTextOid}});
  if (!taken) return std::move(taken).error();
  if (taken->changed() != 1) return pg_fenced(context_.pipeline);
  return {};
}

Result<void> PostgresSink::end_former_sessions() {
  auto ended = control_->run(
      "SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a "
      "JOIN leat.pipeline p ON a.application_name = 'leat ' || p.owner "
      "WHERE p.pipeline = $1 AND a.pid <> pg_backend_pid() AND ($2 = '' OR p.owner = $2)",
      {{.value = context_.pipeline}, {.value = owner_, .type = kPgTextOid}});
  if (!ended) return std::move(ended).error();
  return {};
}

Result<void> PostgresSink::visit_progress(std::uint64_t since_epoch, const ProgressVisitor& visit) {
  return control_->visit(
      "SELECT key, progress FROM leat.position WHERE pipeline = $1 AND epoch > $2::bigint",
      {{.value = context_.pipeline}, {.value = std::to_string(since_epoch)}},
      [&visit](const PgAnswer& row) -> Result<void> {
        Result<SplitProgress> progress =
            decode_progress_row("leat.position", row.text(0, 0), row.text(0, 1));
        if (!progress) return std::move(progress).error();
        return visit(*progress);
      });
}

/// In a transaction of its own, before any writer has begun one.
Result<void> PostgresSink::know_table(const Schema& schema) {
  if (auto begun = control_->begin(); !begun) {
    return std::move(begun).error();
  }
  Result<void> made = make_table(schema);
  if (made) {
    auto done = control_->run("COMMIT");
    if (!done) made = std::move(done).error();
  }
  if (!made && control_->alive()) (void)control_->run("ROLLBACK");
  return made;
}

Result<void> PostgresSink::make_table(const Schema& schema) {
  auto owned = control_->run(
      "SELECT owner, target, CASE WHEN record_oid = 'leat.pipeline'::regclass THEN target_oid END "
      "FROM leat.pipeline WHERE pipeline = $1 FOR SHARE",
      {{.value = context_.pipeline}});
  if (!owned) return std::move(owned).error();
  if (owned->rows() != 1 || owned->text(0, 0) != owner_) return pg_fenced(context_.pipeline);
  Result<PgTargetTable> target =
      open_postgres_table(*control_, table_, schema, options_.create_table);
  if (!target) return std::move(target).error();
  context_.target = *std::move(target);
  // By its number, where that is known: it may have got another name.
  const bool another = !owned->is_null(0, 2)   ? owned->integer(0, 2) != context_.target.oid
                       : !owned->is_null(0, 1) ? owned->text(0, 1) != context_.target.name
                                               : false;
  if (another) {
    return Error{
        ErrorCode::kStateMismatch,
        "the pipeline \"" + context_.pipeline + "\" was loaded into the table " +
            std::string(owned->text(0, 1)) + ", and " + context_.target.name +
            " is another one, which would get new objects alone: name that table, with its "
            "schema, or another --pipeline"};
  }
  // Not where a writer of this sink holds the row, since it has taken rows out: a later start does
  // it.
  auto named = control_->run(
      "UPDATE leat.pipeline SET target = $2, target_oid = to_regclass($2), "
      "record_oid = 'leat.pipeline'::regclass "
      "WHERE pipeline = (SELECT pipeline FROM leat.pipeline WHERE pipeline = $1 "
      "FOR UPDATE SKIP LOCKED) AND (target, target_oid, record_oid) IS DISTINCT FROM "
      "($2, to_regclass($2)::oid, 'leat.pipeline'::regclass::oid)",
      {{.value = context_.pipeline}, {.value = context_.target.name, .type = kPgTextOid}});
  if (!named) return std::move(named).error();
  return {};
}

Result<void> PostgresSink::add_writers(std::size_t wanted) {
  try {
    while (writers_.size() < wanted) {
      writers_.push_back(std::make_unique<PgWriter>(context_, static_cast<int>(writers_.size())));
    }
  } catch (const std::system_error& refused) {
    return Error{
        ErrorCode::kUnavailable,
        "no thread can be started for a connection to PostgreSQL (a limit on processes, or on "
        "memory): " +
            std::string(refused.what()) + "; allow more, or set fewer --sink-connections"};
  }
  return {};
}

Result<void> PostgresSink::has_writer() {
  if (Result<void> ready = usable(); !ready) return ready;
  Result<void> added = add_writers(1);
  return added ? added : failed(std::move(added).error());
}

Result<void> PostgresSink::usable() const {
  if (control_ && !failed_) return {};
  return Error{ErrorCode::kInternal,
               "The PostgreSQL sink was used after an error or before open()."};
}

Result<Schema> PostgresSink::table_columns() {
  if (Result<void> ready = usable(); !ready) return std::move(ready).error();
  Result<Schema> columns = find_postgres_schema(*control_, table_);
  if (!columns) return failed(std::move(columns).error()).error();
  return columns;
}

Result<void> PostgresSink::write(const RowChunk& chunk) { return take(copy_of(chunk)); }

Result<void> PostgresSink::take(RowChunk chunk) {
  if (Result<void> ready = usable(); !ready) return ready;
  if (!schema_ && chunk.schema) {
    // Writers that are there already have committed, or taken rows out: of the table that is known.
    if (Result<void> known = know_table(*chunk.schema); !known) {
      return failed(std::move(known).error());
    }
    schema_ = chunk.schema;
    const std::uint32_t wanted =
        one_writer_ || context_.target.one_writer ? 1 : std::max(1u, options_.connections);
    if (Result<void> added = add_writers(wanted); !added) return failed(std::move(added).error());
  }
  if (chunk.rows == 0 && chunk.rejects.empty()) return {};
  const std::size_t writer = writer_of(chunk.split->key);
  assigned_bytes_[writer] += chunk.memory_bytes();
  Result<void> written =
      writers_[writer]->write(std::make_shared<const RowChunk>(std::move(chunk)));
  return written ? written : failed(std::move(written).error());
}

/// A split stays with its writer until the commit; then it may go to another.
std::size_t PostgresSink::writer_of(const std::string& key) {
  assigned_bytes_.resize(writers_.size());
  const auto [it, added] = writer_of_.try_emplace(key, 0);
  if (added) {
    const auto least = std::min_element(assigned_bytes_.begin(), assigned_bytes_.end());
    it->second = static_cast<std::size_t>(least - assigned_bytes_.begin());
  }
  return it->second;
}

Result<void> PostgresSink::discard(const ObjectVersion& split) {
  return Error{ErrorCode::kUnsupported, "Rows of " + split.key +
                                            " alone cannot be taken back: they are part of a "
                                            "transaction with others."};
}

Result<std::vector<RefusedRows>> PostgresSink::settle() {
  if (Result<void> ready = usable(); !ready) return std::move(ready).error();
  for (const auto& writer : writers_) writer->begin_flush();
  std::vector<RefusedRows> all;
  for (const auto& writer : writers_) {
    Result<std::vector<RefusedRows>> refused = writer->finish_flush();
    if (!refused) return failed(std::move(refused).error()).error();
    all.insert(all.end(), std::make_move_iterator(refused->begin()),
               std::make_move_iterator(refused->end()));
  }
  return all;
}

Result<std::unique_ptr<SinkReader>> PostgresSink::read(std::string_view pipeline) const {
  return PostgresReader::open(context_.session, table_, pipeline);
}

/// What goes out of an object and what comes in for it are the same writer's: one transaction.
Result<std::uint64_t> PostgresSink::remove_rows(std::span<const RowsOfObject> ranges) {
  if (Result<void> ready = has_writer(); !ready) return std::move(ready).error();
  std::map<std::size_t, std::vector<RowsOfObject>> shares;
  for (const RowsOfObject& range : ranges) shares[writer_of(range.object.key)].push_back(range);
  std::uint64_t all = 0;
  for (const auto& [writer, share] : shares) {
    Result<std::uint64_t> removed = writers_[writer]->remove_rows(share);
    if (!removed) return failed(std::move(removed).error()).error();
    all += *removed;
  }
  return all;
}

Result<void> PostgresSink::remove_rejects(std::span<const KeptReject> rejects) {
  if (Result<void> ready = has_writer(); !ready) return ready;
  std::map<std::size_t, std::vector<KeptReject>> shares;
  for (const KeptReject& kept : rejects) shares[writer_of(kept.key)].push_back(kept);
  for (const auto& [writer, share] : shares) {
    Result<void> removed = writers_[writer]->remove_rejects(share);
    if (!removed) return failed(std::move(removed).error());
  }
  return {};
}

Result<void> PostgresSink::roll_back() {
  if (Result<void> ready = usable(); !ready) return ready;
  for (const auto& writer : writers_) {
    if (Result<void> back = writer->roll_back(); !back) return failed(std::move(back).error());
  }
  writer_of_.clear();
  assigned_bytes_.assign(writers_.size(), 0);
  return {};
}

Result<void> PostgresSink::commit(const Checkpoint& checkpoint) {
  if (Result<void> ready = has_writer(); !ready) return ready;
  // A split without rows in this epoch may go with any writer.
  std::map<std::size_t, PgCommit> commits;
  // Of a part of a split there may be rows without progress.
  for (const auto& [key, writer] : writer_of_) commits[writer];
  for (const SplitProgress& split : checkpoint.splits) {
    commits[writer_of(split.object.key)].splits.push_back(split);
  }
  for (auto& [writer, commit] : commits) {
    commit.mark = checkpoint.mark();
    writers_[writer]->begin_commit(std::move(commit));
  }
  std::optional<Error> error;
  for (const auto& [writer, commit] : commits) {
    Result<void> committed = writers_[writer]->finish_commit();
    // A loader that was taken over has to say so, whatever else went wrong.
    if (!committed && (!error || committed.error().code == ErrorCode::kFenced)) {
      error = std::move(committed).error();
    }
  }
  if (error) return failed(*std::move(error));
  writer_of_.clear();
  assigned_bytes_.assign(writers_.size(), 0);
  return {};
}

Result<void> PostgresSink::failed(Error error) {
  failed_ = true;
  if (error.message.find("SQLSTATE 55P03") != std::string::npos ||
      error.message.find("SQLSTATE 40P01") != std::string::npos) {
    one_writer_ = true;
  }
  return error;
}

Result<void> PostgresSink::close() {
  writers_.clear();
  writer_of_.clear();
  assigned_bytes_.clear();
  control_.reset();
  schema_.reset();
  context_.target = {};
  return {};
}

}  // namespace leat::connector
