// What becomes of an object once all of it is in the sink.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "leat/result.h"

namespace leat {

struct AfterAction {
  /// The numbers are persisted: never renumber.
  enum class Kind : std::uint8_t {
    kKeep = 0,
    kDelete = 1,
    kMove = 2,  ///< `name` is put in front of what its key has behind the source's folder.
    kTag = 3,   ///< `name` = `value`.
  };
  Kind kind = Kind::kKeep;
  std::string name = {};
  std::string value = {};

  bool operator==(const AfterAction&) const = default;
};

/// "keep", "delete", "move:done/", "tag:loaded=yes".
///   kInvalidArgument
Result<AfterAction> parse_after_action(std::string_view text);

}  // namespace leat
