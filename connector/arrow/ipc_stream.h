// The messages of an Arrow IPC stream: a schema, record batches, and the mark of its end.
//
// https://arrow.apache.org/docs/format/Columnar.html#ipc-streaming-format. Messages begin at
// multiples of 64 bytes, counted from the stream's front, and so does each buffer of a batch: a
// reader that maps the stream into memory uses the columns where they lie.
#pragma once

#include <string>

#include "leat/row_chunk.h"
#include "leat/schema.h"

namespace leat::connector {

/// Appends the message that comes first. `out` holds whole messages, or nothing.
void append_schema_message(const Schema& schema, std::string& out);

/// Appends the chunk's rows as one record batch. Its columns are those of the schema message; a
/// chunk without rows need not have them made.
void append_record_batch(const RowChunk& chunk, std::string& out);

/// Appends the mark after the last batch.
void append_end_of_stream(std::string& out);

}  // namespace leat::connector
