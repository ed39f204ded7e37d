#include "connector/postgres/writer.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "connector/json_text.h"
#include "connector/postgres/record.h"
#include "connector/postgres/removal.h"
#include "connector/progress_row.h"
#include "connector/sql_name.h"

namespace leat::connector {
namespace {

constexpr std::size_t kQueuedBytesMax = 8u << 20;
// What is loaded again when a row of it is refused; and what is kept in memory for that.
constexpr std::size_t kSegmentBytesMax = 6u << 20;
constexpr std::size_t kSendBytes = 64u << 10;
// Rejects that wait for the commit; more of them go to their table before it, in its transaction.
constexpr std::size_t kRejectsBytesMax = 4u << 20;

std::string copy_statement(const PgTargetTable& target) {
  std::string sql = "COPY " + target.name + " (";
  for (const std::string& column : target.columns) {
    if (&column != &target.columns.front()) sql += ", ";
    sql += column;
  }
  return sql + (target.as_text ? ") FROM STDIN (FORMAT text)" : ") FROM STDIN (FORMAT binary)");
}

/// The row, counted from 1 in what was sent, that "COPY name, line N, …" tells; 0: none. It is a
/// hint: names and translations may mislead.
std::int64_t line_of(std::string_view context) {
  std::size_t at = context.find("COPY ");
  if (at == std::string_view::npos) return 0;
  at = context.find(", ", at);
  if (at == std::string_view::npos) return 0;
  at = context.find_first_of("0123456789", at);
  std::int64_t line = 0;
  if (at != std::string_view::npos) {
    std::from_chars(context.data() + at, context.data() + context.size(), line);
  }
  return line;
}

std::string json_of_row(const RowChunk& chunk, std::int64_t row) {
  std::string json;
  std::string text;
  for (std::size_t c = 0; c < chunk.columns.size(); ++c) {
    json += json.empty() ? "{" : ",";
    append_json_string(chunk.schema->fields[c].name, json);
    json += ":";
    if (chunk.columns[c].is_null(row)) {
      json += "null";
      continue;
    }
    text.clear();
    append_value_text(chunk.schema->fields[c].type, chunk.columns[c], row, text);
    append_json_string(text, json);
  }
  return json + "}";
}

}  // namespace

PgWriter::PgWriter(const PgWriterContext& context, int number)
    : context_(context), number_(number), thread_([this](std::stop_token stop) { work(stop); }) {}

PgWriter::~PgWriter() {
  thread_.request_stop();
  {
    const std::lock_guard lock(mutex_);
    if (abortable_ != nullptr && !jobs_.empty()) abortable_->abort();
  }
  thread_.join();
}

void PgWriter::add(Job job) {
  const std::lock_guard lock(mutex_);
  if (job.chunk) queued_bytes_ += job.chunk->memory_bytes();
  jobs_.push_back(std::move(job));
  changed_.notify_all();
}

Result<void> PgWriter::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return jobs_.empty() || error_; });
  if (error_) return *error_;
  return {};
}

Result<void> PgWriter::write(std::shared_ptr<const RowChunk> chunk) {
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return queued_bytes_ < kQueuedBytesMax || error_; });
    if (error_) return *error_;
  }
  add({.kind = Job::Kind::kWrite, .chunk = std::move(chunk)});
  return {};
}

void PgWriter::begin_flush() { add({.kind = Job::Kind::kFlush}); }

Result<std::vector<RefusedRows>> PgWriter::finish_flush() {
  if (Result<void> done = wait(); !done) return std::move(done).error();
  return std::exchange(refused_, {});
}

void PgWriter::begin_commit(PgCommit commit) {
  add({.kind = Job::Kind::kCommit, .commit = std::move(commit)});
}

Result<void> PgWriter::finish_commit() { return wait(); }

/// After it the connection is the caller's, in a transaction and outside of COPY.
Result<void> PgWriter::begin_now() {
  begin_flush();
  if (Result<void> done = wait(); !done) return done;
  return begin();
}

