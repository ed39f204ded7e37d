// Where the rows go.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "leat/result.h"
#include "leat/row_chunk.h"
#include "leat/schema.h"
#include "leat/split.h"

namespace leat {

/// Rows that the table's own rules refused, and that became rejects for it.
struct RefusedRows {
  std::shared_ptr<const ObjectVersion> split;
  std::vector<RejectedRow> rows;  ///< Each with kRowRefused.
};

/// Rows of one version of one object, as the table's lineage columns tell them.
struct ObjectRows {
  std::string key = {};
  std::string version = {};
  std::uint64_t rows = 0;
  std::uint64_t records = 0;  ///< Different records among them; fewer than rows: some came twice.
};

/// A reject in a sink's keeping.
struct KeptReject {
  std::string key = {};  ///< Of its object.
  std::string version = {};
  RejectedRow reject = {};
};

/// A consistent snapshot of what a sink holds of one pipeline: the three sequences belong
/// together, and later commits are not seen. Each ascends in the byte order of the objects' keys,
/// and is read as it is asked for, so that memory does not follow the table. Used by one thread;
/// writers do not wait for it. Errors: kSchemaMismatch, kPermissionDenied, kCorrupt, kIo,
/// kUnavailable.
class SinkReader {
 public:
  virtual ~SinkReader() = default;

  /// The last epoch committed; epoch 0: none.
  virtual EpochMark mark() const noexcept = 0;
  /// The next split of the sink's record of progress; nullopt after the last.
  virtual Result<std::optional<SplitProgress>> next_progress() = 0;
  /// The next object version that has rows in the table; nullopt after the last.
  ///   kUnsupported  The table has no lineage columns.
  virtual Result<std::optional<ObjectRows>> next_rows() = 0;
  /// The next reject that the sink keeps, those of an object by record; nullopt after the last.
  virtual Result<std::optional<KeptReject>> next_reject() = 0;
};

/// Rows of one object whose records begin in a range of its (decoded) bytes.
struct RowsOfObject {
  ObjectVersion object = {};
  Range bytes = {0, UINT64_MAX};
  bool any_version = false;  ///< Of its other versions as well: it was read on as it grew.
};

/// Keeps rows. Not to be implemented elsewhere: leat takes only the sinks that open_sink() opens,
/// and may add to what it asks of them. A program with a target of its own has leat/source.h.
///
/// All calls come from one thread, in this order:
/// open, { write | take | discard | settle | remove_* | roll_back | commit }*, finish where the run
/// ends well, close. read() may come at any time.
/// After close() it may be opened again: it goes on as the writer that it was, and is kFenced where
/// another one took the pipeline over since.
class RowSink {
 public:
  using ProgressVisitor = std::function<Result<void>(const SplitProgress&)>;

  virtual ~RowSink() = default;

  /// True when rows, rejects and progress become durable in one transaction: exactly once.
  virtual bool transactional() const noexcept = 0;

  /// Takes the pipeline over: from now on every other writer of it is fenced off. Visits the
  /// progress of each split that changed after the ledger's epoch, in any order; this outranks the
  /// ledger. Sinks that are not transactional visit nothing and answer `ledger`.
  ///
  /// @return  The last epoch committed here; epoch 0: none.
  ///   kStateMismatch  That epoch does not follow `ledger`: rows were lost or rolled back, or the
  ///                   two are of different histories. Nothing was taken over.
  ///   kPermissionDenied, kIo, kDiskFull, kCorrupt, kUnavailable
  virtual Result<EpochMark> open(std::string_view pipeline, const EpochMark& ledger,
                                 const ProgressVisitor& visit) = 0;

  /// The columns of the table that is there already, each with the type that its values have to
  /// have: where nobody says the types, a sample would suggest others (bigint for an integer). A
  /// column that matches no single type of leat's is left out. Empty: there is no table yet, or
  /// this sink's columns have no types. Between open() and the first write().
  ///   kPermissionDenied, kIo, kUnavailable
  virtual Result<Schema> table_columns() { return Schema(); }

  /// Adds rows, and the chunk's rejects where the sink keeps them, to the open transaction. All
  /// chunks of a pipeline have the same schema. Creates the table, or matches it, at the first.
  ///   kSchemaMismatch  The table exists and does not fit; the message names each difference.
  ///   kBadValue        The table's own rules refuse a row (constraint): which row and why.
  ///   kDiskFull, kIo, kPermissionDenied, kFenced, kUnavailable
  virtual Result<void> write(const RowChunk& chunk) = 0;

  /// As write(); the sink may keep the chunk, and work on it while the next one is made.
  virtual Result<void> take(RowChunk chunk) { return write(chunk); }

  /// Waits until the table has taken or refused each row so far. Comes before the checkpoint is
  /// made, so that it can count refused rows as rejects.
  ///
  /// @return  The rows refused since the last call. They are among the sink's rejects where it
  ///          keeps them; see SinkOptions::reject_refused.
  ///   as write()
  virtual Result<std::vector<RefusedRows>> settle() { return std::vector<RefusedRows>(); }

