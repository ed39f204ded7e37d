// Decimal numbers of fixed precision and scale: an optional minus, digits, at most one point.
//
// As doubles, in which every step is exact: mantissa / 10^k × 10^scale is a product of two integers
// where k is at most the scale, and below 2^52.
//
// Included once for each target, behind <hwy/highway.h>, by column_kernels.cc.
HWY_BEFORE_NAMESPACE();
namespace leat::parser::simd::HWY_NAMESPACE {

class DecimalKernel {
 public:
  using Value = Int128;

  // 10^22 is the largest power of ten that is a double.
  static constexpr int kScaleMax = 22;

  // `scale` is at most kScaleMax.
  HWY_INLINE DecimalKernel(int precision, int scale)
      : scale_(power_of_ten(scale)),
        limit_(precision < 16 ? std::min(power_of_ten(precision), kTwoTo52) : kTwoTo52) {}

  template <Sign kSign>
  HWY_INLINE unsigned convert(const FieldGroup& group, Int128* values) const {
    const Lengths lengths = group.lengths();
    if (!lengths.all_within(8)) return convert_words<2, kSign>(group, lengths, values);
    return convert_words<1, kSign>(group, lengths, values);
  }

 private:
  static constexpr double kTwoTo52 = 4503599627370496.0;

  static double power_of_ten(int exponent) {
    double power = 1;
    for (; exponent > 0; --exponent) power *= 10;
    return power;
  }

  template <int kWords, Sign kSign>
  HWY_INLINE unsigned convert_words(const FieldGroup& group, const Lengths& lengths,
                                    Int128* values) const {
    const Lanes lanes;
    const Doubles doubles;
    const auto characters = load_characters<kWords, kSign>(group, lengths);
    const PointedNumber number = number_with_point(characters);
    auto mantissa = double_of(number.mantissa_low);
    if constexpr (kWords > 1) {
      mantissa = hn::MulAdd(double_of(number.mantissa_high), hn::Set(doubles, 1e8), mantissa);
    }
    const auto scale = hn::Set(doubles, scale_);
    const auto scaled = hn::Mul(mantissa, hn::Div(scale, number.power));
    const auto fits =
        hn::And(hn::Lt(scaled, hn::Set(doubles, limit_)), hn::Le(number.power, scale));

    const auto two_to_52 = hn::Set(doubles, kTwoTo52);
    Words low = hn::And(hn::BitCast(lanes, hn::Add(scaled, two_to_52)),
                        hn::Set(lanes, (std::uint64_t{1} << 52) - 1));
    if constexpr (kSign == Sign::kOptional) {
      low = hn::IfThenElse(characters.negative, hn::Sub(hn::Zero(lanes), low), low);
    }
    const SignedLanes signed_lanes;
    const auto low_signed = hn::BitCast(signed_lanes, low);
    hn::StoreInterleaved2(low_signed, hn::BroadcastSignBit(low_signed), signed_lanes,
                          reinterpret_cast<std::int64_t*>(values));
    return bits_of_others(
        hn::And(hn::RebindMask(lanes, fits), hn::Eq(number.bad, hn::Zero(lanes))));
  }

  double scale_;  // 10^scale.
  double limit_;  // Above every scaled number.
};

inline std::size_t convert_decimal_column(const FieldColumn& column, int precision, int scale,
                                          Int128* values, std::uint32_t* abnormal) noexcept {
  if (scale <= DecimalKernel::kScaleMax) {
    return convert_fields(DecimalKernel(precision, scale), column, values, abnormal);
  }
  std::fill_n(values, column.count, Int128{});
  std::iota(abnormal, abnormal + column.count, 0u);
  return column.count;
}

}  // namespace leat::parser::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
