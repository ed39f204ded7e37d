// Rows as text on a file descriptor: CSV or JSON lines on standard output.
//
// CSV: a header line, fields quoted as RFC 4180 has it and only where they must be, lines ended by
// LF. Null is an unquoted empty field, empty text a quoted one, so that leat reads back what it
// wrote. JSON lines: numbers as numbers, decimals with their digits as they are, NaN and the
// infinities as strings, bytes as "\\x…" hex text, json embedded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "connector/output_file.h"
#include "leat/sink.h"

namespace leat::connector {

/// Not transactional: rows leave with the buffer, at the latest with commit().
class TextSink final : public RowSink {
 public:
  /// `fd` is borrowed and stays open.
  TextSink(int fd, SinkOptions::Format format) : out_(fd, "standard output"), format_(format) {}

  bool transactional() const noexcept override { return false; }
  Result<EpochMark> open(std::string_view pipeline, const EpochMark& ledger,
                         const ProgressVisitor& visit) override;
  Result<void> write(const RowChunk& chunk) override;
  Result<void> discard(const ObjectVersion& split) override;
  Result<void> commit(const Checkpoint& checkpoint) override;
  Result<void> close() override;

 private:
  Result<void> begin(const Schema& schema);
  std::size_t row_bytes_max(const RowChunk& chunk, std::int64_t row) const;
  char* write_csv_row(const RowChunk& chunk, std::int64_t row, char* to) const;
  char* write_json_row(const RowChunk& chunk, std::int64_t row, char* to) const;
  Result<void> make_room(std::size_t bytes);
  Result<void> flush();

  OutputStream out_;
  const SinkOptions::Format format_;
  bool begun_ = false;
  std::vector<std::string> json_names_;  ///< `"name":` of each column, escaped once.
  std::vector<std::size_t> texts_;       ///< Columns of no fixed width.
  std::size_t row_bytes_ = 0;            ///< Of a row at most, beside its texts.
  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_ = 0;
  std::size_t size_ = 0;
};

}  // namespace leat::connector
