#include "parser/records/block_converter.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/plural.h"
#include "parser/records/excerpt.h"

namespace leat::parser {
namespace {

constexpr std::size_t kRejectTextBytes = 1024;

}  // namespace

BlockConverter::BlockConverter(const FormatOptions& options, SimdTarget target,
                               std::shared_ptr<const Schema> schema, ColumnMap map)
    : schema_(std::move(schema)),
      map_(std::move(map)),
      builder_(options, target),
      check_utf8_(check_utf8_of(target)),
      on_error_(options.on_error),
      quote_(options.quote),
      escape_(options.escape),
      has_header_(options.header),
      rules_{map_.record_fields, options.short_records == ShortRecords::kNull, options.long_records,
             options.trim},
      reads_text_(std::any_of(schema_->fields.begin(), schema_->fields.end(),
                              [](const Field& f) { return f.type.id == TypeId::kText; })) {}

/// Sorts the good records into rows and those with another number of fields.
void BlockConverter::take_rows(const TokenizedBlock& block, const BlockPlace& place) {
  rows_.assign(block, rules_, place.input, place.readable, place.rows_left);
  ordinals_.clear();
  shape_faults_.clear();
  if (rows_.count() == block.record_count()) return;
  const auto fault = [&](std::size_t ordinal, std::uint32_t begin, std::uint32_t end,
                         std::size_t fields) {
    std::string reason = "the record has " + core::count_of(fields, "field") + ", the " +
                         (has_header_ ? "header" : "schema") + " has " +
                         std::to_string(map_.record_fields) +
                         (fields < map_.record_fields ? " (--short-records null reads it"
                                                      : " (--long-records ignore reads it") +
                         (has_header_ ? ")" : "; --skip-lines leaves titles out)");
    shape_faults_.push_back({ordinal, begin, end, ErrorCode::kFieldCount, {}, {}, reason});
  };
  for (const RaggedRecord& record : block.ragged) {
    fault(record.index, record.begin, record.end, record.fields);
  }
  std::size_t bad = 0;
  std::size_t ragged = 0;
  for (std::size_t record = 0; record < block.record_begin.size(); ++record) {
    std::size_t ordinal = record + bad + ragged;
    for (;; ++ordinal) {
      if (bad < block.bad.size() && block.bad[bad].index == ordinal) {
        ++bad;
      } else if (ragged < block.ragged.size() && block.ragged[ragged].index == ordinal) {
        ++ragged;
      } else {
        break;
      }
    }
    if (rules_.take(block, record)) {
      ordinals_.push_back(ordinal);
    } else {
      fault(ordinal, block.record_begin[record], block.end_of(record), block.field_count(record));
    }
  }
}

void BlockConverter::append_columns(RowChunk& out) {
  const auto before = static_cast<std::size_t>(out.rows);
  for (std::size_t i = 0; i < schema_->fields.size(); ++i) {
    builder_.append(rows_, map_.field_of_column[i], schema_->fields[i], i, before, out.columns[i],
                    faults_);
  }
}

/// The field as it was read, without quotes and escapes; empty: the records have none.
std::string BlockConverter::text_of(const TokenizedBlock& block, std::size_t row,
                                    std::size_t column) const {
  const std::size_t index = map_.field_of_column[column];
  if (index == ColumnMap::kMissing || !rows_.has_field(row, index)) return {};
  const FieldSpan span = rows_.field(row, index);
  std::string text(block.text + span.begin, span.end - span.begin);
  if (!span.escaped) return text;
  std::string plain;
  unescape(text, span.escaping, quote_, escape_, plain);
  return plain;
}

RecordFault BlockConverter::value_fault(const TokenizedBlock& block,
                                        const ValueFault& fault) const {
  const std::size_t record = rows_.record(fault.row);
  const Field& column = schema_->fields[fault.column];
  RecordFault found{ordinal(fault.row),
                    block.record_begin[record],
                    block.end_of(record),
                    ErrorCode::kBadValue,
                    column.name,
                    {},
                    {}};
  found.text = text_of(block, fault.row, fault.column);
  found.reason = fault.reason.empty() ? "a null in a column that is NOT NULL"
                                      : excerpt(found.text) + " does not fit " +
                                            column.type.to_sql() + ": " + std::string(fault.reason);
  return found;
}

/// Adds the values that were read as null, as far as their rows stay.
void BlockConverter::count_nulled(const TokenizedBlock& block, const BlockPlace& place,
                                  RowChunk& out) const {
  for (const ValueFault& value : faults_.nulled()) {
    if (faults_.dropped(value.row)) continue;
    auto at = std::lower_bound(
        out.nulled.begin(), out.nulled.end(), value.column,
        [](const NulledValues& nulled, std::size_t column) { return nulled.column < column; });
    if (at == out.nulled.end() || at->column != value.column) {
      const std::string text = text_of(block, value.row, value.column);
      at = out.nulled.insert(at, {value.column, 0, place.records + ordinal(value.row) + 1,
                                  std::string(front_of(text, kRejectTextBytes))});
    }
    ++at->count;
  }
}

/// All faulty records in their order.
std::vector<RecordFault> BlockConverter::collect_faults(const TokenizedBlock& block) const {
  std::vector<RecordFault> all = shape_faults_;
  for (const BadRecord& bad : block.bad) {
    all.push_back({bad.index,
                   bad.begin,
                   bad.end,
                   bad.code,
                   {},
                   {},
                   bad.reason + " (byte " + std::to_string(bad.error_offset - bad.begin + 1) +
                       " of the record)"});
  }
  for (const ValueFault& fault : faults_.all()) all.push_back(value_fault(block, fault));
  std::sort(all.begin(), all.end(),
            [](const RecordFault& a, const RecordFault& b) { return a.ordinal < b.ordinal; });
  return all;
}

void BlockConverter::remove_dropped_rows(RowChunk& out) {
  const std::vector<RowRun> kept = faults_.kept_runs();
  const auto before = static_cast<std::size_t>(out.rows);
  for (std::size_t i = 0; i < schema_->fields.size(); ++i) {
    keep_runs(kept, schema_->fields[i].type, before, rows_.count(), out.columns[i]);
  }
}

void BlockConverter::append_lineage(const TokenizedBlock& block, const BlockPlace& place,
                                    RowChunk& out) {
  const auto before = static_cast<std::size_t>(out.rows);
  const std::size_t size = (before + rows_.count()) * sizeof(std::int64_t);
  const auto grow = [&](Buffer& buffer) {
    rows_.reserve(buffer, size, rows_.count() * sizeof(std::int64_t));
    buffer.resize(size);
    return buffer.as<std::int64_t>();
  };
  std::int64_t* const offsets = grow(out.record_offsets);
  if (ordinals_.empty() && !faults_.any_dropped() && place.records - out.records.begin == before) {
    const std::uint32_t* const begins = block.record_begin.data();
    for (std::size_t row = 0; row < rows_.count(); ++row) {
      offsets[before + row] = static_cast<std::int64_t>(place.offset + begins[row]);
    }
    out.rows += static_cast<std::int64_t>(rows_.count());
    return;
  }
  const bool all_were_rows = out.record_numbers.size() == 0;
  std::int64_t* const numbers = grow(out.record_numbers);
  if (all_were_rows) {
    std::iota(numbers, numbers + before, static_cast<std::int64_t>(out.records.begin) + 1);
  }
  std::size_t kept = before;
  for (std::size_t row = 0; row < rows_.count(); ++row) {
    if (faults_.dropped(row)) continue;
    offsets[kept] = static_cast<std::int64_t>(place.offset + block.record_begin[rows_.record(row)]);
    numbers[kept++] = static_cast<std::int64_t>(place.records + ordinal(row) + 1);
  }
  out.record_offsets.resize(kept * sizeof(std::int64_t));
  out.record_numbers.resize(kept * sizeof(std::int64_t));
  out.rows = static_cast<std::int64_t>(kept);
}

std::optional<RecordFault> BlockConverter::append(const TokenizedBlock& block,
                                                  const BlockPlace& place, RowChunk& out) {
  take_rows(block, place);
  // One pass over the raw bytes: the text of fields may lie side by side, where two halves of a
  // sequence would pass for one.
  rows_.valid_utf8 =
      !block.escapes_may_break_utf8 &&
      (block.known_utf8 || (reads_text_ && check_utf8_(place.input.substr(0, block.consumed))));
  faults_.clear(rows_.count());
  append_columns(out);

  std::vector<RecordFault> faults = collect_faults(block);
  const bool fail = on_error_ == OnError::kFail && !faults.empty();
  if (fail) {
    for (std::size_t row = 0; row < rows_.count(); ++row) {
      if (ordinal(row) > faults.front().ordinal) faults_.drop(row);
    }
  }
  count_nulled(block, place, out);
  if (faults_.any_dropped()) remove_dropped_rows(out);
  append_lineage(block, place, out);
  if (fail) return std::move(faults.front());

  for (RecordFault& fault : faults) {
    out.rejects.push_back({place.records + fault.ordinal + 1, place.offset + fault.begin,
                           std::move(fault.column),
                           std::string(front_of(fault.text, kRejectTextBytes)),
                           std::string(place.input.substr(fault.begin, fault.end - fault.begin)),
                           fault.code, std::move(fault.reason)});
  }
  return std::nullopt;
}

}  // namespace leat::parser
