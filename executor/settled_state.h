// Which failures settle a split, and how.
#pragma once

#include <optional>

#include "leat/result.h"
#include "leat/split.h"

namespace leat::executor {

/// The state of a split that cannot be read on because of such an error; nullopt: the error is not
/// about the split (an outage, a permission), and reading may go on later.
constexpr std::optional<SplitState> settled_state(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kMalformedRecord:
    case ErrorCode::kRecordTooLarge:
    case ErrorCode::kUnterminatedQuote:
    case ErrorCode::kNotText:
    case ErrorCode::kBadValue:
    case ErrorCode::kFieldCount:
    case ErrorCode::kSchemaMismatch:
    case ErrorCode::kBadEncoding:
      return SplitState::kQuarantined;
    case ErrorCode::kNotFound:
      return SplitState::kGone;
    case ErrorCode::kObjectChanged:
      return SplitState::kChanged;
    default:
      return std::nullopt;
  }
}

}  // namespace leat::executor
