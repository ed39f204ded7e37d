#include "parser/records/simd/text_column.h"

#include "parser/simd/highway_targets.h"

// Highway compiles the rest of this file once for each target.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "parser/records/simd/text_column.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <array>
#include <bit>
#include <cstring>

#include "parser/simd/byte_masks-inl.h"

// Emulated vectors are slower than memcpy.
#if HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128

HWY_BEFORE_NAMESPACE();
namespace leat::parser {
namespace HWY_NAMESPACE {
namespace {

/// Most texts are shorter than this.
using Piece = hn::CappedTag<std::uint8_t, 32>;
constexpr std::size_t kPieceBytes = hn::MaxLanes(Piece());

HWY_INLINE char* copy_plain(const char* from, const char* end, char* to) {
  const Piece piece;
  char* const past = to + (end - from);
  do {
    hn::StoreU(hn::LoadU(piece, reinterpret_cast<const std::uint8_t*>(from)), piece,
               reinterpret_cast<std::uint8_t*>(to));
    from += kPieceBytes;
    to += kPieceBytes;
  } while (from < end);
  return past;
}

#if HWY_TARGET == HWY_AVX3_DL
using Wide = hn::CappedTag<std::uint8_t, 64>;

/// Stores the bytes whose bits are set, side by side.
HWY_INLINE void store_some(Wide wide, hn::Vec<Wide> bytes, std::uint64_t kept, char* to) {
  std::uint8_t stored[sizeof kept];
  std::memcpy(stored, &kept, sizeof kept);
  hn::StoreU(hn::Compress(bytes, hn::LoadMaskBits(wide, stored)), wide,
             reinterpret_cast<std::uint8_t*>(to));
}
#else
using Wide = Piece;

/// Of eight bytes, the places of those whose bits are set.
constexpr auto kPlaces = [] {
  std::array<std::array<std::uint8_t, 8>, 256> places = {};
  for (unsigned bits = 0; bits < places.size(); ++bits) {
    unsigned count = 0;
    for (std::uint8_t i = 0; i < 8; ++i) {
      if ((bits >> i & 1) != 0) places[bits][count++] = i;
    }
  }
  return places;
}();

HWY_INLINE void store_some(Wide wide, hn::Vec<Wide> bytes, std::uint64_t kept, char* to) {
  const hn::CappedTag<std::uint8_t, 8> eight;
  alignas(hn::MaxLanes(Wide())) std::uint8_t all[hn::MaxLanes(Wide())];
  hn::Store(bytes, wide, all);
  for (std::size_t i = 0; i < sizeof all; i += 8, kept >>= 8) {
    const auto places = hn::LoadU(eight, kPlaces[kept & 0xff].data());
    hn::StoreU(hn::TableLookupBytes(hn::Load(eight, all + i), places), eight,
               reinterpret_cast<std::uint8_t*>(to));
    to += std::popcount(kept & 0xff);
  }
}
#endif

/// Quotes in the text come in pairs, of which one is left. No branch asks where they are: that is
/// hard to predict.
HWY_INLINE char* copy_halving(const char* from, const char* end, hn::Vec<Wide> quote, char* to) {
  constexpr std::ptrdiff_t kBytes = hn::MaxLanes(Wide());
  constexpr std::uint64_t kAll = ~std::uint64_t{0} >> (64 - kBytes);
  const Wide wide;
  std::uint64_t inside = 0;  // All ones: the bytes before end between the quotes of a pair.
  for (;;) {
    const auto bytes = hn::LoadU(wide, reinterpret_cast<const std::uint8_t*>(from));
    const std::uint64_t quotes = bits_of(wide, hn::Eq(bytes, quote));
    const std::uint64_t first = prefix_xor(quotes) ^ inside;
    std::uint64_t kept = kAll & ~(quotes & ~first);
    store_some(wide, bytes, kept, to);
    const std::ptrdiff_t left = end - from;
    if (left <= kBytes) {
      // One shift could not be by as many bits as there are.
      kept &= left == 0 ? 0 : kAll >> (kBytes - left);
      return to + std::popcount(kept);
    }
    inside = 0 - (first >> 63);
    from += kBytes;
    to += std::popcount(kept);
  }
}

template <bool WithQuotes>
HWY_INLINE void append(const simd::FieldColumn& column, char quote, TextSink& sink) {
  // Copies: what is written through a char* could be any of these.
  const simd::FieldColumn fields = column;
  std::uint32_t* const empty = sink.empty;
  std::int32_t* const ends = sink.ends;
  char* const begin = sink.bytes;
  const std::int32_t offset = sink.offset;
  const auto quotes = hn::Set(Wide(), static_cast<std::uint8_t>(quote));
  char* to = begin;
  std::size_t empty_count = 0;
  for (std::size_t row = 0; row < fields.count; ++row) {
    const char* from = fields.text + (fields.begins[row * fields.begin_stride] + 1);
    const char* end = fields.text + fields.ends[row * fields.end_stride];
    // No branch: whether a field is empty is hard to predict.
    empty[empty_count] = static_cast<std::uint32_t>(row);
    empty_count += from == end ? 1 : 0;
    if (WithQuotes && *from == quote && from != end) {
      to = copy_halving(from + 1, end - 1, quotes, to);
    } else {
      to = copy_plain(from, end, to);
    }
    ends[row] = offset + static_cast<std::int32_t>(to - begin);
  }
  sink.empty_count = empty_count;
  sink.offset = offset + static_cast<std::int32_t>(to - begin);
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
  return LEAT_FUNCTION_OF(target, append_texts, nullptr);
}

}  // namespace leat::parser
#endif  // HWY_ONCE
