#include "parser/convert/simd/portable_kernels.h"

#include <string_view>

namespace leat::parser::simd {
namespace {

/// `parse` gives an empty reason where it converts.
template <class Value, class Parse>
std::size_t convert_fields(const FieldColumn& column, Value* values, std::uint32_t* abnormal,
                           Parse parse) noexcept {
  std::size_t abnormal_count = 0;
  for (std::size_t i = 0; i < column.count; ++i) {
    const std::uint32_t begin = column.begins[i * column.begin_stride] + 1;
    const std::uint32_t end = column.ends[i * column.end_stride];
    values[i] = {};
    if (!parse(std::string_view(column.text + begin, end - begin), values[i]).empty()) {
      abnormal[abnormal_count++] = static_cast<std::uint32_t>(i);
    }
  }
  return abnormal_count;
}

template <class Value, std::string_view (*Parse)(std::string_view, Value&) noexcept>
std::size_t convert(const FieldColumn& column, Value* values, std::uint32_t* abnormal) noexcept {
  return convert_fields(column, values, abnormal, Parse);
}

std::string_view parse_bool_byte(std::string_view text, std::uint8_t& out) noexcept {
  bool value = false;
  const std::string_view reason = parse_bool(text, value);
  out = value ? 1 : 0;
  return reason;
}

std::string_view parse_uuid_bytes(std::string_view text, Uuid& out) noexcept {
  return parse_uuid(text, out.bytes);
}

std::size_t convert_decimals(const FieldColumn& column, int precision, int scale, Int128* values,
                             std::uint32_t* abnormal) noexcept {
  return convert_fields(column, values, abnormal, [=](std::string_view text, Int128& value) {
    return parse_decimal(text, precision, scale, value);
  });
}

}  // namespace

const ColumnKernels kPortableKernels = {
    .convert_int64 = convert<std::int64_t, parse_int<std::int64_t>>,
    .convert_int32 = convert<std::int32_t, parse_int<std::int32_t>>,
    .convert_int16 = convert<std::int16_t, parse_int<std::int16_t>>,
    .convert_float64 = convert<double, parse_float<double>>,
    .convert_float32 = convert<float, parse_float<float>>,
    .convert_date = convert<std::int32_t, parse_date>,
    .convert_time = convert<std::int64_t, parse_time>,
    .convert_timestamp = convert<std::int64_t, parse_timestamp>,
    .convert_timestamptz = convert<std::int64_t, parse_timestamptz>,
    .convert_bool = convert<std::uint8_t, parse_bool_byte>,
    .convert_uuid = convert<Uuid, parse_uuid_bytes>,
    .convert_decimal = convert_decimals,
};

}  // namespace leat::parser::simd
