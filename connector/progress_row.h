// A split's progress as it stands in a row of a sink's own table.
#pragma once

#include <string>
#include <string_view>

#include "leat/result.h"
#include "leat/split.h"

namespace leat::connector {

/// The row's key column holds the object's key. A split that is never resumed needs neither the
/// parser's nor the decoder's state.
std::string encode_progress_row(SplitProgress progress);

/// @param table  Named in errors.
///   kCorrupt  The key is named.
Result<SplitProgress> decode_progress_row(std::string_view table, std::string_view key,
                                          std::string_view bytes);

}  // namespace leat::connector
