#include "parser/convert/simd/column_kernels.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>
#include <type_traits>

#include "parser/convert/simd/portable_kernels.h"
#include "parser/simd/highway_targets.h"

// Highway includes this file again for each target.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "parser/convert/simd/column_kernels.cc"
#include <hwy/foreach_target.h>
// Behind the choice of targets.
#include <hwy/highway.h>

// Emulated vectors do not pay, and other machines' have not been tried.
#if HWY_TARGET == HWY_SSE4 || HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3_DL

// From the bottom up: each one needs those above it. First, fields as vectors.
#include "parser/convert/simd/field_words-inl.h"
// From characters to digits and numbers.
#include "parser/convert/simd/digits-inl.h"
// From a few fields to a column.
#include "parser/convert/simd/column_loop-inl.h"
// From digits with a point to mantissa and power.
#include "parser/convert/simd/point-inl.h"
// The kernels.
#include "parser/convert/simd/date_kernel-inl.h"
#include "parser/convert/simd/floating_kernel-inl.h"
#include "parser/convert/simd/integer_kernel-inl.h"
// Those that need another one.
#include "parser/convert/simd/boolean_kernel-inl.h"
#include "parser/convert/simd/clock_time-inl.h"
#include "parser/convert/simd/decimal_kernel-inl.h"
#include "parser/convert/simd/timestamp_kernel-inl.h"
#include "parser/convert/simd/uuid_kernel-inl.h"

HWY_BEFORE_NAMESPACE();
namespace leat::parser::simd::HWY_NAMESPACE {

constexpr ColumnKernels kKernels = {
    .convert_int64 = convert_column<IntegerKernel<std::int64_t>>,
    .convert_int32 = convert_column<IntegerKernel<std::int32_t>>,
    .convert_int16 = convert_column<IntegerKernel<std::int16_t>>,
    .convert_float64 = convert_column<FloatingKernel<double>>,
    .convert_float32 = convert_column<FloatingKernel<float>>,
    .convert_date = convert_column<DateKernel>,
    .convert_time = convert_column<TimeKernel>,
    .convert_timestamp = convert_column<TimestampKernel<false>>,
    .convert_timestamptz = convert_column<TimestampKernel<true>>,
    .convert_bool = convert_column<BooleanKernel>,
    .convert_uuid = convert_uuids,
    .convert_decimal = convert_decimal_column,
};

}  // namespace leat::parser::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif

#if HWY_ONCE
namespace leat::parser::simd {

const ColumnKernels& column_kernels(SimdTarget target) noexcept {
  return LEAT_FUNCTION_OF(target, kKernels, kPortableKernels);
}

}  // namespace leat::parser::simd
#endif
