#include "executor/repair.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "connector/glob.h"
#include "connector/reject_file/reject_lines.h"
#include "executor/after_actions.h"
#include "executor/epoch.h"
#include "executor/pipeline_binding.h"
#include "executor/recovery.h"
#include "executor/resumed_split.h"

namespace leat::executor {
namespace {

/// Of one epoch: bounds what is held in memory, and the sink's transaction.
constexpr std::size_t kSplitsPerEpoch = 50'000;

/// Up to kSplitsPerEpoch splits that fit, in the ledger's order.
Result<std::vector<SplitProgress>> next_batch(const state::Ledger& ledger,
                                              const SplitFilter& filter) {
  std::vector<SplitProgress> batch;
  Result<void> scanned = ledger.scan([&](const SplitProgress& split) {
    if (filter.fits(split)) batch.push_back(split);
    return batch.size() < kSplitsPerEpoch;
  });
  if (!scanned) return std::move(scanned).error();
  return batch;
}

bool delivered(const SplitProgress& split) { return split.rows + split.rejected > 0; }

SplitProgress rewound(const ObjectVersion& object) {
  SplitProgress progress;
  progress.object = object;
  progress.state = SplitState::kRewound;
  return progress;
}

/// Of an object as a reject file names it.
std::string_view key_of(std::string_view uri) {
  constexpr std::string_view kS3 = "s3://";
  if (!uri.starts_with(kS3)) return uri;
  return uri.substr(std::min(uri.size(), uri.find('/', kS3.size()) + 1));
}

/// Rejects of objects that are loaded anew come again: takes them out of the file.
Result<void> drop_rejects_of(const std::set<std::string, std::less<>>& keys,
                             std::string_view pipeline, const std::filesystem::path& file) {
  Result<connector::RejectLines> lines = connector::RejectLines::open(file);
  if (!lines) return std::move(lines).error();
  std::vector<std::uint64_t> numbers;
  while (true) {
    Result<std::optional<connector::RejectLine>> line = lines->next();
    if (!line) return std::move(line).error();
    if (!*line) return connector::drop_lines(file, numbers);
    if ((*line)->pipeline == pipeline && keys.contains(key_of((*line)->object))) {
      numbers.push_back((*line)->number);
    }
  }
}

}  // namespace

Result<Repair> Repair::open(const LoaderOptions& options) {
  if (Result<void> there = check_state_folder(options.source.state_dir); !there) {
    return std::move(there).error();
  }
  Repair repair;
  Result<std::unique_ptr<state::Ledger>> ledger =
      state::Ledger::open({.dir = options.source.state_dir, .read_only = false});
  if (!ledger) return with_loader_advice(std::move(ledger).error());
  repair.ledger_ = std::move(*ledger);
  const auto bound = [&](std::string_view fact, const std::string& wanted) {
    return check_bound(options.source.state_dir, fact, repair.ledger_->meta(fact), wanted);
  };
  for (Result<void> same :
       {bound("consumer", consumer_of(options)), bound("pipeline", options.source.pipeline)}) {
    if (!same) return std::move(same).error();
  }
  repair.pipeline_ = *repair.ledger_->meta("pipeline");
  Result<std::unique_ptr<RowSink>> sink = open_sink(options.to, options.sink);
  if (!sink) return std::move(sink).error();
  repair.sink_ = std::move(*sink);
  std::optional<connector::Glob> glob;
  if (!options.source.from.empty()) {
    Result<SourceUri> uri = parse_source_uri(options.source.from);
    if (!uri) return std::move(uri).error();
    Result<connector::Glob> compiled = connector::Glob::compile(uri->pattern);
    if (!compiled) return std::move(compiled).error();
    glob = *std::move(compiled);
  }
  Recovery recovery(
      *repair.ledger_, repair.pipeline_, options.source, [&](const Checkpoint& checkpoint) {
        // Which objects are meant cannot be told without their pattern.
        if (!glob) return std::vector<state::OutboxEntry>();
        return outbox_entries(options.source.after, *glob, checkpoint, system_clock().wall_ms());
      });
  Result<EpochMark> mark = recovery.follow(*repair.sink_);
  if (!mark) return std::move(mark).error();
  repair.on_step_ = options.sink.on_step;
  Result<std::optional<connector::RejectFile>> rejects =
      open_reject_file(options, repair.pipeline_, mark->epoch);
  if (!rejects) return std::move(rejects).error();
  repair.rejects_ = std::move(*rejects);
  return repair;
}

Result<void> Repair::commit(std::vector<SplitProgress> splits) {
  const Checkpoint checkpoint = next_epoch(*ledger_, std::move(splits), system_clock());
  return commit_epoch(
      checkpoint, *sink_, [&] { return ledger_->commit(checkpoint); }, on_step_);
}

Result<RepairReport> rewind(const LoaderOptions& options, const RewindOptions& rewind,
                            const SplitVisitor& visit) {
  RepairReport report;
  if (rewind.dry_run) {
    Result<std::unique_ptr<state::Ledger>> ledger =
        state::Ledger::open({.dir = options.source.state_dir, .read_only = true});
    if (!ledger) return std::move(ledger).error();
    report.epoch = (*ledger)->epoch();
    Result<void> scanned = (*ledger)->scan([&](const SplitProgress& split) {
      if (!rewind.filter.fits(split)) return true;
      visit(split);
      ++report.objects;
      if (!rewind.keep_rows) report.rows += split.rows;
      return true;
    });
    if (!scanned) return std::move(scanned).error();
    return report;
  }
  Result<Repair> repair = Repair::open(options);
  if (!repair) return std::move(repair).error();
  std::set<std::string, std::less<>> with_rejects;
  while (true) {
    Result<std::vector<SplitProgress>> batch = next_batch(repair->ledger(), rewind.filter);
    if (!batch) return std::move(batch).error();
    if (batch->empty()) break;
    // By version: an object may have an entry in two of them.
    std::map<std::pair<std::string, std::string>, RowsOfObject> rows;
    std::map<std::string, SplitProgress> splits;
    for (const SplitProgress& split : *batch) {
      visit(split);
      splits.insert_or_assign(split.object.key, rewound(split.object));
      if (split.rejected != 0) with_rejects.insert(split.object.key);
      if (delivered(split)) {
        rows.insert_or_assign(
            {split.object.key, split.object.version},
            RowsOfObject{.object = split.object, .any_version = split.fingerprint.has_value()});
      }
    }
    if (!rewind.keep_rows && !rows.empty()) {
      std::vector<RowsOfObject> ranges;
      ranges.reserve(rows.size());
      for (auto& [version, range] : rows) ranges.push_back(std::move(range));
      Result<std::uint64_t> removed = repair->sink().remove_rows(ranges);
      if (!removed) {
        Error error = std::move(removed).error();
        if (error.code == ErrorCode::kUnsupported) {
          error.message +=
              ". Nothing was changed. If you take the rows out yourself (or want them twice), "
              "repeat this with --rows keep";
        }
        return error;
      }
      report.rows += *removed;
    }
    std::vector<SplitProgress> changes;
    changes.reserve(splits.size());
    for (auto& [key, split] : splits) changes.push_back(std::move(split));
    report.objects += changes.size();
    if (Result<void> committed = repair->commit(std::move(changes)); !committed) {
      return std::move(committed).error();
    }
  }
  report.epoch = repair->ledger().epoch();
  if (!options.rejects_file.empty() && !with_rejects.empty()) {
    if (Result<void> dropped =
            drop_rejects_of(with_rejects, repair->pipeline(), options.rejects_file);
        !dropped) {
      return std::move(dropped).error();
    }
  }
  return report;
}

Result<RepairReport> retry(const LoaderOptions& options, const SplitFilter& filter, bool dry_run,
                           const SplitVisitor& visit) {
  SplitFilter quarantined = filter;
  quarantined.state = SplitState::kQuarantined;
  RepairReport report;
  const auto collect = [&](const state::Ledger& ledger, std::vector<SplitProgress>* changes) {
    return ledger.scan([&](const SplitProgress& split) {
      if (split.state == SplitState::kFinished) return false;  // They come last.
      if (!quarantined.fits(split)) return true;
      visit(split);
      ++report.objects;
      if (changes == nullptr) return true;
      changes->push_back(resumed(split));
      return true;
    });
  };
  if (dry_run) {
    Result<std::unique_ptr<state::Ledger>> ledger =
        state::Ledger::open({.dir = options.source.state_dir, .read_only = true});
    if (!ledger) return std::move(ledger).error();
    report.epoch = (*ledger)->epoch();
    if (Result<void> scanned = collect(**ledger, nullptr); !scanned) {
      return std::move(scanned).error();
    }
    return report;
  }
  Result<Repair> repair = Repair::open(options);
  if (!repair) return std::move(repair).error();
  std::vector<SplitProgress> changes;
  if (Result<void> scanned = collect(repair->ledger(), &changes); !scanned) {
    return std::move(scanned).error();
  }
  if (!changes.empty()) {
    if (Result<void> committed = repair->commit(std::move(changes)); !committed) {
      return std::move(committed).error();
    }
  }
  report.epoch = repair->ledger().epoch();
  return report;
}

}  // namespace leat::executor
