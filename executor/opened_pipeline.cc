#include "executor/opened_pipeline.h"

#include <utility>

#include "executor/epoch.h"
#include "executor/pipeline_binding.h"

namespace leat::executor {

Result<OpenedPipeline> OpenedPipeline::open(const LoaderOptions& options) {
  if (Result<void> there = check_state_folder(options.source.state_dir); !there) {
    return std::move(there).error();
  }
  OpenedPipeline opened;
  opened.on_step = options.sink.on_step;
  Result<std::unique_ptr<RowSink>> sink = open_sink(options.to, options.sink);
  if (!sink) return std::move(sink).error();
  opened.sink = std::move(*sink);
  Result<std::unique_ptr<SourceExecutor>> source =
      SourceExecutor::prepare(options.source, nullptr, consumer_of(options));
  if (!source) return with_loader_advice(std::move(source).error());
  opened.source = std::move(*source);
  Result<EpochMark> mark = opened.source->recovery().follow(*opened.sink);
  if (!mark) return std::move(mark).error();
  // What a load that was cut short left to do has just been queued; a repair adds nothing to it.
  opened.source->keep_objects();
  Result<std::optional<connector::RejectFile>> rejects =
      open_reject_file(options, opened.source->pipeline(), mark->epoch);
  if (!rejects) return std::move(rejects).error();
  opened.rejects = std::move(*rejects);
  return opened;
}

Result<void> OpenedPipeline::commit(std::vector<SplitProgress> splits) {
  if (rejects) {
    if (Result<void> synced = rejects->sync(); !synced) return synced;
  }
  const Checkpoint checkpoint = source->checkpoint_of(std::move(splits));
  Result<void> committed = commit_epoch(
      checkpoint, *sink, [&] { return source->commit(checkpoint); }, on_step);
  if (committed && rejects) rejects->committed(checkpoint.epoch);
  return committed;
}

}  // namespace leat::executor
