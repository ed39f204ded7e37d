// Timestamps: a date, a space or 'T', HH:MM:SS, and optionally a fraction of one to six digits.
//
// Included once for each target, behind <hwy/highway.h>, by column_kernels.cc.
HWY_BEFORE_NAMESPACE();
namespace leat::parser::simd::HWY_NAMESPACE {

struct TimestampKernel {
  using Value = std::int64_t;

  template <Sign kSign>
  HWY_INLINE static unsigned convert(const FieldGroup& group, std::int64_t* microseconds) {
    const Lanes lanes;
    const Words behind_seconds = hn::Sub(group.lengths().get(), hn::Set(lanes, kSecondsLength));
    Words fraction = hn::Zero(lanes);
    Words bad = hn::Zero(lanes);
    if (!hn::AllTrue(lanes, hn::Eq(behind_seconds, hn::Zero(lanes)))) {
      const PatternCharacters characters = load_fraction(group, behind_seconds);
      fraction = number_of(characters.digits);
      // Up to a point and six digits, but not the point alone.
      const Words lone_point = hn::VecFromMask(lanes, hn::Eq(behind_seconds, hn::Set(lanes, 1)));
      bad = hn::Or(hn::Or(characters.bad, lone_point), hn::ShiftRight<3>(behind_seconds));
    }

    const WordPair date_text = group.first_word_pairs();
    const Words time_text = group.words_from_begin(11);
    constexpr std::uint64_t kYearMonth = word_of("0000-00-");
    constexpr std::uint64_t kDayTime = word_of("00 00:00");
    constexpr std::uint64_t kTime = word_of("00:00:00");
    const auto year_month =
        check_pattern<kYearMonth>(hn::Xor(date_text.first, hn::Set(lanes, kYearMonth)));
    const auto day_time =
        check_pattern<kDayTime>(space_for_t(hn::Xor(date_text.second, hn::Set(lanes, kDayTime))));
    const auto time = check_pattern<kTime>(hn::Xor(time_text, hn::Set(lanes, kTime)));
    const DayNumber date = day_number(year_month.digits, first_two(day_time.digits));

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

    // Of a day: 86'400'000'000 = 10'546'875 × 2^13, without a product of more than 64 bits.
    const Words day_us = hn::ShiftLeft<13>(multiply32(date.day, 10'546'875));
    const Words of_day_us = hn::Add(multiply32(seconds, 1'000'000), fraction);
    const Words since_epoch =
        hn::Add(hn::Sub(day_us, hn::Set(lanes, kEpochDay * 86'400'000'000)), of_day_us);
    const SignedLanes signed_lanes;
    hn::StoreU(hn::BitCast(signed_lanes, since_epoch), signed_lanes, microseconds);

    bad = hn::Or(hn::Or(bad, clock_off), hn::Or(date.bad, year_month.bad));
    bad = hn::Or(bad, hn::Or(day_time.bad, time.bad));
    return bits_of_others(hn::Eq(bad, hn::Zero(lanes)));
  }

 private:
  static constexpr std::uint64_t kSecondsLength = 19;

  // Differences to a space at the third byte: a 'T' is as good.
  HWY_INLINE static Words space_for_t(Words differences) {
    const Bytes bytes;
    constexpr std::uint64_t kT = std::uint64_t{' ' ^ 'T'} << 16;
    const auto is_t = hn::Eq(as_bytes(differences), as_bytes(hn::Set(Lanes(), kT)));
    return as_words(hn::IfThenZeroElse(is_t, as_bytes(differences)));
  }

  // The second's last digit, as 0, then the point and six digits: those missing are 0.
  HWY_INLINE static PatternCharacters load_fraction(const FieldGroup& group, Words behind_seconds) {
    const Lanes lanes;
    constexpr std::uint64_t kFraction = word_of("0.000000");
    const Words text = group.words_from_begin(kSecondsLength - 1);
    // The bits of bytes behind the field's end, up to 56.
    const Words foreign =
        hn::And(hn::Sub(hn::Set(lanes, 56), hn::ShiftLeft<3>(behind_seconds)), hn::Set(lanes, 56));
    const Words own =
        hn::AndNot(hn::Set(lanes, 0xff), hn::Shr(hn::Set(lanes, ~std::uint64_t{0}), foreign));
    return check_pattern<kFraction>(hn::And(hn::Xor(text, hn::Set(lanes, kFraction)), own));
  }
};

}  // namespace leat::parser::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
