#include "parser/records/column_builder.h"

#include <algorithm>
#include <cstring>

#include "parser/convert/values.h"
#include "parser/csv/tokenizers.h"
#include "parser/records/column_bits.h"
#include "parser/records/header.h"

namespace leat::parser {
namespace {

constexpr std::string_view kNotUtf8 = "not UTF-8";
constexpr std::string_view kNotJson = "not JSON";

}  // namespace

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
  Target(BlockRows& rows, std::size_t field_index, const Field& field, std::size_t column_index,
         std::size_t rows_before, Column& column, ValueFaults& faults)
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
  const BlockRows& block_rows() const noexcept { return rows_; }
  std::size_t before() const noexcept { return before_; }
  Column& column() noexcept { return column_; }

  /// The records have no such column.
  bool missing() const noexcept { return field_index_ == ColumnMap::kMissing; }
  bool missing(std::size_t row) const noexcept {
    return missing() || !rows_.has_field(row, field_index_);
  }
  FieldSpan span(std::size_t row) const noexcept { return rows_.field(row, field_index_); }
  /// Rows that vectors may read.
  bool has_vector_rows() const noexcept { return vector_begin() < vector_end(); }
  std::size_t vector_begin() const noexcept { return no_vectors() ? 0 : rows_.vector_begin(); }
  std::size_t vector_end() const noexcept { return no_vectors() ? 0 : rows_.vector_end(); }
  /// The values are written as no kernel reads them.
  void forgo_vectors() noexcept { forgo_vectors_ = true; }
  simd::FieldColumn vector_fields(Quotes quotes) const {
    return rows_.vector_fields(field_index_, quotes);
  }
  std::string_view text(const FieldSpan& span) const noexcept {
    return {rows_.block().text + span.begin, span.end - span.begin};
  }

  /// Where the ends of the rows' values go.
  std::int32_t* grow_offsets() {
    Buffer& offsets = column_.offsets;
    const std::size_t size = (before_ + rows_.count() + 1) * sizeof(std::int32_t);
    rows_.reserve(offsets, size, rows_.count() * sizeof(std::int32_t));
    offsets.resize(size);
    return offsets.as<std::int32_t>() + before_ + 1;
  }
  void set_null(std::size_t row) {
    if (!field_.nullable) return faults_.report(row, column_index_, {});
    Buffer& validity = column_.validity;
    if (validity.size() == 0) grow_valid(validity, before_ + rows());
    set_bit(validity, before_ + row, false);
    ++column_.null_count;
  }
  void set_bad(std::size_t row, std::string_view reason, bool bad_to_null) {
    if (bad_to_null && field_.nullable) {
      faults_.note_null(row, column_index_);
      return set_null(row);
    }
    faults_.report(row, column_index_, reason);
  }

 private:
  bool no_vectors() const noexcept { return missing() || forgo_vectors_; }

  BlockRows& rows_;
  std::size_t field_index_;
  const Field& field_;
  std::size_t column_index_;
  std::size_t before_;
  Column& column_;
  ValueFaults& faults_;
  bool forgo_vectors_ = false;
};

ColumnBuilder::ColumnBuilder(const FormatOptions& options, SimdTarget target)
    : is_null_(options.null_strings),
      quote_(options.quote),
      escape_(options.escape),
      doubles_quotes_(options.kind == Format::kCsv && !escapes_anywhere(options) &&
                      (options.quote == '\0' || options.escape == options.quote)),
      bad_to_null_(options.on_error == OnError::kNull),
      formats_(options),
      kernels_(simd::column_kernels(target)),
      append_texts_(append_texts_of(target)) {}

/// One value of any type: `store(text)` gives the reason when the text is no value.
template <class Store>
void ColumnBuilder::convert_row(Target& target, std::size_t row, Store store) {
  if (target.missing(row)) return target.set_null(row);
  const FieldSpan span = target.span(row);
  std::string_view text = target.text(span);
  if (is_null_(span, text)) return target.set_null(row);
  if (span.escaped) {
    unescaped_.clear();
    unescape(text, span.escaping, quote_, escape_, unescaped_);
    text = unescaped_;
  }
  const std::string_view reason = store(text);
  if (!reason.empty()) target.set_bad(row, reason, bad_to_null_);
}

/// Whether some null string is also a value: kernels, which know of no null strings, would take it.
template <class T, class Parse>
bool ColumnBuilder::null_is_value(Parse parse) const {
  return std::any_of(is_null_.others().begin(), is_null_.others().end(),
                     [&](const std::string& text) {
                       T value{};
                       return parse(text, value).empty();
                     });
}

