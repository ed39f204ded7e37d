// Which splits a repair is about.
#pragma once

#include <cstdint>
#include <optional>

#include "connector/glob.h"
#include "leat/split.h"

namespace leat::executor {

/// Fits the splits that fit all of its parts; without any, all.
struct SplitFilter {
  std::optional<connector::Glob> key = {};
  std::optional<std::uint64_t> after_epoch = {};  ///< Changed in a later epoch.
  std::optional<std::int64_t> since_ms = {};      ///< Changed at this Unix time or later.
  std::optional<SplitState> state = {};           ///< As the ledger has it.

  bool empty() const { return !key && !after_epoch && !since_ms && !state; }
  bool fits(const SplitProgress& split) const {
    return (!key || key->matches(split.object.key)) &&
           (!after_epoch || split.epoch > *after_epoch) &&
           (!since_ms || split.updated_ms >= *since_ms) && (!state || split.state == *state);
  }
};

}  // namespace leat::executor