  /// Takes back the rows of this split that were written since the last commit.
  ///   kUnsupported  This sink or table cannot: the rows stay.
  virtual Result<void> discard(const ObjectVersion& split) = 0;

  // The four below are what repairing asks for. Sinks without transactions have none of them.

  /// Looks at what the sink holds of a pipeline. Takes nothing over, and writes nothing.
  ///   kUnsupported  This sink keeps no record.
  ///   kNotFound     There is no record of this pipeline, or no such table.
  ///   kPermissionDenied, kCorrupt, kIo, kUnavailable
  virtual Result<std::unique_ptr<SinkReader>> read(std::string_view pipeline) const;

  /// Takes rows out of the table, in the open transaction: those whose lineage columns name one of
  /// `ranges` (which do not overlap), and the sink's rejects of the same records. Progress is not
  /// touched: commit() brings it, and has to name the same objects.
  ///
  /// @return  The number of rows that went.
  ///   kUnsupported  The table has no lineage columns; or it is shared with another pipeline that
  ///                 loaded an object of the same key, so that whose rows they are is unknown.
  ///   as write()
  virtual Result<std::uint64_t> remove_rows(std::span<const RowsOfObject> ranges);

  /// Takes rejects of earlier epochs out of the sink's keeping, in the open transaction. A commit
  /// that names their objects follows.
  ///   kUnsupported, as write()
  virtual Result<void> remove_rejects(std::span<const KeptReject> rejects);

  /// Takes back everything since the last commit. The sink goes on to be used.
  ///   kUnsupported, kIo, kUnavailable
  virtual Result<void> roll_back();

  /// Makes everything since the last commit durable together with the checkpoint. The record of a
  /// split that is kForgotten is dropped; one that is kNoted leaves its object's record as it is.
  /// Of each split its rows and its record become durable together, or neither. After an error some
  /// splits may be durable and others not (several connections,
  /// docs/adr/0010-postgres-connections.md): open() tells which. What is not is rolled back; only
  /// close() may follow.
  ///   kFenced  Another loader took the pipeline over: nothing was written since.
  ///   kDiskFull, kIo, kUnavailable
  virtual Result<void> commit(const Checkpoint& checkpoint) = 0;

  /// The run has ended as it should and everything is committed: for sinks whose output has an end
  /// that is marked.
  ///
  /// @param schema  Of the chunks, also where none was written; null: it never got known.
  ///   kDiskFull, kIo
  virtual Result<void> finish(const Schema* /*schema*/) { return {}; }

  /// Rolls back what was not committed, and lets go. Idempotent.
  virtual Result<void> close() = 0;
};

struct SinkOptions {
  std::string table = {};  ///< Needed by sinks with tables.
  /// True: rejects become rows of the sink's table leat_reject. False: somebody else keeps them.
  bool keep_rejects = false;
  /// Standard output only. kArrow: an Arrow IPC stream, see docs/arrow.md.
  enum class Format { kCsv, kJsonl, kArrow } format = Format::kCsv;
  int output_fd = 1;  ///< Standard output only: where it writes.

  /// PostgreSQL only: rows that the table's own rules refuse become rejects, instead of an error.
  bool reject_refused = false;
  /// With that: an error after all, once more than so many were refused; 0: no limit.
  std::uint64_t refused_rows_max = 0;
  /// PostgreSQL only, as are those below. How many connections add rows beside each other; one
  /// where the table has a unique index, an exclusion constraint or a trigger.
  std::uint32_t connections = 2;
  bool create_table = true;  ///< Make the table where it is absent.
  /// How long a statement may take; 0: as the server has it. One COPY lasts up to a whole
  /// checkpoint interval.
  std::uint32_t statement_timeout_ms = 0;
  /// How long a statement may wait for a lock; 0: as the server has it.
  std::uint32_t lock_timeout_ms = 30'000;

  /// Told of the steps of sinks with tables as they are taken ("copy sent", "copy ended", "rows
  /// removed", "rejects removed", "rolled back", "commit begins", "commit sent", "commit answered";
  /// by loader and repairs "ledger begins", "ledger written", "after-action begins", "after-action
  /// done"), from any thread. For traces and tests. It must not throw: leat::Loader drops an
  /// exception, and elsewhere one may end the process.
  std::function<void(std::string_view)> on_step = {};
};

/// Opens the sink of a URI: "-" (standard output), "null:" (counts and discards),
/// "sqlite:FILE", "postgresql://…" (as libpq reads it; "postgresql:" takes all from PG* variables).
///   kInvalidArgument  Unknown URI, or no table where one is needed.
Result<std::unique_ptr<RowSink>> open_sink(std::string_view uri, const SinkOptions& options);

}  // namespace leat
