#include "parser/csv/column_builder.h"

#include <algorithm>
#include <cstring>

#include "parser/convert/values.h"
#include "parser/csv/header.h"

namespace leat::parser {
namespace {

constexpr std::string_view kNotUtf8 = "not UTF-8";
constexpr std::string_view kNotJson = "not JSON";

struct Uuid {
  std::uint8_t bytes[16];
};

std::size_t bytes_of_bits(std::size_t bits) { return (bits + 7) / 8; }

bool bit(const Buffer& bits, std::size_t at) {
  return ((bits.as<std::uint8_t>()[at / 8] >> (at % 8)) & 1) != 0;
}

void set_bit(Buffer& bits, std::size_t at, bool value) {
  const auto mask = static_cast<std::uint8_t>(1u << (at % 8));
  std::uint8_t& byte = bits.as<std::uint8_t>()[at / 8];
  byte = value ? static_cast<std::uint8_t>(byte | mask) : static_cast<std::uint8_t>(byte & ~mask);
}

/// Grows to `bits` with ones, so that what is appended is valid until said otherwise: bits past the
/// end are ones at all times.
void grow_valid(Buffer& validity, std::size_t bits) {
  const std::size_t size = validity.size();
  const std::size_t wanted = bytes_of_bits(bits);
  if (wanted <= size) return;
  validity.resize(wanted);
  std::memset(validity.data() + size, 0xff, wanted - size);
}

/// Moves the bits of kept rows together.
void compact_bits(Buffer& bits, std::size_t before, std::size_t rows, const ValueFaults& faults) {
  std::size_t kept = before;
  for (std::size_t row = 0; row < rows; ++row) {
    if (!faults.dropped(row)) set_bit(bits, kept++, bit(bits, before + row));
  }
  bits.resize(bytes_of_bits(kept));
  for (std::size_t past = kept; past % 8 != 0; ++past) set_bit(bits, past, true);
}

}  // namespace

void ValueFaults::clear(std::size_t rows) {
  rows_ = rows;
  faults_.clear();
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

NullMatcher::NullMatcher(const std::vector<std::string>& null_strings) {
  for (const std::string& text : null_strings) {
    if (text.empty()) empty_ = true;
    if (!text.empty()) others_.push_back(text);
  }
}

bool NullMatcher::is_other(std::string_view text) const noexcept {
  return std::find(others_.begin(), others_.end(), text) != others_.end();
}

/// The end of one column, and the fields that go there.
class ColumnBuilder::Target {
 public:
  Target(const BlockRows& rows, std::size_t field_index, const Field& field,
         std::size_t column_index, std::size_t rows_before, Column& column, ValueFaults& faults)
      : rows_(rows),
        field_index_(field_index),
        field_(field),
        column_index_(column_index),
        before_(rows_before),
        column_(column),
        faults_(faults) {
    if (column.validity.size() != 0) grow_valid(column.validity, before_ + rows.count());
  }

  std::size_t rows() const noexcept { return rows_.count(); }
  std::size_t before() const noexcept { return before_; }
  Column& column() noexcept { return column_; }

  /// The records have no such column.
  bool missing() const noexcept { return field_index_ == ColumnMap::kMissing; }
  FieldSpan span(std::size_t row) const noexcept {
    return rows_.block->field(rows_.records[row], field_index_);
  }
  std::string_view text(const FieldSpan& span) const noexcept {
    return {rows_.block->text + span.begin, span.end - span.begin};
  }

  void set_null(std::size_t row) {
    if (!field_.nullable) return faults_.report(row, column_index_, {});
    Buffer& validity = column_.validity;
    if (validity.size() == 0) grow_valid(validity, before_ + rows());
    set_bit(validity, before_ + row, false);
    ++column_.null_count;
  }
  void set_bad(std::size_t row, std::string_view reason, bool bad_to_null) {
    if (bad_to_null && field_.nullable) return set_null(row);
    faults_.report(row, column_index_, reason);
  }

 private:
  const BlockRows& rows_;
  std::size_t field_index_;
  const Field& field_;
  std::size_t column_index_;
  std::size_t before_;
  Column& column_;
  ValueFaults& faults_;
};

ColumnBuilder::ColumnBuilder(const CsvOptions& options)
    : is_null_(options.null_strings),
      quote_(options.quote),
      escape_(options.escape),
      bad_to_null_(options.on_error == OnError::kNull) {}

/// The loop of every type: `store(row, text)` gives the reason when the text is no value,
/// `after(row)` is called for each row, whatever became of it.
template <class Store, class After>
void ColumnBuilder::for_each_value(Target& target, Store store, After after) {
  for (std::size_t row = 0; row < target.rows(); ++row) {
    const FieldSpan span = target.missing() ? FieldSpan() : target.span(row);
    std::string_view text = target.text(span);
    if (target.missing() || is_null_(span, text)) {
      target.set_null(row);
    } else {
      if (span.escaped) {
        unescaped_.clear();
        unescape(text, quote_, escape_, unescaped_);
        text = unescaped_;
      }
      const std::string_view reason = store(row, text);
      if (!reason.empty()) target.set_bad(row, reason, bad_to_null_);
    }
    after(row);
  }
}

template <class T, class Parse>
void ColumnBuilder::append_fixed(Target& target, Parse parse) {
  Buffer& values = target.column().values;
  const std::size_t size = values.size();
  values.resize((target.before() + target.rows()) * sizeof(T));
  // A null's place holds zero.
  if (values.size() != size) std::memset(values.data() + size, 0, values.size() - size);
  T* out = values.as<T>() + target.before();
  for_each_value(
      target, [&](std::size_t row, std::string_view text) { return parse(text, out[row]); },
      [](std::size_t) {});
}

template <class AppendValue>
void ColumnBuilder::append_variable(Target& target, AppendValue append_value) {
  Column& column = target.column();
  column.offsets.resize((target.before() + target.rows() + 1) * sizeof(std::int32_t));
  std::int32_t* ends = column.offsets.as<std::int32_t>() + target.before() + 1;
  for_each_value(
      target, [&](std::size_t, std::string_view text) { return append_value(text, column.values); },
      [&](std::size_t row) { ends[row] = static_cast<std::int32_t>(column.values.size()); });
}

void ColumnBuilder::append_bits(Target& target) {
  Buffer& values = target.column().values;
  grow_valid(values, target.before() + target.rows());
  for_each_value(
      target,
      [&](std::size_t row, std::string_view text) {
        bool value = true;
        const std::string_view reason = parse_bool(text, value);
        if (!value) set_bit(values, target.before() + row, false);
        return reason;
      },
      [](std::size_t) {});
}

void ColumnBuilder::append(const BlockRows& rows, std::size_t field_index, const Field& field,
                           std::size_t column_index, std::size_t rows_before, Column& out,
                           ValueFaults& faults) {
  Target target(rows, field_index, field, column_index, rows_before, out, faults);
  const bool known_utf8 = rows.valid_utf8;
  switch (field.type.id) {
    case TypeId::kBool:
      return append_bits(target);
    case TypeId::kInt16:
      return append_fixed<std::int16_t>(target, parse_int<std::int16_t>);
    case TypeId::kInt32:
      return append_fixed<std::int32_t>(target, parse_int<std::int32_t>);
    case TypeId::kInt64:
      return append_fixed<std::int64_t>(target, parse_int<std::int64_t>);
    case TypeId::kFloat32:
      return append_fixed<float>(target, parse_float<float>);
    case TypeId::kFloat64:
      return append_fixed<double>(target, parse_float<double>);
    case TypeId::kDecimal:
      return append_fixed<Int128>(target,
                                  [&type = field.type](std::string_view text, Int128& value) {
                                    return parse_decimal(text, type.precision, type.scale, value);
                                  });
    case TypeId::kDate:
      return append_fixed<std::int32_t>(target, parse_date);
    case TypeId::kTime:
      return append_fixed<std::int64_t>(target, parse_time);
    case TypeId::kTimestamp:
      return append_fixed<std::int64_t>(target, parse_timestamp);
    case TypeId::kTimestampTz:
      return append_fixed<std::int64_t>(target, parse_timestamptz);
    case TypeId::kUuid:
      return append_fixed<Uuid>(
          target, [](std::string_view text, Uuid& value) { return parse_uuid(text, value.bytes); });
    case TypeId::kText:
      return append_variable(target, [known_utf8](std::string_view text, Buffer& values) {
        if (!known_utf8 && !valid_utf8(text)) return kNotUtf8;
        values.append(text.data(), text.size());
        return std::string_view();
      });
    case TypeId::kBytes:
      return append_variable(target, parse_bytes);
    case TypeId::kJson:
      return append_variable(target, [](std::string_view text, Buffer& values) {
        if (!valid_json(text)) return kNotJson;
        values.append(text.data(), text.size());
        return std::string_view();
      });
  }
}

void ColumnBuilder::compact(const DataType& type, std::size_t rows_before, std::size_t rows,
                            const ValueFaults& faults, Column& column) {
  std::size_t kept = rows_before;
  if (column.null_count != 0) {
    for (std::size_t row = 0; row < rows; ++row) {
      const bool null = !bit(column.validity, rows_before + row);
      if (null && faults.dropped(row)) --column.null_count;
    }
  }
  if (column.validity.size() != 0) compact_bits(column.validity, rows_before, rows, faults);
  if (column.null_count == 0) column.validity.clear();

  if (type.id == TypeId::kBool) return compact_bits(column.values, rows_before, rows, faults);
  if (type.is_variable()) {
    auto* offsets = column.offsets.as<std::int32_t>();
    std::byte* bytes = column.values.data();
    std::int32_t end = offsets[rows_before];
    std::int32_t begin = end;
    for (std::size_t row = 0; row < rows; ++row) {
      const std::int32_t next = offsets[rows_before + row + 1];
      if (!faults.dropped(row)) {
        if (next != begin) std::memmove(bytes + end, bytes + begin, next - begin);
        end += next - begin;
        offsets[++kept] = end;
      }
      begin = next;
    }
    column.offsets.resize((kept + 1) * sizeof(std::int32_t));
    column.values.resize(static_cast<std::size_t>(end));
    return;
  }
  const std::size_t width = type.width();
  std::byte* values = column.values.data();
  for (std::size_t row = 0; row < rows; ++row) {
    if (faults.dropped(row)) continue;
    std::memmove(values + kept++ * width, values + (rows_before + row) * width, width);
  }
  column.values.resize(kept * width);
}

}  // namespace leat::parser
