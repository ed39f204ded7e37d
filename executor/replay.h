// Emits what was loaded once more: the same objects, in the same versions, into the same table or
// another.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "executor/repair.h"
#include "executor/split_filter.h"
#include "leat/loader.h"
#include "leat/result.h"

namespace leat::executor {

struct ReplayOptions {
  SplitFilter filter;
  std::optional<Range> bytes = {};  ///< Records that begin in this range (decoded) alone.
  /// Where rows go; empty: into the pipeline's own table, where they replace the former ones.
  std::string into = {};
  SinkOptions into_options = {};
  bool append = false;  ///< Own table: rows are added, and so may be there twice.
  bool dry_run = false;
};

struct ReplayReport {
  std::uint64_t objects = 0;
  std::uint64_t failed = 0;  ///< Objects that could not be read any more; their rows stay.
  std::uint64_t rows = 0;
  std::uint64_t rejected = 0;
  std::uint64_t rows_removed = 0;
  std::uint64_t epoch = 0;
};

/// Told of each object that fails.
using FailureVisitor = std::function<void(const std::string& object, const Error& why)>;

/// Replays the finished splits that fit. Into the own table each object is one transaction, in
/// which its former rows go: a crash leaves an object either as it was or done. Into another sink
/// rows are added, and an object that was replayed there before, as a whole, is passed over.
///   kUnsupported  Own table without lineage columns, and not `append`.
///   Errors of SourceExecutor::prepare and RowSink
Result<ReplayReport> replay(const LoaderOptions& options, const ReplayOptions& replay,
                            const SplitVisitor& visit, const FailureVisitor& failed);

struct RedriveReport {
  std::uint64_t rejects = 0;  ///< Looked at.
  std::uint64_t rows = 0;     ///< That became rows, and are rejects no longer.
  std::uint64_t refused = 0;  ///< That fit the schema, and were refused by the table's own rules.
  std::uint64_t objects = 0;  ///< Of which rejects became rows.
  std::uint64_t epoch = 0;
};

/// Parses the rejects that are kept again, with the options of now; those that fit become rows, and
/// are rejects no longer. The header comes from the object's front where the format has one, so the
/// object must still be there in its version; a row that the table refused (kRowRefused) needs
/// nothing of it.
///
/// Rejects of the sink's table leave it in the same transaction. Those of options.rejects_file
/// leave the file after it: where a crash came between the two, they take the place of the rows
/// that they became, which needs lineage.
///
/// @param failed  Told of each object whose rejects could not be tried.
///   kUnsupported  A reject file, and a table without lineage columns.
///   kCorrupt      A line of the reject file is no reject.
Result<RedriveReport> redrive(const LoaderOptions& options, const SplitFilter& filter, bool dry_run,
                              const FailureVisitor& failed);

}  // namespace leat::executor
