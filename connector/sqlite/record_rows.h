// How texts stand in the rows of leat's own tables.
#pragma once

#include <string_view>

#include "connector/sqlite/database.h"

namespace leat::connector {

/// Bytes as text where they are text, else as what they are.
void bind_readable(Statement& statement, int parameter, std::string_view bytes);

}  // namespace leat::connector
