#include "connector/arrow/arrow_sink.h"

#include <unistd.h>

#include <cstddef>

#include "connector/arrow/ipc_stream.h"

namespace leat::connector {
namespace {

constexpr std::size_t kBufferBytes = 1u << 20;

}  // namespace

Result<EpochMark> ArrowSink::open(std::string_view /*pipeline*/, const EpochMark& ledger,
                                  const ProgressVisitor& /*visit*/) {
  if (::isatty(fd_) == 1) {
    return Error{.code = ErrorCode::kInvalidArgument,
                 .message =
                     "An Arrow stream is binary and standard output is a terminal: pipe it "
                     "into a program, redirect it to a file, or choose csv or jsonl."};
  }
  return ledger;
}

Result<void> ArrowSink::write(const RowChunk& chunk) {
  if (!begun_ && chunk.schema) begin(*chunk.schema);
  if (chunk.rows == 0) return {};
  append_record_batch(chunk, buffer_);
  return buffer_.size() < kBufferBytes ? Result<void>() : flush();
}

Result<void> ArrowSink::discard(const ObjectVersion& split) {
  return Error{.code = ErrorCode::kUnsupported,
               .message = "Rows of " + split.key +
                          " that are on standard output already cannot be taken back."};
}

Result<void> ArrowSink::commit(const Checkpoint& /*checkpoint*/) { return flush(); }

Result<void> ArrowSink::finish(const Schema* schema) {
  // No stream is valid without a schema: one that nobody knows has no columns.
  if (!begun_) begin(schema != nullptr ? *schema : Schema{});
  append_end_of_stream(buffer_);
  return flush();
}

Result<void> ArrowSink::close() {
  buffer_.clear();
  // The schema comes again with the rows.
  if (!out_.has_written()) begun_ = false;
  return {};
}

void ArrowSink::begin(const Schema& schema) {
  begun_ = true;
  append_schema_message(schema, buffer_);
}

Result<void> ArrowSink::flush() {
  if (buffer_.empty()) return {};
  Result<void> written = out_.write(buffer_);
  buffer_.clear();
  return written;
}

}  // namespace leat::connector
