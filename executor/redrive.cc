// Rejects, tried once more.

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "connector/reject_file/reject_lines.h"
#include "executor/opened_pipeline.h"
#include "executor/replay.h"
#include "leat/parser.h"

namespace leat::executor {
namespace {

/// Of one epoch: bounds what is held in memory.
constexpr std::size_t kRejectsPerEpoch = 10'000;

/// Rejects of one object, in a row.
struct Batch {
  std::string key;
  std::string version;
  std::vector<KeptReject> rejects;
  std::vector<std::uint64_t> lines;  ///< Of the reject file: one for each of them.
};

std::span<const std::byte> bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

/// One run over all rejects.
class Redrive {
 public:
  Redrive(OpenedPipeline& own, bool dry_run) : own_(own), dry_run_(dry_run) {}

  RedriveReport report;
  /// Lines of the reject file whose rejects are rows now.
  std::vector<std::uint64_t> lines;

  /// `recorded` is what is known of the object, and is kept up to date.
  Result<void> batch(const Batch& batch, SplitProgress& recorded, const FailureVisitor& failed);

 private:
  /// A reject that fits, as a row.
  struct Fitting {
    std::size_t index;
    RowChunk row;
  };

  Result<std::optional<RowChunk>> parse(ByteStreamParser& parser, const KeptReject& kept,
                                        const ObjectVersion& object, const Position& at) const;
  Result<std::vector<Fitting>> fitting(const Batch& batch, const ObjectVersion& object,
                                       const FailureVisitor& failed);
  Result<std::optional<Position>> place_of(const KeptReject& kept, const ObjectVersion& object,
                                           const FailureVisitor& failed);

