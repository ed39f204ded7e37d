// Where a pipeline goes on: the sink's record is held against the ledger, and the ledger follows.
#pragma once

#include "executor/source_executor.h"
#include "leat/result.h"
#include "leat/sink.h"
#include "leat/source.h"

namespace leat::executor {

/// Opens the sink, which takes the pipeline over, and brings the ledger into step with it.
///
/// A ledger that is one epoch behind, as a crash leaves it, takes over what that epoch changed. One
/// that is further behind is made anew from the sink's record, as is one that is new: which of the
/// epochs in between it lacks, nothing tells.
///
/// @return  The epoch that both are at.
///   kStateMismatch  The ledger is ahead of the sink, or the two are of different histories.
///   Errors of RowSink::open and of the ledger.
Result<EpochMark> recover_from_sink(SourceExecutor& source, RowSink& sink,
                                    const SourceOptions& options);

}  // namespace leat::executor
