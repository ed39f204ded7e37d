// How reading goes on where it was stopped.
#pragma once

#include <memory>
#include <utility>

#include "executor/work_queue.h"
#include "leat/split.h"

namespace leat::executor {

/// As it is once it is read on: what stopped it is over.
inline SplitProgress resumed(SplitProgress progress) {
  progress.state = SplitState::kReading;
  progress.error.reset();
  progress.offending.clear();
  return progress;
}

/// To be read behind what was delivered of it.
inline SplitAssignment rest_of(const SplitProgress& progress) {
  SplitAssignment assignment{.object = std::make_shared<const ObjectVersion>(progress.object),
                             .from = progress.position};
  // What was begun as an object that may grow ends where it would have then.
  if (progress.fingerprint) assignment.end = progress.fingerprint->bytes;
  return assignment;
}

}  // namespace leat::executor
