// Which records of a tokenized block become rows, and which of those vectors may read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "leat/row_chunk.h"
#include "parser/convert/simd/column_kernels.h"
#include "parser/records/tokenizer.h"

namespace leat::parser {

/// Whether the quotes around a field are taken for a part of it.
enum class Quotes : std::uint8_t {
  kKept,     ///< Only where quotes are doubled inside of quotes.
  kRemoved,  ///< An empty field in quotes looks like one without. Kernels mind neither.
};

/// Which records are rows, and what is left out of their fields.
struct RowRules {
  std::size_t fields = 0;                  ///< A row has so many,
  bool fewer = false;                      ///< or fewer,
  LongRecords more = LongRecords::kFault;  ///< or more.
  bool trim = false;  ///< Spaces and tabs around unquoted fields are none of them.

  /// `record`: of the block's good ones.
  bool take(const TokenizedBlock& block, std::size_t record) const noexcept {
    const std::size_t count = block.field_count(record);
    if (count == fields) return true;
    return count < fields ? fewer : take_rest(block, record, count);
  }
  /// Whether the fields behind those of a row may be left out.
  bool take_rest(const TokenizedBlock& block, std::size_t record, std::size_t count) const noexcept;
};

/// Rows of a tokenized block: those records that have the right number of fields.
class BlockRows {
 public:
  /// Takes all of the block's good records that are rows. Both are borrowed.
  /// `input` is what was tokenized; it lies in `readable`, of which no more than `rows_left` rows
  /// are taken behind the block.
  void assign(const TokenizedBlock& block, const RowRules& rules, std::string_view input,
              std::string_view readable, std::size_t rows_left);

  const TokenizedBlock& block() const noexcept { return *block_; }
  std::size_t count() const noexcept {
    return whole_ ? block_->record_begin.size() : records_.size();
  }
  /// The row's record among the block's good ones.
  std::size_t record(std::size_t row) const noexcept { return whole_ ? row : records_[row]; }
  bool has_field(std::size_t row, std::size_t index) const noexcept {
    return !ragged_ || index < block_->field_count(record(row));
  }
  /// The row has it.
  FieldSpan field(std::size_t row, std::size_t index) const noexcept {
    const FieldSpan span = block_->field(record(row), index);
    return trim_ ? trimmed(block_->text, span) : span;
  }

  /// Rows of which vectors may read: the fields lie in the input, and the bytes around them are
  /// readable. The others are few, or all.
  std::size_t vector_begin() const noexcept { return vector_begin_; }
  std::size_t vector_end() const noexcept { return vector_end_; }
  /// Their fields, of which there is at least one. Valid until the next call.
  simd::FieldColumn vector_fields(std::size_t index, Quotes quotes);

  /// Makes room for `size` bytes, `added` of them from this block; if it has to, for what the
  /// readable bytes behind the block will add, too.
  void reserve(Buffer& buffer, std::size_t size, std::size_t added) const;

  bool valid_utf8 = false;  ///< All of the block's input is.

 private:
  simd::FieldColumn matrix_fields(std::size_t index) const noexcept;

  const TokenizedBlock* block_ = nullptr;
  bool whole_ = false;   ///< Each good record is a row.
  bool ragged_ = false;  ///< Some rows have another number of fields.
  bool trim_ = false;
  std::vector<std::size_t> records_;  ///< Per row, unless whole_.
  std::size_t vector_begin_ = 0;
  std::size_t vector_end_ = 0;
  std::vector<std::uint32_t> before_records_;  ///< Matrix: each begin less one, unless gapless.
  std::vector<std::uint32_t> bounds_;          ///< Of fields, in pairs.
  double blocks_left_ = 0;                     ///< How many like this one may be behind it.
};

}  // namespace leat::parser
