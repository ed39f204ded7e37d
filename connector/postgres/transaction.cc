#include "connector/postgres/transaction.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "connector/json_text.h"
#include "connector/postgres/record.h"
#include "connector/postgres/removal.h"
#include "connector/progress_row.h"

namespace leat::connector {
namespace {

// Rejects that wait for the commit; more of them go to their table before it, in its transaction.
constexpr std::size_t kRejectsBytesMax = 4u << 20;

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

PgTransaction::PgTransaction(const PgWriterContext& context, int number)
    : context_(context),
      number_(number),
      segment_(context, [this](const RowChunk& chunk, std::int64_t row, const PgFailure& failure) {
        return refuse(chunk, row, failure);
      }) {}

Result<void> PgTransaction::connect() {
  Result<PgConnection> connection = PgConnection::open(context_.session);
  if (!connection) return std::move(connection).error();
  const std::lock_guard lock(connection_mutex_);
  connection_ = *std::move(connection);
  segment_.use(*connection_);
  return {};
}

void PgTransaction::abort() noexcept {
  const std::lock_guard lock(connection_mutex_);
  if (connection_) connection_->abort();
}

/// From here to the commit nobody can take the pipeline over: that has to wait for the row's lock.
Result<void> PgTransaction::begin() {
  if (in_transaction_) return {};
  if (!connection_) {
    if (Result<void> connected = connect(); !connected) return connected;
  }
  auto owner = connection_->begin(
      "SET CONSTRAINTS ALL IMMEDIATE; SELECT owner FROM leat.pipeline WHERE pipeline = " +
      connection_->literal(context_.pipeline) + " FOR SHARE");
  if (!owner) return std::move(owner).error();
  in_transaction_ = true;
  if (owner->rows() != 1 || owner->text(0, 0) != context_.owner) {
    return pg_fenced(context_.pipeline);
  }
  return {};
}

Result<void> PgTransaction::write(const std::shared_ptr<const RowChunk>& chunk) {
  if (Result<void> begun = begin(); !begun) return begun;
  if (context_.keep_rejects) {
    for (const RejectedRow& reject : chunk->rejects) add_reject(chunk->split, reject);
  }
  if (rejects_bytes_ > kRejectsBytesMax) {
    if (Result<void> ended = segment_.end(); !ended) return ended;
    if (Result<void> kept = keep_rejects(); !kept) return kept;
  }
  return chunk->rows > 0 ? segment_.write(chunk) : Result<void>();
}

Result<void> PgTransaction::settle() { return segment_.settle(); }

std::vector<RefusedRows> PgTransaction::take_refused() { return std::exchange(refused_, {}); }

Result<std::uint64_t> PgTransaction::remove_rows(std::span<const RowsOfObject> ranges) {
  if (Result<void> begun = begin(); !begun) return std::move(begun).error();
  if (Result<void> settled = segment_.settle(); !settled) return std::move(settled).error();
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
  context_.step("rows removed");
  return removed;
}

Result<void> PgTransaction::remove_rejects(std::span<const KeptReject> rejects) {
  if (Result<void> begun = begin(); !begun) return begun;
  if (Result<void> settled = segment_.settle(); !settled) return settled;
  Result<void> removed = remove_pg_rejects(*connection_, context_.pipeline, rejects);
  if (removed) context_.step("rejects removed");
  return removed;
}

Result<void> PgTransaction::roll_back() {
  if (Result<void> ended = segment_.end(); !ended) return ended;
  rejects_.clear();
  rejects_bytes_ = 0;
  refused_.clear();
  refused_rows_ = refused_rows_committed_;
  if (!in_transaction_) return {};
  auto back = connection_->run("ROLLBACK");
  if (!back) return std::move(back).error();
  in_transaction_ = false;
  segment_.transaction_ended();
  context_.step("rolled back");
  return {};
}

Result<void> PgTransaction::refuse(const RowChunk& chunk, std::int64_t row,
                                   const PgFailure& failure) {
  RejectedRow reject;
  reject.record = chunk.record_number(row);
  reject.byte_offset = chunk.record_offset(row);
  reject.column = failure.column;
  reject.code = ErrorCode::kRowRefused;
  reject.reason = pg_message(failure);
  ++refused_rows_;
  const bool too_many = context_.refused_rows_max != 0 && refused_rows_ > context_.refused_rows_max;
  if (!context_.reject_refused || too_many) {
    Error refused{ErrorCode::kBadValue, reject.reason};
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
  // Who asks which rows they were has no need of what is kept already.
  if (context_.keep_rejects) {
    reject.raw.clear();
    reject.raw.shrink_to_fit();
    reject.reason.clear();
    reject.reason.shrink_to_fit();
  }
  refused_.back().rows.push_back(std::move(reject));
  return {};
}

void PgTransaction::add_reject(std::shared_ptr<const ObjectVersion> split,
                               const RejectedRow& reject) {
  rejects_bytes_ += sizeof(Reject) + reject.column.size() + reject.text.size() + reject.raw.size() +
                    reject.reason.size();
  rejects_.push_back({std::move(split), reject});
}

Result<void> PgTransaction::keep_rejects() {
  if (rejects_.empty()) return {};
  if (Result<void> begun = connection_->begin_copy(std::string(pg_copy_rejects())); !begun) {
    return begun;
  }
  Buffer buffer;
  const auto append = [&buffer](std::string_view bytes) {
    buffer.append(bytes.data(), bytes.size());
  };
  const auto send = [&] {
    Result<void> sent = connection_->send_copy({buffer.as<char>(), buffer.size()});
    buffer.clear();
    return sent;
  };
  append(copy_header());
  for (const Reject& reject : rejects_) {
    append_pg_reject(context_.pipeline, *reject.split, reject.row, connection_->holds_unicode(),
                     buffer);
    if (buffer.size() < kSendBytes) continue;
    if (Result<void> sent = send(); !sent) return sent;
  }
  append(copy_trailer());
  if (Result<void> sent = send(); !sent) return sent;
  rejects_.clear();
  rejects_bytes_ = 0;
  return connection_->end_copy();
}

Result<void> PgTransaction::commit(const PgCommit& commit) {
  if (Result<void> begun = begin(); !begun) return begun;
  if (Result<void> settled = segment_.settle(); !settled) return settled;
  if (Result<void> same = segment_.check_table(); !same) return same;
  if (Result<void> kept = keep_progress(commit); !kept) return kept;
  if (Result<void> kept = keep_rejects(); !kept) return kept;
  context_.step("commit begins");
  if (Result<void> sent = connection_->send_commit(); !sent) return sent;
  context_.step("commit sent");
  if (Result<void> committed = connection_->finish_commit(); !committed) return committed;
  context_.step("commit answered");
  refused_rows_committed_ = refused_rows_;
  in_transaction_ = false;
  segment_.transaction_ended();
  return {};
}

Result<void> PgTransaction::keep_progress(const PgCommit& commit) {
  PgByteaArray keys;
  PgByteaArray progresses;
  PgByteaArray forgotten;
  bool forgets = false;
  for (const SplitProgress& split : commit.splits) {
    if (split.state == SplitState::kNoted) continue;
    if (split.state == SplitState::kForgotten) {
      forgotten.append(split.object.key);
      forgets = true;
      continue;
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

}  // namespace leat::connector
