// From fields to one Arrow column.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "leat/parser.h"
#include "leat/row_chunk.h"
#include "parser/convert/simd/column_kernels.h"
#include "parser/csv/block_rows.h"
#include "parser/csv/simd/text_column.h"
#include "parser/csv/tokenizer.h"

namespace leat::parser {

/// A value that its column does not take.
struct ValueFault {
  std::size_t row = 0;      ///< In BlockRows.
  std::size_t column = 0;   ///< In the schema.
  std::string_view reason;  ///< Static storage. Empty: a null where none is allowed.
};

/// The faults of a block, one for each faulty row: that of its first faulty column.
class ValueFaults {
 public:
  void clear(std::size_t rows);
  /// Columns come in ascending order.
  void report(std::size_t row, std::size_t column, std::string_view reason);
  /// Also takes a row out that holds no faulty value.
  void drop(std::size_t row) { mark(row); }
  /// A value that does not fit was read as null, and its row may stay.
  void note_null(std::size_t row, std::size_t column) { nulled_.push_back({row, column, {}}); }
  /// In the order of columns; of dropped rows too.
  const std::vector<ValueFault>& nulled() const noexcept { return nulled_; }

  const std::vector<ValueFault>& all() const noexcept { return faults_; }
  bool any_dropped() const noexcept { return !dropped_.empty(); }
  bool dropped(std::size_t row) const noexcept { return !dropped_.empty() && dropped_[row]; }

 private:
  bool mark(std::size_t row);

  std::size_t rows_ = 0;
  std::vector<ValueFault> faults_;
  std::vector<ValueFault> nulled_;
  std::vector<bool> dropped_;  ///< Empty: none.
};

/// Which unquoted fields are null.
class NullMatcher {
 public:
  explicit NullMatcher(const std::vector<std::string>& null_strings);
  bool operator()(const FieldSpan& field, std::string_view text) const noexcept {
    if (field.quoted) return false;
    return text.empty() ? empty_ : !others_.empty() && is_other(text);
  }
  bool empty_is_null() const noexcept { return empty_; }
  /// The null strings that are not empty.
  const std::vector<std::string>& others() const noexcept { return others_; }

 private:
  bool is_other(std::string_view text) const noexcept;

  bool empty_ = false;
  std::vector<std::string> others_;
};

/// Converts fields to values, column by column. One thread.
class ColumnBuilder {
 public:
  /// The target is available.
  ColumnBuilder(const FormatOptions& options, SimdTarget target);

  /// Appends `rows` of field `field_index` of each record to `out`, which holds `rows_before` rows
  /// (variable types: also the first offset).
  /// ColumnMap::kMissing appends nulls. A faulty row holds a null (or zero) until it is dropped.
  void append(const BlockRows& rows, std::size_t field_index, const Field& field,
              std::size_t column_index, std::size_t rows_before, Column& out, ValueFaults& faults);

  /// Removes the dropped ones of the last `rows` rows after `rows_before`.
  static void compact(const DataType& type, std::size_t rows_before, std::size_t rows,
                      const ValueFaults& faults, Column& column);

 private:
  class Target;

  template <class Store>
  void convert_row(Target& target, std::size_t row, Store store);
  simd::FieldColumn without_quotes(const Target& target);
  template <class T, class Parse>
  void append_fixed(Target& target, Parse parse, simd::ColumnKernels::Convert<T> kernel = nullptr);
  template <class AppendValue>
  void append_variable(Target& target, AppendValue append_value);
  void append_plain_text(Target& target);
  void append_bits(Target& target);

  NullMatcher is_null_;
  char quote_;
  char escape_;
  bool bad_to_null_;
  const simd::ColumnKernels& kernels_;
  AppendTexts append_texts_;
  std::string unescaped_;
  std::vector<std::uint32_t> odd_rows_;  ///< Left over by a kernel.
  std::vector<std::uint32_t> unquoted_;  ///< Bounds of fields, in pairs.
};

}  // namespace leat::parser
