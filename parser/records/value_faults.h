// Which rows of a block do not stay, and why.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "leat/row_chunk.h"
#include "leat/schema.h"

namespace leat::parser {

/// A value that its column does not take.
struct ValueFault {
  std::size_t row = 0;      ///< In BlockRows.
  std::size_t column = 0;   ///< In the schema.
  std::string_view reason;  ///< Static storage. Empty: a null where none is allowed.
};

/// Rows from begin to end.
struct RowRun {
  std::size_t begin = 0;
  std::size_t end = 0;
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
  /// The other rows, in ascending order.
  std::vector<RowRun> kept_runs() const;

 private:
  bool mark(std::size_t row);

  std::size_t rows_ = 0;
  std::vector<ValueFault> faults_;
  std::vector<ValueFault> nulled_;
  std::vector<bool> dropped_;  ///< Empty: none.
};

/// Removes from the last `rows` rows, which follow `rows_before` others, those that are in no run.
void keep_runs(const std::vector<RowRun>& runs, const DataType& type, std::size_t rows_before,
               std::size_t rows, Column& column);

}  // namespace leat::parser
