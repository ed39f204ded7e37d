// How progress and rejects stand in the rows of leat's own tables.
#pragma once

#include <string>
#include <string_view>

#include "connector/sqlite/database.h"
#include "leat/result.h"
#include "leat/split.h"

namespace leat::connector {

/// Bytes as text where they are text, else as what they are.
void bind_readable(Statement& statement, int parameter, std::string_view bytes);

/// The row's key column holds the object's key. A split that is never resumed needs neither the
/// parser's nor the decoder's state.
std::string encode_for_row(SplitProgress progress);

///   kCorrupt  The key is named.
Result<SplitProgress> decode_row(std::string_view key, std::string_view bytes);

}  // namespace leat::connector
