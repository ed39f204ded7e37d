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
#include "parser/convert/value_formats.h"
#include "parser/records/block_rows.h"
#include "parser/records/simd/text_column.h"
#include "parser/records/tokenizer.h"
#include "parser/records/value_faults.h"

namespace leat::parser {

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
  bool is_other(std::string_view text) const noexcept;

 private:
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
  void append(BlockRows& rows, std::size_t field_index, const Field& field,
              std::size_t column_index, std::size_t rows_before, Column& out, ValueFaults& faults);

 private:
  class Target;

  template <class Store>
  void convert_row(Target& target, std::size_t row, Store store);
  template <class T, class Parse>
  bool null_is_value(Parse parse) const;
  template <class T, class Parse, class Kernel>
  void append_fixed(Target& target, Parse parse, Kernel kernel);
  template <class T, class Parse, class Kernel>
  void append_number(Target& target, Parse parse, Kernel kernel);
  template <class T, class Parse, class Kernel>
  void append_time(Target& target, const TimeFormat& format, Parse parse, Kernel kernel);
  template <class AppendValue>
  void append_variable(Target& target, AppendValue append_value);
  void append_plain_text(Target& target);
  void find_odd_texts(const Target& target, const simd::FieldColumn& fields);
  void append_bits(Target& target);

  NullMatcher is_null_;
  char quote_;
  char escape_;
  bool doubles_quotes_;  ///< Or has none.
  bool bad_to_null_;
  ValueFormats formats_;
  const simd::ColumnKernels& kernels_;
  AppendTexts append_texts_;
  std::string unescaped_;
  std::string plain_number_;
  std::vector<std::uint8_t> booleans_;
  std::vector<std::uint32_t> odd_rows_;    ///< That vectors leave over.
  std::vector<std::uint32_t> empty_rows_;  ///< Of a run of texts.
};

}  // namespace leat::parser
