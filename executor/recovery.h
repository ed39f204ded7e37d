// Where a pipeline goes on: what its consumer has is held against the ledger, and the ledger
// follows.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "leat/result.h"
#include "leat/sink.h"
#include "leat/source.h"
#include "state/ledger.h"
#include "state/outbox.h"

namespace leat::executor {

/// Brings a ledger into step, before anything else is done with it.
class Recovery {
 public:
  /// What becomes of the objects that an epoch finished: see outbox_entries().
  using OutboxOf = std::function<std::vector<state::OutboxEntry>(const Checkpoint&)>;

  /// Ledger and options are borrowed.
  Recovery(state::Ledger& ledger, std::string pipeline, const SourceOptions& options,
           OutboxOf outbox_of);

  /// Takes over what a consumer with a record of its own committed after the ledger's epoch.
  ///   kStateMismatch  Its epoch is not the ledger's nor the one behind it.
  Result<void> follow(const Checkpoint& consumer);

  /// Opens the sink, which takes the pipeline over, and follows its record.
  ///
  /// A ledger that is one epoch behind, as a crash leaves it, takes over what that epoch changed.
  /// One that is further behind is made anew from the sink's record, as is one that is new: which
  /// of the epochs in between it lacks, nothing tells.
  ///
  /// @return  The epoch that both are at.
  ///   kStateMismatch  The ledger is ahead of the sink, or the two are of different histories.
  ///   Errors of RowSink::open and of the ledger.
  Result<EpochMark> follow(RowSink& sink);

 private:
  EpochMark mark() const;
  Result<EpochMark> open(RowSink& sink, Checkpoint& since);
  Result<bool> is_far_ahead(const RowSink& sink) const;

  state::Ledger& ledger_;
  const std::string pipeline_;
  const SourceOptions& options_;
  const OutboxOf outbox_of_;
};

}  // namespace leat::executor
