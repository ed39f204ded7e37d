#include "leat/loader.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "connector/reject_file/reject_file.h"
#include "executor/log.h"
#include "executor/source_executor.h"

namespace leat {
namespace {

using executor::SourceExecutor;
using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

constexpr milliseconds kProgressInterval{500};
constexpr milliseconds kPollMax{100};
constexpr milliseconds kSinkPause{5'000};

/// What keeps the rows, as it is named to people and kept in the state folder. Not where a table's
/// file lies: it may be moved.
std::string consumer_of(const LoaderOptions& options) {
  if (options.to == "-") return "standard output";
  return options.sink.table.empty() ? options.to : "table " + options.sink.table;
}

/// One run of a pipeline from recovery to the end, or to a point from which it has to start over.
///
/// An epoch is committed in this order: reject file, sink, ledger. Each may be repeated after a
/// crash: the sink's record decides, the reject file is cut back to it, and the ledger follows it.
class PipelineRun {
 public:
  explicit PipelineRun(const LoaderOptions& options) : options_(options) {}

  enum class End {
    kDone,
    kStartOver,   ///< Rows that had to be taken back could not be: all of the epoch was.
    kSinkIsBusy,  ///< The sink refused for now: all of the epoch was taken back.
  };

  Result<void> open();
  Result<End> run(std::stop_token stop, const std::function<void()>& progress);
  /// Lets go of source and sink; what was not committed is rolled back.
  Result<void> close();

  SourceStats stats() const { return source_ ? source_->stats() : SourceStats{}; }
  std::uint64_t epoch() const { return epoch_; }

 private:
  Result<End> end_of(Error error) const;
  Result<void> recover();
  Result<void> write(RowChunk chunk);
  Result<void> commit_epoch();
  Result<End> finish();

  const LoaderOptions& options_;
  std::unique_ptr<RowSink> sink_;
  std::unique_ptr<SourceExecutor> source_;
  std::optional<connector::RejectFile> rejects_;
  std::set<std::string> rejected_since_commit_;  ///< Keys of splits with lines in rejects_.
  std::uint64_t epoch_ = 0;
};

Result<void> PipelineRun::open() {
  // The sink first: a wrong URI is told before a state folder is made.
  Result<std::unique_ptr<RowSink>> sink = open_sink(options_.to, options_.sink);
  if (!sink) return std::move(sink).error();
  sink_ = std::move(*sink);
  Result<std::unique_ptr<SourceExecutor>> source =
      SourceExecutor::prepare(options_.source, nullptr, consumer_of(options_));
  if (!source) return std::move(source).error();
  source_ = std::move(*source);
  if (Result<void> recovered = recover(); !recovered) return recovered;
  return source_->start();
}

Result<void> PipelineRun::recover() {
  Checkpoint since;
  Result<EpochMark> mark =
      sink_->open(source_->pipeline(), source_->mark(), [&](const SplitProgress& progress) {
        since.splits.push_back(progress);
        return Result<void>();
      });
  if (!mark) return std::move(mark).error();
  since.epoch = mark->epoch;
  since.token = mark->token;
  since.parent = mark->parent;
  if (Result<void> recovered = source_->recover(since); !recovered) return recovered;
  epoch_ = mark->epoch;
  if (options_.rejects_file.empty()) return {};
  Result<connector::RejectFile> rejects =
      connector::RejectFile::open(options_.rejects_file, source_->pipeline(), epoch_);
  if (!rejects) return std::move(rejects).error();
  rejects_.emplace(std::move(*rejects));
  return {};
}

Result<void> PipelineRun::write(RowChunk chunk) {
  if (rejects_ && !chunk.rejects.empty()) {
    if (Result<void> kept = rejects_->append(source_->uri_of(chunk.split->key), chunk); !kept) {
      return kept;
    }
    rejected_since_commit_.insert(chunk.split->key);
  }
  return sink_->write(chunk);
}

Result<void> PipelineRun::commit_epoch() {
  Checkpoint checkpoint = source_->checkpoint();
  if (checkpoint.splits.empty()) return {};
  if (rejects_) {
    if (Result<void> synced = rejects_->sync(); !synced) return synced;
  }
  if (Result<void> committed = sink_->commit(checkpoint); !committed) return committed;
  if (Result<void> committed = source_->commit(checkpoint); !committed) return committed;
  epoch_ = checkpoint.epoch;
  if (rejects_) rejects_->committed(epoch_);
  rejected_since_commit_.clear();
  return {};
}

Result<PipelineRun::End> PipelineRun::finish() {
  if (Result<void> finished = sink_->finish(source_->schema().get()); !finished) {
    return std::move(finished).error();
  }
  return End::kDone;
}

Result<PipelineRun::End> PipelineRun::run(std::stop_token stop,
                                          const std::function<void()>& progress) {
  auto next_commit = SteadyClock::now() + options_.checkpoint_interval;
  auto next_progress = SteadyClock::now() + kProgressInterval;
  while (true) {
    const auto now = SteadyClock::now();
    if (now >= next_progress) {
      progress();
      next_progress = now + kProgressInterval;
    }
    if (now >= next_commit || stop.stop_requested()) {
      if (Result<void> committed = commit_epoch(); !committed) {
        return end_of(std::move(committed).error());
      }
      if (stop.stop_requested()) return finish();
      next_commit = SteadyClock::now() + options_.checkpoint_interval;
    }
    const auto until_commit = std::chrono::duration_cast<milliseconds>(next_commit - now);
    Result<Polled> polled = source_->poll(std::clamp(until_commit, milliseconds(1), kPollMax));
    if (!polled) {
      // What came before the failure is good: keep it.
      Error error = std::move(polled).error();
      if (Result<void> committed = commit_epoch(); !committed) return std::move(committed).error();
      return error;
    }
    switch (polled->kind) {
      case Polled::Kind::kRows:
        if (Result<void> written = write(std::move(polled->rows)); !written) {
          return end_of(std::move(written).error());
        }
        break;
      case Polled::Kind::kDiscard: {
        // Lines of a reject file cannot be taken back one by one, but all of the epoch's can.
        if (sink_->transactional() && rejected_since_commit_.contains(polled->discarded->key)) {
          return End::kStartOver;
        }
        Result<void> discarded = sink_->discard(*polled->discarded);
        if (discarded || !sink_->transactional()) break;
        if (discarded.error().code == ErrorCode::kUnsupported) return End::kStartOver;
        return std::move(discarded).error();
      }
      case Polled::Kind::kIdle:
        break;
      case Polled::Kind::kEnd:
        if (Result<void> committed = commit_epoch(); !committed) {
          return std::move(committed).error();
        }
        return finish();
    }
  }
}

/// A continuous load outlasts a sink that may answer again, such as a database that is locked.
Result<PipelineRun::End> PipelineRun::end_of(Error error) const {
  if (options_.source.once || !error.retryable) return error;
  executor::log(options_.source, SourceOptions::LogLevel::kWarning,
                "the epoch was rolled back and is loaded again: " + error.to_string());
  return End::kSinkIsBusy;
}

Result<void> PipelineRun::close() {
  Result<void> closed;
  if (source_ != nullptr) closed = source_->close();
  if (sink_ != nullptr) {
    Result<void> sink_closed = sink_->close();
    if (closed) closed = std::move(sink_closed);
  }
  return closed;
}

class PipelineLoader final : public Loader {
 public:
  explicit PipelineLoader(LoaderOptions options) : options_(std::move(options)) {}

  Result<LoadReport> run(std::stop_token stop, const ProgressCallback& progress) override {
    const auto begin = SteadyClock::now();
    const Clock& clock = options_.source.clock != nullptr ? *options_.source.clock : system_clock();
    while (true) {
      PipelineRun pipeline(options_);
      const auto report = [&] {
        LoadReport totals;
        totals.source = pipeline.stats();
        totals.epoch = pipeline.epoch();
        totals.seconds = std::chrono::duration<double>(SteadyClock::now() - begin).count();
        return totals;
      };
      Result<void> opened = pipeline.open();
      if (!opened) {
        (void)pipeline.close();
        return std::move(opened).error();
      }
      Result<PipelineRun::End> end = pipeline.run(stop, [&] {
        if (progress) progress(report());
      });
      LoadReport totals = report();
      Result<void> closed = pipeline.close();
      if (progress) progress(totals);
      if (!end) return std::move(end).error();
      if (!closed) return std::move(closed).error();
      if (*end == PipelineRun::End::kDone) return totals;
      if (*end == PipelineRun::End::kSinkIsBusy && !clock.wait(kSinkPause, stop)) return totals;
    }
  }

 private:
  const LoaderOptions options_;
};

}  // namespace

Result<void> LoaderOptions::validate() const {
  if (Result<void> valid = source.validate(); !valid) return valid;
  if (to.empty()) {
    return Error{ErrorCode::kInvalidArgument,
                 "no sink: say where rows go, e.g. sqlite:rows.db, - or null:"};
  }
  if (checkpoint_interval.count() <= 0) {
    return Error{ErrorCode::kInvalidArgument, "the checkpoint interval must be above 0"};
  }
  if (to == "-" && source.format.on_error != OnError::kFail && rejects_file.empty()) {
    return Error{ErrorCode::kInvalidArgument,
                 "standard output has no place for rejected records: say where they go with "
                 "--rejects FILE"};
  }
  return {};
}

Result<std::unique_ptr<Loader>> Loader::create(LoaderOptions options) {
  if (Result<void> valid = options.validate(); !valid) return std::move(valid).error();
  options.sink.keep_rejects =
      options.rejects_file.empty() && options.source.format.on_error != OnError::kFail;
  return std::unique_ptr<Loader>(std::make_unique<PipelineLoader>(std::move(options)));
}

}  // namespace leat