Result<std::uint64_t> PgWriter::remove_rows(std::span<const RowsOfObject> ranges) {
  if (Result<void> begun = begin_now(); !begun) return std::move(begun).error();
  Result<std::uint64_t> removed =
      remove_pg_rows(*connection_, context_.pipeline, context_.table, ranges);
  if (!removed) return removed;
  // Those of this epoch are written with its commit.
  std::erase_if(rejects_, [ranges](const Reject& reject) {
    return std::any_of(ranges.begin(), ranges.end(), [&reject](const RowsOfObject& range) {
      return range.object.key == reject.split->key &&
             range.object.version == reject.split->version &&
             reject.row.byte_offset >= range.bytes.begin &&
             reject.row.byte_offset < range.bytes.end;
    });
  });
  step("rows removed");
  return removed;
}

Result<void> PgWriter::remove_rejects(std::span<const KeptReject> rejects) {
  if (Result<void> begun = begin_now(); !begun) return begun;
  Result<void> removed = remove_pg_rejects(*connection_, context_.pipeline, rejects);
  if (removed) step("rejects removed");
  return removed;
}

Result<void> PgWriter::roll_back() {
  begin_flush();
  if (Result<void> done = wait(); !done) return done;
  rejects_.clear();
  rejects_bytes_ = 0;
  refused_.clear();
  refused_rows_ = refused_rows_committed_;
  if (!in_transaction_) return {};
  auto back = connection_->run("ROLLBACK");
  if (!back) return std::move(back).error();
  in_transaction_ = false;
  savepoint_ = false;
  step("rolled back");
  return {};
}

void PgWriter::work(std::stop_token stop) {
  while (true) {
    const Job* job = nullptr;
    {
      std::unique_lock lock(mutex_);
      if (!changed_.wait(lock, stop, [this] { return !jobs_.empty() && !error_; })) return;
      job = &jobs_.front();
    }
    // A deque's other elements stay where they are when one is added behind them.
    Result<void> done = stop.stop_requested() ? Result<void>() : run(*job);
    const std::lock_guard lock(mutex_);
    if (!done) error_ = std::move(done).error();
    if (job->chunk) queued_bytes_ -= job->chunk->memory_bytes();
    if (!error_) jobs_.pop_front();
    // Not for each chunk: who waits for room would be woken to add a single one.
    if (error_ || jobs_.empty() || queued_bytes_ <= kQueuedBytesMax / 2) changed_.notify_all();
  }
}

Result<void> PgWriter::run(const Job& job) {
  switch (job.kind) {
    case Job::Kind::kWrite:
      if (Result<void> begun = begin(); !begun) return begun;
      if (context_.keep_rejects) {
        for (const RejectedRow& reject : job.chunk->rejects) add_reject(job.chunk->split, reject);
      }
      if (rejects_bytes_ > kRejectsBytesMax) {
        if (Result<void> ended = end_segment(); !ended) return ended;
        if (Result<void> kept = keep_rejects(); !kept) return kept;
      }
      return job.chunk->rows > 0 ? write_rows(job.chunk) : Result<void>();
    case Job::Kind::kFlush:
      return end_segment();
    case Job::Kind::kCommit:
      return commit(job.commit);
  }
  return {};
}

Result<void> PgWriter::connect() {
  Result<PgConnection> connection = PgConnection::open(context_.session);
  if (!connection) return std::move(connection).error();
  const std::lock_guard lock(mutex_);
  connection_ = *std::move(connection);
  abortable_ = &*connection_;
  return {};
}

