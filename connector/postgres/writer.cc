#include "connector/postgres/writer.h"

#include <utility>

namespace leat::connector {
namespace {

constexpr std::size_t kQueuedBytesMax = 8u << 20;

}  // namespace

PgWriter::PgWriter(const PgWriterContext& context, int number)
    : transaction_(context, number), thread_([this](std::stop_token stop) { work(stop); }) {}

PgWriter::~PgWriter() {
  thread_.request_stop();
  {
    const std::lock_guard lock(mutex_);
    if (!jobs_.empty()) transaction_.abort();
  }
  thread_.join();
}

void PgWriter::add(Job job) {
  const std::lock_guard lock(mutex_);
  if (job.chunk) queued_bytes_ += job.chunk->memory_bytes();
  jobs_.push_back(std::move(job));
  changed_.notify_all();
}

Result<void> PgWriter::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return jobs_.empty() || error_; });
  if (error_) return *error_;
  return {};
}

Result<void> PgWriter::write(std::shared_ptr<const RowChunk> chunk) {
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return queued_bytes_ < kQueuedBytesMax || error_; });
    if (error_) return *error_;
  }
  add({.kind = Job::Kind::kWrite, .chunk = std::move(chunk)});
  return {};
}

void PgWriter::begin_flush() { add({.kind = Job::Kind::kFlush}); }

Result<std::vector<RefusedRows>> PgWriter::finish_flush() {
  if (Result<void> done = wait(); !done) return std::move(done).error();
  return transaction_.take_refused();
}

void PgWriter::begin_commit(PgCommit commit) {
  add({.kind = Job::Kind::kCommit, .commit = std::move(commit)});
}

Result<void> PgWriter::finish_commit() { return wait(); }

Result<std::uint64_t> PgWriter::remove_rows(std::span<const RowsOfObject> ranges) {
  if (Result<void> done = wait(); !done) return std::move(done).error();
  return transaction_.remove_rows(ranges);
}

Result<void> PgWriter::remove_rejects(std::span<const KeptReject> rejects) {
  if (Result<void> done = wait(); !done) return done;
  return transaction_.remove_rejects(rejects);
}

Result<void> PgWriter::roll_back() {
  if (Result<void> done = wait(); !done) return done;
  return transaction_.roll_back();
}

void PgWriter::work(std::stop_token stop) {
  while (true) {
    const Job* job = nullptr;
    {
      std::unique_lock lock(mutex_);
      if (!changed_.wait(lock, stop, [this] { return !jobs_.empty() && !error_; })) return;
      job = &jobs_.front();
    }
    // A deque's other elements stay where they are when one is added behind them.
    Result<void> done = stop.stop_requested() ? Result<void>() : run(*job);
    const std::lock_guard lock(mutex_);
    if (!done) error_ = std::move(done).error();
    if (job->chunk) queued_bytes_ -= job->chunk->memory_bytes();
    if (!error_) jobs_.pop_front();
    // Not for each chunk: who waits for room would be woken to add a single one.
    if (error_ || jobs_.empty() || queued_bytes_ <= kQueuedBytesMax / 2) changed_.notify_all();
  }
}

Result<void> PgWriter::run(const Job& job) {
  switch (job.kind) {
    case Job::Kind::kWrite:
      return transaction_.write(job.chunk);
    case Job::Kind::kFlush:
      return transaction_.settle();
    case Job::Kind::kCommit:
      return transaction_.commit(job.commit);
  }
  return {};
}

}  // namespace leat::connector
