// From a tokenized block to rows and rejects of a chunk, under the error policy.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "leat/parser.h"
#include "leat/row_chunk.h"
#include "parser/records/column_builder.h"
#include "parser/records/header.h"
#include "parser/records/simd/utf8_check.h"
#include "parser/records/tokenizer.h"

namespace leat::parser {

/// A record that does not become a row.
struct RecordFault {
  std::size_t ordinal = 0;  ///< Records of the block before it.
  std::uint32_t begin = 0;  ///< Range of the block's input, without line end.
  std::uint32_t end = 0;
  ErrorCode code = ErrorCode::kBadValue;
  std::string column;  ///< Empty: the record as a whole.
  std::string text;    ///< Of the column's field.
  std::string reason;
};

/// Where a block stands in its object.
struct BlockPlace {
  std::string_view input;            ///< What was tokenized.
  std::uint64_t offset = 0;          ///< Of input[0].
  std::uint64_t records = 0;         ///< Data records of the object before the block.
  std::string_view readable;         ///< Bytes around the input that may be read, and it itself.
  std::size_t rows_left = SIZE_MAX;  ///< That may come of readable bytes behind the block.
};

/// One for each split. One thread.
class BlockConverter {
 public:
  /// The target is available.
  BlockConverter(const FormatOptions& options, SimdTarget target,
                 std::shared_ptr<const Schema> schema, ColumnMap map);

  /// Fields of each record.
  std::size_t record_fields() const noexcept { return map_.record_fields; }

  /// Appends the block's rows and rejects to `out`, whose columns are those of the schema.
  /// @return  OnError::kFail: the first faulty record, if any; only rows before it were appended.
  std::optional<RecordFault> append(const TokenizedBlock& block, const BlockPlace& place,
                                    RowChunk& out);

 private:
  void take_rows(const TokenizedBlock& block, const BlockPlace& place);
  void append_columns(RowChunk& out);
  std::vector<RecordFault> collect_faults(const TokenizedBlock& block) const;
  RecordFault value_fault(const TokenizedBlock& block, const ValueFault& fault) const;
  std::string text_of(const TokenizedBlock& block, std::size_t row, std::size_t column) const;
  void count_nulled(const TokenizedBlock& block, const BlockPlace& place, RowChunk& out) const;
  void remove_dropped_rows(RowChunk& out);
  void append_lineage(const TokenizedBlock& block, const BlockPlace& place, RowChunk& out);

  /// The row's record among all of the block's records.
  std::size_t ordinal(std::size_t row) const noexcept {
    return ordinals_.empty() ? row : ordinals_[row];
  }

  std::shared_ptr<const Schema> schema_;
  ColumnMap map_;
  ColumnBuilder builder_;
  CheckUtf8 check_utf8_;
  OnError on_error_;
  char quote_;
  char escape_;
  bool has_header_;
  RowRules rules_;
  bool reads_text_;

  BlockRows rows_;
  std::vector<std::size_t> ordinals_;      ///< Per row; empty: all records are rows.
  std::vector<RecordFault> shape_faults_;  ///< Field counts, in order.
  ValueFaults faults_;
};

}  // namespace leat::parser
