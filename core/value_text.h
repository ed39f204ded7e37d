// The canonical text of a value, written in place: for those who write many.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "leat/row_chunk.h"

namespace leat {

/// Longer than any text of a value whose type is of a fixed width.
inline constexpr std::size_t kFixedValueTextMax = 64;

/// What append_value_text() appends, for types of a fixed width: not text, json, bytes. The value
/// must not be null.
///
/// @param to  Room for kFixedValueTextMax characters.
/// @return    The text's end.
char* write_fixed_value(const DataType& type, const Column& column, std::int64_t row, char* to);

/// The same of a value of type bytes: "\x" and two digits for each of them, for which there is
/// room.
char* write_bytes_value(std::string_view bytes, char* to);

}  // namespace leat
