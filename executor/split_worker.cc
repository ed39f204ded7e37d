#include "executor/split_worker.h"

#include <algorithm>
#include <utility>

#include "executor/lineage.h"
#include "executor/log.h"
#include "executor/settled_state.h"
#include "executor/split_stream.h"

namespace leat::executor {
namespace {

using LogLevel = SourceOptions::LogLevel;

}  // namespace

SplitWorker::SplitWorker(const WorkerContext& context, std::stop_token stop)
    : context_(context), stop_(std::move(stop)) {
  if (!context_.options.partitions.fields.empty()) partitions_.emplace(context_.options.partitions);
}

void SplitWorker::run() {
  while (std::optional<SplitAssignment> assignment = context_.work.pop(stop_)) {
    ++context_.reading;
    read_split(std::move(*assignment));
    --context_.reading;
  }
}

void SplitWorker::read_split(SplitAssignment assignment) {
  // Until the schema is known one split at a time goes ahead, and decides for all.
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
  Result<std::unique_ptr<ByteStreamParser>> made = make_parser(context_.schemas.format(), schema);
  if (!made) return std::move(made).error();
  parser_ = std::move(*made);
  parser_schema_ = schema;
  return {};
}

Result<void> SplitWorker::stream(const SplitAssignment& assignment, Position& reached) {
  if (alone_.owns_lock() && context_.sniffer.is_wanted()) {
    Result<bool> settled = context_.sniffer.settle(*assignment.object, stop_);
    if (!settled) return std::move(settled).error();
    if (!*settled) return {};
    alone_.unlock();
  }
  if (Result<void> ready = ensure_parser(); !ready) return ready;
  if (alone_.owns_lock() && parser_->schema() != nullptr) {
    // Of a format that needs no header to tell.
    if (Result<void> fixed = fix_schema(parser_->schema()); !fixed) return fixed;
  }
  if (partitions_) {
    Result<const PartitionValues*> values = partitions_->read(assignment.object->key);
    if (!values) return std::move(values).error();
    partition_values_ = *values;
  }
  SplitStream stream(
      context_, assignment, *parser_, [this](RowChunk chunk) { return deliver(std::move(chunk)); },
      [this](std::shared_ptr<const Schema> schema) { return fix_schema(std::move(schema)); },
      stop_);
  Result<void> done = stream.run();
  reached = stream.reached();
  offending_ = stream.offending();
  return done;
}

Result<void> SplitWorker::fix_schema(std::shared_ptr<const Schema> schema) {
  parser_schema_ = std::move(schema);
  Result<void> fixed = context_.schemas.fix(parser_schema_);
  if (fixed) alone_.unlock();
  return fixed;
}

Result<void> SplitWorker::deliver(RowChunk chunk) {
  const std::shared_ptr<const Schema> delivered = context_.schemas.delivered();
  if (partitions_) {
    append_partitions(partitions_->schema(), *partition_values_, chunk);
    chunk.schema = delivered;
  }
  if (context_.options.lineage) append_lineage(delivered, chunk);
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
