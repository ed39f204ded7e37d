#include "executor/split_worker.h"

#include <algorithm>
#include <utility>

#include "connector/split_reader.h"
#include "executor/lineage.h"
#include "executor/log.h"
#include "executor/settled_state.h"

namespace leat::executor {
namespace {

using LogLevel = SourceOptions::LogLevel;

constexpr std::size_t kOffendingBytesMax = 1024;

}  // namespace

SplitWorker::SplitWorker(const WorkerContext& context, std::stop_token stop)
    : context_(context), stop_(std::move(stop)) {}

void SplitWorker::run() {
  while (std::optional<SplitAssignment> assignment = context_.work.pop(stop_)) {
    ++context_.reading;
    read_split(std::move(*assignment));
    --context_.reading;
  }
}

void SplitWorker::read_split(SplitAssignment assignment) {
  // Until the schema is known one split at a time goes ahead: its header decides for all.
  if (context_.schemas.parsed() == nullptr) {
    alone_ = context_.schemas.lock_unknown();
    if (context_.schemas.parsed() != nullptr) alone_.unlock();
  }
  offending_.clear();
  log(context_.options, LogLevel::kDebug,
      "reading " + context_.store.uri_of(assignment.object->key) + " from byte " +
          std::to_string(assignment.from.offset));
  Position reached = assignment.from;
  Result<void> done = stream(assignment, reached);
  if (alone_.owns_lock()) alone_.unlock();
  if (done) {
    (void)context_.events.push({.kind = Event::Kind::kFinished, .object = assignment.object},
                               stop_);
    return;
  }
  Error error = std::move(done).error();
  if (error.code == ErrorCode::kCancelled) return;
  error.at.object = context_.store.uri_of(assignment.object->key);
  give_up(std::move(assignment), std::move(error), std::move(reached));
}

Result<void> SplitWorker::ensure_parser() {
  const std::shared_ptr<const Schema> schema = context_.schemas.parsed();
  if (parser_ != nullptr && parser_schema_ == schema && schema != nullptr) return {};
  FormatOptions format = context_.options.format;
  // The parser takes a schema that was kept from an earlier header for one given by the user.
  if (format.extra_columns == ExtraColumns::kAuto) {
    format.extra_columns =
        context_.options.schema.has_value() ? ExtraColumns::kIgnore : ExtraColumns::kFail;
  }
  Result<std::unique_ptr<ByteStreamParser>> made = make_parser(format, schema);
  if (!made) return std::move(made).error();
  parser_ = std::move(*made);
  parser_schema_ = schema;
  return {};
}

Result<void> SplitWorker::parse(const ByteChunk* chunk, RowChunk& out) {
  context_.parse_permits.acquire();
  Result<void> parsed = chunk != nullptr ? parser_->parse(*chunk, out) : parser_->finish(out);
  context_.parse_permits.release();
  return parsed;
}

Result<void> SplitWorker::stream(const SplitAssignment& assignment, Position& reached) {
  if (Result<void> ready = ensure_parser(); !ready) return ready;
  if (Result<void> reset = parser_->reset_for_new_split(assignment.object, assignment.from);
      !reset) {
    return reset;
  }
  connector::SplitReaderOptions reading;
  reading.chunk_bytes = context_.chunk_bytes;
  reading.attempts_max = context_.options.split_attempts_max;
  reading.on_retry = [this, &assignment](const Error& error) {
    ++context_.read_retries;
    log(context_.options, LogLevel::kWarning,
        "reading " + context_.store.uri_of(assignment.object->key) +
            " failed, trying again: " + error.to_string());
  };
  connector::SplitReader reader(context_.store, context_.clock, *assignment.object,
                                assignment.from.offset, std::move(reading), stop_);
  bool at_end = false;
  while (!at_end) {
    Result<ByteChunk> chunk = reader.next();
    if (!chunk) return std::move(chunk).error();
    at_end = chunk->payload.empty();
    RowChunk rows;
    Result<void> parsed = parse(at_end ? nullptr : &*chunk, rows);
    if (parser_schema_ == nullptr && parser_->schema() != nullptr) {
      parser_schema_ = parser_->schema();
      if (Result<void> fixed = context_.schemas.fix(parser_schema_); !fixed) return fixed;
      alone_.unlock();
    }
    Position end = rows.end;
    // Before the error: the rows ahead of a bad record are good rows.
    if (rows.rows > 0 || !rows.rejects.empty()) {
      if (Result<void> delivered = deliver(std::move(rows)); !delivered) return delivered;
      reached = std::move(end);
    }
    if (!parsed) {
      const Error& error = parsed.error();
      if (!at_end && error.at.byte_offset && *error.at.byte_offset >= chunk->offset) {
        const auto begin = static_cast<std::size_t>(*error.at.byte_offset - chunk->offset);
        if (begin < chunk->payload.size()) {
          offending_.assign(reinterpret_cast<const char*>(chunk->payload.data()) + begin,
                            std::min(chunk->payload.size() - begin, kOffendingBytesMax));
        }
      }
      return parsed;
    }
  }
  return {};
}

Result<void> SplitWorker::deliver(RowChunk chunk) {
  if (context_.options.lineage) append_lineage(context_.schemas.delivered(), chunk);
  std::shared_ptr<const ObjectVersion> object = chunk.split;
  if (!context_.events.push(
          {.kind = Event::Kind::kRows, .object = std::move(object), .chunk = std::move(chunk)},
          stop_)) {
    return Error{ErrorCode::kCancelled, "reading was stopped"};
  }
  return {};
}

void SplitWorker::give_up(SplitAssignment assignment, Error error, Position reached) {
  if (!settled_state(error.code) && !context_.options.once) {
    // An outage, a missing permission: not the split's fault, so it waits and comes again.
    ++assignment.failures;
    const auto pause = std::min<std::chrono::milliseconds>(
        context_.options.poll_interval * (1u << std::min(assignment.failures - 1, 10u)),
        std::chrono::minutes(5));
    log(context_.options, LogLevel::kError,
        "giving " + error.at.object + " a pause of " + std::to_string(pause.count()) +
            " ms: " + error.to_string());
    assignment.from = std::move(reached);
    assignment.not_before = context_.clock.monotonic() + pause;
    context_.work.push_again(std::move(assignment));
    return;
  }
  (void)context_.events.push({.kind = Event::Kind::kFailed,
                              .object = assignment.object,
                              .end = std::move(reached),
                              .error = std::move(error),
                              .offending = std::move(offending_)},
                             stop_);
}

}  // namespace leat::executor
