// Rejects, tried once more.

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "executor/lineage.h"
#include "executor/opened_pipeline.h"
#include "executor/replay.h"
#include "leat/parser.h"

namespace leat::executor {
namespace {

/// The rejects of one object.
struct Batch {
  std::string key;
  std::string version;
  std::vector<KeptReject> rejects;
};

std::span<const std::byte> bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

/// One run over all rejects.
class Redrive {
 public:
  Redrive(OpenedPipeline& own, bool dry_run) : own_(own), dry_run_(dry_run) {}

  RedriveReport report;

  /// `recorded` is what the sink says of the object.
  Result<void> object(const Batch& batch, const SplitProgress& recorded,
                      const FailureVisitor& failed);

 private:
  Result<bool> try_one(const KeptReject& kept, const ObjectVersion& object,
                       const std::string& parser_state);

  OpenedPipeline& own_;
  const bool dry_run_;
  std::unique_ptr<ByteStreamParser> parser_;
};

/// Whether the reject is a row now; writes it.
Result<bool> Redrive::try_one(const KeptReject& kept, const ObjectVersion& object,
                              const std::string& parser_state) {
  const Position at{.offset = kept.reject.byte_offset,
                    .record = kept.reject.record - 1,
                    .parser_state = parser_state,
                    .decoder_state = {}};
  Result<void> reset =
      parser_->reset_for_new_split(std::make_shared<const ObjectVersion>(object), at);
  if (!reset) return std::move(reset).error();
  RowChunk first;
  RowChunk last;
  Result<void> parsed = parser_->parse({kept.reject.byte_offset, bytes_of(kept.reject.raw)}, first);
  if (parsed) parsed = parser_->finish(last);
  // Whatever is the matter with it, it stays a reject.
  if (!parsed || first.rows + last.rows != 1 || !first.rejects.empty() || !last.rejects.empty()) {
    return false;
  }
  if (dry_run_) return true;
  RowChunk& row = first.rows == 1 ? first : last;
  if (Result<void> completed = own_.source->complete(row); !completed) {
    return std::move(completed).error();
  }
  if (Result<void> written = own_.sink->write(row); !written) return std::move(written).error();
  return true;
}

Result<void> Redrive::object(const Batch& batch, const SplitProgress& recorded,
                             const FailureVisitor& failed) {
  report.rejects += batch.rejects.size();
  if (recorded.object.version != batch.version || recorded.state == SplitState::kRewound) {
    failed(batch.key, Error{ErrorCode::kObjectChanged,
                            "its rejects are of another version than the one that is loaded"});
    return {};
  }
  Result<std::string> state = own_.source->parser_state_of(recorded.object);
  if (!state) {
    failed(batch.key, state.error());
    return {};
  }
  if (parser_ == nullptr) {
    Result<std::unique_ptr<ByteStreamParser>> made = own_.source->make_parser_again();
    if (!made) return std::move(made).error();
    parser_ = std::move(*made);
  }
  std::vector<KeptReject> done;
  for (const KeptReject& kept : batch.rejects) {
    Result<bool> row = try_one(kept, recorded.object, *state);
    if (!row) return std::move(row).error();
    if (*row) done.push_back(kept);
  }
  if (done.empty()) return {};
  report.rows += done.size();
  ++report.objects;
  if (dry_run_) return {};
  if (Result<void> removed = own_.sink->remove_rejects(done); !removed) return removed;
  SplitProgress progress = recorded;
  progress.rows += done.size();
  progress.rejected -= std::min<std::uint64_t>(progress.rejected, done.size());
  std::vector<SplitProgress> splits;
  splits.push_back(std::move(progress));
  return own_.commit(std::move(splits));
}

}  // namespace

Result<RedriveReport> redrive(const LoaderOptions& options, const SplitFilter& filter, bool dry_run,
                              const FailureVisitor& failed) {
  Result<OpenedPipeline> own = OpenedPipeline::open(options);
  if (!own) return std::move(own).error();
  Result<std::unique_ptr<SinkReader>> reader = own->sink->read(own->source->pipeline());
  if (!reader) return std::move(reader).error();
  Redrive run(*own, dry_run);
  std::optional<SplitProgress> recorded;  // The record's next, in step with the rejects.
  const auto advance = [&]() -> Result<void> {
    Result<std::optional<SplitProgress>> next = (*reader)->next_progress();
    if (!next) return std::move(next).error();
    recorded = std::move(*next);
    return {};
  };
  if (Result<void> first = advance(); !first) return std::move(first).error();
  const auto finish = [&](Batch& batch) -> Result<void> {
    if (batch.rejects.empty()) return {};
    while (recorded && recorded->object.key < batch.key) {
      if (Result<void> advanced = advance(); !advanced) return advanced;
    }
    const bool known = recorded && recorded->object.key == batch.key;
    if (known && filter.fits(*recorded)) return run.object(batch, *recorded, failed);
    return {};
  };
  Batch batch;
  while (true) {
    Result<std::optional<KeptReject>> kept = (*reader)->next_reject();
    if (!kept) return std::move(kept).error();
    if (!*kept || (*kept)->key != batch.key || (*kept)->version != batch.version) {
      if (Result<void> done = finish(batch); !done) return std::move(done).error();
      batch = {};
      if (!*kept) break;
      batch.key = (*kept)->key;
      batch.version = (*kept)->version;
    }
    batch.rejects.push_back(std::move(**kept));
  }
  run.report.epoch = own->source->mark().epoch;
  return run.report;
}

}  // namespace leat::executor
