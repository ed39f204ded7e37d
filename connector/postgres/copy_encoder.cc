#include "connector/postgres/copy_encoder.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <type_traits>
#include <utility>

namespace leat::connector {
namespace {

__extension__ typedef __int128 Int128;
__extension__ typedef unsigned __int128 UInt128;

constexpr std::int32_t kDaysTo2000 = 10'957;
constexpr std::int64_t kDayUs = 86'400'000'000;
constexpr std::int64_t kUsTo2000 = kDaysTo2000 * kDayUs;

// A numeric of 38 digits: four 16-bit heads and at most eleven groups of four digits.
// With its length.
constexpr std::size_t kNumericFieldBytesMax = 4 + 8 + 2 * 11;

// Each writes at `to`, where there is room, and returns the place behind.
template <class T>
char* put(T value, char* to) {
  using Bits = std::conditional_t<sizeof(T) == 2, std::uint16_t,
                                  std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>>;
  Bits bits = std::bit_cast<Bits>(value);
  if constexpr (std::endian::native == std::endian::little) {
    if constexpr (sizeof(T) == 2) bits = __builtin_bswap16(bits);
    if constexpr (sizeof(T) == 4) bits = __builtin_bswap32(bits);
    if constexpr (sizeof(T) == 8) bits = __builtin_bswap64(bits);
  }
  std::memcpy(to, &bits, sizeof bits);
  return to + sizeof bits;
}

/// A value with its length in front. Four bytes of both are one store: as fields are small, stores
/// are what limits.
template <class T>
char* put_field(T value, char* to) {
  if constexpr (sizeof(T) == 4) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    return put(std::uint64_t{sizeof(T)} << 32 | bits, to);
  }
  return put(value, put(static_cast<std::int32_t>(sizeof(T)), to));
}

char* put_bytes(std::string_view bytes, char* to) {
  to = put(static_cast<std::int32_t>(bytes.size()), to);
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  return to + bytes.size();
}

/// Groups of four digits of `value`, most significant first, into `groups`; how many.
template <class Unsigned>
int split_groups(Unsigned value, std::int16_t* groups) {
  std::int16_t reversed[12];
  int count = 0;
  for (; value != 0; value /= 10'000) reversed[count++] = static_cast<std::int16_t>(value % 10'000);
  for (int i = 0; i < count; ++i) groups[i] = reversed[count - 1 - i];
  return count;
}

UInt128 power_of_ten(int exponent) {
  UInt128 power = 1;
  for (; exponent > 0; --exponent) power *= 10;
  return power;
}

/// `magnitude` / 10^scale.
char* put_numeric(bool negative, UInt128 magnitude, int scale, char* to) {
  // The point has to fall between two groups: the fraction is filled up to whole groups.
  const int fraction_groups = (scale + 3) / 4;
  const int fill = fraction_groups * 4 - scale;
  std::int16_t groups[24];
  int whole = 0;
  int count = 0;
  const auto low = static_cast<std::uint64_t>(magnitude);
  if (magnitude < 10'000'000'000'000'000u) {  // With three zeros behind it, it fits 64 bits.
    static constexpr std::uint64_t kFill[] = {1, 10, 100, 1'000};
    count = split_groups(low * kFill[fill], groups);
    whole = count - fraction_groups;
  } else {
    const UInt128 unit = power_of_ten(scale);
    whole = split_groups(magnitude / unit, groups);
    count = whole;
    // The fraction's groups from the front, none left out.
    UInt128 rest = magnitude % unit;
    UInt128 place = unit;
    for (int i = 0; i < fraction_groups; ++i) {
      const bool last_partial = i == fraction_groups - 1 && fill != 0;
      std::int16_t group = 0;
      if (last_partial) {
        static constexpr std::int16_t kFill[] = {1, 10, 100, 1'000};
        group = static_cast<std::int16_t>(static_cast<std::int16_t>(rest) * kFill[fill]);
      } else {
        place /= 10'000;
        group = static_cast<std::int16_t>(rest / place);
        rest %= place;
      }
      groups[count++] = group;
    }
  }
  int first = 0;
  while (first < count && groups[first] == 0) ++first;
  int end = count;
  while (end > first && groups[end - 1] == 0) --end;
  const int digits = end - first;
  const int weight = digits == 0 ? 0 : whole - 1 - first;
  to = put(static_cast<std::int32_t>(8 + 2 * digits), to);
  to = put(static_cast<std::int16_t>(digits), to);
  to = put(static_cast<std::int16_t>(weight), to);
  to = put(static_cast<std::uint16_t>(negative && digits != 0 ? 0x4000 : 0), to);
  to = put(static_cast<std::int16_t>(scale), to);
  for (int i = first; i < end; ++i) to = put(groups[i], to);
  return to;
}

/// The decimal or integer `value` / 10^scale.
char* put_decimal(Int128 value, int scale, char* to) {
  const bool negative = value < 0;
  const UInt128 magnitude =
      negative ? UInt128{0} - static_cast<UInt128>(value) : static_cast<UInt128>(value);
  return put_numeric(negative, magnitude, scale, to);
}

/// Times outside of PostgreSQL's range wrap to ones outside of it, which it refuses.
std::int64_t since_2000(std::int64_t us) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(us) -
                                   static_cast<std::uint64_t>(kUsTo2000));
}

std::int32_t days_since_2000(std::int32_t days) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(days) -
                                   static_cast<std::uint32_t>(kDaysTo2000));
}

