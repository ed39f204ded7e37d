// What one connection adds to an epoch, in one transaction: rows, rejects and progress.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "connector/postgres/connection.h"
#include "connector/postgres/segment.h"
#include "connector/postgres/writer_context.h"
#include "leat/result.h"
#include "leat/sink.h"

namespace leat::connector {

/// Connects, and begins a transaction, when there is something to do. Used by one thread at a time,
/// but for abort(). After an error only the destructor may follow: what is not committed is rolled
/// back by the server.
class PgTransaction {
 public:
  /// Borrows the context.
  ///
  /// @param number  Of the connection, from 0: its row of leat.epoch.
  PgTransaction(const PgWriterContext& context, int number);

  /// Adds the chunk's rows and rejects.
  ///   kFenced  Another loader has taken the pipeline over.
  Result<void> write(const std::shared_ptr<const RowChunk>& chunk);
  /// All rows so far are in the table, or refused.
  Result<void> settle();
  /// Those that the table refused since the last call, by split.
  std::vector<RefusedRows> take_refused();
  /// RowSink's calls of the same names.
  Result<std::uint64_t> remove_rows(std::span<const RowsOfObject> ranges);
  Result<void> remove_rejects(std::span<const KeptReject> rejects);
  Result<void> roll_back();
  /// Commits everything since the last commit, and `commit`.
  Result<void> commit(const PgCommit& commit);

  /// From any thread: a call that waits for the server fails soon, and so do all others.
  void abort() noexcept;

 private:
  struct Reject {
    std::shared_ptr<const ObjectVersion> split;
    RejectedRow row;
  };

  Result<void> connect();
  Result<void> begin();
  Result<void> refuse(const RowChunk& chunk, std::int64_t row, const PgFailure& failure);
  void add_reject(std::shared_ptr<const ObjectVersion> split, const RejectedRow& reject);
  Result<void> keep_rejects();
  Result<void> keep_progress(const PgCommit& commit);

  const PgWriterContext& context_;
  const int number_;
  std::mutex connection_mutex_;  ///< For abort(): connection_ comes to be.
  std::optional<PgConnection> connection_;
  bool in_transaction_ = false;
  PgSegment segment_;
  std::vector<Reject> rejects_;
  std::size_t rejects_bytes_ = 0;
  std::vector<RefusedRows> refused_;
  std::uint64_t refused_rows_ = 0;
  std::uint64_t refused_rows_committed_ = 0;
};

}  // namespace leat::connector
