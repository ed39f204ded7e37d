#include "executor/after_actions.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "executor/log.h"

namespace leat::executor {
namespace {

using LogLevel = SourceOptions::LogLevel;
using Kind = AfterAction::Kind;
using std::chrono::milliseconds;

constexpr std::size_t kPageEntries = 100;
/// After so many failures in a row it is the store that fails, not the objects.
constexpr std::uint64_t kFailuresInARow = 10;
constexpr milliseconds kPauseMin{1'000};
constexpr milliseconds kPauseMax{300'000};
constexpr int kDrainPasses = 3;

std::string what_of(const AfterAction& action) {
  switch (action.kind) {
    case Kind::kDelete:
      return "to delete";
    case Kind::kMove:
      return "to move to " + action.name;
    case Kind::kTag:
      return "to tag " + action.name;
    case Kind::kKeep:
      break;
  }
  return "to keep";
}

/// Without the source's folder.
std::string moved_key(const AfterAction& after, const connector::Glob& source,
                      const std::string& key) {
  const std::string& prefix = source.literal_prefix();
  const std::size_t slash = prefix.rfind('/');
  const std::size_t folder = slash == std::string::npos ? 0 : slash + 1;
  return after.name + key.substr(std::min(folder, key.size()));
}

bool is_found_again(const AfterAction& after, const connector::Glob& source,
                    const std::string& key) {
  return after.kind == Kind::kMove && source.matches(moved_key(after, source, key));
}

}  // namespace

std::vector<state::OutboxEntry> outbox_entries(const AfterAction& after,
                                               const connector::Glob& source,
                                               const Checkpoint& checkpoint, std::int64_t now_ms) {
  std::vector<state::OutboxEntry> entries;
  if (after.kind == Kind::kKeep) return entries;
  for (const SplitProgress& split : checkpoint.splits) {
    const std::string& key = split.object.key;
    if (split.state != SplitState::kFinished || is_found_again(after, source, key)) continue;
    state::OutboxEntry entry{
        .object = split.object, .action = after, .attempts = 0, .updated_ms = now_ms, .error = {}};
    if (after.kind == Kind::kMove) entry.action.name = moved_key(after, source, key);
    entries.push_back(std::move(entry));
  }
  return entries;
}

AfterActions::AfterActions(const SourceOptions& options, connector::Glob glob, ObjectStore& store,
                           const Clock& clock, state::Ledger& ledger)
    : options_(options), glob_(std::move(glob)), store_(store), clock_(clock), ledger_(ledger) {}

std::optional<Error> AfterActions::fault_of(const ObjectVersion& object) const {
  if (!is_found_again(options_.after, glob_, object.key)) return {};
  return Error{ErrorCode::kInvalidArgument,
               "--after move: " + store_.uri_of(object.key) + " would become " +
                   store_.uri_of(moved_key(options_.after, glob_, object.key)) +
                   ", where it is found and loaded again; choose a place that the source's pattern "
                   "does not match"};
}

std::vector<state::OutboxEntry> AfterActions::entries_of(const Checkpoint& checkpoint) const {
  return outbox_entries(options_.after, glob_, checkpoint, clock_.wall_ms());
}

void AfterActions::wake() {
  const std::lock_guard lock(mutex_);
  wake_ = true;
  woken_.notify_all();
}

void AfterActions::run(std::stop_token stop) {
  milliseconds pause = kPauseMin;
  while (!stop.stop_requested()) {
    if (pass(stop)) {
      pause = kPauseMin;
      std::unique_lock lock(mutex_);
      if (!woken_.wait(lock, stop, [this] { return wake_; })) return;
      wake_ = false;
    } else {
      pause = std::min(pause * 2, kPauseMax);
      if (!clock_.wait(pause, stop)) return;
    }
  }
}

void AfterActions::drain(std::stop_token stop) {
  milliseconds pause = kPauseMin;
  for (int i = 0; i < kDrainPasses && !stop.stop_requested(); ++i) {
    if (pass(stop)) return;
    if (i + 1 < kDrainPasses && !clock_.wait(pause, stop)) return;
    pause *= 2;
  }
  log(options_, LogLevel::kWarning,
      "after-actions are still to be carried out, and will be tried again by the next run; 'leat "
      "ls --only after' shows them");
}

/// Goes once through the outbox, from where the last pass left it. True: all of it is done.
bool AfterActions::pass(std::stop_token stop) {
  std::uint64_t failures = 0;
  std::uint64_t in_a_row = 0;
  bool from_front = next_after_.empty();
  while (!stop.stop_requested()) {
    Result<std::vector<state::OutboxEntry>> page = ledger_.outbox(next_after_, kPageEntries);
    if (!page) {
      log(options_, LogLevel::kError,
          "the after-actions cannot be read: " + page.error().to_string());
      return false;
    }
    if (page->empty()) {
      next_after_.clear();
      if (!from_front) {
        from_front = true;
        continue;
      }
      failing_ = failures;
      return failures == 0;
    }
    for (state::OutboxEntry& entry : *page) {
      if (stop.stop_requested()) return false;
      next_after_ = entry.object.key;
      if (carry_out(std::move(entry))) {
        in_a_row = 0;
        continue;
      }
      ++failures;
      if (++in_a_row < kFailuresInARow) continue;
      failing_ = failures;
      return false;
    }
  }
  return false;
}

/// True when the entry is out of the outbox.
bool AfterActions::carry_out(state::OutboxEntry entry) {
  if (on_step_) on_step_("after-action begins");
  Result<void> acted = act(entry);
  if (on_step_) on_step_("after-action done");
  const std::string object = store_.uri_of(entry.object.key);
  bool settled = static_cast<bool>(acted);
  if (!acted) {
    const ErrorCode code = acted.error().code;
    if (code == ErrorCode::kCancelled) return false;
    // Another version, or none: there is nothing that this action was meant for.
    settled = code == ErrorCode::kObjectChanged || code == ErrorCode::kNotFound;
    log(options_, settled || entry.attempts > 0 ? LogLevel::kDebug : LogLevel::kWarning,
        object + " was " + what_of(entry.action) + ": " + acted.error().to_string());
    ++entry.attempts;
    entry.updated_ms = clock_.wall_ms();
    entry.error = acted.error().to_string();
  }
  if (Result<void> kept = ledger_.settle_outbox(entry, settled); !kept) {
    log(options_, LogLevel::kError,
        "what became of " + object + " cannot be noted: " + kept.error().to_string());
    return false;
  }
  if (settled) ++done_;
  return settled;
}

Result<void> AfterActions::act(const state::OutboxEntry& entry) {
  switch (entry.action.kind) {
    case Kind::kDelete:
      return store_.remove(entry.object);
    case Kind::kMove:
      return store_.move(entry.object, entry.action.name);
    case Kind::kTag:
      return store_.tag(entry.object, entry.action.name, entry.action.value);
    case Kind::kKeep:
      break;
  }
  return {};
}

}  // namespace leat::executor
