// One of the sink's connections, with a thread of its own that keeps COPY running.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "connector/postgres/transaction.h"
#include "connector/postgres/writer_context.h"
#include "leat/result.h"
#include "leat/sink.h"

namespace leat::connector {

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
  /// Queues that all rows are to be in the table, or refused.
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

  void add(Job job);
  Result<void> wait();
  void work(std::stop_token stop);
  Result<void> run(const Job& job);

  PgTransaction transaction_;  ///< The thread's; the caller's while no job is queued.

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Job> jobs_;          ///< The front one is being worked on.
  std::optional<Error> error_;    ///< The first; nothing more is done after it.
  std::size_t queued_bytes_ = 0;  ///< Of chunks that wait.
  std::jthread thread_;
};

}  // namespace leat::connector
