// After-actions that are due: entered in the batch that finishes their split, so that none is lost,
// and taken out when they were carried out, so that one cut short by a crash is repeated.
//
// The layout is documented in docs/format/ledger.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "leat/after_action.h"
#include "leat/result.h"
#include "leat/split.h"

namespace leat::state {

struct OutboxEntry {
  ObjectVersion object = {};  ///< Exactly the version that was loaded.
  AfterAction action = {};    ///< kMove: `name` is the whole new key.
  std::uint64_t attempts = 0;
  std::int64_t updated_ms = 0;  ///< Unix time of the last attempt, or of the entry.
  std::string error = {};       ///< Of the last attempt.

  /// Without the key, which is in the entry's key.
  std::string encode() const;
  ///   kCorrupt  Not an entry; `key` is named.
  static Result<OutboxEntry> decode(std::string_view key, std::string_view value);
};

}  // namespace leat::state