/// Calls `visit` with the values of a column of numbers.
template <class Visit>
void visit_numbers(TypeId type, const Column& column, const Visit& visit) {
  switch (type) {
    case TypeId::kInt16:
      return visit(column.values.as<std::int16_t>());
    case TypeId::kInt32:
      return visit(column.values.as<std::int32_t>());
    case TypeId::kFloat32:
      return visit(column.values.as<float>());
    case TypeId::kFloat64:
      return visit(column.values.as<double>());
    default:
      return visit(column.values.as<std::int64_t>());
  }
}

/// Bytes of a value without its length; 0: they differ.
std::size_t width_of(CopyForm form) {
  switch (form) {
    case CopyForm::kBool:
      return 1;
    case CopyForm::kInt2:
      return 2;
    case CopyForm::kInt4:
    case CopyForm::kFloat4:
    case CopyForm::kDate:
      return 4;
    case CopyForm::kInt8:
    case CopyForm::kFloat8:
    case CopyForm::kTimestamp:
    case CopyForm::kTimestampOfDate:
      return 8;
    case CopyForm::kUuid:
      return 16;
    case CopyForm::kNumeric:
    case CopyForm::kBytes:
    case CopyForm::kJsonb:
    case CopyForm::kText:
    case CopyForm::kServerText:
      return 0;
  }
  return 0;
}

/// Writes a block of rows column by column: the loop over a column's rows knows its form and reads
/// memory in order. First how long each row becomes, then its fields at their places.
class BlockEncoder {
 public:
  static constexpr std::int64_t kRowsMax = 256;

  BlockEncoder(const RowChunk& chunk, const std::vector<CopyColumn>& columns)
      : chunk_(chunk), columns_(columns), made_(columns.size()) {}

  /// Appends the rows [first, first + rows), at most kRowsMax.
  void append(std::int64_t first, std::int64_t rows, Buffer& out) {
    first_ = first;
    rows_ = rows;
    measure();
    std::size_t size = out.size();
    const std::size_t begin = size;
    for (std::int64_t i = 0; i < rows_; ++i) size += bytes_[i];
    out.resize(size);
    char* to = out.as<char>() + begin;
    for (std::int64_t i = 0; i < rows_; ++i) {
      at_[i] = put(static_cast<std::int16_t>(columns_.size()), to);
      to += bytes_[i];
      end_[i] = to;
    }
    ahead_ = 0;
    for (std::size_t c = 0; c < columns_.size(); ++c) put_column(c);
  }

