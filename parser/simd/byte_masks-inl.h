// Bytes of text as bits of a word: bit i says something of byte i.
//
// Included once for each target, behind <hwy/highway.h>, by those that look at text.
HWY_BEFORE_NAMESPACE();
namespace leat::parser::HWY_NAMESPACE {

#if HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128
namespace hn = hwy::HWY_NAMESPACE;

// At most 64 bytes.
template <class Bytes>
HWY_INLINE std::uint64_t bits_of(Bytes bytes, hn::Mask<Bytes> mask) {
  std::uint8_t stored[8] = {};
  hn::StoreMaskBits(bytes, mask, stored);
  std::uint64_t bits;
  std::memcpy(&bits, stored, sizeof bits);
  return bits;
}
#endif

// Bit i: whether an odd number of bits is set up to and including i.
HWY_INLINE std::uint64_t prefix_xor(std::uint64_t bits) {
#if HWY_TARGET == HWY_SSE4 || HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3_DL
  const hn::Full128<std::uint64_t> words;
  return hn::GetLane(hn::CLMulLower(hn::Set(words, bits), hn::Set(words, ~std::uint64_t{0})));
#else
  for (int shift = 1; shift < 64; shift *= 2) bits ^= bits << shift;
  return bits;
#endif
}

}  // namespace leat::parser::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
