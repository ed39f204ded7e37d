// Lineage columns: which record of which object version a row came from.
#pragma once

#include <memory>

#include "leat/result.h"
#include "leat/row_chunk.h"
#include "leat/schema.h"

namespace leat::executor {

/// `schema` with _object text, _version text, _offset bigint, _record bigint, and if asked for
/// _modified timestamptz appended.
///   kInvalidArgument  A column of that name is there already.
Result<std::shared_ptr<const Schema>> with_lineage(const std::shared_ptr<const Schema>& schema,
                                                   bool modified);

/// Appends these columns to a chunk whose schema becomes `extended` (made by with_lineage of the
/// chunk's schema).
void append_lineage(const std::shared_ptr<const Schema>& extended, RowChunk& chunk);

}  // namespace leat::executor
