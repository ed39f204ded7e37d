// A pipeline as its loader opens it, without starting to load: for what reads objects again.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "connector/reject_file/reject_file.h"
#include "executor/source_executor.h"
#include "leat/loader.h"
#include "leat/result.h"
#include "leat/sink.h"

namespace leat::executor {

struct OpenedPipeline {
  std::unique_ptr<RowSink> sink;
  std::unique_ptr<SourceExecutor> source;
  /// The options' reject file, if there is one, without what was not committed; nobody else
  /// writes to it.
  std::optional<connector::RejectFile> rejects;
  std::function<void(std::string_view)> on_step;  ///< SinkOptions::on_step.

  /// Ledger and sink are in step when this returns.
  ///   Errors of open_sink, SourceExecutor::prepare, RowSink::open
  static Result<OpenedPipeline> open(const LoaderOptions& options);
  /// Reject file, sink, ledger.
  Result<void> commit(std::vector<SplitProgress> splits);
};

}  // namespace leat::executor
