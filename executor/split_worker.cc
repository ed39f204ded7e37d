#include "executor/split_worker.h"

#include <algorithm>
#include <utility>

#include "executor/change_policy.h"
#include "executor/fingerprint.h"
#include "executor/log.h"
#include "executor/resumed_split.h"
#include "executor/settled_state.h"
#include "executor/split_stream.h"

namespace leat::executor {
namespace {

using LogLevel = SourceOptions::LogLevel;

}  // namespace

SplitWorker::SplitWorker(const WorkerContext& context, std::stop_token stop)
    : context_(context), stop_(std::move(stop)), derived_(context.options, context.schemas) {}

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
  if (reads_for_going_on(context_.options.on_change)) {
    Result<bool> opened = open_growing(assignment);
    if (!opened) {
      Error error = std::move(opened).error();
      if (alone_.owns_lock()) alone_.unlock();
      if (error.code == ErrorCode::kCancelled) return;
      // What is known of its former version stays, whatever became of this one.
      if (assignment.former && error.code == ErrorCode::kNotFound) {
        error.code = ErrorCode::kObjectChanged;
      }
      error.at.object = context_.store.uri_of(assignment.object->key);
      Position from = assignment.from;
      return give_up(std::move(assignment), std::move(error), std::move(from));
    }
    if (!*opened) {
      if (alone_.owns_lock()) alone_.unlock();
      return;
    }
  }
  open_ended_ = assignment.end && *assignment.end < assignment.object->size;
  log(context_.options, LogLevel::kDebug,
      "reading " + context_.store.uri_of(assignment.object->key) + " from byte " +
          std::to_string(assignment.from.offset));
  Position reached = assignment.from;
  Result<void> done = stream(assignment, reached);
  if (alone_.owns_lock()) alone_.unlock();
  if (done) {
    (void)context_.events.push(
        {.kind = Event::Kind::kFinished, .object = assignment.object, .open_ended = open_ended_},
        stop_);
    return;
  }
  Error error = std::move(done).error();
  if (error.code == ErrorCode::kCancelled) return;
  error.at.object = context_.store.uri_of(assignment.object->key);
  give_up(std::move(assignment), std::move(error), std::move(reached));
}

/// Finds out how far the object may be read, and whether it goes on where its former version ended;
/// tells the consumer. False: it does not, and the split is settled.
Result<bool> SplitWorker::open_growing(SplitAssignment& assignment) {
  const ObjectVersion& object = *assignment.object;
  const FingerprintSource source{.store = context_.store,
                                 .clock = context_.clock,
                                 .reading = reading_options(context_, object),
                                 .stop = stop_};
  const auto not_grown = [&](const std::string& why) {
    Event event{.kind = Event::Kind::kNotGrown,
                .object = assignment.object,
                .seen = Change::Seen::kNotGrown};
    event.error = Error{ErrorCode::kObjectChanged, why};
    (void)context_.events.push(std::move(event), stop_);
    return false;
  };
  if (assignment.former) {
    const Fingerprint& former = *assignment.former->fingerprint;
    Result<bool> same = begins_with(source, object, former);
    if (!same) return std::move(same).error();
    if (!*same) {
      return not_grown("its first " + std::to_string(former.bytes) +
                       " bytes, which were loaded, are no longer what they were");
    }
  }
  Result<std::optional<Fingerprint>> fingerprint = fingerprint_of(
      source, object, context_.options.format.encoding, context_.options.format.record_bytes_max);
  if (!fingerprint) return std::move(fingerprint).error();
  auto opened = std::make_shared<SplitProgress>(assignment.former ? resumed(*assignment.former)
                                                                  : SplitProgress());
  opened->object = object;
  opened->fingerprint = *std::move(fingerprint);
  assignment.end.reset();
  // Of a version that was begun without a fingerprint, more may have been read than its whole
  // lines.
  if (opened->fingerprint && opened->fingerprint->bytes < assignment.from.offset) {
    opened->fingerprint.reset();
  }
  if (opened->fingerprint) assignment.end = opened->fingerprint->bytes;
  Event event{.kind = Event::Kind::kOpened, .object = assignment.object};
  event.opened = std::move(opened);
  if (!context_.events.push(std::move(event), stop_)) {
    return Error{ErrorCode::kCancelled, "reading was stopped"};
  }
  return true;
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

Result<void> SplitWorker::stream(SplitAssignment& assignment, Position& reached) {
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
  if (Result<void> begun = derived_.begin(assignment.object->key); !begun) return begun;
  SplitStream stream(
      context_, assignment, *parser_, [this](RowChunk chunk) { return deliver(std::move(chunk)); },
      [this](std::shared_ptr<const Schema> schema) { return fix_schema(std::move(schema)); },
      stop_);
  Result<void> done = stream.run();
  open_ended_ = open_ended_ || stream.is_open();
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
  derived_.append_to(chunk);
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
