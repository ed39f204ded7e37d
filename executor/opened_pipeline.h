// A pipeline as its loader opens it, without starting to load: for what reads objects again.
#pragma once

#include <memory>

#include "executor/source_executor.h"
#include "leat/loader.h"
#include "leat/result.h"
#include "leat/sink.h"

namespace leat::executor {

struct OpenedPipeline {
  std::unique_ptr<RowSink> sink;
  std::unique_ptr<SourceExecutor> source;

  /// Ledger and sink are in step when this returns.
  ///   Errors of open_sink, SourceExecutor::prepare, RowSink::open
  static Result<OpenedPipeline> open(const LoaderOptions& options);
  /// Sink, then ledger.
  Result<void> commit(std::vector<SplitProgress> splits);
};

}  // namespace leat::executor
