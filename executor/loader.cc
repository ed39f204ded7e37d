#include "leat/loader.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "connector/reject_file/reject_file.h"
#include "executor/epoch.h"
#include "executor/log.h"
#include "executor/pipeline_binding.h"
#include "executor/source_executor.h"

namespace leat {
namespace {

using executor::consumer_of;
using executor::SourceExecutor;
using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

constexpr milliseconds kProgressInterval{500};
constexpr milliseconds kPollMax{100};
constexpr milliseconds kFirstSinkPause{250};
constexpr milliseconds kLongestSinkPause{8'000};
constexpr std::uint64_t kRecordsForPercent = 1'000;
/// Splits after which an epoch is committed before its time: what is held of them in memory must
/// not follow the number of objects that a listing shows to have changed, or to be empty.
constexpr std::size_t kSplitsInEpoch = 10'000;

/// Whether the same may work later: the connection was lost, a lock was held, a disk was full.
bool may_pass(const Error& error) { return error.retryable || error.code == ErrorCode::kDiskFull; }

void add_counts(const SourceStats& more, SourceStats& to) {
  to.rows += more.rows;
  to.rows_rejected += more.rows_rejected;
  to.values_nulled += more.values_nulled;
  to.bytes += more.bytes;
  to.objects_finished += more.objects_finished;
  to.objects_quarantined += more.objects_quarantined;
  to.objects_changed += more.objects_changed;
  to.objects_replaced += more.objects_replaced;
  to.objects_grown += more.objects_grown;
  to.objects_open_ended += more.objects_open_ended;
  to.objects_gone += more.objects_gone;
  to.objects_forgotten += more.objects_forgotten;
  to.objects_with_extra_columns += more.objects_with_extra_columns;
  to.objects_with_missing_columns += more.objects_with_missing_columns;
  to.objects_with_misfits += more.objects_with_misfits;
  to.after_actions_done += more.after_actions_done;
  to.store.list_requests += more.store.list_requests;
  to.store.get_requests += more.store.get_requests;
  to.store.retries += more.store.retries;
  to.store.bytes_read += more.store.bytes_read;
}

/// What a load came to before a run of its pipeline.
struct EarlierRuns {
  SourceStats committed;
  /// An epoch that was sent to the sink, and whose commit failed: of it, in case it is there.
  std::uint64_t attempted_token = 0;
  SourceStats attempted;
  executor::StartsOver started_over;
};

/// One run of a pipeline from recovery to the end, or to a point from which it has to start over.
///
/// An epoch is committed in this order: reject file, sink, ledger. Each may be repeated after a
/// crash: the sink's record decides, the reject file is cut back to it, and the ledger follows it.
class PipelineRun {
 public:
  /// Borrows options and sink.
  PipelineRun(const LoaderOptions& options, RowSink& sink, EarlierRuns earlier)
      : options_(options), sink_(sink), earlier_(std::move(earlier)) {}

  enum class End {
    kDone,
    kStartOver,  ///< Rows that had to be taken back could not be: all of the epoch was.
    kTryAgain,   ///< Sink or disk failed for now: all of the epoch was taken back.
  };

  Result<void> open();
  /// @param failure  With kTryAgain: why.
  Result<End> run(std::stop_token stop, const std::function<void()>& progress, Error& failure);
  /// Lets go of source and sink; what was not committed is rolled back.
  Result<void> close();

  /// Of this attempt and those before.
  SourceStats stats() const;
  /// Whether something was committed, by this run or, as it turned out, by the one before.
  bool has_committed() const { return committed_.has_value(); }
  /// For the next run. Before close().
  EarlierRuns so_far() const;
  std::uint64_t epoch() const { return epoch_; }

 private:
  Result<void> consume(std::stop_token stop, const std::function<void()>& progress, End& end);
  Result<void> recover();
  Result<void> write(RowChunk chunk);
  Result<void> take_back(const ObjectVersion& split, End& end);
  Result<void> settle_refused();
  Result<void> check_rejects(const SourceStats& now, bool at_end) const;
  Result<void> commit_epoch();
  Result<void> commit(const Checkpoint& checkpoint, const SourceStats& with_it);
  Result<void> replace(const ObjectVersion& object, std::stop_token stop);

  const LoaderOptions& options_;
  RowSink& sink_;
  EarlierRuns earlier_;
  std::optional<SourceStats> committed_;  ///< As of the last commit.
  std::unique_ptr<SourceExecutor> source_;
  std::optional<connector::RejectFile> rejects_;
  std::set<std::string> rejected_since_commit_;  ///< Keys of splits with lines in rejects_.
  std::uint64_t epoch_ = 0;
};

Result<void> PipelineRun::open() {
  if (options_.source.on_change == SourceOptions::OnChange::kReplace && !sink_.transactional()) {
    return Error{ErrorCode::kInvalidArgument,
                 "--on-change replace needs a sink that takes rows out again, such as "
                 "postgresql://… or sqlite:FILE"};
  }
  Result<std::unique_ptr<SourceExecutor>> source =
      SourceExecutor::prepare(options_.source, nullptr, consumer_of(options_));
  if (!source) return std::move(source).error();
  source_ = std::move(*source);
  source_->trace(options_.sink.on_step);
  source_->follow_starts(earlier_.started_over);
  if (Result<void> recovered = recover(); !recovered) return recovered;
  if (source_->schema() == nullptr) {
    Result<Schema> columns = sink_.table_columns();
    if (!columns) return std::move(columns).error();
    source_->follow_types(*std::move(columns));
  }
  return source_->start();
}

Result<void> PipelineRun::recover() {
  Result<EpochMark> mark = source_->recovery().follow(sink_);
  if (!mark) return std::move(mark).error();
  epoch_ = mark->epoch;
  if (mark->token == earlier_.attempted_token && mark->epoch != 0) {
    committed_ = earlier_.committed = earlier_.attempted;
  }
  Result<std::optional<connector::RejectFile>> rejects =
      executor::open_reject_file(options_, source_->pipeline(), epoch_);
  if (!rejects) return std::move(rejects).error();
  rejects_ = std::move(*rejects);
  return {};
}

Result<void> PipelineRun::write(RowChunk chunk) {
  if (rejects_ && !chunk.rejects.empty()) {
    if (Result<void> kept = rejects_->append(source_->uri_of(chunk.split->key), chunk); !kept) {
      return kept;
    }
    rejected_since_commit_.insert(chunk.split->key);
  }
  if (Result<void> taken = sink_.take(std::move(chunk)); !taken) return taken;
  return check_rejects(stats(), false);
}

/// Rows that the table refused count as rejects, and go where rejects go.
Result<void> PipelineRun::settle_refused() {
  Result<std::vector<RefusedRows>> refused = sink_.settle();
  if (!refused) return std::move(refused).error();
  for (RefusedRows& rows : *refused) {
    source_->refused(rows.split->key, rows.rows.size());
    if (!rejects_) continue;
    RowChunk chunk;
    chunk.split = rows.split;
    chunk.rejects = std::move(rows.rows);
    if (Result<void> kept = rejects_->append(source_->uri_of(chunk.split->key), chunk); !kept) {
      return kept;
    }
    rejected_since_commit_.insert(chunk.split->key);
  }
  return {};
}

Result<void> PipelineRun::check_rejects(const SourceStats& now, bool at_end) const {
  const std::uint64_t records = now.rows + now.rows_rejected;
  const bool too_many = now.rows_rejected > options_.rejects_max;
  const bool too_large_a_share = (records >= kRecordsForPercent || at_end) &&
                                 static_cast<double>(now.rows_rejected) * 100 >
                                     options_.rejects_percent_max * static_cast<double>(records);
  if (!too_many && !too_large_a_share) return {};
  return Error{ErrorCode::kBadValue,
               std::to_string(now.rows_rejected) + " of " + std::to_string(records) +
                   " records were rejected, more than --max-rejects allows. The open epoch was "
                   "rolled back; look at the rejects that are kept, and at the objects"};
}

Result<void> PipelineRun::commit_epoch() {
  if (Result<void> settled = settle_refused(); !settled) return settled;
  if (Result<void> allowed = check_rejects(stats(), false); !allowed) return allowed;
  Checkpoint checkpoint = source_->checkpoint();
  if (checkpoint.splits.empty()) return {};
  return commit(checkpoint, stats());
}

/// @param with_it  What will have been loaded.
Result<void> PipelineRun::commit(const Checkpoint& checkpoint, const SourceStats& with_it) {
  if (rejects_) {
    if (Result<void> synced = rejects_->sync(); !synced) return synced;
  }
  earlier_.attempted_token = checkpoint.token;
  earlier_.attempted = with_it;
  Result<void> committed = executor::commit_epoch(
      checkpoint, sink_, [&] { return source_->commit(checkpoint); }, options_.sink.on_step);
  if (!committed) return committed;
  committed_ = with_it;
  epoch_ = checkpoint.epoch;
  if (rejects_) rejects_->committed(epoch_);
  rejected_since_commit_.clear();
  return {};
}

/// Takes the rows of an object's former version out and puts those of its new one in, in an epoch
/// of their own: a crash anywhere in between leaves the former ones.
Result<void> PipelineRun::replace(const ObjectVersion& object, std::stop_token stop) {
  if (Result<void> committed = commit_epoch(); !committed) return committed;
  Result<std::vector<SplitProgress>> loaded = source_->loaded_versions(object.key);
  if (!loaded) return std::move(loaded).error();
  std::vector<RowsOfObject> former;
  for (SplitProgress& split : *loaded) {
    former.push_back(
        {.object = std::move(split.object), .any_version = split.fingerprint.has_value()});
  }
  if (Result<std::uint64_t> removed = sink_.remove_rows(former); !removed) {
    return std::move(removed).error();
  }
  Result<void> written;
  Result<SplitProgress> split =
      source_->reader().read(object, {}, [&](RowChunk chunk) -> Result<void> {
        if (stop.stop_requested()) return Error{ErrorCode::kCancelled, "the load is stopped"};
        written = sink_.take(std::move(chunk));
        return written;
      });
  if (!written) return written;
  if (stop.stop_requested()) return sink_.roll_back();  // The next start does it.
  if (!split) {
    if (Result<void> back = sink_.roll_back(); !back) return back;
    return source_->not_replaced(object, std::move(split).error());
  }
  Result<std::vector<RefusedRows>> refused = sink_.settle();
  if (!refused) return std::move(refused).error();
  for (const RefusedRows& rows : *refused) {
    split->rows -= rows.rows.size();
    split->rejected += rows.rows.size();
  }
  SourceStats with_it = stats();
  with_it.rows += split->rows;
  with_it.rows_rejected += split->rejected;
  ++with_it.objects_replaced;
  if (Result<void> allowed = check_rejects(with_it, false); !allowed) return allowed;
  if (Result<void> committed = commit(source_->checkpoint_of({*split}), with_it); !committed) {
    return committed;
  }
  source_->replaced(*split);
  return {};
}

Result<void> PipelineRun::take_back(const ObjectVersion& split, End& end) {
  // Lines of a reject file cannot be taken back one by one, but all of the epoch's can.
  if (sink_.transactional() && rejected_since_commit_.contains(split.key)) {
    end = End::kStartOver;
    return {};
  }
  Result<void> discarded = sink_.discard(split);
  if (discarded) return {};
  if (discarded.error().code != ErrorCode::kUnsupported) return discarded;
  // Without transactions, what was written stays.
  if (sink_.transactional()) end = End::kStartOver;
  return {};
}

Result<void> PipelineRun::consume(std::stop_token stop, const std::function<void()>& progress,
                                  End& end) {
  auto next_commit = SteadyClock::now() + options_.checkpoint_interval;
  auto next_progress = SteadyClock::now() + kProgressInterval;
  while (end != End::kStartOver) {
    const auto now = SteadyClock::now();
    if (now >= next_progress) {
      progress();
      next_progress = now + kProgressInterval;
    }
    if (now >= next_commit || stop.stop_requested() ||
        source_->splits_settled() >= kSplitsInEpoch) {
      if (Result<void> committed = commit_epoch(); !committed) return committed;
      if (stop.stop_requested()) return sink_.finish(source_->schema().get());
      next_commit = SteadyClock::now() + options_.checkpoint_interval;
    }
    const auto until_commit = std::chrono::duration_cast<milliseconds>(next_commit - now);
    Result<Polled> polled = source_->poll(std::clamp(until_commit, milliseconds(1), kPollMax));
    if (!polled) {
      // What came before the failure is good: keep it.
      Error error = std::move(polled).error();
      if (Result<void> committed = commit_epoch(); !committed) return committed;
      error.retryable = false;  // The source has tried for as long as it may.
      return error;
    }
    switch (polled->kind) {
      case Polled::Kind::kRows:
        if (Result<void> written = write(std::move(polled->rows)); !written) return written;
        break;
      case Polled::Kind::kDiscard:
        if (Result<void> taken = take_back(*polled->discarded, end); !taken) return taken;
        break;
      case Polled::Kind::kIdle:
        if (const auto object = source_->take_replacement()) {
          if (Result<void> replaced = replace(*object, stop); !replaced) return replaced;
        }
        break;
      case Polled::Kind::kEnd:
        if (Result<void> settled = settle_refused(); !settled) return settled;
        if (Result<void> allowed = check_rejects(stats(), true); !allowed) return allowed;
        if (Result<void> committed = commit_epoch(); !committed) return committed;
        if (!source_->all_done()) break;
        source_->finish_after_actions(stop);
        return sink_.finish(source_->schema().get());
    }
  }
  return {};
}

Result<PipelineRun::End> PipelineRun::run(std::stop_token stop,
                                          const std::function<void()>& progress, Error& failure) {
  End end = End::kDone;
  Result<void> consumed = consume(stop, progress, end);
  if (consumed) return end;
  failure = std::move(consumed).error();
  if (!may_pass(failure)) return failure;
  return End::kTryAgain;
}

SourceStats PipelineRun::stats() const {
  SourceStats stats = source_ ? source_->stats() : SourceStats{};
  add_counts(earlier_.committed, stats);
  return stats;
}

EarlierRuns PipelineRun::so_far() const {
  EarlierRuns runs = earlier_;
  if (committed_) runs.committed = *committed_;
  if (source_ != nullptr) runs.started_over = source_->started_over();
  return runs;
}

Result<void> PipelineRun::close() {
  Result<void> closed;
  if (source_ != nullptr) closed = source_->close();
  Result<void> sink_closed = sink_.close();
  return closed ? sink_closed : closed;
}

class PipelineLoader final : public Loader {
 public:
  explicit PipelineLoader(LoaderOptions options) : options_(std::move(options)) {}

  Result<LoadReport> run(std::stop_token stop, const ProgressCallback& progress) override {
    bool reporting = false;
    const auto told = [&](const LoadReport& report) {
      reporting = true;
      progress(report);
      reporting = false;
    };
    std::string why = "an exception came out of the progress callback";
    // Any other is the process's own trouble, such as a lack of memory or threads.
    try {
      return load(std::move(stop), progress ? ProgressCallback(told) : nullptr);
    } catch (const std::exception& exception) {
      if (!reporting) throw;
      why += std::string(": ") + exception.what();
    } catch (...) {
      if (!reporting) throw;
    }
    return Error{ErrorCode::kInternal, std::move(why)};
  }

 private:
  Result<LoadReport> load(std::stop_token stop, const ProgressCallback& progress) {
    const auto begin = SteadyClock::now();
    const Clock& clock = options_.source.clock != nullptr ? *options_.source.clock : system_clock();
    // The sink first: a wrong URI is told before a state folder is made. One for all attempts: it
    // knows whether it was taken over between two of them.
    Result<std::unique_ptr<RowSink>> sink = open_sink(options_.to, options_.sink);
    if (!sink) return std::move(sink).error();
    EarlierRuns earlier;
    constexpr Clock::Duration kNotFailing = Clock::Duration::max();
    Clock::Duration failing_since = kNotFailing;
    milliseconds pause = kFirstSinkPause;
    bool opened_once = false;
    while (true) {
      PipelineRun pipeline(options_, **sink, earlier);
      const auto report = [&] {
        LoadReport totals;
        totals.source = pipeline.stats();
        totals.epoch = pipeline.epoch();
        totals.seconds = std::chrono::duration<double>(SteadyClock::now() - begin).count();
        return totals;
      };
      Error failure;
      Result<PipelineRun::End> end = PipelineRun::End::kTryAgain;
      if (Result<void> opened = pipeline.open(); opened) {
        opened_once = true;
        end = pipeline.run(
            stop,
            [&] {
              if (progress) progress(report());
            },
            failure);
      } else {
        failure = std::move(opened).error();
        if (!may_pass(failure)) end = failure;
      }
      const LoadReport totals = report();
      earlier = pipeline.so_far();
      Result<void> closed = pipeline.close();
      if (progress && opened_once) progress(totals);
      if (!end) return std::move(end).error();
      if (*end == PipelineRun::End::kDone) {
        if (!closed) return std::move(closed).error();
        return totals;
      }
      if (pipeline.has_committed()) {
        failing_since = kNotFailing;
        pause = kFirstSinkPause;
      }
      if (*end == PipelineRun::End::kStartOver) {
        if (pipeline.has_committed()) continue;
      } else {
        if (failing_since == kNotFailing) failing_since = clock.monotonic();
        if (options_.source.once && clock.monotonic() - failing_since >= options_.sink_retry_for) {
          return failure;
        }
        executor::log(options_.source, SourceOptions::LogLevel::kWarning,
                      "what was not committed is loaded again: " + failure.to_string());
      }
      if (!clock.wait(pause, stop)) {
        LoadReport committed = totals;
        committed.source = earlier.committed;
        return committed;
      }
      pause = std::min(pause * 2, kLongestSinkPause);
    }
  }

  const LoaderOptions options_;
};

}  // namespace

Result<void> LoaderOptions::validate() const {
  if (Result<void> valid = source.validate(); !valid) return valid;
  if (to.empty()) {
    return Error{ErrorCode::kInvalidArgument,
                 "no sink: say where rows go, e.g. postgresql://…, sqlite:rows.db, - or null:"};
  }
  if (checkpoint_interval.count() <= 0) {
    return Error{ErrorCode::kInvalidArgument, "the checkpoint interval must be above 0"};
  }
  if (!(rejects_percent_max >= 0 && rejects_percent_max <= 100)) {
    return Error{ErrorCode::kInvalidArgument, "the share of rejects must be 0 to 100 per cent"};
  }
  if (source.on_change == SourceOptions::OnChange::kReplace) {
    if (!source.lineage) {
      return Error{ErrorCode::kInvalidArgument,
                   "--on-change replace needs --lineage: without it, rows do not tell which object "
                   "they are from"};
    }
    if (!rejects_file.empty()) {
      return Error{ErrorCode::kInvalidArgument,
                   "--on-change replace takes an object's former rejects out as well, which only a "
                   "sink's own table allows: leave out --rejects"};
    }
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
  executor::settle_rejects(options);
  // A line of the file is committed or not by its epoch's number; of several connections one may
  // have committed its part of an epoch, and another not.
  if (!options.rejects_file.empty()) options.sink.connections = 1;
  if (options.rejects_max != std::numeric_limits<std::uint64_t>::max()) {
    // For a sink 0 is no limit: one that takes none is told with the first by check_rejects().
    options.sink.refused_rows_max = std::max<std::uint64_t>(options.rejects_max, 1);
  }
  if (options.sink.on_step) {
    options.sink.on_step = [step = std::move(options.sink.on_step)](std::string_view name) {
      try {
        step(name);
      } catch (...) {  // Told for traces: no reason to end a load.
      }
    };
  }
  return std::unique_ptr<Loader>(std::make_unique<PipelineLoader>(std::move(options)));
}

}  // namespace leat