/// The kernel takes what it can: `kernel(fields, values, left_over)` like those of ColumnKernels.
template <class T, class Parse, class Kernel>
void ColumnBuilder::append_fixed(Target& target, Parse parse, Kernel kernel) {
  Buffer& values = target.column().values;
  const std::size_t size = (target.before() + target.rows()) * sizeof(T);
  target.block_rows().reserve(values, size, target.rows() * sizeof(T));
  values.resize(size);
  T* out = values.as<T>() + target.before();
  const auto convert = [&](std::size_t row) {
    out[row] = T{};  // A null's place holds zero.
    convert_row(target, row, [&](std::string_view text) { return parse(text, out[row]); });
  };
  const bool by_kernel = target.has_vector_rows() && !null_is_value<T>(parse);
  const std::size_t begin = by_kernel ? target.vector_begin() : target.rows();
  const std::size_t end = by_kernel ? target.vector_end() : target.rows();
  for (std::size_t row = 0; row < begin; ++row) convert(row);
  if (begin < end) {
    odd_rows_.resize(end - begin);
    const simd::FieldColumn fields = target.vector_fields(Quotes::kRemoved);
    const std::size_t odd = kernel(fields, out + begin, odd_rows_.data());
    for (std::size_t i = 0; i < odd; ++i) convert(begin + odd_rows_[i]);
  }
  for (std::size_t row = end; row < target.rows(); ++row) convert(row);
}

template <class T, class Parse, class Kernel>
void ColumnBuilder::append_number(Target& target, Parse parse, Kernel kernel) {
  if (formats_.plain_numbers()) return append_fixed<T>(target, parse, kernel);
  target.forgo_vectors();
  append_fixed<T>(
      target,
      [&](std::string_view text, T& value) {
        return parse(formats_.number(text, plain_number_), value);
      },
      kernel);
}

template <class T, class Parse, class Kernel>
void ColumnBuilder::append_time(Target& target, const TimeFormat& format, Parse parse,
                                Kernel kernel) {
  if (!format.is_iso()) target.forgo_vectors();
  append_fixed<T>(target, parse, kernel);
}

template <class AppendValue>
void ColumnBuilder::append_variable(Target& target, AppendValue append_value) {
  std::int32_t* const ends = target.grow_offsets();
  Buffer& values = target.column().values;
  for (std::size_t row = 0; row < target.rows(); ++row) {
    convert_row(target, row, [&](std::string_view text) { return append_value(text, values); });
    ends[row] = static_cast<std::int32_t>(values.size());
  }
}

/// Of the fields, those that hold a null string, or escape sequences that a copy does not remove.
void ColumnBuilder::find_odd_texts(const Target& target, const simd::FieldColumn& fields) {
  odd_rows_.clear();
  const bool has_null_strings = !is_null_.others().empty();
  if (doubles_quotes_ && !has_null_strings) return;
  for (std::size_t row = 0; row < fields.count; ++row) {
    const std::uint32_t begin = fields.begins[row * fields.begin_stride] + 1;
    const std::uint32_t end = fields.ends[row * fields.end_stride];
    bool odd = has_null_strings && is_null_.is_other({fields.text + begin, end - begin});
    if (!doubles_quotes_) {
      const FieldSpan span = target.span(target.vector_begin() + row);
      odd = odd || span.escaped || (span.quoted && begin == end);
    }
    if (odd) odd_rows_.push_back(static_cast<std::uint32_t>(row));
  }
}

/// Text that is known to be UTF-8.
void ColumnBuilder::append_plain_text(Target& target) {
  std::int32_t* const ends = target.grow_offsets();
  Buffer& values = target.column().values;
  const auto convert = [&](std::size_t row) {
    convert_row(target, row, [&](std::string_view text) {
      values.append(text.data(), text.size());
      return std::string_view();
    });
    ends[row] = static_cast<std::int32_t>(values.size());
  };
  const std::size_t begin = target.vector_begin();
  const std::size_t end = target.vector_end();
  for (std::size_t row = 0; row < begin; ++row) convert(row);
  if (begin < end) {
    const simd::FieldColumn fields =
        target.vector_fields(doubles_quotes_ ? Quotes::kKept : Quotes::kRemoved);
    find_odd_texts(target, fields);
    // One more, so that there is memory: vectors also write into the padding.
    const std::size_t added = field_bytes(fields) + 1;
    target.block_rows().reserve(values, values.size() + added, added);
    empty_rows_.resize(fields.count);
    const TokenizedBlock& block = target.block_rows().block();
    const char quote = block.is_matrix() ? block.matrix.quote : doubles_quotes_ ? quote_ : '\0';
    const auto copy = [&](std::size_t from, std::size_t to) {
      TextSink sink;
      sink.bytes = values.as<char>() + values.size();
      sink.offset = static_cast<std::int32_t>(values.size());
      sink.ends = ends + begin + from;
      sink.empty = empty_rows_.data();
      append_texts_(fields.part(from, to), quote, sink);
      values.resize(static_cast<std::size_t>(sink.offset));
      if (!is_null_.empty_is_null()) return;
      for (std::size_t i = 0; i < sink.empty_count; ++i) {
        target.set_null(begin + from + empty_rows_[i]);
      }
    };
    std::size_t row = 0;
    for (const std::uint32_t odd : odd_rows_) {
      copy(row, odd);
      convert(begin + odd);
      row = odd + 1;
    }
    copy(row, fields.count);
  }
  for (std::size_t row = end; row < target.rows(); ++row) convert(row);
}

