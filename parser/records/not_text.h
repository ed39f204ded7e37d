// Whether an object's first bytes can be text at all.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "leat/parser.h"

namespace leat::parser {

/// The judgement needs this many bytes, or all of a smaller object.
inline constexpr std::size_t kSniffBytes = 4096;

/// What `head`, the first min(kSniffBytes, size) bytes of an object, is instead of text, and what
/// to do about it; nothing when it may be text. A few control characters stay data.
std::optional<std::string> describe_not_text(std::string_view head, const FormatOptions& options);

}  // namespace leat::parser