  OpenedPipeline& own_;
  const bool dry_run_;
  std::unique_ptr<ByteStreamParser> record_parser_;
  std::unique_ptr<ByteStreamParser> row_parser_;
  /// Of the object at hand: what a parser has to know of its front; nullopt: it cannot be had.
  std::optional<std::string> front_;
  std::optional<ObjectVersion> front_of_;
};

/// The reject as a row; nullopt: it is none, and whatever is the matter with it, it stays a reject.
Result<std::optional<RowChunk>> Redrive::parse(ByteStreamParser& parser, const KeptReject& kept,
                                               const ObjectVersion& object,
                                               const Position& at) const {
  Result<void> reset =
      parser.reset_for_new_split(std::make_shared<const ObjectVersion>(object), at);
  if (!reset) return std::move(reset).error();
  RowChunk first;
  RowChunk last;
  Result<void> parsed = parser.parse({at.offset, bytes_of(kept.reject.raw)}, first);
  if (parsed) parsed = parser.finish(last);
  if (!parsed || first.rows + last.rows != 1 || !first.rejects.empty() || !last.rejects.empty()) {
    return std::optional<RowChunk>();
  }
  RowChunk row = std::move(first.rows == 1 ? first : last);
  row.record_offsets.as<std::int64_t>()[0] = static_cast<std::int64_t>(kept.reject.byte_offset);
  row.record_numbers.clear();
  row.record_numbers.push_back(static_cast<std::int64_t>(kept.reject.record));
  if (Result<void> completed = own_.source->reader().complete(row); !completed) {
    return std::move(completed).error();
  }
  return std::optional<RowChunk>(std::move(row));
}

/// Where the record stands in its object; nullopt: the object's front cannot be read.
Result<std::optional<Position>> Redrive::place_of(const KeptReject& kept,
                                                  const ObjectVersion& object,
                                                  const FailureVisitor& failed) {
  if (!front_of_ || !front_of_->same_version(object)) {
    Result<std::string> front = own_.source->reader().parser_state_of(object);
    if (!front) failed(object.key, front.error());
    front_ = front ? std::optional(*std::move(front)) : std::nullopt;
    front_of_ = object;
  }
  if (!front_) return std::optional<Position>();
  return std::optional(Position{.offset = kept.reject.byte_offset,
                                .record = kept.reject.record - 1,
                                .parser_state = *front_,
                                .decoder_state = {}});
}

Result<std::vector<Redrive::Fitting>> Redrive::fitting(const Batch& batch,
                                                       const ObjectVersion& object,
                                                       const FailureVisitor& failed) {
  std::vector<Fitting> fits;
  for (std::size_t i = 0; i < batch.rejects.size(); ++i) {
    const KeptReject& kept = batch.rejects[i];
    const bool is_row = kept.reject.code == ErrorCode::kRowRefused;
    std::unique_ptr<ByteStreamParser>& parser = is_row ? row_parser_ : record_parser_;
    if (parser == nullptr) {
      Result<std::unique_ptr<ByteStreamParser>> made =
          is_row ? own_.source->reader().make_refused_row_parser()
                 : own_.source->reader().make_parser();
      if (!made) return std::move(made).error();
      parser = std::move(*made);
    }
    std::optional<Position> at = Position{};
    if (!is_row) {
      Result<std::optional<Position>> place = place_of(kept, object, failed);
      if (!place) return std::move(place).error();
      at = std::move(*place);
    }
    if (!at) continue;
    ObjectVersion version = object;
    version.version = batch.version;
    Result<std::optional<RowChunk>> row = parse(*parser, kept, version, *at);
    if (!row) return std::move(row).error();
    if (*row) fits.push_back({i, std::move(**row)});
  }
  return fits;
}

Result<void> Redrive::batch(const Batch& batch, SplitProgress& recorded,
                            const FailureVisitor& failed) {
  report.rejects += batch.rejects.size();
  // What has grown begins as its former versions did, so that its front is theirs.
  const bool loaded = recorded.object.version == batch.version || recorded.fingerprint;
  if (!loaded || recorded.state == SplitState::kRewound) {
    failed(batch.key, Error{ErrorCode::kObjectChanged,
                            "its rejects are of another version than the one that is loaded"});
    return {};
  }
  Result<std::vector<Fitting>> fits = fitting(batch, recorded.object, failed);
  if (!fits) return std::move(fits).error();
  if (fits->empty()) return {};
  if (dry_run_) {
    report.rows += fits->size();
    ++report.objects;
    return {};
  }
  RowSink& sink = *own_.sink;
  std::uint64_t removed = 0;
  if (!batch.lines.empty()) {
    // A record that stands in the file twice becomes one row.
    std::set<std::uint64_t> begins;
    std::erase_if(*fits, [&](const Fitting& fit) {
      return !begins.insert(batch.rejects[fit.index].reject.byte_offset).second;
    });
    // A run that was killed before it had written the file anew has made them rows already.
    std::vector<RowsOfObject> places;
    for (const Fitting& fit : *fits) {
      const std::uint64_t begin = batch.rejects[fit.index].reject.byte_offset;
      places.push_back({.object = recorded.object,
                        .bytes = {begin, begin + 1},
                        .any_version = recorded.fingerprint.has_value()});
    }
    Result<std::uint64_t> taken = sink.remove_rows(places);
    if (!taken) return std::move(taken).error();
    removed = *taken;
  }
  for (Fitting& fit : *fits) {
    if (Result<void> taken = sink.take(std::move(fit.row)); !taken) return taken;
  }
  Result<std::vector<RefusedRows>> refused = sink.settle();
  if (!refused) return std::move(refused).error();
  std::set<std::uint64_t> refused_records;
  for (const RefusedRows& rows : *refused) {
    for (const RejectedRow& row : rows.rows) refused_records.insert(row.record);
  }
  report.refused += refused_records.size();
  const std::uint64_t rows = fits->size() - refused_records.size();
  if (rows == 0) return sink.roll_back();
  if (batch.lines.empty()) {
    // Those that were refused again are kept anew, with the reason of now.
    std::vector<KeptReject> tried;
    for (const Fitting& fit : *fits) tried.push_back(batch.rejects[fit.index]);
    if (Result<void> gone = sink.remove_rejects(tried); !gone) return gone;
  }
  report.rows += rows;
  ++report.objects;
  recorded.rows += rows;
  recorded.rows -= std::min(removed, recorded.rows);
  recorded.rejected += removed;
  recorded.rejected -= std::min(rows, recorded.rejected);
  if (Result<void> committed = own_.commit({recorded}); !committed) return committed;
  for (const Fitting& fit : *fits) {
    if (batch.lines.empty()) break;
    if (refused_records.contains(batch.rejects[fit.index].reject.record)) continue;
    lines.push_back(batch.lines[fit.index]);
  }
  return {};
}

/// The rejects of the sink's table, beside its record of progress, both in the order of keys.
Result<void> redrive_table(OpenedPipeline& own, const SplitFilter& filter, Redrive& run,
                           const FailureVisitor& failed) {
  Result<std::unique_ptr<SinkReader>> reader = own.sink->read(own.source->pipeline());
  if (!reader) return std::move(reader).error();
  std::optional<SplitProgress> recorded;
  const auto advance = [&]() -> Result<void> {
    Result<std::optional<SplitProgress>> next = (*reader)->next_progress();
    if (!next) return std::move(next).error();
    recorded = std::move(*next);
    return {};
  };
  if (Result<void> first = advance(); !first) return first;
  const auto finish = [&](const Batch& batch) -> Result<void> {
    if (batch.rejects.empty()) return {};
    while (recorded && recorded->object.key < batch.key) {
      if (Result<void> advanced = advance(); !advanced) return advanced;
    }
    const bool known = recorded && recorded->object.key == batch.key;
    if (known && filter.fits(*recorded)) return run.batch(batch, *recorded, failed);
    return {};
  };
  Batch batch;
  while (true) {
    Result<std::optional<KeptReject>> kept = (*reader)->next_reject();
    if (!kept) return std::move(kept).error();
    if (!*kept || (*kept)->key != batch.key || (*kept)->version != batch.version ||
        batch.rejects.size() == kRejectsPerEpoch) {
      if (Result<void> done = finish(batch); !done) return done;
      batch = {};
      if (!*kept) return {};
      batch.key = (*kept)->key;
      batch.version = (*kept)->version;
    }
    batch.rejects.push_back(std::move(**kept));
  }
}

/// The rejects of a file, in its order, beside the ledger.
Result<void> redrive_lines(OpenedPipeline& own, const std::filesystem::path& file,
                           const SplitFilter& filter, Redrive& run, const FailureVisitor& failed) {
  Result<connector::RejectLines> lines = connector::RejectLines::open(file);
  if (!lines) return std::move(lines).error();
  const auto finish = [&](const Batch& batch) -> Result<void> {
    if (batch.rejects.empty()) return {};
    Result<std::vector<SplitProgress>> loaded = own.source->loaded_versions(batch.key);
    if (!loaded) return std::move(loaded).error();
    if (loaded->empty()) return {};  // Rewound since, or forgotten.
    const auto same = std::find_if(loaded->begin(), loaded->end(), [&](const SplitProgress& split) {
      return split.object.version == batch.version;
    });
    SplitProgress& recorded = same != loaded->end() ? *same : loaded->front();
    return filter.fits(recorded) ? run.batch(batch, recorded, failed) : Result<void>();
  };
  Batch batch;
  while (true) {
    Result<std::optional<connector::RejectLine>> line = lines->next();
    if (!line) return std::move(line).error();
    std::optional<std::string> key;
    if (*line) {
      if ((*line)->pipeline != own.source->pipeline()) continue;
      key = own.source->key_of((*line)->object);
      if (!key) continue;
    }
    if (!*line || *key != batch.key || (*line)->version != batch.version ||
        batch.rejects.size() == kRejectsPerEpoch) {
      if (Result<void> done = finish(batch); !done) return done;
      batch = {};
      if (!*line) return {};
      batch.key = *key;
      batch.version = (*line)->version;
    }
    batch.rejects.push_back(
        {.key = *key, .version = batch.version, .reject = std::move((*line)->reject)});
    batch.lines.push_back((*line)->number);
  }
}

}  // namespace

Result<RedriveReport> redrive(const LoaderOptions& options, const SplitFilter& filter, bool dry_run,
                              const FailureVisitor& failed) {
  const bool file = !options.rejects_file.empty();
  if (file && !options.source.lineage) {
    return Error{ErrorCode::kUnsupported,
                 "rejects of a file can be redriven into tables that are loaded with --lineage "
                 "alone: without it, a run that is repeated after a crash would make rows of the "
                 "same records twice"};
  }
  LoaderOptions with = options;
  with.sink.keep_rejects = !file;
  with.sink.reject_refused = true;  // They are rejects already.
  with.sink.refused_rows_max = 0;
  Result<OpenedPipeline> own = OpenedPipeline::open(with);
  if (!own) return std::move(own).error();
  Redrive run(*own, dry_run);
  Result<void> done = file ? redrive_lines(*own, options.rejects_file, filter, run, failed)
                           : redrive_table(*own, filter, run, failed);
  // What was done is done, also where it ended early.
  std::sort(run.lines.begin(), run.lines.end());
  if (Result<void> dropped = connector::drop_lines(options.rejects_file, run.lines); !dropped) {
    return done ? std::move(dropped).error() : std::move(done).error();
  }
  if (!done) return std::move(done).error();
  run.report.epoch = own->source->mark().epoch;
  return run.report;
}

}  // namespace leat::executor
