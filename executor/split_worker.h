// Reads one split after another: bytes from the store, through the parser, to the event queue.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <semaphore>
#include <stop_token>
#include <string>

#include "executor/event_queue.h"
#include "executor/schema_registry.h"
#include "executor/work_queue.h"
#include "leat/object_store.h"
#include "leat/parser.h"
#include "leat/source.h"

namespace leat::executor {

/// What all workers of a source share. Everything is borrowed and outlives the workers.
struct WorkerContext {
  const SourceOptions& options;
  const ObjectStore& store;
  const Clock& clock;
  WorkQueue& work;
  EventQueue& events;
  SchemaRegistry& schemas;
  /// Bounds how many workers parse at a time; reading is not bounded by it.
  std::counting_semaphore<>& parse_permits;
  std::size_t chunk_bytes;
  std::atomic<std::uint64_t>& reading;
  std::atomic<std::uint64_t>& read_retries;
};

/// One worker; runs on one thread.
class SplitWorker {
 public:
  SplitWorker(const WorkerContext& context, std::stop_token stop);

  /// Works until a stop is requested.
  void run();

 private:
  void read_split(SplitAssignment assignment);
  /// Reads from assignment.from to the end. On error `reached` says how far delivered rows go.
  Result<void> stream(const SplitAssignment& assignment, Position& reached);
  Result<void> ensure_parser();
  Result<void> parse(const ByteChunk* chunk, RowChunk& out);
  Result<void> deliver(RowChunk chunk);
  void give_up(SplitAssignment assignment, Error error, Position reached);

  const WorkerContext& context_;
  std::stop_token stop_;
  std::unique_ptr<ByteStreamParser> parser_;
  std::shared_ptr<const Schema> parser_schema_;
  std::unique_lock<std::mutex> alone_;  ///< Held while this worker's split decides the schema.
  std::string offending_;
};

}  // namespace leat::executor
