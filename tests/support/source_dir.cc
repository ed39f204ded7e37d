#include "tests/support/source_dir.h"

namespace leat {

std::filesystem::path test_source_dir() { return LEAT_SOURCE_DIR; }

}  // namespace leat
