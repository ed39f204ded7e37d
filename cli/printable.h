// Text from elsewhere (object names, record contents) as it may be shown on a terminal.
#pragma once

#include <string>
#include <string_view>

namespace leat::cli {

/// `text` with control characters, and bytes that are not UTF-8, as \\x1b: names of objects must
/// not steer a terminal, nor forge lines.
std::string printable(std::string_view text);

}  // namespace leat::cli
