// The parser of every format of records: what it keeps from one piece of bytes to the next. Where
// records and fields begin and end is for the tokenizer of the format to say.
//
// A split goes through four stages: its first bytes are judged and a BOM is dropped, lines are
// skipped, the header is read, and then rows. An incomplete record waits in `carry_`. Nothing that
// is decided depends on where the bytes were cut: each stage waits until it has what it needs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "leat/parser.h"
#include "parser/records/block_converter.h"
#include "parser/records/parser_state.h"
#include "parser/records/tokenizer.h"

namespace leat::parser {

class RecordParser final : public ByteStreamParser {
 public:
  /// Options that validate; an available target; a schema or a header.
  RecordParser(FormatOptions options, SimdTarget target, std::shared_ptr<const Schema> schema);

  Result<void> reset_for_new_split(std::shared_ptr<const ObjectVersion> split,
                                   const Position& position) override;
  Result<void> parse(const ByteChunk& chunk, RowChunk& out) override;
  void limit_rows(std::size_t bytes_max) noexcept override { rows_bytes_max_ = bytes_max; }
  bool has_more() const noexcept override { return has_more_; }
  Result<void> finish(RowChunk& out) override;
  std::shared_ptr<const Schema> schema() const noexcept override { return schema_; }
  std::size_t whole_records(std::string_view bytes) const noexcept override;
  std::size_t likely_whole_records(std::string_view bytes,
                                   RecordEndGuess guess) const noexcept override;
  std::size_t buffered_bytes() const noexcept override { return carry_.size(); }

 private:
  enum class Stage : std::uint8_t { kStart, kSkipLines, kHeader, kRows };

  /// An error, and the record that is at fault.
  struct Failure {
    Error error;
    std::uint64_t offset = 0;  ///< Of the record's first byte.
  };
  using Outcome = std::optional<Failure>;

  void begin_chunk(RowChunk& out);
  void shape_columns(RowChunk& out) const;
  void end_chunk(std::uint64_t end_offset, RowChunk& out);
  bool can_complete_something(std::string_view payload);
  Result<void> advance(std::string_view payload, bool final, RowChunk& out);

  Outcome take_input(std::string_view input, bool final, RowChunk& out);
  /// Each takes what it can from the front of input_ (see used_).
  Outcome take_all(bool final, RowChunk& out);
  Outcome take_start(bool final);
  void take_skipped_lines(bool final);
  Outcome take_header(bool final);
  Outcome take_rows(bool final, RowChunk& out);
  std::size_t rows_within_limit() const noexcept;
  Outcome enter_rows(std::vector<std::string> header);
  Result<ColumnMap> map_columns(const std::vector<std::string>& header);

  Position position_at(std::uint64_t offset) const;
  Failure failure(ErrorCode code, std::string message, std::uint64_t offset) const;
  Failure failure(RecordFault fault, const BlockPlace& place) const;
  std::uint64_t offset_here() const noexcept { return offset_ + used_; }
  std::string_view rest() const noexcept { return input_.substr(used_); }

  const FormatOptions options_;
  const bool schema_given_;
  std::shared_ptr<const Schema> schema_;
  const SimdTarget target_;
  std::unique_ptr<Tokenizer> tokenizer_;  ///< JSON: null until the columns are known.
  TokenizedBlock block_;

  std::shared_ptr<const ObjectVersion> split_;
  Stage stage_ = Stage::kStart;
  LineEnd line_end_ = LineEnd::kUnknown;
  std::uint64_t lines_to_skip_ = 0;
  std::uint64_t content_begin_ = 0;  ///< After the BOM.
  // Of the last split that came to its rows, as the next one often has the same header.
  std::vector<std::string> header_;
  std::shared_ptr<const ColumnDrift> drift_;  ///< Null: none.
  std::optional<BlockConverter> converter_;
  std::optional<Error> failed_;
  bool finished_ = false;

  std::size_t rows_bytes_max_ = SIZE_MAX;
  std::size_t full_block_bytes_ = 0;  ///< Tokenized at a time; less where rows take much memory.
  bool has_more_ = false;             ///< carry_ holds records that were not taken for that.
  std::string carry_;                 ///< Bytes not yet taken.
  std::size_t scanned_ = 0;           ///< Of carry_: known to hold no complete record.
  bool line_end_waits_ = false;       ///< One stands in carry_ past scanned_.
  std::uint64_t offset_ = 0;          ///< Of the first byte not yet taken.
  std::uint64_t records_ = 0;         ///< Data records before it.
  Position delivered_;                ///< End of the last chunk.

  std::string_view input_;  ///< During take_input: carry_ or the payload, or the rest of it.
  std::size_t used_ = 0;    ///< Of input_: taken.
};

}  // namespace leat::parser
