// Floating-point numbers: an optional minus, digits, at most one point.
//
// The value is mantissa / 10^k. Where the mantissa is at most 2^53 and k at most 22, both are exact
// doubles, so that the one division rounds as IEEE 754 says, as strtod does (W. D. Clinger, How to
// Read Floating Point Numbers Accurately, 1990).
//
// Included once for each target, behind <hwy/highway.h>, by column_kernels.cc.
HWY_BEFORE_NAMESPACE();
namespace leat::parser::simd::HWY_NAMESPACE {

// Exact for numbers below 2^52.
HWY_INLINE hn::Vec<Doubles> double_of(Words number) {
  const Doubles doubles;
  const auto two_to_52 = hn::Set(doubles, 4503599627370496.0);
  const auto sum = hn::Or(number, hn::BitCast(Lanes(), two_to_52));
  return hn::Sub(hn::BitCast(doubles, sum), two_to_52);
}

template <class Floating>
struct FloatingKernel {
  using Value = Floating;

  template <Sign kSign>
  HWY_INLINE unsigned convert(const FieldGroup& group, Floating* values) const {
    const Lengths lengths = group.lengths();
    if (HWY_UNLIKELY(!lengths.all_within(16))) {
      return convert_words<3, kSign>(group, lengths, values);
    }
    if (!lengths.all_within(8)) return convert_words<2, kSign>(group, lengths, values);
    return convert_words<1, kSign>(group, lengths, values);
  }

 private:
  template <int kWords, Sign kSign>
  HWY_INLINE static unsigned convert_words(const FieldGroup& group, const Lengths& lengths,
                                           Floating* values) {
    const Lanes lanes;
    const Doubles doubles;
    const auto characters = load_characters<kWords, kSign>(group, lengths);
    const PointedNumber number = number_with_point(characters);

    Words bad = number.bad;
    auto mantissa = double_of(number.mantissa_low);
    if constexpr (kWords > 1) {
      mantissa = hn::MulAdd(double_of(number.mantissa_high), hn::Set(doubles, 1e8), mantissa);
      const auto is_inexact = hn::Gt(mantissa, hn::Set(doubles, 9007199254740991.0));
      bad = hn::Or(bad, hn::BitCast(lanes, hn::VecFromMask(doubles, is_inexact)));
    }
    auto value = hn::Div(mantissa, number.power);
    if constexpr (kSign == Sign::kOptional) {
      const auto sign =
          hn::IfThenElseZero(characters.negative, hn::Set(lanes, std::uint64_t{1} << 63));
      value = hn::Or(value, hn::BitCast(doubles, sign));
    }
    bad = hn::Or(bad, store(value, values));
    return bits_of_others(hn::Eq(bad, hn::Zero(lanes)));
  }

  // Returns not zero where the value must not be rounded once more.
  HWY_INLINE static Words store(hn::Vec<Doubles> value, Floating* values) {
    const Lanes lanes;
    if constexpr (sizeof(Floating) == 8) {
      hn::StoreU(value, Doubles(), values);
      return hn::Zero(lanes);
    } else {
      const hn::Rebind<float, Doubles> floats;
      hn::StoreU(hn::DemoteTo(floats, value), floats, values);
      // Rounding to a double never crosses the middle between two floats, but it can reach it, and
      // then the second rounding does not know from where. (These are normal floats: a value that
      // is not zero is at least 10^-16.)
      const Words rest = hn::And(hn::BitCast(lanes, value), hn::Set(lanes, 0x1fff'ffff));
      return hn::VecFromMask(lanes, hn::Eq(rest, hn::Set(lanes, 0x1000'0000)));
    }
  }
};

}  // namespace leat::parser::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
