// Where this project's sources lie, for tests that read files of it or beside it.
#pragma once

#include <filesystem>

namespace leat {

/// The project's root. Known to one object file only, so that all others are the same in every
/// checkout and a compiler cache can share them.
std::filesystem::path test_source_dir();

}  // namespace leat