 private:
  /// Fields that are made before it is known where they go, with their lengths.
  struct MadeFields {
    Buffer bytes;
    std::vector<std::size_t> offsets;
  };

  void measure() {
    std::size_t fixed = 2 + 4 * columns_.size();
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      if (!has_nulls(chunk_.columns[c])) fixed += width_of(columns_[c].form);
    }
    std::fill_n(bytes_.begin(), rows_, fixed);
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      const Column& column = chunk_.columns[c];
      const CopyForm form = columns_[c].form;
      if (form == CopyForm::kNumeric || form == CopyForm::kText) {
        form == CopyForm::kText ? make_texts(c) : make_numerics(c);
        const auto& offsets = made_[c].offsets;
        for (std::int64_t i = 0; i < rows_; ++i) bytes_[i] += offsets[i + 1] - offsets[i] - 4;
      } else if (const std::size_t width = width_of(form); width != 0) {
        if (!has_nulls(column)) continue;
        each_value(
            column, [&](std::int64_t i) { bytes_[i] += width; }, [](std::int64_t) {});
      } else {
        const std::size_t version = form == CopyForm::kJsonb ? 1 : 0;
        const auto* offsets = column.offsets.as<std::int32_t>() + first_;
        each_value(
            column,
            [&](std::int64_t i) {
              bytes_[i] += static_cast<std::size_t>(offsets[i + 1] - offsets[i]) + version;
            },
            [](std::int64_t) {});
      }
    }
  }

  static bool has_nulls(const Column& column) { return column.validity.size() != 0; }

  /// Calls one of both with each row of the block, counted from 0.
  template <class Value, class Null>
  void each_value(const Column& column, const Value& value, const Null& null) {
    if (!has_nulls(column)) {
      for (std::int64_t i = 0; i < rows_; ++i) value(i);
      return;
    }
    for (std::int64_t i = 0; i < rows_; ++i) {
      if (column.is_null(first_ + i)) {
        null(i);
      } else {
        value(i);
      }
    }
  }

  void make_texts(std::size_t c) {
    const Column& column = chunk_.columns[c];
    MadeFields& made = made_[c];
    made.bytes.clear();
    made.offsets.assign(1, 0);
    const auto finish = [&made](std::size_t bytes, const auto& put_at) {
      const std::size_t used = made.bytes.size();
      made.bytes.resize(used + bytes);
      put_at(made.bytes.as<char>() + used);
      made.offsets.push_back(used + bytes);
    };
    each_value(
        column,
        [&](std::int64_t i) {
          text_.clear();
          append_value_text(columns_[c].from, column, first_ + i, text_);
          finish(4 + text_.size(), [this](char* to) { put_bytes(text_, to); });
        },
        [&](std::int64_t) { finish(4, [](char* to) { put(std::int32_t{-1}, to); }); });
  }

  void make_numerics(std::size_t c) {
    const Column& column = chunk_.columns[c];
    const DataType& type = columns_[c].from;
    MadeFields& made = made_[c];
    made.bytes.resize(static_cast<std::size_t>(rows_) * kNumericFieldBytesMax);
    made.offsets.resize(static_cast<std::size_t>(rows_) + 1);
    made.offsets[0] = 0;
    char* const begin = made.bytes.as<char>();
    char* to = begin;
    const auto make_each = [&](const auto& value_of, int scale) {
      const auto finish = [&](std::int64_t i) {
        made.offsets[i + 1] = static_cast<std::size_t>(to - begin);
      };
      each_value(
          column,
          [&](std::int64_t i) {
            to = put_decimal(value_of(first_ + i), scale, to);
            finish(i);
          },
          [&](std::int64_t i) {
            to = put(std::int32_t{-1}, to);
            finish(i);
          });
    };
    if (type.id == TypeId::kDecimal) {
      const auto value_of = [&column](std::int64_t row) {
        Int128 value = 0;
        std::memcpy(&value, column.values.data() + row * 16, sizeof value);
        return value;
      };
      make_each(value_of, type.scale);
    } else {
      visit_numbers(type.id, column, [&](const auto* values) {
        make_each([values](std::int64_t row) { return static_cast<Int128>(values[row]); }, 0);
      });
    }
  }

  /// Writes the field of each row, of a form of one width: `to_field(row of the chunk, place)` or
  /// null.
  template <class ToField>
  void put_fields(const Column& column, CopyForm form, const ToField& to_field) {
    if (!has_nulls(column)) {
      for (std::int64_t i = 0; i < rows_; ++i) to_field(first_ + i, at_[i] + ahead_);
      ahead_ += 4 + width_of(form);
      return;
    }
    catch_up();
    each_value(
        column, [&](std::int64_t i) { at_[i] = to_field(first_ + i, at_[i]); },
        [&](std::int64_t i) { at_[i] = put(std::int32_t{-1}, at_[i]); });
  }

  void catch_up() {
    if (ahead_ == 0) return;
    for (std::int64_t i = 0; i < rows_; ++i) at_[i] += ahead_;
    ahead_ = 0;
  }

  template <class Target>
  void put_numbers(const CopyColumn& as, const Column& column) {
    visit_numbers(as.from.id, column, [&](const auto* values) {
      put_fields(column, as.form, [values](std::int64_t row, char* to) {
        return put_field(static_cast<Target>(values[row]), to);
      });
    });
  }

  /// `length` bytes of a buffer, whose padding may be read, to at_[i]. Mostly they are few: then 16
  /// are copied, of which the row's next fields take back what is not theirs.
  void copy_padded(const char* from, std::size_t length, std::int64_t i) {
    if (length == 0) return;  // A column of nothing but empty text has no memory.
    if (length <= 16 && end_[i] - at_[i] >= 16) {
      std::memcpy(at_[i], from, 16);
    } else {
      std::memcpy(at_[i], from, length);
    }
    at_[i] += length;
  }

  void put_column(std::size_t c) {
    const CopyColumn& as = columns_[c];
    const Column& column = chunk_.columns[c];
    switch (as.form) {
      case CopyForm::kBool:
        return put_fields(column, as.form, [&column](std::int64_t row, char* to) {
          to = put(std::int32_t{1}, to);
          *to++ = column.bool_at(row) ? 1 : 0;
          return to;
        });
      case CopyForm::kInt2:
        return put_numbers<std::int16_t>(as, column);
      case CopyForm::kInt4:
        return put_numbers<std::int32_t>(as, column);
      case CopyForm::kInt8:
        return put_numbers<std::int64_t>(as, column);
      case CopyForm::kFloat4:
        return put_numbers<float>(as, column);
      case CopyForm::kFloat8:
        return put_numbers<double>(as, column);
      case CopyForm::kDate:
        return put_fields(column, as.form,
                          [days = column.values.as<std::int32_t>()](auto row, char* to) {
                            return put_field(days_since_2000(days[row]), to);
                          });
      case CopyForm::kTimestamp:
        return put_fields(column, as.form,
                          [us = column.values.as<std::int64_t>()](auto row, char* to) {
                            return put_field(since_2000(us[row]), to);
                          });
      case CopyForm::kTimestampOfDate:
        return put_fields(column, as.form,
                          [days = column.values.as<std::int32_t>()](auto row, char* to) {
                            return put_field(since_2000(days[row] * kDayUs), to);
                          });
      case CopyForm::kUuid:
        return put_fields(column, as.form, [bytes = column.values.as<char>()](auto row, char* to) {
          return put_bytes({bytes + row * 16, 16}, to);
        });
      case CopyForm::kBytes:
      case CopyForm::kJsonb:
        return put_variable(column, as.form == CopyForm::kJsonb);
      case CopyForm::kNumeric:
      case CopyForm::kText: {
        catch_up();
        const MadeFields& made = made_[c];
        const char* const bytes = made.bytes.as<char>();
        for (std::int64_t i = 0; i < rows_; ++i) {
          copy_padded(bytes + made.offsets[i], made.offsets[i + 1] - made.offsets[i], i);
        }
        return;
      }
      case CopyForm::kServerText:
        std::abort();
    }
  }

  void put_variable(const Column& column, bool versioned) {
    const auto* offsets = column.offsets.as<std::int32_t>() + first_;
    const char* const bytes = column.values.as<char>();
    const std::size_t ahead = std::exchange(ahead_, 0);
    each_value(
        column,
        [&](std::int64_t i) {
          const auto length = static_cast<std::size_t>(offsets[i + 1] - offsets[i]);
          at_[i] = put(static_cast<std::int32_t>(length + (versioned ? 1 : 0)), at_[i] + ahead);
          if (versioned) *at_[i]++ = 1;
          copy_padded(bytes + offsets[i], length, i);
        },
        [&](std::int64_t i) { at_[i] = put(std::int32_t{-1}, at_[i] + ahead); });
  }

  const RowChunk& chunk_;
  const std::vector<CopyColumn>& columns_;
  std::int64_t first_ = 0;  ///< Of the block's rows, in the chunk.
  std::int64_t rows_ = 0;
  std::array<std::size_t, kRowsMax> bytes_{};  ///< Of each row of the block.
  std::array<char*, kRowsMax> at_{};           ///< Where its next field goes, less `ahead_`.
  std::size_t ahead_ = 0;  ///< What at_ lacks in every row: fields of one width move all alike.
  std::array<char*, kRowsMax> end_{};
  std::vector<MadeFields> made_;  ///< Of each column; empty where it needs none.
  std::string text_;
};

}  // namespace

