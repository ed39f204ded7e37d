// Carries out what becomes of loaded objects: from the ledger's outbox, in its order, until each is
// done, with growing pauses between the attempts.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "connector/glob.h"
#include "leat/clock.h"
#include "leat/object_store.h"
#include "leat/source.h"
#include "state/ledger.h"
#include "state/outbox.h"

namespace leat::executor {

/// What the checkpoint's finished splits bring into the outbox, if `after` is to become of them:
/// nothing of an object that would be found again. `source`: the pattern of its keys.
std::vector<state::OutboxEntry> outbox_entries(const AfterAction& after,
                                               const connector::Glob& source,
                                               const Checkpoint& checkpoint, std::int64_t now_ms);

/// run() has a thread of its own; entries_of() is the consumer's; the rest may come from any.
class AfterActions {
 public:
  /// All are borrowed but the glob.
  AfterActions(const SourceOptions& options, connector::Glob glob, ObjectStore& store,
               const Clock& clock, state::Ledger& ledger);

  /// Told "after-action begins" and "after-action done" for each. Before run().
  void trace(std::function<void(std::string_view)> on_step) { on_step_ = std::move(on_step); }

  /// What the checkpoint's finished splits bring into the outbox.
  std::vector<state::OutboxEntry> entries_of(const Checkpoint& checkpoint) const;

  /// Why the object's after-action cannot be meant: it would be found, and loaded, again.
  std::optional<Error> fault_of(const ObjectVersion& object) const;

  /// Works until a stop is requested. Failures are logged, and tried again for ever.
  void run(std::stop_token stop);
  /// Tries all that is due, a few times: for the end of a run.
  void drain(std::stop_token stop);
  /// There may be something new.
  void wake();

  std::uint64_t done() const { return done_.load(); }
  /// Entries whose last attempt failed, as of the last time all were tried.
  std::uint64_t failing() const { return failing_.load(); }

 private:
  bool pass(std::stop_token stop);
  bool carry_out(state::OutboxEntry entry);
  Result<void> act(const state::OutboxEntry& entry);

  const SourceOptions& options_;
  const connector::Glob glob_;
  ObjectStore& store_;
  const Clock& clock_;
  state::Ledger& ledger_;
  std::function<void(std::string_view)> on_step_;
  std::string next_after_;  ///< Where the next pass begins.
  std::mutex mutex_;
  std::condition_variable_any woken_;
  bool wake_ = false;  ///< Guarded by mutex_.
  std::atomic<std::uint64_t> done_ = 0;
  std::atomic<std::uint64_t> failing_ = 0;
};

}  // namespace leat::executor