/// From here to the commit nobody can take the pipeline over: that has to wait for the row's lock.
Result<void> PgWriter::begin() {
  if (in_transaction_) return {};
  if (!connection_) {
    if (Result<void> connected = connect(); !connected) return connected;
  }
  auto owner = connection_->run(
      "BEGIN ISOLATION LEVEL READ COMMITTED; SET CONSTRAINTS ALL IMMEDIATE; SELECT owner FROM "
      "leat.pipeline WHERE pipeline = " +
      connection_->literal(context_.pipeline) + " FOR SHARE");
  if (!owner) return std::move(owner).error();
  in_transaction_ = true;
  if (owner->rows() != 1 || owner->text(0, 0) != context_.owner) {
    return pg_fenced(context_.pipeline);
  }
  return {};
}

Result<void> PgWriter::begin_segment() {
  const std::string release = savepoint_ ? "RELEASE SAVEPOINT leat; " : "";
  if (Result<void> begun =
          connection_->begin_copy(release + "SAVEPOINT leat; " + copy_statement(context_.target));
      !begun) {
    return pg_table_error(std::move(begun).error(), connection_->failure(), context_.target.name);
  }
  savepoint_ = true;
  in_copy_ = true;
  buffer_.clear();
  if (!context_.target.as_text) append(copy_header());
  return {};
}

void PgWriter::append_rows(const RowChunk& chunk, std::int64_t first, std::int64_t last) {
  const PgTargetTable& target = context_.target;
  const auto append = target.as_text ? &append_copy_text_rows : &append_copy_rows;
  append(chunk, target.encodings, first, last, buffer_);
}

Result<void> PgWriter::write_rows(const std::shared_ptr<const RowChunk>& chunk) {
  if (!in_copy_) {
    if (Result<void> begun = begin_segment(); !begun) return begun;
  }
  segment_.push_back(chunk);
  segment_rows_ += chunk->rows;
  constexpr std::int64_t kRows = 1'024;
  for (std::int64_t row = 0; row < chunk->rows; row += kRows) {
    append_rows(*chunk, row, std::min(row + kRows, chunk->rows));
    if (buffer_.size() < kSendBytes) continue;
    segment_bytes_ += buffer_.size();
    if (Result<void> sent = send_buffer(); !sent) return sent;
  }
  return segment_bytes_ >= kSegmentBytesMax ? end_segment() : Result<void>();
}

Result<void> PgWriter::send_buffer() {
  Result<void> sent = connection_->send_copy({buffer_.as<char>(), buffer_.size()});
  buffer_.clear();
  return sent;
}

void PgWriter::append(std::string_view bytes) { buffer_.append(bytes.data(), bytes.size()); }

Result<void> PgWriter::end_segment() {
  if (!in_copy_) return {};
  if (!context_.target.as_text) append(copy_trailer());
  Result<void> done = send_buffer();
  in_copy_ = false;
  step("copy sent");
  if (done) done = connection_->end_copy();
  if (!done && blames_a_row(done.error())) {
    done = roll_back_segment();
    if (done) done = load_around_bad_rows(0, segment_rows_);
  } else if (!done && !is_row_error(connection_->failure().sqlstate)) {
    done = pg_table_error(done.error(), connection_->failure(), context_.target.name);
  }
  if (!done) return done;
  step("copy ended");
  segment_.clear();
  segment_rows_ = 0;
  segment_bytes_ = 0;
  return {};
}

/// Not where the column that is at fault is none that leat fills: then no row can get in.
bool PgWriter::blames_a_row(const Error& error) const {
  const PgFailure& failure = connection_->failure();
  if (!connection_->alive() || error.retryable || !is_row_error(failure.sqlstate)) return false;
  if (failure.sqlstate != "23502" || failure.column.empty()) return true;
  const std::string quoted = quote_sql_name(failure.column);
  return std::find(context_.target.columns.begin(), context_.target.columns.end(), quoted) !=
         context_.target.columns.end();
}

Result<void> PgWriter::roll_back_segment() {
  auto back = connection_->run("ROLLBACK TO SAVEPOINT leat");
  if (!back) return std::move(back).error();
  return {};
}

