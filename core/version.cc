#include "leat/version.h"

namespace leat {

std::string_view version() noexcept { return LEAT_VERSION; }

}  // namespace leat
