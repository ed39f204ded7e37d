#include "connector/postgres/copy_encoder.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <type_traits>
#include <utility>

namespace leat::connector {
namespace {

__extension__ typedef __int128 Int128;
__extension__ typedef unsigned __int128 UInt128;

constexpr std::int32_t kDaysTo2000 = 10'957;
constexpr std::int64_t kDayUs = 86'400'000'000;
constexpr std::int64_t kUsTo2000 = kDaysTo2000 * kDayUs;

// The longest field without offsets is a numeric of 38 digits: its length, four 16-bit heads and at
// most eleven groups of four digits.
constexpr std::size_t kFixedFieldBytesMax = 4 + 8 + 2 * 11;

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

constexpr std::uint64_t kFourGroups = 10'000'000'000'000'000;
/// What fills up to three digits to a group of four.
constexpr std::uint64_t kFill[] = {1, 10, 100, 1'000};

/// `value` < 10^16, whose last `fraction_groups` groups of four digits are a fraction. Without a
/// loop: the groups are shifted so that the first one that is not 0 comes first.
char* put_four_groups(bool negative, std::uint64_t value, int fraction_groups, int scale,
                      char* to) {
  const auto two_groups = [](std::uint32_t digits) -> std::uint64_t {
    return digits / 10'000 << 16 | digits % 10'000;
  };
  constexpr std::uint64_t kTwoGroups = 100'000'000;
  const std::uint64_t groups =
      value < kTwoGroups ? two_groups(static_cast<std::uint32_t>(value))
                         : two_groups(static_cast<std::uint32_t>(value / kTwoGroups)) << 32 |
                               two_groups(static_cast<std::uint32_t>(value % kTwoGroups));
  const auto shape = [](std::uint16_t digits, std::uint16_t weight, std::uint16_t sign,
                        std::uint16_t digits_shown) {
    return std::uint64_t{digits} << 48 | std::uint64_t{weight} << 32 | std::uint64_t{sign} << 16 |
           digits_shown;
  };
  const auto shown = static_cast<std::uint16_t>(scale);
  if (groups == 0) return put(shape(0, 0, 0, shown), put(std::int32_t{8}, to));
  const int leading = std::countl_zero(groups) / 16;
  const int digits = 4 - leading - std::countr_zero(groups) / 16;
  to = put(static_cast<std::int32_t>(8 + 2 * digits), to);
  to = put(shape(static_cast<std::uint16_t>(digits),
                 static_cast<std::uint16_t>(3 - fraction_groups - leading), negative ? 0x4000 : 0,
                 shown),
           to);
  put(groups << (16 * leading), to);
  return to + std::ptrdiff_t{2} * digits;
}

/// `magnitude` / 10^scale.
char* put_numeric(bool negative, UInt128 magnitude, int scale, char* to) {
  // The point has to fall between two groups: the fraction is filled up to whole groups.
  const int fraction_groups = (scale + 3) / 4;
  const int fill = fraction_groups * 4 - scale;
  std::int16_t groups[24];
  int whole = 0;
  int count = 0;
  if (magnitude < kFourGroups) {  // With three zeros behind it, it fits 64 bits.
    count = split_groups(static_cast<std::uint64_t>(magnitude) * kFill[fill], groups);
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
        group = static_cast<std::int16_t>(static_cast<std::uint64_t>(rest) * kFill[fill]);
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
  const auto low = static_cast<std::int64_t>(value);
  constexpr auto kFew = static_cast<std::int64_t>(kFourGroups / 1'000);
  if (low == value && low < kFew && low > -kFew) {
    const int fraction_groups = (scale + 3) / 4;
    const auto digits = static_cast<std::uint64_t>(negative ? -low : low);
    return put_four_groups(negative, digits * kFill[fraction_groups * 4 - scale], fraction_groups,
                           scale, to);
  }
  const UInt128 magnitude =
      negative ? UInt128{0} - static_cast<UInt128>(value) : static_cast<UInt128>(value);
  return put_numeric(negative, magnitude, scale, to);
}

/// Where a column's fields come from. Rows are counted from the first one that is written.
struct FieldSource {
  const char* values = nullptr;           ///< From the first row on, where they have a width.
  const std::int32_t* offsets = nullptr;  ///< Into values, from the first row on.
  const std::size_t* made = nullptr;      ///< The same, where values are whole fields.
  std::uint64_t origin = 0;               ///< Of COPY's dates and times, among the values.
  int scale = 0;
  const Column* column = nullptr;
  std::int64_t first = 0;  ///< The first row, in the column.
};

/// Writes the field of a row, or those of a run of columns, and returns the place behind. Up to
/// kSpareBytes behind it may be written to, too.
using PutFields = char* (*)(const FieldSource* source, std::int64_t row, char* to);
constexpr std::size_t kSpareBytes = 16;

template <class T>
T value_of(const FieldSource* source, std::int64_t row) {
  T value;
  std::memcpy(&value, source->values + row * static_cast<std::int64_t>(sizeof value), sizeof value);
  return value;
}

/// Mostly bytes are few: then as many as a register holds are copied, of which what is written next
/// takes back what is not theirs. A buffer's padding may be read.
char* copy_padded(const char* from, std::size_t length, char* to) {
  static_assert(kSpareBytes >= 16 && Buffer::kPadding >= 16);
  if (length <= 16) {
    std::memcpy(to, from, 16);
  } else {
    std::memcpy(to, from, length);
  }
  return to + length;
}

/// What most columns are made of.
enum class Kind : std::uint8_t { kFour, kEight, kBytes };
constexpr std::size_t kKinds = 3;

template <Kind Of>
char* put_kind(const FieldSource* source, std::int64_t row, char* to) {
  if constexpr (Of == Kind::kFour) {
    const auto origin = static_cast<std::uint32_t>(source->origin);
    return put_field(value_of<std::uint32_t>(source, row) - origin, to);
  } else if constexpr (Of == Kind::kEight) {
    return put_field(value_of<std::uint64_t>(source, row) - source->origin, to);
  } else {
    const std::int32_t begin = source->offsets[row];
    const std::int32_t length = source->offsets[row + 1] - begin;
    return copy_padded(source->values + begin, static_cast<std::size_t>(length), put(length, to));
  }
}

/// Three columns: what it takes to find out what comes next is as much as to write a field.
constexpr std::size_t kRun = 3;

template <Kind First, Kind Second, Kind Third>
char* put_run(const FieldSource* source, std::int64_t row, char* to) {
  to = put_kind<First>(source, row, to);
  to = put_kind<Second>(source + 1, row, to);
  return put_kind<Third>(source + 2, row, to);
}

template <std::size_t... Index>
constexpr auto make_runs(std::index_sequence<Index...>) {
  return std::array<PutFields, sizeof...(Index)>{
      &put_run<Kind{Index / kKinds / kKinds}, Kind{Index / kKinds % kKinds},
               Kind{Index % kKinds}>...};
}

/// By the kinds, the first one most significant.
constexpr auto kRuns = make_runs(std::make_index_sequence<kKinds * kKinds * kKinds>());

template <class From, class To>
char* put_number(const FieldSource* source, std::int64_t row, char* to) {
  return put_field(static_cast<To>(value_of<From>(source, row)), to);
}

template <class From>
char* put_numeric(const FieldSource* source, std::int64_t row, char* to) {
  return put_decimal(value_of<From>(source, row), source->scale, to);
}

char* put_bool(const FieldSource* source, std::int64_t row, char* to) {
  to = put(std::int32_t{1}, to);
  *to = source->column->bool_at(source->first + row) ? 1 : 0;
  return to + 1;
}

char* put_midnight(const FieldSource* source, std::int64_t row, char* to) {
  const std::int64_t us = value_of<std::int32_t>(source, row) * kDayUs;
  return put_field(static_cast<std::uint64_t>(us) - source->origin, to);
}

char* put_uuid(const FieldSource* source, std::int64_t row, char* to) {
  return put_bytes({source->values + row * 16, 16}, to);
}

char* put_jsonb(const FieldSource* source, std::int64_t row, char* to) {
  const std::int32_t begin = source->offsets[row];
  const std::int32_t length = source->offsets[row + 1] - begin;
  to = put(length + 1, to);
  *to++ = 1;
  return copy_padded(source->values + begin, static_cast<std::size_t>(length), to);
}

char* put_made(const FieldSource* source, std::int64_t row, char* to) {
  const std::size_t begin = source->made[row];
  return copy_padded(source->values + begin, source->made[row + 1] - begin, to);
}

template <PutFields PutValue>
char* put_unless_null(const FieldSource* source, std::int64_t row, char* to) {
  if (source->column->is_null(source->first + row)) return put(std::int32_t{-1}, to);
  return PutValue(source, row, to);
}

bool has_nulls(const Column& column) { return column.validity.size() != 0; }

template <PutFields PutValue>
PutFields with_nulls_of(const Column& column) {
  return has_nulls(column) ? &put_unless_null<PutValue> : PutValue;
}

template <class To>
PutFields number_of(TypeId from, const Column& column) {
  switch (from) {
    case TypeId::kInt16:
      return with_nulls_of<&put_number<std::int16_t, To>>(column);
    case TypeId::kInt32:
      return with_nulls_of<&put_number<std::int32_t, To>>(column);
    case TypeId::kFloat32:
      return with_nulls_of<&put_number<float, To>>(column);
    case TypeId::kFloat64:
      return with_nulls_of<&put_number<double, To>>(column);
    default:
      return with_nulls_of<&put_number<std::int64_t, To>>(column);
  }
}

PutFields numeric_of(TypeId from, const Column& column) {
  switch (from) {
    case TypeId::kInt16:
      return with_nulls_of<&put_numeric<std::int16_t>>(column);
    case TypeId::kInt32:
      return with_nulls_of<&put_numeric<std::int32_t>>(column);
    case TypeId::kInt64:
      return with_nulls_of<&put_numeric<std::int64_t>>(column);
    default:
      return with_nulls_of<&put_numeric<Int128>>(column);
  }
}

std::optional<Kind> kind_of(const CopyColumn& column) {
  switch (column.form) {
    case CopyForm::kInt4:
      if (column.from.id == TypeId::kInt32) return Kind::kFour;
      return std::nullopt;
    case CopyForm::kFloat4:
      if (column.from.id == TypeId::kFloat32) return Kind::kFour;
      return std::nullopt;
    case CopyForm::kDate:
      return Kind::kFour;
    case CopyForm::kInt8:
      if (column.from.width() == 8) return Kind::kEight;
      return std::nullopt;
    case CopyForm::kFloat8:
      if (column.from.id == TypeId::kFloat64) return Kind::kEight;
      return std::nullopt;
    case CopyForm::kTimestamp:
      return Kind::kEight;
    case CopyForm::kBytes:
      return Kind::kBytes;
    default:
      return std::nullopt;
  }
}

PutFields field_of(const CopyColumn& as, const Column& column) {
  if (const std::optional<Kind> kind = kind_of(as)) {
    return *kind == Kind::kFour    ? with_nulls_of<&put_kind<Kind::kFour>>(column)
           : *kind == Kind::kEight ? with_nulls_of<&put_kind<Kind::kEight>>(column)
                                   : with_nulls_of<&put_kind<Kind::kBytes>>(column);
  }
  switch (as.form) {
    case CopyForm::kBool:
      return with_nulls_of<&put_bool>(column);
    case CopyForm::kInt2:
      return number_of<std::int16_t>(as.from.id, column);
    case CopyForm::kInt4:
      return number_of<std::int32_t>(as.from.id, column);
    case CopyForm::kInt8:
      return number_of<std::int64_t>(as.from.id, column);
    case CopyForm::kFloat4:
      return number_of<float>(as.from.id, column);
    case CopyForm::kFloat8:
      return number_of<double>(as.from.id, column);
    case CopyForm::kNumeric:
      return numeric_of(as.from.id, column);
    case CopyForm::kTimestampOfDate:
      return with_nulls_of<&put_midnight>(column);
    case CopyForm::kUuid:
      return with_nulls_of<&put_uuid>(column);
    case CopyForm::kJsonb:
      return with_nulls_of<&put_jsonb>(column);
    case CopyForm::kText:
      return &put_made;
    default:
      std::abort();
  }
}

/// What times count from in COPY, in the unit of the column's values. Those outside of PostgreSQL's
/// range wrap to ones outside of it, which it refuses.
std::uint64_t origin_of(CopyForm form) {
  switch (form) {
    case CopyForm::kDate:
      return kDaysTo2000;
    case CopyForm::kTimestamp:
    case CopyForm::kTimestampOfDate:
      return kUsTo2000;
    default:
      return 0;
  }
}

/// Writes rows one after the other, each by a few calls: columns are told apart once for all rows.
class RowsEncoder {
 public:
  /// Borrows both.
  RowsEncoder(const RowChunk& chunk, const std::vector<CopyColumn>& columns, std::int64_t first,
              std::int64_t rows)
      : rows_(rows), made_(columns.size()) {
    bytes_max_ = static_cast<std::size_t>(rows) * sizeof count_;
    for (std::size_t c = 0; c < columns.size(); ++c) {
      add_column(columns[c], chunk.columns[c], first);
    }
  }

  void append(Buffer& out) const {
    const std::vector<Step> steps = steps_of_row();
    const std::size_t begin = out.size();
    out.resize(begin + bytes_max_ + kSpareBytes);
    char* to = out.as<char>() + begin;
    for (std::int64_t row = 0; row < rows_; ++row) {
      to = put(count_, to);
      for (const Step& step : steps) to = step.put(step.source, row, to);
    }
    out.resize(static_cast<std::size_t>(to - out.as<char>()));
  }

 private:
  struct Step {
    PutFields put;
    const FieldSource* source;
  };

  /// Fields of one column that are made before it is known where they go, with their lengths.
  struct MadeFields {
    Buffer bytes;
    std::vector<std::size_t> offsets;
  };

  void add_column(const CopyColumn& as, const Column& column, std::int64_t first) {
    FieldSource source{.origin = origin_of(as.form),
                       .scale = as.from.id == TypeId::kDecimal ? as.from.scale : 0,
                       .column = &column,
                       .first = first};
    std::size_t bytes_max = 4;
    if (as.form == CopyForm::kText) {
      MadeFields& made = made_[fields_.size()];
      make_texts(as.from, column, first, made);
      source.values = made.bytes.as<char>();
      source.made = made.offsets.data();
      bytes_max_ += made.bytes.size();
    } else if (column.offsets.size() != 0) {
      static constexpr char kNothing[16] = {};  // A column of nothing but empty text has no memory.
      source.values = column.values.size() != 0 ? column.values.as<char>() : kNothing;
      source.offsets = column.offsets.as<std::int32_t>() + first;
      bytes_max_ += static_cast<std::size_t>(source.offsets[rows_] - source.offsets[0]);
      bytes_max += 1;  // Of jsonb's version.
    } else {
      source.values = column.values.as<char>() + first * static_cast<std::int64_t>(as.from.width());
      bytes_max = kFixedFieldBytesMax;
    }
    bytes_max_ += static_cast<std::size_t>(rows_) * bytes_max;
    kinds_.push_back(has_nulls(column) ? std::nullopt : kind_of(as));
    fields_.push_back(field_of(as, column));
    sources_.push_back(source);
    ++count_;
  }

  void make_texts(const DataType& type, const Column& column, std::int64_t first,
                  MadeFields& made) const {
    std::string text;
    made.offsets.push_back(0);
    for (std::int64_t row = first; row < first + rows_; ++row) {
      const std::size_t used = made.bytes.size();
      if (column.is_null(row)) {
        made.bytes.resize(used + 4);
        put(std::int32_t{-1}, made.bytes.as<char>() + used);
      } else {
        text.clear();
        append_value_text(type, column, row, text);
        made.bytes.resize(used + 4 + text.size());
        put_bytes(text, made.bytes.as<char>() + used);
      }
      made.offsets.push_back(made.bytes.size());
    }
  }

  std::vector<Step> steps_of_row() const {
    std::vector<Step> steps;
    for (std::size_t c = 0; c < fields_.size();) {
      std::size_t run = 0;
      std::size_t kinds = 0;
      for (; run < kRun && c + run < kinds_.size() && kinds_[c + run]; ++run) {
        kinds = kinds * kKinds + static_cast<std::size_t>(*kinds_[c + run]);
      }
      const bool whole = run == kRun;
      steps.push_back({whole ? kRuns[kinds] : fields_[c], &sources_[c]});
      c += whole ? kRun : 1;
    }
    return steps;
  }

  const std::int64_t rows_;
  std::int16_t count_ = 0;     ///< Of columns.
  std::size_t bytes_max_ = 0;  ///< Of all rows.
  std::vector<FieldSource> sources_;
  std::vector<PutFields> fields_;           ///< Each by itself.
  std::vector<std::optional<Kind>> kinds_;  ///< Of those that may be in a run.
  std::vector<MadeFields> made_;            ///< Of each column; empty where it needs none.
};

}  // namespace

std::string_view copy_header() noexcept { return {"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", 19}; }

std::string_view copy_trailer() noexcept { return "\xff\xff"; }

void append_copy_rows(const RowChunk& chunk, const std::vector<CopyColumn>& columns,
                      std::int64_t first, std::int64_t last, Buffer& out) {
  RowsEncoder(chunk, columns, first, last - first).append(out);
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
