// The page docs/flags.md: the flags of all commands, from what --help prints.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace leat::cli {

/// Markdown. The flags of the first command are given in full; of another command those that the
/// first one does not have, and the names of the others.
std::string flags_page(const std::vector<const CLI::App*>& commands);

}  // namespace leat::cli
