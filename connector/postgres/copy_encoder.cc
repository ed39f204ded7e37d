#include "connector/postgres/copy_encoder.h"

#include <bit>
#include <cstring>
#include <type_traits>

namespace leat::connector {
namespace {

__extension__ typedef __int128 Int128;
__extension__ typedef unsigned __int128 UInt128;

constexpr std::int32_t kDaysTo2000 = 10'957;
constexpr std::int64_t kDayUs = 86'400'000'000;
constexpr std::int64_t kUsTo2000 = kDaysTo2000 * kDayUs;

// A numeric of 38 digits: four 16-bit heads and at most eleven groups of four digits.
constexpr std::size_t kNumericBytesMax = 8 + 2 * 11;
// Of one value that is not variable, with its length.
constexpr std::size_t kFixedBytesMax = 4 + kNumericBytesMax;

// Each writes at `to` and returns the place behind. There is room: see append_copy_rows.
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

template <class T>
char* put_field(T value, char* to) {
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

std::int64_t integer_at(TypeId type, const Column& column, std::int64_t row) {
  switch (type) {
    case TypeId::kInt16:
      return column.at<std::int16_t>(row);
    case TypeId::kInt32:
      return column.at<std::int32_t>(row);
    default:
      return column.at<std::int64_t>(row);
  }
}

double double_at(TypeId type, const Column& column, std::int64_t row) {
  switch (type) {
    case TypeId::kFloat32:
      return static_cast<double>(column.at<float>(row));
    case TypeId::kFloat64:
      return column.at<double>(row);
    default:
      return static_cast<double>(integer_at(type, column, row));
  }
}

char* put_decimal(const DataType& type, const Column& column, std::int64_t row, char* to) {
  Int128 value = 0;
  if (type.id == TypeId::kDecimal) {
    std::memcpy(&value, column.values.data() + row * 16, sizeof value);
  } else {
    value = integer_at(type.id, column, row);
  }
  const bool negative = value < 0;
  const UInt128 magnitude =
      negative ? UInt128{0} - static_cast<UInt128>(value) : static_cast<UInt128>(value);
  return put_numeric(negative, magnitude, type.id == TypeId::kDecimal ? type.scale : 0, to);
}

/// Times outside of PostgreSQL's range wrap to ones outside of it, which it refuses.
std::int64_t since_2000(std::int64_t us) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(us) -
                                   static_cast<std::uint64_t>(kUsTo2000));
}

char* put_fixed(const CopyColumn& as, const Column& column, std::int64_t row, char* to) {
  const TypeId type = as.from.id;
  switch (as.form) {
    case CopyForm::kBool:
      to = put(std::int32_t{1}, to);
      *to++ = column.bool_at(row) ? 1 : 0;
      return to;
    case CopyForm::kInt2:
      return put_field(column.at<std::int16_t>(row), to);
    case CopyForm::kInt4:
      return put_field(static_cast<std::int32_t>(integer_at(type, column, row)), to);
    case CopyForm::kInt8:
      return put_field(integer_at(type, column, row), to);
    case CopyForm::kFloat4:
      return put_field(static_cast<float>(double_at(type, column, row)), to);
    case CopyForm::kFloat8:
      return put_field(double_at(type, column, row), to);
    case CopyForm::kNumeric:
      return put_decimal(as.from, column, row, to);
    case CopyForm::kDate:
      return put_field(
          static_cast<std::int32_t>(static_cast<std::uint32_t>(column.at<std::int32_t>(row)) -
                                    static_cast<std::uint32_t>(kDaysTo2000)),
          to);
    case CopyForm::kTimestamp:
      return put_field(since_2000(column.at<std::int64_t>(row)), to);
    case CopyForm::kTimestampOfDate:
      return put_field(since_2000(column.at<std::int32_t>(row) * kDayUs), to);
    case CopyForm::kUuid:
      return put_bytes({column.values.as<char>() + row * 16, 16}, to);
    case CopyForm::kBytes:
    case CopyForm::kJsonb:
    case CopyForm::kText:
      return to;
  }
  return to;
}

bool is_variable(CopyForm form) {
  return form == CopyForm::kBytes || form == CopyForm::kJsonb || form == CopyForm::kText;
}

/// A string that is written into from the front, and cut to what was written in the end.
class Output {
 public:
  explicit Output(std::string& out) : out_(out), used_(out.size()) {}
  ~Output() { out_.resize(used_); }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  /// Where `bytes` more may be written.
  char* room_for(std::size_t bytes) {
    if (used_ + bytes > out_.size()) out_.resize((used_ + bytes) * 2);
    return out_.data() + used_;
  }
  void wrote_up_to(const char* end) { used_ = static_cast<std::size_t>(end - out_.data()); }

 private:
  std::string& out_;
  std::size_t used_;
};

}  // namespace

std::string_view copy_header() noexcept { return {"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", 19}; }

std::string_view copy_trailer() noexcept { return "\xff\xff"; }

void append_copy_rows(const RowChunk& chunk, const std::vector<CopyColumn>& columns,
                      std::int64_t first, std::int64_t last, std::string& out) {
  Output output(out);
  std::string text;
  const std::size_t fixed = 2 + columns.size() * kFixedBytesMax;
  for (std::int64_t row = first; row < last; ++row) {
    char* to = output.room_for(fixed);
    to = put(static_cast<std::int16_t>(columns.size()), to);
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const Column& column = chunk.columns[c];
      if (column.is_null(row)) {
        to = put(std::int32_t{-1}, to);
        continue;
      }
      const CopyForm form = columns[c].form;
      if (!is_variable(form)) {
        to = put_fixed(columns[c], column, row, to);
        continue;
      }
      std::string_view bytes;
      if (form == CopyForm::kText) {
        text.clear();
        append_value_text(columns[c].from, column, row, text);
        bytes = text;
      } else {
        bytes = column.text_at(row);
      }
      // Room for this value and for all that may follow it in the row.
      output.wrote_up_to(to);
      to = output.room_for(bytes.size() + 1 + fixed);
      if (form == CopyForm::kJsonb) {
        to = put(static_cast<std::int32_t>(bytes.size() + 1), to);
        *to++ = 1;
        if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
        to += bytes.size();
      } else {
        to = put_bytes(bytes, to);
      }
    }
    output.wrote_up_to(to);
  }
}

void append_copy_row(const std::vector<const std::string*>& fields, std::string& out) {
  const auto append = [&out](auto value) {
    char bytes[sizeof value];
    put(value, bytes);
    out.append(bytes, sizeof value);
  };
  append(static_cast<std::int16_t>(fields.size()));
  for (const std::string* field : fields) {
    append(field == nullptr ? std::int32_t{-1} : static_cast<std::int32_t>(field->size()));
    if (field != nullptr) out += *field;
  }
}

}  // namespace leat::connector