void ColumnBuilder::append_bits(Target& target) {
  Buffer& values = target.column().values;
  grow_valid(values, target.before() + target.rows());
  const auto convert = [&](std::size_t row) {
    convert_row(target, row, [&](std::string_view text) {
      bool value = true;
      const std::string_view reason = parse_bool(text, value);
      if (!value) set_bit(values, target.before() + row, false);
      return reason;
    });
  };
  const bool by_kernel = target.has_vector_rows() && !null_is_value<bool>(parse_bool);
  const std::size_t begin = by_kernel ? target.vector_begin() : target.rows();
  const std::size_t end = by_kernel ? target.vector_end() : target.rows();
  for (std::size_t row = 0; row < begin; ++row) convert(row);
  if (begin < end) {
    odd_rows_.resize(end - begin);
    booleans_.resize(end - begin);
    const simd::FieldColumn fields = target.vector_fields(Quotes::kRemoved);
    odd_rows_.resize(kernels_.convert_bool(fields, booleans_.data(), odd_rows_.data()));
    for (const std::uint32_t odd : odd_rows_) booleans_[odd] = 1;
    clear_bits(values, target.before() + begin, booleans_);
    for (const std::uint32_t odd : odd_rows_) convert(begin + odd);
  }
  for (std::size_t row = end; row < target.rows(); ++row) convert(row);
}

void ColumnBuilder::append(BlockRows& rows, std::size_t field_index, const Field& field,
                           std::size_t column_index, std::size_t rows_before, Column& out,
                           ValueFaults& faults) {
  Target target(rows, field_index, field, column_index, rows_before, out, faults);
  const bool known_utf8 = rows.valid_utf8;
  switch (field.type.id) {
    case TypeId::kBool:
      return append_bits(target);
    case TypeId::kInt16:
      return append_number<std::int16_t>(target, parse_int<std::int16_t>, kernels_.convert_int16);
    case TypeId::kInt32:
      return append_number<std::int32_t>(target, parse_int<std::int32_t>, kernels_.convert_int32);
    case TypeId::kInt64:
      return append_number<std::int64_t>(target, parse_int<std::int64_t>, kernels_.convert_int64);
    case TypeId::kFloat32:
      return append_number<float>(target, parse_float<float>, kernels_.convert_float32);
    case TypeId::kFloat64:
      return append_number<double>(target, parse_float<double>, kernels_.convert_float64);
    case TypeId::kDecimal:
      return append_number<Int128>(
          target,
          [&type = field.type](std::string_view text, Int128& value) {
            return parse_decimal(text, type.precision, type.scale, value);
          },
          [this, &type = field.type](const simd::FieldColumn& fields, Int128* values,
                                     std::uint32_t* left_over) {
            return kernels_.convert_decimal(fields, type.precision, type.scale, values, left_over);
          });
    case TypeId::kDate:
      return append_time<std::int32_t>(
          target, formats_.date(),
          [this](std::string_view text, std::int32_t& value) {
            return formats_.date().parse_date(text, value);
          },
          kernels_.convert_date);
    case TypeId::kTime:
      return append_time<std::int64_t>(
          target, formats_.time(),
          [this](std::string_view text, std::int64_t& value) {
            return formats_.time().parse_time(text, value);
          },
          kernels_.convert_time);
    case TypeId::kTimestamp:
    case TypeId::kTimestampTz: {
      const bool with_offset = field.type.id == TypeId::kTimestampTz;
      return append_time<std::int64_t>(
          target, formats_.timestamp(),
          [this, with_offset](std::string_view text, std::int64_t& value) {
            return formats_.timestamp().parse_timestamp(text, with_offset, value);
          },
          with_offset ? kernels_.convert_timestamptz : kernels_.convert_timestamp);
    }
    case TypeId::kUuid:
      return append_fixed<simd::Uuid>(
          target,
          [](std::string_view text, simd::Uuid& value) { return parse_uuid(text, value.bytes); },
          kernels_.convert_uuid);
    case TypeId::kText:
      if (append_texts_ != nullptr && known_utf8) {
        return append_plain_text(target);
      }
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

}  // namespace leat::parser
