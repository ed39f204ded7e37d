// Changes to what a pipeline remembers, made as a loader makes them: in an epoch of their own,
// first in the sink, in one transaction with the rows they concern, then in the ledger. So a crash
// at any point is healed by the recovery that every start begins with.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connector/reject_file/reject_file.h"
#include "executor/split_filter.h"
#include "leat/loader.h"
#include "leat/result.h"
#include "leat/sink.h"
#include "state/ledger.h"

namespace leat::executor {

/// A pipeline in repair: its state folder is locked against loaders, and its sink is taken over.
/// Used by one thread.
class Repair {
 public:
  /// Needs the options' state folder, sink and table, and no source.
  ///   kNotFound       There is no such state folder.
  ///   kAlreadyOpen    A loader runs.
  ///   kStateMismatch  The state folder belongs to another table, or to another history of it.
  ///   Errors of Ledger::open, open_sink and RowSink::open
  static Result<Repair> open(const LoaderOptions& options);

  state::Ledger& ledger() noexcept { return *ledger_; }
  RowSink& sink() noexcept { return *sink_; }
  const std::string& pipeline() const noexcept { return pipeline_; }

  /// Makes `splits` the next epoch, together with what was done in the sink since the last one.
  ///   Errors of RowSink::commit and Ledger::commit
  Result<void> commit(std::vector<SplitProgress> splits);

 private:
  Repair() = default;

  std::unique_ptr<state::Ledger> ledger_;
  std::unique_ptr<RowSink> sink_;
  std::optional<connector::RejectFile> rejects_;  ///< Without what was not committed.
  std::function<void(std::string_view)> on_step_;
  std::string pipeline_;
};

/// What was done, or with a dry run what would be.
struct RepairReport {
  std::uint64_t objects = 0;
  std::uint64_t rows = 0;  ///< Taken out of the table; rewind only.
  std::uint64_t epoch = 0;
};

/// Told of each split before it is changed.
using SplitVisitor = std::function<void(const SplitProgress&)>;

struct RewindOptions {
  SplitFilter filter;
  /// The rows stay where they are: somebody else has taken them out.
  bool keep_rows = false;
  bool dry_run = false;
};

/// Forgets splits, and takes their rows out of the table: the next load takes them for new.
///   kUnsupported  Rows are to be taken out of a table without lineage columns.
Result<RepairReport> rewind(const LoaderOptions& options, const RewindOptions& rewind,
                            const SplitVisitor& visit);

/// Sets quarantined splits back to "reading": the next load goes on where they stopped.
Result<RepairReport> retry(const LoaderOptions& options, const SplitFilter& filter, bool dry_run,
                           const SplitVisitor& visit);

}  // namespace leat::executor
