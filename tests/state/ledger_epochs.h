// Progress and checkpoints for the ledger's tests.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "leat/split.h"

namespace leat::state {

inline ObjectVersion object_of(std::string key, std::string version, std::uint64_t size = 10) {
  return {.key = std::move(key), .version = std::move(version), .size = size, .modified_ms = 77};
}

inline SplitProgress progress_of(ObjectVersion object, SplitState state, std::uint64_t rows,
                                 std::uint64_t rejected = 0) {
  SplitProgress progress;
  progress.object = std::move(object);
  progress.state = state;
  progress.rows = rows;
  progress.rejected = rejected;
  progress.updated_ms = 1'795'000'000'000;
  return progress;
}

/// What the child commits in `epoch`: a split of its own finished, a shared one moved on.
inline Checkpoint checkpoint_of(std::uint64_t epoch) {
  SplitProgress finished = progress_of(object_of("finished/" + std::to_string(epoch), "v"),
                                       SplitState::kFinished, epoch);
  finished.epoch = epoch;
  SplitProgress reading = progress_of(object_of("reading", "v"), SplitState::kReading, epoch);
  reading.epoch = epoch;
  return {.epoch = epoch, .splits = {finished, reading}, .token = epoch * 10};
}

}  // namespace leat::state
