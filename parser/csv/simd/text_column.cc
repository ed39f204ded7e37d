#include "parser/csv/simd/text_column.h"

#include "parser/simd/highway_targets.h"

// Highway compiles the rest of this file once for each target.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "parser/csv/simd/text_column.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <bit>
#include <cstring>

// Emulated vectors are slower than memcpy.
#if HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128

HWY_BEFORE_NAMESPACE();
namespace leat::parser {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

/// Most texts are shorter than this.
using Piece = hn::CappedTag<std::uint8_t, 32>;
constexpr std::size_t kPieceBytes = hn::MaxLanes(Piece());

HWY_INLINE hn::Vec<Piece> copy_piece(const char* from, char* to) {
  const Piece piece;
  const auto bytes = hn::LoadU(piece, reinterpret_cast<const std::uint8_t*>(from));
  hn::StoreU(bytes, piece, reinterpret_cast<std::uint8_t*>(to));
  return bytes;
}

HWY_INLINE char* copy_plain(const char* from, const char* end, char* to) {
  char* const past = to + (end - from);
  do {
    copy_piece(from, to);
    from += kPieceBytes;
    to += kPieceBytes;
  } while (from < end);
  return past;
}

/// Quotes in the text come in pairs.
HWY_INLINE char* copy_halving(const char* from, const char* end, hn::Vec<Piece> quote, char* to) {
  const Piece piece;
  while (from < end) {
    const std::intptr_t first = hn::FindFirstTrue(piece, hn::Eq(copy_piece(from, to), quote));
    const bool none = first < 0;
    if (none || first >= end - from) {
      const auto left = static_cast<std::size_t>(end - from);
      if (left <= kPieceBytes) return to + left;
      from += kPieceBytes;
      to += kPieceBytes;
    } else {
      from += first + 2;
      to += first + 1;
    }
  }
  return to;
}

template <bool WithQuotes>
HWY_INLINE void append(const simd::FieldColumn& fields, char quote, TextSink& sink) {
  const auto quotes = hn::Set(Piece(), static_cast<std::uint8_t>(quote));
  char* to = sink.bytes;
  std::size_t empty = 0;
  for (std::size_t row = 0; row < fields.count; ++row) {
    const char* from = fields.text + (fields.begins[row * fields.begin_stride] + 1);
    const char* end = fields.text + fields.ends[row * fields.end_stride];
    // No branch: whether a field is empty is hard to predict.
    sink.empty[empty] = static_cast<std::uint32_t>(row);
    empty += from == end ? 1 : 0;
    if (WithQuotes && *from == quote && from != end) {
      to = copy_halving(from + 1, end - 1, quotes, to);
    } else {
      to = copy_plain(from, end, to);
    }
    sink.ends[row] = static_cast<std::int32_t>(sink.offset + (to - sink.bytes));
  }
  sink.empty_count = empty;
  sink.offset += static_cast<std::int32_t>(to - sink.bytes);
  sink.bytes = to;
}

void append_texts(const simd::FieldColumn& fields, char quote, TextSink& sink) {
  if (quote == '\0') {
    append<false>(fields, quote, sink);
  } else {
    append<true>(fields, quote, sink);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace leat::parser
HWY_AFTER_NAMESPACE();

#endif

#if HWY_ONCE
namespace leat::parser {

std::size_t field_bytes(const simd::FieldColumn& fields) noexcept {
  std::uint32_t bytes = 0;
  for (std::size_t row = 0; row < fields.count; ++row) {
    bytes += fields.ends[row * fields.end_stride] - fields.begins[row * fields.begin_stride] - 1;
  }
  return bytes;
}

AppendTexts append_texts_of(SimdTarget target) noexcept {
  switch (target) {
#if HWY_TARGETS & HWY_SSE4
    case SimdTarget::kSse4:
      return N_SSE4::append_texts;
#endif
#if HWY_TARGETS & HWY_AVX2
    case SimdTarget::kAvx2:
      return N_AVX2::append_texts;
#endif
#if HWY_TARGETS & HWY_AVX3_DL
    case SimdTarget::kAvx512:
      return N_AVX3_DL::append_texts;
#endif
    default:
      return nullptr;
  }
}

}  // namespace leat::parser
#endif  // HWY_ONCE
