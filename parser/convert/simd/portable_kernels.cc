#include "parser/convert/simd/portable_kernels.h"

#include <string_view>

namespace leat::parser::simd {
namespace {

template <class Value, std::string_view (*Parse)(std::string_view, Value&) noexcept>
std::size_t convert(const FieldColumn& column, Value* values, std::uint32_t* abnormal) noexcept {
  std::size_t abnormal_count = 0;
  for (std::size_t i = 0; i < column.count; ++i) {
    const std::uint32_t begin = column.begins[i * column.begin_stride] + 1;
    const std::uint32_t end = column.ends[i * column.end_stride];
    values[i] = 0;
    if (!Parse({column.text + begin, end - begin}, values[i]).empty()) {
      abnormal[abnormal_count++] = static_cast<std::uint32_t>(i);
    }
  }
  return abnormal_count;
}

}  // namespace

const ColumnKernels kPortableKernels = {
    .convert_int64 = convert<std::int64_t, parse_int<std::int64_t>>,
    .convert_int32 = convert<std::int32_t, parse_int<std::int32_t>>,
    .convert_int16 = convert<std::int16_t, parse_int<std::int16_t>>,
    .convert_float64 = convert<double, parse_float<double>>,
    .convert_float32 = convert<float, parse_float<float>>,
    .convert_date = convert<std::int32_t, parse_date>,
    .convert_timestamp = convert<std::int64_t, parse_timestamp>,
};

}  // namespace leat::parser::simd
