// Whether a long text is UTF-8, a vector at a time.
#pragma once

#include <string_view>

#include "parser/simd/target.h"

namespace leat::parser {

/// What valid_utf8 of parser/convert/values.h says, faster where texts are long and not all ASCII.
using CheckUtf8 = bool (*)(std::string_view text) noexcept;

/// The target is available.
CheckUtf8 check_utf8_of(SimdTarget target) noexcept;

}  // namespace leat::parser
