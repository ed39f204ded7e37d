// The library's version.
#pragma once

#include <string_view>

namespace leat {

/// "0.1.0": semantic version of the library and the command.
std::string_view version() noexcept;

}  // namespace leat
