#include "executor/recovery.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "executor/log.h"

namespace leat::executor {
namespace {

// More than one epoch of a loader holds: what a first one finished is recovered in one piece, with
// its after-actions.
constexpr std::size_t kRestoredAtOnce = 20'000;

/// Whether what the consumer has committed since the ledger's epoch is what a crash leaves: one
/// epoch, be it the first, whose objects are still to be acted upon. The record of many, which a
/// new ledger takes over, says nothing of when its objects were finished.
constexpr bool is_left_by_crash(std::uint64_t ledger_epoch, std::uint64_t consumer_epoch) noexcept {
  return ledger_epoch != 0 || consumer_epoch == 1;
}

}  // namespace

Recovery::Recovery(state::Ledger& ledger, std::string pipeline, const SourceOptions& options,
                   OutboxOf outbox_of)
    : ledger_(ledger),
      pipeline_(std::move(pipeline)),
      options_(options),
      outbox_of_(std::move(outbox_of)) {}

EpochMark Recovery::mark() const { return {ledger_.epoch(), ledger_.epoch_token(), 0}; }

Result<void> Recovery::follow(const Checkpoint& consumer) {
  if (!consumer.mark().follows(mark())) {
    return Error{ErrorCode::kStateMismatch,
                 "the state folder " + options_.state_dir.string() + " is at epoch " +
                     std::to_string(ledger_.epoch()) + ", and the rows are at epoch " +
                     std::to_string(consumer.epoch) +
                     ", which does not follow it: rows were lost or rolled back, or belong to "
                     "another history. Restore what belongs together"};
  }
  if (consumer.epoch == ledger_.epoch()) return {};
  const bool crashed = is_left_by_crash(ledger_.epoch(), consumer.epoch);
  if (ledger_.epoch() == 0) {
    // Actions that an earlier ledger left behind are for what the consumer has, and nothing else.
    if (Result<void> kept = ledger_.restore(consumer.splits); !kept) return kept;
    if (Result<void> dropped = ledger_.drop_unfounded_outbox(); !dropped) return dropped;
  }
  return ledger_.commit(consumer,
                        crashed ? outbox_of_(consumer) : std::vector<state::OutboxEntry>());
}

/// Takes what the ledger lacks: a new one everything, in parts; another what an epoch has changed,
/// which goes into `since`.
Result<EpochMark> Recovery::open(RowSink& sink, Checkpoint& since) {
  const bool all = ledger_.epoch() == 0;
  return sink.open(pipeline_, mark(), [&](const SplitProgress& progress) -> Result<void> {
    since.splits.push_back(progress);
    if (!all || since.splits.size() < kRestoredAtOnce) return {};
    Result<void> kept = ledger_.restore(since.splits);
    since.splits.clear();
    return kept;
  });
}

/// Whether the sink has epochs that the ledger never saw, more than the one that a crash leaves.
Result<bool> Recovery::is_far_ahead(const RowSink& sink) const {
  Result<std::unique_ptr<SinkReader>> reader = sink.read(pipeline_);
  if (reader) return (*reader)->mark().epoch > ledger_.epoch() + 1;
  if (reader.error().code == ErrorCode::kUnsupported) return false;
  return std::move(reader).error();
}

Result<EpochMark> Recovery::follow(RowSink& sink) {
  Checkpoint since;
  Result<EpochMark> opened = open(sink, since);
  if (!opened && opened.error().code == ErrorCode::kStateMismatch) {
    // A ledger that lost epochs knows nothing that the sink does not know better. One that is ahead
    // of the sink is another matter: rows are gone.
    Result<bool> far_ahead = is_far_ahead(sink);
    if (!far_ahead || !*far_ahead) return opened;
    log(options_, SourceOptions::LogLevel::kWarning,
        "the state folder " + options_.state_dir.string() + " is at epoch " +
            std::to_string(ledger_.epoch()) +
            ", several behind the table: it is made anew from the table's record");
    if (Result<void> emptied = ledger_.start_anew(); !emptied) return std::move(emptied).error();
    since = {};
    opened = open(sink, since);
  }
  if (!opened) return opened;
  since.epoch = opened->epoch;
  since.token = opened->token;
  since.parent = opened->parent;
  if (Result<void> followed = follow(since); !followed) return std::move(followed).error();
  return opened;
}

}  // namespace leat::executor
