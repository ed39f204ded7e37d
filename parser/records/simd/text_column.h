// The texts of one column, side by side: with vectors that reach past each text's end.
#pragma once

#include <cstddef>
#include <cstdint>

#include "parser/convert/simd/column_kernels.h"
#include "parser/simd/target.h"

namespace leat::parser {

/// Where a column's texts go.
struct TextSink {
  char* bytes = nullptr;           ///< The first free one. Room for all fields and 64 bytes more.
  std::int32_t offset = 0;         ///< Of bytes[0], in the column.
  std::int32_t* ends = nullptr;    ///< Room for a row each: its text's end, an offset.
  std::uint32_t* empty = nullptr;  ///< Room for a row each: ascending indices of the empty fields
                                   ///< without quotes.
  std::size_t empty_count = 0;
};

/// Bytes that the fields hold, quotes included.
std::size_t field_bytes(const simd::FieldColumn& fields) noexcept;

/// Copies the text of each field: without its enclosing quotes and with doubled ones made single,
/// where `quote` is not '\0'. Moves sink.bytes and sink.offset behind them.
using AppendTexts = void (*)(const simd::FieldColumn& fields, char quote, TextSink& sink);

/// The target is available. Null: none that is faster than to take one field at a time.
AppendTexts append_texts_of(SimdTarget target) noexcept;

}  // namespace leat::parser
