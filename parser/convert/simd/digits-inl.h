// Decimal digits in words: found, checked, and made a number.
//
// Included once for each target, behind <hwy/highway.h>, by column_kernels.cc.
HWY_BEFORE_NAMESPACE();
namespace leat::parser::simd::HWY_NAMESPACE {

constexpr std::uint64_t kEachByte = 0x0101'0101'0101'0101;
constexpr std::uint64_t kLastByte = 0xff00'0000'0000'0000;  // In memory.

// What a character is after Xor with '0': digits are 0 to 9.
constexpr std::uint8_t kMinus = '-' ^ '0';
constexpr std::uint8_t kPoint = '.' ^ '0';

HWY_INLINE hn::Vec<Bytes> as_bytes(Words words) { return hn::BitCast(Bytes(), words); }
HWY_INLINE Words as_words(hn::Vec<Bytes> bytes) { return hn::BitCast(Lanes(), bytes); }

// Not zero in lanes where a byte is above 9.
HWY_INLINE Words non_digits(Words digits) {
  const Lanes lanes;
  const Words carried = as_words(hn::Add(as_bytes(digits), hn::Set(Bytes(), 6)));
  return hn::And(hn::Or(digits, carried), hn::Set(lanes, 0xf0 * kEachByte));
}

// The sum of each two neighbours' products, the second operand being signed: Highway 1.0.3 has no
// name for these instructions, and what it has costs up to four times as much here.
#if HWY_TARGET == HWY_AVX3_DL
HWY_INLINE __m512i multiply_pairs8(__m512i a, __m512i b) { return _mm512_maddubs_epi16(a, b); }
HWY_INLINE __m512i multiply_pairs16(__m512i a, __m512i b) { return _mm512_madd_epi16(a, b); }
#elif HWY_TARGET == HWY_AVX2
HWY_INLINE __m256i multiply_pairs8(__m256i a, __m256i b) { return _mm256_maddubs_epi16(a, b); }
HWY_INLINE __m256i multiply_pairs16(__m256i a, __m256i b) { return _mm256_madd_epi16(a, b); }
#else
HWY_INLINE __m128i multiply_pairs8(__m128i a, __m128i b) { return _mm_maddubs_epi16(a, b); }
HWY_INLINE __m128i multiply_pairs16(__m128i a, __m128i b) { return _mm_madd_epi16(a, b); }
#endif

// Eight or four factors for them, in the order of memory.
template <class... Factors>
constexpr std::uint64_t factors(Factors... of_parts) {
  std::uint64_t word = 0;
  int shift = 0;
  ((word |= static_cast<std::uint64_t>(of_parts) << shift, shift += 64 / sizeof...(of_parts)), ...);
  return word;
}

// Eight digits, most significant first in memory, to a number.
HWY_INLINE Words number_of(Words digits) {
  const Lanes lanes;
  const hn::Repartition<std::uint32_t, Lanes> lanes32;
  const Words tens = hn::Set(lanes, factors(10, 1, 10, 1, 10, 1, 10, 1));
  const Words hundreds = hn::Set(lanes, factors(100, 1, 100, 1));
  const Words pairs{multiply_pairs8(digits.raw, tens.raw)};
  const Words quads{multiply_pairs16(pairs.raw, hundreds.raw)};
  return hn::Add(hn::MulEven(hn::BitCast(lanes32, quads), hn::Set(lanes32, 10'000)),
                 hn::ShiftRight<32>(quads));
}

// The product of the lower 32 bits.
HWY_INLINE Words multiply32(Words words, std::uint32_t factor) {
  const hn::Repartition<std::uint32_t, Lanes> lanes32;
  return hn::MulEven(hn::BitCast(lanes32, words), hn::Set(lanes32, factor));
}

// Whether fields may begin with a minus. Where none does, looking for it is a fifth of the work.
enum class Sign { kNone, kOptional };

// The last kWords × 8 characters of kLanes fields.
template <int kWords, Sign kSign>
struct Characters {
  // Xor '0'; zero where the minus and what is in front of the field stand. [0] holds the last
  // eight.
  Words words[kWords];
  LaneMask negative;  // With Sign::kOptional only.
  Words bad;          // Not zero for an empty field, a longer one, and a lone minus.
};

// The characters of one word, the one that ends 8 × kWord bytes before the field's end. `minus`:
// all ones in the byte that is the field's minus. `behind`: the length plus one in every byte.
template <int kWord, Sign kSign>
HWY_INLINE Words field_characters(Words word, hn::Vec<Bytes> behind, Words& minus) {
  const Lanes lanes;
  const Bytes bytes;
  const hn::Repartition<std::int8_t, Lanes> signed_bytes;
  // How far each byte is from the field's end.
  const Words distances = hn::Set(lanes, 0x0102'0304'0506'0708 + 8 * kWord * kEachByte);
  const auto characters = hn::Xor(as_bytes(word), hn::Set(bytes, '0'));
  const auto is_inside = hn::RebindMask(
      bytes, hn::Gt(hn::BitCast(signed_bytes, behind), hn::BitCast(signed_bytes, distances)));
  if constexpr (kSign == Sign::kNone) {
    return as_words(hn::IfThenElseZero(is_inside, characters));
  } else {
    const Words one_more = hn::Add(distances, hn::Set(lanes, kEachByte));
    const auto is_first = hn::Eq(behind, as_bytes(one_more));
    const auto is_minus = hn::And(is_first, hn::Eq(characters, hn::Set(bytes, kMinus)));
    minus = as_words(hn::VecFromMask(bytes, is_minus));
    return as_words(hn::IfThenElseZero(hn::AndNot(is_minus, is_inside), characters));
  }
}

template <int kWords, Sign kSign>
HWY_INLINE Characters<kWords, kSign> load_characters(const FieldGroup& group,
                                                     const Lengths& lengths) {
  const Lanes lanes;
  const auto behind = lengths.bytes_behind();
  Characters<kWords, kSign> out;
  Words minus[kWords];
  if constexpr (kWords == 1) {
    out.words[0] = field_characters<0, kSign>(group.words_before_end(0), behind, minus[0]);
  } else {
    const WordPair pair = group.last_word_pairs();
    out.words[0] = field_characters<0, kSign>(pair.second, behind, minus[0]);
    out.words[1] = field_characters<1, kSign>(pair.first, behind, minus[1]);
  }
  if constexpr (kWords == 3) {
    out.words[2] = field_characters<2, kSign>(group.words_before_end(16), behind, minus[2]);
  }

  constexpr int kLogOfLimit = kWords == 3 ? 5 : kWords + 2;
  out.bad = lengths.outside_power<kLogOfLimit>();
  if constexpr (kWords == 3) {
    const auto is_too_long = hn::Gt(lengths.get(), hn::Set(lanes, 24));
    out.bad = hn::Or(out.bad, hn::VecFromMask(lanes, is_too_long));
  }
  if constexpr (kSign == Sign::kOptional) {
    Words any_minus = minus[0];
    for (int i = 1; i < kWords; ++i) any_minus = hn::Or(any_minus, minus[i]);
    out.negative = hn::Ne(any_minus, hn::Zero(lanes));
    out.bad = hn::Or(out.bad, hn::And(minus[0], hn::Set(lanes, kLastByte)));
  }
  return out;
}

}  // namespace leat::parser::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
