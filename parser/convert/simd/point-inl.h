// A decimal point among digits.
//
// Included once for each target, behind <hwy/highway.h>, by column_kernels.cc.
HWY_BEFORE_NAMESPACE();
namespace leat::parser::simd::HWY_NAMESPACE {

using Doubles = hn::ScalableTag<double>;

// A number that may have a point: mantissa / 10^k, k being the number of digits behind the point.
struct PointedNumber {
  // Up to 16 digits, below 10^8 each.
  Words mantissa_high;
  Words mantissa_low;
  hn::Vec<Doubles> power;  // 10^k, exact.
  Words bad;               // Not zero where the characters are something else.
};

// All ones from the lowest byte up to, and with, the lowest one whose upper bit is set. In lanes
// where there is none: all ones everywhere.
HWY_INLINE Words up_to_lowest(Words upper_bits) {
  return hn::Xor(upper_bits, hn::Sub(upper_bits, hn::Set(Lanes(), 1)));
}

// The upper bits of the bytes that are points.
HWY_INLINE Words points_of(Words characters) {
  const Bytes bytes;
  const auto is_point = hn::Eq(as_bytes(characters), hn::Set(bytes, kPoint));
  return hn::And(as_words(hn::VecFromMask(bytes, is_point)), hn::Set(Lanes(), 0x80 * kEachByte));
}

// 10^k of kWords × 8 characters, the first `moved` of which end with the point. All or none are
// moved where there is no point, and it is 1.
template <int kWords>
HWY_INLINE hn::Vec<Doubles> power_behind_point(Words moved) {
  HWY_ALIGN static constexpr double kPowers[16] = {1,   1e15, 1e14, 1e13, 1e12, 1e11, 1e10, 1e9,
                                                   1e8, 1e7,  1e6,  1e5,  1e4,  1e3,  1e2,  1e1};
  const Doubles doubles;
  const Lanes lanes;
  const Words index = kWords == 1 ? hn::Add(moved, hn::Set(lanes, 8)) : moved;
#if HWY_TARGET == HWY_AVX3_DL
  // Takes the lowest four bits.
  return hn::Vec<Doubles>{_mm512_permutex2var_pd(hn::Load(doubles, kPowers).raw, index.raw,
                                                 hn::Load(doubles, kPowers + 8).raw)};
#else
  const hn::RebindToSigned<Lanes> signed_lanes;
  return hn::GatherIndex(doubles, kPowers,
                         hn::BitCast(signed_lanes, hn::And(index, hn::Set(lanes, 15))));
#endif
}

// Takes out the first point by moving what is in front of it by a byte. A second one stays, and is
// no digit. A point at the end is left over: it is rare, and it could be all there is.
template <Sign kSign>
HWY_INLINE PointedNumber number_with_point(const Characters<1, kSign>& characters) {
  const Lanes lanes;
  const Words zero = hn::Zero(lanes);
  const Words word = characters.words[0];
  const Words point = points_of(word);
  PointedNumber out;
  const auto has_point = hn::Ne(point, zero);
  const Words up_to_point = up_to_lowest(point);
  const Words moved = hn::IfThenElseZero(has_point, up_to_point);
  const Words digits = hn::IfVecThenElse(moved, hn::ShiftLeft<8>(word), word);
  out.mantissa_high = zero;
  out.mantissa_low = number_of(digits);
  out.power =
      power_behind_point<1>(hn::SumsOf8(as_bytes(hn::And(up_to_point, hn::Set(lanes, kEachByte)))));
  out.bad =
      hn::Or(hn::Or(characters.bad, hn::And(point, hn::Set(lanes, kLastByte))), non_digits(digits));
  return out;
}

// The same in two words. In three, the third one can hold one more digit or, behind zeros, the
// point.
template <int kWords, Sign kSign>
HWY_INLINE PointedNumber number_with_point(const Characters<kWords, kSign>& characters) {
  const Lanes lanes;
  const Words zero = hn::Zero(lanes);
  const Words low = characters.words[0];
  const Words high = characters.words[1];
  const Words low_point = points_of(low);
  const Words high_point = points_of(high);
  const auto is_in_low = hn::Ne(low_point, zero);
  PointedNumber out;
  const auto has_point = hn::Ne(hn::Or(low_point, high_point), zero);
  const Words low_moved = hn::IfThenElseZero(is_in_low, up_to_lowest(low_point));
  const Words high_moved = hn::IfThenElseZero(has_point, up_to_lowest(high_point));
  const Words low_shifted = hn::Or(hn::ShiftLeft<8>(low), hn::ShiftRight<56>(high));
  Words high_shifted = hn::ShiftLeft<8>(high);
  // The bytes are 0 or -1.
  const auto moved_bytes =
      hn::Sub(hn::Zero(Bytes()), hn::Add(as_bytes(low_moved), as_bytes(high_moved)));
  out.power = power_behind_point<2>(hn::SumsOf8(moved_bytes));
  // With a point in each word, both would be taken out.
  out.bad = hn::Or(hn::Or(characters.bad, hn::And(low_point, hn::Set(lanes, kLastByte))),
                   hn::IfThenElseZero(is_in_low, high_point));

  if constexpr (kWords == 3) {
    const Words top = characters.words[2];
    const auto is_in_top = hn::Eq(top, hn::Set(lanes, std::uint64_t{kPoint} << 56));
    high_shifted = hn::Or(high_shifted, hn::ShiftRight<56>(top));
    const Words unused = hn::IfThenElse(has_point, hn::ShiftLeft<8>(top), top);
    out.bad = hn::Or(out.bad, hn::IfThenZeroElse(hn::AndNot(has_point, is_in_top), unused));
    const Doubles doubles;
    out.power =
        hn::IfThenElse(hn::RebindMask(doubles, is_in_top), hn::Set(doubles, 1e16), out.power);
  }

  const Words low_digits = hn::IfVecThenElse(low_moved, low_shifted, low);
  const Words high_digits = hn::IfVecThenElse(high_moved, high_shifted, high);
  out.mantissa_high = number_of(high_digits);
  out.mantissa_low = number_of(low_digits);
  out.bad = hn::Or(out.bad, hn::Or(non_digits(high_digits), non_digits(low_digits)));
  return out;
}

}  // namespace leat::parser::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