/// PostgreSQL mostly tells which row it was; where it does not, halving finds it.
Result<void> PgWriter::load_around_bad_rows(std::int64_t first, std::int64_t last) {
  while (first < last) {
    Result<void> loaded = load_rows(first, last);
    if (loaded) return {};
    if (!blames_a_row(loaded.error())) return loaded;
    const PgFailure failure = connection_->failure();
    if (Result<void> back = roll_back_segment(); !back) return back;
    if (last - first == 1) return refuse(first, failure, loaded.error());
    const std::int64_t line = line_of(failure.context);
    const bool told = line >= 1 && line <= last - first;
    const std::int64_t split = told ? first + line - 1 : first + (last - first) / 2;
    if (Result<void> before = load_around_bad_rows(first, split); !before) return before;
    first = split;
    if (!told) continue;
    if (Result<void> alone = load_around_bad_rows(split, split + 1); !alone) return alone;
    first = split + 1;
  }
  return {};
}

/// Rows of the segment, counted over all of its chunks.
Result<void> PgWriter::load_rows(std::int64_t first, std::int64_t last) {
  if (Result<void> begun = begin_segment(); !begun) return begun;
  std::int64_t begin = 0;
  for (const std::shared_ptr<const RowChunk>& chunk : segment_) {
    const std::int64_t from = std::max(first - begin, std::int64_t{0});
    const std::int64_t to = std::min(last - begin, chunk->rows);
    if (from < to) append_rows(*chunk, from, to);
    begin += chunk->rows;
    if (buffer_.size() < kSendBytes) continue;
    if (Result<void> sent = send_buffer(); !sent) return sent;
  }
  in_copy_ = false;
  if (!context_.target.as_text) append(copy_trailer());
  if (Result<void> sent = send_buffer(); !sent) return sent;
  return connection_->end_copy();
}

Result<void> PgWriter::refuse(std::int64_t row, const PgFailure& failure, const Error& error) {
  std::size_t i = 0;
  while (row >= segment_[i]->rows) row -= segment_[i++]->rows;
  const RowChunk& chunk = *segment_[i];
  RejectedRow reject;
  reject.record = chunk.record_number(row);
  reject.byte_offset = chunk.record_offset(row);
  reject.column = failure.column;
  reject.code = ErrorCode::kRowRefused;
  reject.reason = error.message;
  ++refused_rows_;
  const bool too_many = context_.refused_rows_max != 0 && refused_rows_ > context_.refused_rows_max;
  if (!context_.reject_refused || too_many) {
    Error refused = error;
    refused.at = {.object = chunk.split->key,
                  .record = reject.record,
                  .byte_offset = reject.byte_offset,
                  .column = reject.column};
    refused.message += too_many ? " The table has now refused more rows than --max-rejects allows."
                                : " The table's own rules refuse this record: correct the object "
                                  "or the table, or set such records aside with --on-error reject.";
    return refused;
  }
  reject.raw = json_of_row(chunk, row);
  if (context_.keep_rejects) add_reject(chunk.split, reject);
  if (refused_.empty() || refused_.back().split != chunk.split) {
    refused_.push_back({.split = chunk.split, .rows = {}});
  }
  refused_.back().rows.push_back(std::move(reject));
  return {};
}

Result<void> PgWriter::commit(const PgCommit& commit) {
  if (Result<void> begun = begin(); !begun) return begun;
  if (Result<void> ended = end_segment(); !ended) return ended;
  if (Result<void> kept = keep_progress(commit); !kept) return kept;
  if (Result<void> kept = keep_rejects(); !kept) return kept;
  step("commit begins");
  if (Result<void> sent = connection_->send_commit(); !sent) return sent;
  step("commit sent");
  if (Result<void> committed = connection_->finish_commit(); !committed) return committed;
  step("commit answered");
  refused_rows_committed_ = refused_rows_;
  in_transaction_ = false;
  savepoint_ = false;
  return {};
}

