// An epoch, from a pipeline's ledger to the one that follows.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "leat/clock.h"
#include "leat/result.h"
#include "leat/sink.h"
#include "leat/split.h"
#include "state/ledger.h"

namespace leat::executor {

/// The epoch after the ledger's, made of these splits, with a token of its own.
Checkpoint next_epoch(const state::Ledger& ledger, std::vector<SplitProgress> splits,
                      const Clock& clock);

/// Commits in the order that recovery counts on: in the sink, together with what was done there,
/// and then in the ledger. Between the two, the sink is one epoch ahead.
///
/// @param in_ledger  Ledger::commit of the same checkpoint, with what goes with it.
/// @param on_step    SinkOptions::on_step; may be empty.
Result<void> commit_epoch(const Checkpoint& checkpoint, RowSink& sink,
                          const std::function<Result<void>()>& in_ledger,
                          const std::function<void(std::string_view)>& on_step);

}  // namespace leat::executor
