// Text to values: one strict function for each type.
//
// A function returns an empty view when all of `text` is one value of its type. Else it returns the
// reason, a short sentence in static storage, and leaves `out` as it was. Nothing is trimmed,
// guessed or rounded, but for what is said below. No locale, no exceptions, no allocation but in
// the buffer of parse_bytes and inside valid_json; thread-safe. docs/types.md is this header for
// users.
#pragma once

#include <cstdint>
#include <string_view>

#include "leat/row_chunk.h"

namespace leat::parser {

__extension__ typedef __int128 Int128;

/// PostgreSQL's words, in any case: t, true, y, yes, on, 1; f, false, n, no, off, 0.
[[nodiscard]] std::string_view parse_bool(std::string_view text, bool& out) noexcept;

/// Optional sign, digits, in range of T: int16_t, int32_t or int64_t.
template <class T>
[[nodiscard]] std::string_view parse_int(std::string_view text, T& out) noexcept;

/// Decimal or exponent form, optional sign; NaN, Infinity, Inf in any case. T: float or double.
/// The value that strtof and strtod give, bit for bit: so what is too small becomes zero. What is
/// too large is an error, not infinity. A NaN has no sign.
template <class T>
[[nodiscard]] std::string_view parse_float(std::string_view text, T& out) noexcept;

/// Optional sign, digits with an optional point, optional exponent: the value × 10^scale.
/// Digits beyond the scale must be zeros: nothing is rounded. 1 <= precision <= 38, scale <=
/// precision.
[[nodiscard]] std::string_view parse_decimal(std::string_view text, int precision, int scale,
                                             Int128& out) noexcept;

/// YYYY-MM-DD, from 0001-01-01 to 9999-12-31. `out`: days since 1970-01-01.
[[nodiscard]] std::string_view parse_date(std::string_view text, std::int32_t& out) noexcept;

/// HH:MM[:SS[.1-9 digits]]. `out`: µs since midnight, < 86'400'000'000. The fraction is rounded to
/// µs, half to even. Second 60 is the next minute; a result of 24:00 is an error.
[[nodiscard]] std::string_view parse_time(std::string_view text, std::int64_t& out) noexcept;

/// A date; or a date, 'T', 't' or one space, and a time, where 24:00 is the next day. An offset is
/// an error. `out`: µs since 1970-01-01T00:00, within the years 0001 to 9999.
[[nodiscard]] std::string_view parse_timestamp(std::string_view text, std::int64_t& out) noexcept;

/// A timestamp, and after its time optionally Z, z, UTC, ±HH, ±HHMM or ±HH:MM (up to 15:59), also
/// after one space. Without an offset it is UTC. `out`: µs since 1970-01-01T00:00Z.
[[nodiscard]] std::string_view parse_timestamptz(std::string_view text, std::int64_t& out) noexcept;

/// 32 hexadecimal digits in any case, without hyphens or 8-4-4-4-12; also in {braces}. `out`: 16
/// bytes.
[[nodiscard]] std::string_view parse_uuid(std::string_view text, std::uint8_t* out) noexcept;

/// Appends: the bytes of the hexadecimal pairs after a leading `\x`; any other text as it stands.
[[nodiscard]] std::string_view parse_bytes(std::string_view text, Buffer& out) noexcept;

/// True for one JSON value (RFC 8259) in UTF-8, spaces around it allowed; depth is not limited.
/// Numbers must be in the range of a double.
[[nodiscard]] bool valid_json(std::string_view text) noexcept;

/// True for well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
[[nodiscard]] bool valid_utf8(std::string_view text) noexcept;

}  // namespace leat::parser
