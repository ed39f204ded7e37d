// One of the sink's connections, with a thread of its own that keeps COPY running.
//
// Rows go to PostgreSQL in segments of a few MiB, each under a savepoint: when the table refuses a
// row, the segment is taken back and loaded again around it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "connector/postgres/connection.h"
#include "connector/postgres/target_table.h"
#include "leat/sink.h"

namespace leat::connector {

/// What all writers of a sink have in common. Changed only while none of them has anything to do.
struct PgWriterContext {
  PgSessionOptions session;
  std::string table;  ///< As parse_postgres_table returned it.
  std::string pipeline;
  std::string owner;
  bool keep_rejects = false;
  bool reject_refused = false;
  std::uint64_t refused_rows_max = 0;
  PgTargetTable target;
  std::function<void(std::string_view)> on_step;
};

/// A writer's share of a checkpoint.
struct PgCommit {
  EpochMark mark;
  std::vector<SplitProgress> splits;
};

/// Used by one thread. After an error only the destructor may follow.
class PgWriter {
 public:
  /// Connects when there is something to do. Borrows the context.
  PgWriter(const PgWriterContext& context, int number);
  PgWriter(const PgWriter&) = delete;
  PgWriter& operator=(const PgWriter&) = delete;
  /// Lets go at once: what is not committed is rolled back by the server.
  ~PgWriter();

  /// Queues the chunk's rows and rejects; waits while much is queued.
  Result<void> write(std::shared_ptr<const RowChunk> chunk);
  /// Queues the end of the segment.
  void begin_flush();
  /// Waits for it. Rows that the table refused since the last one, by split.
  Result<std::vector<RefusedRows>> finish_flush();
  /// Once everything queued so far is done: RowSink's calls of the same names, in the open
  /// transaction.
  Result<std::uint64_t> remove_rows(std::span<const RowsOfObject> ranges);
  Result<void> remove_rejects(std::span<const KeptReject> rejects);
  Result<void> roll_back();
  /// Queues the commit of everything that was written and of `commit`.
  void begin_commit(PgCommit commit);
  Result<void> finish_commit();

 private:
  struct Job {
    enum class Kind { kWrite, kFlush, kCommit } kind = Kind::kWrite;
    std::shared_ptr<const RowChunk> chunk = {};
    PgCommit commit = {};
  };
  struct Reject {
    std::shared_ptr<const ObjectVersion> split;
    RejectedRow row;
  };

  void add(Job job);
  Result<void> wait();
  Result<void> begin_now();
  void work(std::stop_token stop);
  Result<void> run(const Job& job);
  Result<void> connect();
  Result<void> begin();
  Result<void> write_rows(const std::shared_ptr<const RowChunk>& chunk);
  Result<void> begin_segment();
  Result<void> end_segment();
  void append(std::string_view bytes);
  void append_rows(const RowChunk& chunk, std::int64_t first, std::int64_t last);
  Result<void> send_buffer();
  Result<void> load_around_bad_rows(std::int64_t first, std::int64_t last);
  Result<void> load_rows(std::int64_t first, std::int64_t last);
  Result<void> roll_back_segment();
  Result<void> refuse(std::int64_t row, const PgFailure& failure, const Error& error);
  bool blames_a_row(const Error& error) const;
  Result<void> commit(const PgCommit& commit);
  Result<void> keep_progress(const PgCommit& commit);
  Result<bool> keeps_former(const SplitProgress& changed);
  void add_reject(std::shared_ptr<const ObjectVersion> split, const RejectedRow& reject);
  Result<void> keep_rejects();
  void step(std::string_view name) const;

  const PgWriterContext& context_;
  const int number_;

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Job> jobs_;        ///< The front one is being worked on.
  std::optional<Error> error_;  ///< The first; nothing more is done after it.
  PgConnection* abortable_ = nullptr;
  std::size_t queued_bytes_ = 0;  ///< Of chunks that wait.

  // Below: the thread's own, and between a flush and the next job the caller's.
  std::optional<PgConnection> connection_;
  bool in_transaction_ = false;
  bool in_copy_ = false;
  bool savepoint_ = false;
  Buffer buffer_;
  std::vector<std::shared_ptr<const RowChunk>> segment_;
  std::int64_t segment_rows_ = 0;
  std::size_t segment_bytes_ = 0;
  std::vector<Reject> rejects_;
  std::size_t rejects_bytes_ = 0;
  std::vector<RefusedRows> refused_;
  std::uint64_t refused_rows_ = 0;
  std::uint64_t refused_rows_committed_ = 0;
  std::jthread thread_;
};

}  // namespace leat::connector
