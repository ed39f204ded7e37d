// Text to values, many rows of one column at a time.
//
// A kernel converts the fields it is certain of and names the others, which parser/convert/values.h
// then converts or refuses with a reason. What a kernel converts is what values.h gives, bit for
// bit. Which fields a kernel leaves over depends on its target. No allocation, no exceptions,
// thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>

#include "parser/convert/values.h"
#include "parser/simd/target.h"

namespace leat::parser::simd {

/// One column of a regular block: field i begins at begins[i * begin_stride] + 1 (in uint32, which
/// wraps, so that arrays of "record begin - 1" work) and ends before ends[i * end_stride]. Fastest
/// where begin and end stand side by side: ends == begins + 1 and equal strides.
///
/// `text` is readable for 64 bytes before the first field and behind the last one.
struct FieldColumn {
  const char* text = nullptr;
  const std::uint32_t* begins = nullptr;
  std::size_t begin_stride = 0;
  const std::uint32_t* ends = nullptr;
  std::size_t end_stride = 0;
  std::size_t count = 0;

  /// Fields from `from` to `to`.
  FieldColumn part(std::size_t from, std::size_t to) const noexcept {
    return {text,         begins + from * begin_stride,
            begin_stride, ends + from * end_stride,
            end_stride,   to - from};
  }
};

/// The bytes of a UUID, in the order of its digits.
struct Uuid {
  std::uint8_t bytes[16];
};

/// The conversions of one target. Each one:
///   values    Room for count. Those of abnormal rows are unspecified, but initialised.
///   abnormal  Room for count. Ascending indices of the rows that were not converted.
///   @return   Number of abnormal rows.
///
/// Every target converts, besides other fields:
///   integers         -?[0-9]{1,18} in the range of the type; int16 up to 8 characters, int32 16
///   floating point   -?[0-9]{1,15} and with a point before one of the digits; float32 not where
///                    the double is halfway between two floats
///   date             YYYY-MM-DD
///   time             HH:MM:SS(.[0-9]{1,6})?, not leap seconds
///   timestamp        a date, a space or T, and a time
///   timestamptz      a timestamp, and Z, [+-]HH, [+-]HH:MM or nothing behind it
///   boolean          all words
///   uuid             with four hyphens
///   decimal          -?[0-9]{1,15} and with a point before one of the digits, the value times
///                    10^scale below 2^52 and 10^precision; scale up to 22, and no more digits
///                    behind the point
struct ColumnKernels {
  template <class Value>
  using Convert = std::size_t (*)(const FieldColumn& column, Value* values,
                                  std::uint32_t* abnormal) noexcept;

  Convert<std::int64_t> convert_int64;
  Convert<std::int32_t> convert_int32;
  Convert<std::int16_t> convert_int16;
  Convert<double> convert_float64;
  Convert<float> convert_float32;
  Convert<std::int32_t> convert_date;  ///< Days.
  Convert<std::int64_t> convert_time;  ///< Microseconds, as of all below.
  Convert<std::int64_t> convert_timestamp;
  Convert<std::int64_t> convert_timestamptz;
  Convert<std::uint8_t> convert_bool;  ///< 0 or 1.
  Convert<Uuid> convert_uuid;
  /// The values times 10^scale.
  std::size_t (*convert_decimal)(const FieldColumn& column, int precision, int scale,
                                 Int128* values, std::uint32_t* abnormal) noexcept;
};

/// The target is available.
const ColumnKernels& column_kernels(SimdTarget target) noexcept;

}  // namespace leat::parser::simd
