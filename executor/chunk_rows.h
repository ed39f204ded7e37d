// A part of a row chunk.
#pragma once

#include "leat/row_chunk.h"

namespace leat::executor {

/// Keeps the rows and rejects whose records begin in `bytes`, and drops all others. Position and
/// ranges stay those of the whole chunk.
void keep_records_in(Range bytes, RowChunk& chunk);

}  // namespace leat::executor
