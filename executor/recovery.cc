#include "executor/recovery.h"

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "executor/log.h"

namespace leat::executor {
namespace {

// More than one epoch of a loader holds: what a first one finished is recovered in one piece, with
// its after-actions.
constexpr std::size_t kRestoredAtOnce = 20'000;

/// Takes what the ledger lacks: a new one everything, in parts; another what an epoch has changed,
/// which goes into `since`.
Result<EpochMark> open_sink_record(SourceExecutor& source, RowSink& sink, Checkpoint& since) {
  const bool all = source.mark().epoch == 0;
  return sink.open(source.pipeline(), source.mark(),
                   [&](const SplitProgress& progress) -> Result<void> {
                     since.splits.push_back(progress);
                     if (!all || since.splits.size() < kRestoredAtOnce) return {};
                     Result<void> kept = source.restore(since.splits);
                     since.splits.clear();
                     return kept;
                   });
}

/// Whether the sink has epochs that the ledger never saw, more than the one that a crash leaves.
Result<bool> is_far_ahead(const SourceExecutor& source, const RowSink& sink) {
  Result<std::unique_ptr<SinkReader>> reader = sink.read(source.pipeline());
  if (reader) return (*reader)->mark().epoch > source.mark().epoch + 1;
  if (reader.error().code == ErrorCode::kUnsupported) return false;
  return std::move(reader).error();
}

}  // namespace

Result<EpochMark> recover_from_sink(SourceExecutor& source, RowSink& sink,
                                    const SourceOptions& options) {
  Checkpoint since;
  Result<EpochMark> mark = open_sink_record(source, sink, since);
  if (!mark && mark.error().code == ErrorCode::kStateMismatch) {
    // A ledger that lost epochs knows nothing that the sink does not know better. One that is ahead
    // of the sink is another matter: rows are gone.
    Result<bool> far_ahead = is_far_ahead(source, sink);
    if (!far_ahead || !*far_ahead) return mark;
    log(options, SourceOptions::LogLevel::kWarning,
        "the state folder " + options.state_dir.string() + " is at epoch " +
            std::to_string(source.mark().epoch) +
            ", several behind the table: it is made anew from the table's record");
    if (Result<void> emptied = source.start_anew(); !emptied) return std::move(emptied).error();
    since = {};
    mark = open_sink_record(source, sink, since);
  }
  if (!mark) return mark;
  since.epoch = mark->epoch;
  since.token = mark->token;
  since.parent = mark->parent;
  if (Result<void> recovered = source.recover(since); !recovered) {
    return std::move(recovered).error();
  }
  return mark;
}

}  // namespace leat::executor
