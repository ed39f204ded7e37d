// The source at work: discovery and workers on one side, the consumer's poll on the other.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "executor/after_actions.h"
#include "executor/backlog.h"
#include "executor/discovery.h"
#include "executor/drift_log.h"
#include "executor/event_queue.h"
#include "executor/object_reader.h"
#include "executor/parse_arena.h"
#include "executor/progress_tracker.h"
#include "executor/recovery.h"
#include "executor/schema_registry.h"
#include "executor/schema_sniffer.h"
#include "executor/slice_queue.h"
#include "executor/split_worker.h"
#include "executor/work_queue.h"
#include "leat/sink.h"
#include "leat/source.h"
#include "state/ledger.h"

namespace leat::executor {

/// Objects that were begun anew because they changed while nothing of them was committed, and how
/// often: by key, until they settle.
using StartsOver = std::map<std::string, std::uint32_t>;

/// Source, opened in steps, so that a sink's own record can be asked in between:
/// prepare → recovery → start → poll, checkpoint, commit → close.
class SourceExecutor final : public Source {
 public:
  /// Opens ledger and store, and checks that they belong together. `store` may be null: then it is
  /// opened from options.from. `consumer` says, for people, what keeps the rows: a state folder
  /// serves one consumer only.
  static Result<std::unique_ptr<SourceExecutor>> prepare(SourceOptions options,
                                                         std::unique_ptr<ObjectStore> store,
                                                         std::string_view consumer);
  ~SourceExecutor() override;

  /// The pipeline's name, as fixed at its first start.
  const std::string& pipeline() const noexcept { return pipeline_; }
  /// Last epoch in the ledger. Its parent is not kept.
  EpochMark mark() const noexcept { return {ledger_->epoch(), ledger_->epoch_token(), 0}; }
  /// A split's key as a user would write it.
  std::string uri_of(std::string_view key) const { return store_->uri_of(key); }

  /// The key of what uri_of made; nullopt: it is of another store.
  std::optional<std::string> key_of(std::string_view uri) const;

  /// Of this source's ledger. Before start().
  Recovery recovery();

  /// Of the rows of `key` that were handed out, the sink made `count` rejects.
  void refused(const std::string& key, std::uint64_t count);

  /// See SinkOptions::on_step; of after-actions. Before start().
  void trace(std::function<void(std::string_view)> on_step) {
    after_actions_.trace(std::move(on_step));
  }
  /// See SchemaSniffer::follow. Before start().
  void follow_types(Schema table) { sniffer_.follow(std::move(table)); }
  /// What an earlier run of the same load came upon. Before start().
  void follow_starts(StartsOver earlier) { started_over_ = std::move(earlier); }
  const StartsOver& started_over() const noexcept { return started_over_; }
  /// Resumes the splits in flight and starts the threads.
  Result<void> start();

  /// OnChange::kReplace: the object whose new version is to be loaded now, if poll() has just come
  /// upon one. The caller answers with replaced() or not_replaced().
  std::shared_ptr<const ObjectVersion> take_replacement() { return std::move(replacement_); }
  /// What is known to be loaded of an object: the versions that brought rows or rejects.
  Result<std::vector<SplitProgress>> loaded_versions(std::string_view key) const;
  /// Of single objects, beside what poll() hands out.
  ObjectReader& reader() noexcept { return reader_; }
  /// Splits that have come to an end since the last commit, and wait in memory for the next one.
  std::size_t splits_settled() const noexcept { return tracker_.settled(); }
  /// once: all that was listed was delivered, or failed. A commit can bring something up again.
  bool all_done() const;
  /// From now on nothing becomes of objects that are finished. Before start().
  void keep_objects() noexcept { options_.after = {}; }
  /// The next epoch, made of these splits alone. Commit it like one of checkpoint().
  Checkpoint checkpoint_of(std::vector<SplitProgress> splits);
  /// The epoch with the new version's rows was committed.
  void replaced(const SplitProgress& split);
  /// It could not be read. Content that is at fault is reported and not tried again in this run;
  /// other failures end a run with `once`, else they come again with a later listing.
  Result<void> not_replaced(const ObjectVersion& object, Error error);
  /// Tries what after-actions are due a last time: for the end of a run.
  void finish_after_actions(std::stop_token stop);

  Result<Polled> poll(std::chrono::milliseconds timeout) override;
  Checkpoint checkpoint() override;
  Result<void> commit(const Checkpoint& checkpoint) override;
  Result<void> close() override;
  SourceStats stats() const override;
  std::shared_ptr<const Schema> schema() const override { return schemas_.delivered(); }

 private:
  void start_threads(std::vector<SplitAssignment> rests);
  SourceExecutor(SourceOptions options, std::stop_source stop, std::unique_ptr<ObjectStore> store,
                 connector::SplitEnumerator enumerator, ObjectFilter filter, connector::Glob glob,
                 std::unique_ptr<state::Ledger> ledger);
  Result<void> bind(std::string_view consumer, const std::string& default_name);
  std::optional<Polled> handle(Event event);
  std::optional<Polled> handle_failure(Event event);
  std::optional<Polled> start_over(std::shared_ptr<const ObjectVersion> object, Error why);
  Error forbidden_change(const ObjectVersion& object) const;
  std::optional<Polled> handle_change(Event event);
  void list_again(const std::string& key);
  void count(const ObjectVersion& object, SplitState state, const std::string& why);

  SourceOptions options_;
  std::stop_source stop_;  ///< Ends threads, and what the store is at.
  const std::unique_ptr<ObjectStore> store_;
  const Clock& clock_;
  std::unique_ptr<state::Ledger> ledger_;
  std::string pipeline_;
  SchemaRegistry schemas_;
  SchemaSniffer sniffer_;
  DriftLog drift_;
  WorkQueue work_;
  EventQueue events_;
  Backlog backlog_;
  Discovery discovery_;
  AfterActions after_actions_;
  ParseArena arena_;
  SliceParsing parsing_;
  std::atomic<std::uint64_t> reading_ = 0;
  std::atomic<std::uint64_t> read_retries_ = 0;
  WorkerContext worker_context_;
  ObjectReader reader_;

  ProgressTracker tracker_;
  std::uint64_t settled_ = 0;     ///< Queued splits that have come to an end.
  std::optional<Error> failure_;  ///< once: the first split that could not be read.
  std::optional<Error> fatal_;    ///< What ends the run at once.
  StartsOver started_over_;
  std::set<std::string> awaited_;  ///< Keys to be listed again once their splits are committed.
  std::shared_ptr<const ObjectVersion> replacement_;
  std::map<std::string, std::string> irreplaceable_;  ///< Key to version, of this run.
  mutable std::mutex stats_mutex_;
  SourceStats stats_;

  std::vector<std::jthread> workers_;
  std::jthread discovery_thread_;
  std::jthread after_thread_;
  bool started_ = false;
  std::uint64_t latest_token_ = 0;  ///< Of the latest checkpoint; 0: there is none.
  bool closed_ = false;
};

}  // namespace leat::executor
