#include "executor/replay.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "connector/reject_file/reject_lines.h"
#include "executor/chunk_rows.h"
#include "executor/opened_pipeline.h"
#include "executor/settled_state.h"
#include "state/ledger_reader.h"

namespace leat::executor {
namespace {

/// An object's own failure: the others can still be replayed.
bool is_of_object(ErrorCode code) {
  return settled_state(code).has_value() || code == ErrorCode::kPermissionDenied;
}

/// One run of a replay.
class Replay {
 public:
  Replay(const ReplayOptions& options, OpenedPipeline& own) : options_(options), own_(own) {}

  ReplayReport report;

  Result<void> open_target();
  /// What the reject file holds already of this pipeline is not added to it again.
  Result<void> know_rejects(const std::filesystem::path& file);
  Result<void> object(const SplitProgress& loaded, const FailureVisitor& failed);
  Result<void> close();

 private:
  Result<void> into_own(const SplitProgress& loaded, const FailureVisitor& failed);
  Result<void> into_other(const SplitProgress& loaded, const FailureVisitor& failed);
  Result<SplitProgress> emit(const SplitProgress& loaded, RowSink& sink,
                             connector::RejectFile* rejects);
  Result<void> keep(const ObjectVersion& object, std::vector<RejectedRow> rejects,
                    connector::RejectFile& file);

