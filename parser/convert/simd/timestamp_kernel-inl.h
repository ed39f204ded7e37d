// Timestamps: a date, a space or 'T', and a time of the day; with time zone also an offset.
//
// Included once for each target, behind <hwy/highway.h>, by column_kernels.cc.
HWY_BEFORE_NAMESPACE();
namespace leat::parser::simd::HWY_NAMESPACE {

// An offset from UTC at a field's end: none, Z, ±HH or ±HH:MM.
struct ZoneOffset {
  Words length;        // In bytes.
  Words microseconds;  // Without sign.
  LaneMask negative;
  Words bad;  // Not zero where it is beyond 15:59.
};

HWY_INLINE ZoneOffset zone_offset(const FieldGroup& group) {
  const Lanes lanes;
  const Words zero = hn::Zero(lanes);
  const Words text = group.words_before_end(0);
  // Without the bytes in front of it; '-' is then 6 in the sign's place.
  constexpr std::uint64_t kFull = word_of("\0\0+00:00");
  constexpr std::uint64_t kShort = word_of("\0\0\0\0\0+00");
  constexpr std::uint64_t kMinusFull = std::uint64_t{'+' ^ '-'} << 16;
  constexpr std::uint64_t kMinusShort = std::uint64_t{'+' ^ '-'} << 40;
  const auto without_sign = [&](Words differences, std::uint64_t minus, std::uint64_t place) {
    const auto is_minus =
        hn::Eq(hn::And(differences, hn::Set(lanes, place)), hn::Set(lanes, minus));
    return hn::IfThenElse(is_minus, hn::Xor(differences, hn::Set(lanes, minus)), differences);
  };
  const Words full_raw =
      hn::Xor(hn::And(text, hn::Set(lanes, ~std::uint64_t{0xffff})), hn::Set(lanes, kFull));
  const Words short_raw = hn::Xor(hn::And(text, hn::Set(lanes, ~std::uint64_t{0xff'ffff'ffff})),
                                  hn::Set(lanes, kShort));
  const auto full = check_pattern<kFull>(without_sign(full_raw, kMinusFull, 0xff'0000));
  const auto hours_only =
      check_pattern<kShort>(without_sign(short_raw, kMinusShort, 0xff'00'0000'0000));
  const auto is_full = hn::Eq(full.bad, zero);
  const auto is_short = hn::Eq(hours_only.bad, zero);
  const auto is_z = hn::Eq(hn::ShiftRight<56>(text), hn::Set(lanes, 'Z'));

  ZoneOffset out;
  out.length = hn::IfThenElse(
      is_full, hn::Set(lanes, 6),
      hn::IfThenElse(is_short, hn::Set(lanes, 3), hn::IfThenElseZero(is_z, hn::Set(lanes, 1))));
  out.negative = hn::Or(
      hn::And(is_full, hn::Ne(hn::And(full_raw, hn::Set(lanes, 0xff'0000)), zero)),
      hn::And(is_short, hn::Ne(hn::And(short_raw, hn::Set(lanes, 0xff'00'0000'0000)), zero)));

  // Hours in bytes 3 and 4, minutes in the last two.
  const Words digits = hn::IfThenElse(
      is_full, full.digits, hn::IfThenElseZero(is_short, hn::ShiftRight<24>(hours_only.digits)));
  // Tens and ones of the hours, and minutes, in 16 bits each.
  const Words parts{
      multiply_pairs8(digits.raw, hn::Set(lanes, factors(0, 0, 0, 10, 1, 0, 10, 1)).raw)};
  const Words minutes_off =
      hn::ShiftRight<48>(hn::Add(parts, hn::Set(lanes, std::uint64_t{0x8000 - 60} << 48)));
  const Words halves{multiply_pairs16(parts.raw, hn::Set(lanes, factors(0, 60, 60, 1)).raw)};
  const Words minutes =
      hn::And(hn::Add(halves, hn::ShiftRight<32>(halves)), hn::Set(lanes, 0xffff'ffff));
  const Words too_far = hn::Sub(hn::Set(lanes, 15 * 60 + 59), minutes);
  out.microseconds = multiply32(minutes, 60'000'000);
  out.bad = hn::Or(hn::And(minutes_off, hn::Set(lanes, 0x8000)), hn::ShiftRight<63>(too_far));
  return out;
}

template <bool kWithZone>
struct TimestampKernel {
  using Value = std::int64_t;

  template <Sign kSign>
  HWY_INLINE unsigned convert(const FieldGroup& group, std::int64_t* microseconds) const {
    const Lanes lanes;
    Words behind_seconds = hn::Sub(group.lengths().get(), hn::Set(lanes, kSecondsLength));
    ZoneOffset zone;
    if constexpr (kWithZone) {
      zone = zone_offset(group);
      behind_seconds = hn::Sub(behind_seconds, zone.length);
    }
    const ClockTime time = clock_time(group, kTimeBegin, behind_seconds);

    const WordPair text = group.first_word_pairs();
    constexpr std::uint64_t kYearMonth = word_of("0000-00-");
    constexpr std::uint64_t kDayTime = word_of("00 00:00");
    const auto year_month =
        check_pattern<kYearMonth>(hn::Xor(text.first, hn::Set(lanes, kYearMonth)));
    const auto day_time =
        check_pattern<kDayTime>(space_for_t(hn::Xor(text.second, hn::Set(lanes, kDayTime))));
    const DayNumber date = day_number(year_month.digits, first_two(day_time.digits));

    // Of a day: 86'400'000'000 = 10'546'875 × 2^13, without a product of more than 64 bits.
    const Words day_us = hn::ShiftLeft<13>(multiply32(date.day, 10'546'875));
    Words since_epoch =
        hn::Add(hn::Sub(day_us, hn::Set(lanes, kEpochDay * 86'400'000'000)), time.microseconds);
    Words bad = hn::Or(hn::Or(time.bad, date.bad), hn::Or(year_month.bad, day_time.bad));
    if constexpr (kWithZone) {
      since_epoch = hn::IfThenElse(zone.negative, hn::Add(since_epoch, zone.microseconds),
                                   hn::Sub(since_epoch, zone.microseconds));
      // Negative outside of the years 0001 to 9999.
      const Words in_range = hn::Or(hn::Sub(since_epoch, hn::Set(lanes, kFirstMicrosecond)),
                                    hn::Sub(hn::Set(lanes, kLastMicrosecond), since_epoch));
      bad = hn::Or(bad, hn::Or(zone.bad, hn::ShiftRight<63>(in_range)));
    }
    const SignedLanes signed_lanes;
    hn::StoreU(hn::BitCast(signed_lanes, since_epoch), signed_lanes, microseconds);
    return bits_of_others(hn::Eq(bad, hn::Zero(lanes)));
  }

 private:
  static constexpr std::size_t kTimeBegin = 11;
  static constexpr std::uint64_t kSecondsLength = 19;
  // 0001-01-01 and 9999-12-31 23:59:59.999999.
  static constexpr auto kFirstMicrosecond = static_cast<std::uint64_t>(-62'135'596'800'000'000);
  static constexpr std::uint64_t kLastMicrosecond = 253'402'300'799'999'999;

  // Differences to a space at the third byte: a 'T' is as good.
  HWY_INLINE static Words space_for_t(Words differences) {
    const Bytes bytes;
    constexpr std::uint64_t kT = std::uint64_t{' ' ^ 'T'} << 16;
    const auto is_t = hn::Eq(as_bytes(differences), as_bytes(hn::Set(Lanes(), kT)));
    return as_words(hn::IfThenZeroElse(is_t, as_bytes(differences)));
  }
};

}  // namespace leat::parser::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