std::string_view copy_header() noexcept { return {"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", 19}; }

std::string_view copy_trailer() noexcept { return "\xff\xff"; }

void append_copy_rows(const RowChunk& chunk, const std::vector<CopyColumn>& columns,
                      std::int64_t first, std::int64_t last, Buffer& out) {
  BlockEncoder encoder(chunk, columns);
  for (; first < last; first += BlockEncoder::kRowsMax) {
    encoder.append(first, std::min(last - first, BlockEncoder::kRowsMax), out);
  }
}

void append_copy_text_rows(const RowChunk& chunk, const std::vector<CopyColumn>& columns,
                           std::int64_t first, std::int64_t last, Buffer& out) {
  std::string text;
  for (std::int64_t row = first; row < last; ++row) {
    for (std::size_t c = 0; c < columns.size(); ++c) {
      if (c != 0) out.push_back('\t');
      if (chunk.columns[c].is_null(row)) {
        out.append("\\N", 2);
        continue;
      }
      text.clear();
      append_value_text(columns[c].from, chunk.columns[c], row, text);
      for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t plain = std::min(text.find_first_of("\\\t\n\r", begin), text.size());
        out.append(text.data() + begin, plain - begin);
        if (plain == text.size()) break;
        out.push_back('\\');
        out.push_back(text[plain] == '\t'   ? 't'
                      : text[plain] == '\n' ? 'n'
                      : text[plain] == '\r' ? 'r'
                                            : '\\');
        begin = plain + 1;
      }
    }
    out.push_back('\n');
  }
}

void append_copy_row(const std::vector<const std::string*>& fields, Buffer& out) {
  const auto append = [&out](auto value) {
    char bytes[sizeof value];
    put(value, bytes);
    out.append(bytes, sizeof value);
  };
  append(static_cast<std::int16_t>(fields.size()));
  for (const std::string* field : fields) {
    append(field == nullptr ? std::int32_t{-1} : static_cast<std::int32_t>(field->size()));
    if (field != nullptr) out.append(field->data(), field->size());
  }
}

}  // namespace leat::connector