  const ReplayOptions& options_;
  OpenedPipeline& own_;
  std::unique_ptr<RowSink> target_;              ///< Null: the own table.
  std::map<std::string, std::string> replayed_;  ///< Into target_, before: key to version.
  EpochMark target_mark_;
  /// Offsets of rejects in the reject file, by object (as a user writes it) and version.
  std::map<std::pair<std::string, std::string>, std::set<std::uint64_t>> known_rejects_;
  std::optional<Error> refused_;  ///< By the sink, or the reject file.
};

Result<void> Replay::open_target() {
  if (options_.into.empty()) return {};
  Result<std::unique_ptr<RowSink>> target = open_sink(options_.into, options_.into_options);
  if (!target) return std::move(target).error();
  target_ = std::move(*target);
  Result<EpochMark> mark =
      target_->open("replay of " + own_.source->pipeline() + " into " + options_.into_options.table,
                    {}, [this](const SplitProgress& split) {
                      replayed_.insert_or_assign(split.object.key, split.object.version);
                      return Result<void>();
                    });
  if (!mark) return std::move(mark).error();
  target_mark_ = *mark;
  return {};
}

Result<void> Replay::know_rejects(const std::filesystem::path& file) {
  Result<connector::RejectLines> lines = connector::RejectLines::open(file);
  if (!lines) return std::move(lines).error();
  while (true) {
    Result<std::optional<connector::RejectLine>> line = lines->next();
    if (!line) return std::move(line).error();
    if (!*line) return {};
    connector::RejectLine& known = **line;
    if (known.pipeline != own_.source->pipeline()) continue;
    known_rejects_[{std::move(known.object), std::move(known.version)}].insert(
        known.reject.byte_offset);
  }
}

/// Adds those of the rejects to the file that it does not hold yet.
Result<void> Replay::keep(const ObjectVersion& object, std::vector<RejectedRow> rejects,
                          connector::RejectFile& file) {
  std::string uri = own_.source->uri_of(object.key);
  const auto known = known_rejects_.find({uri, object.version});
  if (known != known_rejects_.end()) {
    std::erase_if(rejects, [&](const RejectedRow& reject) {
      return known->second.contains(reject.byte_offset);
    });
  }
  RowChunk chunk;
  chunk.split = std::make_shared<const ObjectVersion>(object);
  chunk.rejects = std::move(rejects);
  return file.append(uri, chunk);
}

Result<void> Replay::object(const SplitProgress& loaded, const FailureVisitor& failed) {
  return target_ != nullptr ? into_other(loaded, failed) : into_own(loaded, failed);
}

/// Reads the object, and writes the rows that are asked for. Counts those alone.
/// @param rejects  Where rejects go that the sink does not keep; null: nowhere.
Result<SplitProgress> Replay::emit(const SplitProgress& loaded, RowSink& sink,
                                   connector::RejectFile* rejects) {
  std::uint64_t rows = 0;
  std::uint64_t rejected = 0;
  Result<SplitProgress> split = own_.source->reader().read(
      loaded.object, loaded.fingerprint, [&](RowChunk chunk) -> Result<void> {
        if (options_.bytes) keep_records_in(*options_.bytes, chunk);
        rows += static_cast<std::uint64_t>(chunk.rows);
        rejected += chunk.rejects.size();
        if (chunk.rows == 0 && chunk.rejects.empty()) return {};
        Result<void> written;
        if (rejects != nullptr) written = keep(loaded.object, chunk.rejects, *rejects);
        if (written) written = sink.take(std::move(chunk));
        if (!written) refused_ = written.error();
        return written;
      });
  if (!split) return split;
  Result<std::vector<RefusedRows>> refused = sink.settle();
  if (!refused) {
    refused_ = std::move(refused).error();
    return *refused_;
  }
  for (RefusedRows& refusal : *refused) {
    rows -= refusal.rows.size();
    rejected += refusal.rows.size();
    if (rejects == nullptr) continue;
    if (Result<void> kept = keep(loaded.object, std::move(refusal.rows), *rejects); !kept) {
      refused_ = std::move(kept).error();
      return *refused_;
    }
  }
  split->rows = rows;
  split->rejected = rejected;
  return split;
}

Result<void> Replay::into_own(const SplitProgress& loaded, const FailureVisitor& failed) {
  std::uint64_t removed = 0;
  if (!options_.append) {
    const std::vector<RowsOfObject> former{{.object = loaded.object,
                                            .bytes = options_.bytes.value_or(RowsOfObject().bytes),
                                            .any_version = loaded.fingerprint.has_value()}};
    Result<std::uint64_t> taken = own_.sink->remove_rows(former);
    if (!taken) {
      Error error = std::move(taken).error();
      if (error.code == ErrorCode::kUnsupported) {
        error.message += ". To have the rows added to those that are there, repeat with --append";
      }
      return error;
    }
    removed = *taken;
  }
  Result<SplitProgress> split = emit(loaded, *own_.sink, own_.rejects ? &*own_.rejects : nullptr);
  if (refused_) return *refused_;
  if (!split) {
    if (Result<void> back = own_.sink->roll_back(); !back) return back;
    if (own_.rejects) {
      if (Result<void> back = own_.rejects->roll_back(); !back) return back;
    }
    if (!is_of_object(split.error().code)) return std::move(split).error();
    ++report.failed;
    failed(loaded.object.key, split.error());
    return {};
  }
  report.rows += split->rows;
  report.rejected += split->rejected;
  report.rows_removed += removed;
  ++report.objects;
  if (options_.append || options_.bytes) {
    // What lies outside of the range is as it was.
    split->rows += loaded.rows - std::min(removed, loaded.rows);
    split->rejected = options_.append ? loaded.rejected + split->rejected : loaded.rejected;
  }
  std::vector<SplitProgress> splits;
  splits.push_back(std::move(*split));
  return own_.commit(std::move(splits));
}

Result<void> Replay::into_other(const SplitProgress& loaded, const FailureVisitor& failed) {
  const auto before = replayed_.find(loaded.object.key);
  if (!options_.bytes && before != replayed_.end() && before->second == loaded.object.version) {
    return {};
  }
  Result<SplitProgress> split = emit(loaded, *target_, nullptr);
  if (refused_) return *refused_;
  if (!split) {
    if (!is_of_object(split.error().code)) return std::move(split).error();
    ++report.failed;
    failed(loaded.object.key, split.error());
    // Without transactions, what was written stays.
    return target_->transactional() ? target_->roll_back() : Result<void>();
  }
  report.rows += split->rows;
  report.rejected += split->rejected;
  ++report.objects;
  Checkpoint checkpoint = own_.source->checkpoint_of({});
  checkpoint.epoch = target_mark_.epoch + 1;
  checkpoint.parent = target_mark_.token;
  // Of a part no record is kept: it may be asked for again.
  if (!options_.bytes) {
    split->epoch = checkpoint.epoch;
    checkpoint.splits.push_back(std::move(*split));
  }
  if (Result<void> committed = target_->commit(checkpoint); !committed) return committed;
  target_mark_ = checkpoint.mark();
  return {};
}

Result<void> Replay::close() {
  if (target_ == nullptr) return {};
  Result<void> finished = target_->finish(own_.source->schema().get());
  Result<void> closed = target_->close();
  return finished ? closed : finished;
}

}  // namespace

Result<ReplayReport> replay(const LoaderOptions& options, const ReplayOptions& replay,
                            const SplitVisitor& visit, const FailureVisitor& failed) {
  SplitFilter finished = replay.filter;
  finished.state = SplitState::kFinished;
  ReplayReport report;
  std::optional<OpenedPipeline> own;
  if (!replay.dry_run) {
    Result<OpenedPipeline> opened = OpenedPipeline::open(options);
    if (!opened) return std::move(opened).error();
    own.emplace(std::move(*opened));
  }
  // As of now: what is replayed does not come up again.
  Result<state::LedgerReader> ledger = state::LedgerReader::open(options.source.state_dir);
  if (!ledger) return std::move(ledger).error();
  std::optional<Replay> run;
  if (own) {
    run.emplace(replay, *own);
    if (Result<void> opened = run->open_target(); !opened) return std::move(opened).error();
    if (own->rejects && replay.into.empty()) {
      if (Result<void> known = run->know_rejects(options.rejects_file); !known) {
        return std::move(known).error();
      }
    }
  }
  while (true) {
    Result<std::optional<state::LedgerRecord>> next = ledger->next();
    if (!next) return std::move(next).error();
    if (!*next) break;
    const std::optional<SplitProgress>& split = (*next)->finished;
    if (!split || !finished.fits(*split)) continue;
    visit(*split);
    if (!run) {
      ++report.objects;
      report.rows += split->rows;
      continue;
    }
    if (Result<void> done = run->object(*split, failed); !done) return std::move(done).error();
  }
  if (!run) return report;
  report = run->report;
  if (Result<void> closed = run->close(); !closed) return std::move(closed).error();
  report.epoch = own->source->mark().epoch;
  return report;
}

}  // namespace leat::executor
