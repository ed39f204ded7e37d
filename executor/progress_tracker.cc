#include "executor/progress_tracker.h"

#include <utility>

namespace leat::executor {

ProgressTracker::Entry& ProgressTracker::entry(const ObjectVersion& object) {
  const auto [it, added] = entries_.try_emplace(object.key);
  if (added) it->second.progress.object = object;
  return it->second;
}

void ProgressTracker::settle(Entry& entry, SplitState state) {
  if (entry.progress.state == SplitState::kReading) ++settled_;
  entry.progress.state = state;
  ++entry.changes;
}

void ProgressTracker::restore(SplitProgress progress) {
  std::string key = progress.object.key;
  Entry entry;
  entry.changes_cut = entry.changes_saved = entry.changes;
  entry.rows_cut = progress.rows + progress.rejected > 0;
  entry.progress = std::move(progress);
  entries_.insert_or_assign(std::move(key), std::move(entry));
}

void ProgressTracker::opened(SplitProgress progress) {
  const auto it = entries_.find(progress.object.key);
  if (it == entries_.end()) return restore(std::move(progress));
  it->second.progress.fingerprint = std::move(progress.fingerprint);
}

void ProgressTracker::delivered(const ObjectVersion& object, const RowChunk& chunk) {
  Entry& e = entry(object);
  e.progress.position = chunk.end;
  e.progress.rows += static_cast<std::uint64_t>(chunk.rows);
  e.progress.rejected += chunk.rejects.size();
  ++e.changes;
}

void ProgressTracker::refused(const std::string& key, std::uint64_t count) {
  const auto it = entries_.find(key);
  if (it == entries_.end()) return;
  it->second.progress.rows -= count;
  it->second.progress.rejected += count;
  ++it->second.changes;
}

void ProgressTracker::finished(const ObjectVersion& object) {
  settle(entry(object), SplitState::kFinished);
}

void ProgressTracker::stopped(const ObjectVersion& object, SplitState state, Error error,
                              Position at, std::string offending) {
  Entry& e = entry(object);
  settle(e, state);
  e.progress.error = std::move(error);
  e.progress.offending = std::move(offending);
  // A position says what is needed to go on; one that lies at or before what was delivered does not
  // know more than the delivered one.
  if (at.offset > e.progress.position.offset) e.progress.position = std::move(at);
}

bool ProgressTracker::interrupted(const std::string& key) {
  Entry& e = entries_.at(key);
  e.interrupted = e.changes != e.changes_saved;
  if (e.interrupted) return false;
  forget(key);
  return true;
}

void ProgressTracker::noted(const ObjectVersion& object) {
  settle(entry(object), SplitState::kNoted);
}

void ProgressTracker::forgotten(const ObjectVersion& object) {
  settle(entry(object), SplitState::kForgotten);
}

bool ProgressTracker::may_be_durable(const std::string& key) const {
  const auto it = entries_.find(key);
  return it != entries_.end() && it->second.rows_cut;
}

void ProgressTracker::forget(const std::string& key) {
  const auto it = entries_.find(key);
  if (it == entries_.end()) return;
  if (it->second.progress.state != SplitState::kReading) --settled_;
  entries_.erase(it);
}

const SplitProgress* ProgressTracker::find(const std::string& key) const {
  const auto it = entries_.find(key);
  return it == entries_.end() ? nullptr : &it->second.progress;
}

std::vector<SplitProgress> ProgressTracker::changes(std::uint64_t epoch, std::int64_t now_ms) {
  std::vector<SplitProgress> changed;
  for (auto& [key, e] : entries_) {
    if (e.changes == e.changes_saved) continue;
    e.progress.epoch = epoch;
    e.progress.updated_ms = now_ms;
    e.changes_cut = e.changes;
    e.rows_cut = e.rows_cut || e.progress.rows + e.progress.rejected > 0;
    changed.push_back(e.progress);
  }
  return changed;
}

std::vector<std::string> ProgressTracker::committed(const Checkpoint& checkpoint) {
  std::vector<std::string> settled;
  for (const SplitProgress& saved : checkpoint.splits) {
    const auto it = entries_.find(saved.object.key);
    if (it == entries_.end()) continue;
    it->second.changes_saved = it->second.changes_cut;
    const bool left = it->second.interrupted && it->second.changes == it->second.changes_saved;
    if (saved.state == SplitState::kReading && !left) continue;
    settled.push_back(saved.object.key);
    if (it->second.progress.state != SplitState::kReading) --settled_;
    entries_.erase(it);
  }
  return settled;
}

}  // namespace leat::executor
