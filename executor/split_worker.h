// Reads one split after another: bytes from the store, through the parser, to the event queue.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "executor/derived_columns.h"
#include "executor/work_queue.h"
#include "executor/worker_context.h"
#include "leat/parser.h"
#include "leat/result.h"
#include "leat/row_chunk.h"

namespace leat::executor {

/// One worker; runs on one thread.
class SplitWorker {
 public:
  SplitWorker(const WorkerContext& context, std::stop_token stop);

  /// Works until a stop is requested.
  void run();

 private:
  void read_split(SplitAssignment assignment);
  /// Reads from assignment.from to the end. On error `reached` says how far delivered rows go.
  Result<void> stream(SplitAssignment& assignment, Position& reached);
  Result<bool> open_growing(SplitAssignment& assignment);
  Result<void> ensure_parser();
  Result<void> fix_schema(std::shared_ptr<const Schema> schema);
  Result<void> deliver(RowChunk chunk);
  void give_up(SplitAssignment assignment, Error error, Position reached);

  const WorkerContext& context_;
  std::stop_token stop_;
  std::unique_ptr<ByteStreamParser> parser_;
  std::shared_ptr<const Schema> parser_schema_;
  std::unique_lock<std::mutex> alone_;  ///< Held while this worker's split decides the schema.
  std::string offending_;
  bool open_ended_ = false;
  DerivedColumns derived_;
};

}  // namespace leat::executor