/// Of a version whose rows are in the table, the record stays: it says what is here.
Result<bool> PgWriter::keeps_former(const SplitProgress& changed) {
  auto row = connection_->run(
      "SELECT encode(progress, 'hex') FROM leat.position WHERE pipeline = $1 AND key = $2",
      {{.value = context_.pipeline},
       {.value = changed.object.key, .type = kPgByteaOid, .binary = true}});
  if (!row) return std::move(row).error();
  if (row->rows() == 0) return false;
  Result<SplitProgress> before =
      decode_progress_row("leat.position", changed.object.key, bytes_of_hex(row->text(0, 0)));
  if (!before) return std::move(before).error();
  return before->rows + before->rejected > 0 && !before->object.same_version(changed.object);
}

Result<void> PgWriter::keep_progress(const PgCommit& commit) {
  PgByteaArray keys;
  PgByteaArray progresses;
  PgByteaArray forgotten;
  bool forgets = false;
  for (const SplitProgress& split : commit.splits) {
    if (split.state == SplitState::kForgotten) {
      forgotten.append(split.object.key);
      forgets = true;
      continue;
    }
    if (split.state == SplitState::kChanged) {
      Result<bool> keeps = keeps_former(split);
      if (!keeps) return std::move(keeps).error();
      if (*keeps) continue;
    }
    keys.append(split.object.key);
    progresses.append(encode_progress_row(split));
  }
  const std::string epoch = std::to_string(commit.mark.epoch);
  auto kept = connection_->run(
      "INSERT INTO leat.position (pipeline, key, epoch, progress) SELECT $1, k, $2::bigint, p FROM "
      "unnest($3::bytea[], $4::bytea[]) AS u (k, p) ON CONFLICT (pipeline, key) DO UPDATE SET "
      "epoch = excluded.epoch, progress = excluded.progress",
      {{.value = context_.pipeline}, {.value = epoch}, keys.parameter(), progresses.parameter()});
  if (!kept) return std::move(kept).error();
  if (forgets) {
    auto erased =
        connection_->run("DELETE FROM leat.position WHERE pipeline = $1 AND key = ANY($2::bytea[])",
                         {{.value = context_.pipeline}, forgotten.parameter()});
    if (!erased) return std::move(erased).error();
  }
  // A row of its own for each connection: none waits for another.
  auto marked = connection_->run(
      "INSERT INTO leat.epoch (pipeline, connection, epoch, token, parent) VALUES ($1, $2, $3, $4, "
      "$5) ON CONFLICT (pipeline, connection) DO UPDATE SET epoch = excluded.epoch, token = "
      "excluded.token, parent = excluded.parent",
      {{.value = context_.pipeline},
       {.value = std::to_string(number_)},
       {.value = epoch},
       {.value = std::to_string(static_cast<std::int64_t>(commit.mark.token))},
       {.value = std::to_string(static_cast<std::int64_t>(commit.mark.parent))}});
  if (!marked) return std::move(marked).error();
  return {};
}

void PgWriter::add_reject(std::shared_ptr<const ObjectVersion> split, const RejectedRow& reject) {
  rejects_bytes_ += sizeof(Reject) + reject.column.size() + reject.text.size() + reject.raw.size() +
                    reject.reason.size();
  rejects_.push_back({std::move(split), reject});
}

Result<void> PgWriter::keep_rejects() {
  if (rejects_.empty()) return {};
  if (Result<void> begun = connection_->begin_copy(std::string(pg_copy_rejects())); !begun) {
    return begun;
  }
  buffer_.clear();
  append(copy_header());
  for (const Reject& reject : rejects_) {
    append_pg_reject(context_.pipeline, *reject.split, reject.row, buffer_);
    if (buffer_.size() < kSendBytes) continue;
    if (Result<void> sent = send_buffer(); !sent) return sent;
  }
  append(copy_trailer());
  if (Result<void> sent = send_buffer(); !sent) return sent;
  rejects_.clear();
  rejects_bytes_ = 0;
  return connection_->end_copy();
}

void PgWriter::step(std::string_view name) const {
  if (context_.on_step) context_.on_step(name);
}

}  // namespace leat::connector
