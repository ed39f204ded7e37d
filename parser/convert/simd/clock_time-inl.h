// Times of the day: HH:MM:SS, and optionally a fraction of one to six digits.
//
// Included once for each target, behind <hwy/highway.h>, by column_kernels.cc.
HWY_BEFORE_NAMESPACE();
namespace leat::parser::simd::HWY_NAMESPACE {

struct ClockTime {
  Words microseconds;  // Of the day.
  Words bad;           // Not zero where it is no such time, or 24:00, or a leap second.
};

// The second's last digit, as 0, then the point and six digits: those missing are 0. `length` is
// that of point and digits, 0 to 7.
HWY_INLINE PatternCharacters load_fraction(const FieldGroup& group, std::size_t last_of_second,
                                           Words length) {
  const Lanes lanes;
  constexpr std::uint64_t kFraction = word_of("0.000000");
  const Words text = group.words_from_begin(last_of_second);
  // The bits of bytes behind the field's end, up to 56.
  const Words foreign =
      hn::And(hn::Sub(hn::Set(lanes, 56), hn::ShiftLeft<3>(length)), hn::Set(lanes, 56));
  const Words own =
      hn::AndNot(hn::Set(lanes, 0xff), hn::Shr(hn::Set(lanes, ~std::uint64_t{0}), foreign));
  return check_pattern<kFraction>(hn::And(hn::Xor(text, hn::Set(lanes, kFraction)), own));
}

// The time that stands `offset` bytes behind each field's begin, with `behind_seconds` bytes of a
// point and a fraction (any number: what cannot be one is bad).
HWY_INLINE ClockTime clock_time(const FieldGroup& group, std::size_t offset, Words behind_seconds) {
  const Lanes lanes;
  Words fraction = hn::Zero(lanes);
  ClockTime out;
  out.bad = hn::Zero(lanes);
  if (!hn::AllTrue(lanes, hn::Eq(behind_seconds, hn::Zero(lanes)))) {
    const PatternCharacters characters = load_fraction(group, offset + 7, behind_seconds);
    fraction = number_of(characters.digits);
    // Up to a point and six digits, but not the point alone.
    const Words lone_point = hn::VecFromMask(lanes, hn::Eq(behind_seconds, hn::Set(lanes, 1)));
    out.bad = hn::Or(hn::Or(characters.bad, lone_point), hn::ShiftRight<3>(behind_seconds));
  }

  constexpr std::uint64_t kTime = word_of("00:00:00");
  const Words text = group.words_from_begin(offset);
  const auto time = check_pattern<kTime>(hn::Xor(text, hn::Set(lanes, kTime)));
  // Hours, tens and ones of the minutes, and seconds, in 16 bits each.
  const Words clock{
      multiply_pairs8(time.digits.raw, hn::Set(lanes, factors(10, 1, 0, 10, 1, 0, 10, 1)).raw)};
  const hn::Repartition<std::uint16_t, Lanes> lanes16;
  const Words clock_off = hn::BitCast(
      lanes, hn::SaturatedSub(hn::BitCast(lanes16, clock),
                              hn::BitCast(lanes16, hn::Set(lanes, factors(23, 50, 9, 59)))));
  // Two parts of the seconds of the day, in 32 bits each.
  const Words parts{multiply_pairs16(clock.raw, hn::Set(lanes, factors(3600, 60, 60, 1)).raw)};
  const Words seconds = hn::Add(parts, hn::ShiftRight<32>(parts));
  out.microseconds = hn::Add(multiply32(seconds, 1'000'000), fraction);
  out.bad = hn::Or(out.bad, hn::Or(clock_off, time.bad));
  return out;
}

struct TimeKernel {
  using Value = std::int64_t;

  template <Sign kSign>
  HWY_INLINE unsigned convert(const FieldGroup& group, std::int64_t* microseconds) const {
    const Lanes lanes;
    const SignedLanes signed_lanes;
    const ClockTime time = clock_time(group, 0, hn::Sub(group.lengths().get(), hn::Set(lanes, 8)));
    hn::StoreU(hn::BitCast(signed_lanes, time.microseconds), signed_lanes, microseconds);
    return bits_of_others(hn::Eq(time.bad, hn::Zero(lanes)));
  }
};

}  // namespace leat::parser::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
