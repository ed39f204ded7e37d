#include "parser/records/value_faults.h"

#include <cstring>

#include "parser/records/column_bits.h"

namespace leat::parser {
namespace {

void keep_bits(const std::vector<RowRun>& runs, std::size_t before, Buffer& bits) {
  std::size_t kept = before;
  for (const RowRun& run : runs) {
    for (std::size_t row = run.begin; row < run.end; ++row) {
      set_bit(bits, kept++, bit(bits, before + row));
    }
  }
  bits.resize(bytes_of_bits(kept));
  for (std::size_t past = kept; past % 8 != 0; ++past) set_bit(bits, past, true);
}

void keep_texts(const std::vector<RowRun>& runs, std::size_t before, Column& column) {
  auto* const offsets = column.offsets.as<std::int32_t>();
  std::byte* const bytes = column.values.data();
  std::size_t kept = before;
  std::int32_t end = offsets[before];
  for (const RowRun& run : runs) {
    const std::int32_t begin = offsets[before + run.begin];
    const std::int32_t size = offsets[before + run.end] - begin;
    const std::int32_t moved = begin - end;
    if (size != 0) std::memmove(bytes + end, bytes + begin, static_cast<std::size_t>(size));
    for (std::size_t row = run.begin; row < run.end; ++row) {
      offsets[++kept] = offsets[before + row + 1] - moved;
    }
    end += size;
  }
  column.offsets.resize((kept + 1) * sizeof(std::int32_t));
  column.values.resize(static_cast<std::size_t>(end));
}

void keep_values(const std::vector<RowRun>& runs, std::size_t before, std::size_t width,
                 Buffer& values) {
  std::byte* const bytes = values.data();
  std::size_t kept = before;
  for (const RowRun& run : runs) {
    const std::size_t count = run.end - run.begin;
    std::memmove(bytes + kept * width, bytes + (before + run.begin) * width, count * width);
    kept += count;
  }
  values.resize(kept * width);
}

/// Nulls in rows that are in no run.
std::int64_t dropped_nulls(const std::vector<RowRun>& runs, std::size_t before, std::size_t rows,
                           const Buffer& validity) {
  std::int64_t nulls = 0;
  std::size_t row = 0;
  const auto count_to = [&](std::size_t end) {
    for (; row < end; ++row) nulls += bit(validity, before + row) ? 0 : 1;
  };
  for (const RowRun& run : runs) {
    count_to(run.begin);
    row = run.end;
  }
  count_to(rows);
  return nulls;
}

}  // namespace

void ValueFaults::clear(std::size_t rows) {
  rows_ = rows;
  faults_.clear();
  nulled_.clear();
  dropped_.clear();
}

bool ValueFaults::mark(std::size_t row) {
  if (dropped_.empty()) dropped_.resize(rows_, false);
  if (dropped_[row]) return false;
  dropped_[row] = true;
  return true;
}

void ValueFaults::report(std::size_t row, std::size_t column, std::string_view reason) {
  if (mark(row)) faults_.push_back({row, column, reason});
}

std::vector<RowRun> ValueFaults::kept_runs() const {
  std::vector<RowRun> runs;
  for (std::size_t row = 0; row < rows_; ++row) {
    if (dropped(row)) continue;
    if (runs.empty() || runs.back().end != row) runs.push_back({row, row});
    runs.back().end = row + 1;
  }
  return runs;
}

void keep_runs(const std::vector<RowRun>& runs, const DataType& type, std::size_t rows_before,
               std::size_t rows, Column& column) {
  if (column.null_count != 0) {
    column.null_count -= dropped_nulls(runs, rows_before, rows, column.validity);
  }
  if (column.validity.size() != 0) keep_bits(runs, rows_before, column.validity);
  if (column.null_count == 0) column.validity.clear();

  if (type.id == TypeId::kBool) {
    keep_bits(runs, rows_before, column.values);
  } else if (type.is_variable()) {
    keep_texts(runs, rows_before, column);
  } else {
    keep_values(runs, rows_before, type.width(), column.values);
  }
}

}  // namespace leat::parser
