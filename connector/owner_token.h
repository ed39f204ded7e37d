// What tells the loader that owns a pipeline in a sink from every other.
#pragma once

#include <string>

#include "leat/result.h"

namespace leat::connector {

/// 128 random bits as 32 hexadecimal digits.
///   kIo  The operating system gave no random bytes.
Result<std::string> random_owner_token();

}  // namespace leat::connector
