// Dates: YYYY-MM-DD of the calendar, from the year 0001.
//
// Included once for each target, behind <hwy/highway.h>, by column_kernels.cc.
HWY_BEFORE_NAMESPACE();
namespace leat::parser::simd::HWY_NAMESPACE {

// Eight characters of a text whose form is fixed.
struct PatternCharacters {
  Words digits;  // Their difference to the pattern: 0 to 9 for a digit, and else 0.
  Words bad;     // Not zero where the text is not of the form.
};

constexpr std::uint64_t word_of(const char (&text)[9]) {
  std::uint64_t word = 0;
  for (int i = 7; i >= 0; --i) word = word << 8 | static_cast<std::uint8_t>(text[i]);
  return word;
}

// What to add to each character's difference so that an upper bit shows one that is too large.
constexpr std::uint64_t tolerances(std::uint64_t pattern) {
  std::uint64_t out = 0;
  for (int shift = 0; shift < 64; shift += 8) {
    const std::uint64_t tolerated = (pattern >> shift & 0xff) == '0' ? 9 : 0;
    out |= (0x0f - tolerated) << shift;
  }
  return out;
}

// In the pattern, '0' stands for a digit and anything else for itself.
template <std::uint64_t kPattern>
HWY_INLINE PatternCharacters check_pattern(Words differences) {
  const Lanes lanes;
  const Words carried =
      as_words(hn::Add(as_bytes(differences), as_bytes(hn::Set(lanes, tolerances(kPattern)))));
  return {differences, hn::And(hn::Or(differences, carried), hn::Set(lanes, 0xf0 * kEachByte))};
}

// The number that the first two of the digits make.
HWY_INLINE Words first_two(Words digits) {
  const Words tens_and_ones = hn::Set(Lanes(), factors(10, 1, 0, 0, 0, 0, 0, 0));
  return Words{multiply_pairs8(digits.raw, tens_and_ones.raw)};
}

struct DayNumber {
  Words day;  // 1970-01-01 is kEpochDay.
  Words bad;  // Not zero where there is no such day.
};

constexpr std::uint64_t kEpochDay = 719'559;

// The day of the digits of "YYYY-MM-" and of a day of the month up to 99.
HWY_INLINE DayNumber day_number(Words year_month, Words day) {
  const Lanes lanes;
  const Bytes bytes;
  const Words one = hn::Set(lanes, 1);
  // Century, year of the century, tens and ones of the month, in 16 bits each.
  const Words parts{
      multiply_pairs8(year_month.raw, hn::Set(lanes, factors(10, 1, 10, 1, 0, 10, 1, 0)).raw)};
  // Year and month, in 32 bits each.
  const Words year_and_month{
      multiply_pairs16(parts.raw, hn::Set(lanes, factors(100, 1, 1, 1)).raw)};
  const Words century = hn::And(parts, hn::Set(lanes, 0xffff));
  const Words year_of_century = hn::And(parts, hn::Set(lanes, 0xffff'0000));
  const Words year = hn::And(year_and_month, hn::Set(lanes, 0xffff'ffff));
  const Words month = hn::ShiftRight<32>(year_and_month);
  const Words leap_period = hn::IfThenElse(hn::Eq(year_of_century, hn::Zero(lanes)), century, year);
  const auto is_leap = hn::Eq(hn::And(leap_period, hn::Set(lanes, 3)), hn::Zero(lanes));

  // The days of a month in the lower five bits. Above them: the days of the year before the month,
  // less 30 for each month up to it, plus 31.
  HWY_ALIGN static constexpr std::uint8_t kMonths[16] = {
      0,           31 | 1 << 5, 28 | 2 << 5, 31 | 0 << 5,
      30 | 1 << 5, 31 | 1 << 5, 30 | 2 << 5, 31 | 2 << 5,
      31 | 3 << 5, 30 | 4 << 5, 31 | 4 << 5, 30 | 5 << 5,
      31 | 5 << 5, 0,           0,           0};
  const auto index = as_bytes(hn::And(month, hn::Set(lanes, 15)));
  const Words packed = as_words(hn::TableLookupBytes(hn::LoadDup128(bytes, kMonths), index));
  const auto is_february = hn::Eq(month, hn::Set(lanes, 2));
  const Words days_of_month = hn::Add(hn::And(packed, hn::Set(lanes, 31)),
                                      hn::IfThenElseZero(hn::And(is_leap, is_february), one));

  DayNumber out;
  const Words leap_days =
      hn::Add(hn::Sub(hn::ShiftRight<2>(year), century), hn::ShiftRight<2>(century));
  const Words days_before_month = hn::Add(multiply32(month, 30), hn::ShiftRight<5>(packed));
  // That of this year is among them, but not yet there in January and February.
  const Words early = hn::IfThenElseZero(hn::And(is_leap, hn::Lt(month, hn::Set(lanes, 3))), one);
  out.day = hn::Add(hn::Add(multiply32(year, 365), leap_days),
                    hn::Add(days_before_month, hn::Sub(day, early)));
  // Negative where the year or the day is zero, or the day too large.
  const Words in_range =
      hn::Or(hn::Or(hn::Sub(year, one), hn::Sub(day, one)), hn::Sub(days_of_month, day));
  out.bad = hn::Or(hn::ShiftRight<63>(in_range), hn::And(month, hn::Set(lanes, 0xf0)));
  return out;
}

struct DateKernel {
  using Value = std::int32_t;

  template <Sign kSign>
  HWY_INLINE unsigned convert(const FieldGroup& group, std::int32_t* days) const {
    const Lanes lanes;
    constexpr std::uint64_t kYearMonth = word_of("0000-00-");
    constexpr std::uint64_t kDay = word_of("00\0\0\0\0\0\0");
    const WordPair text = group.first_word_pairs();
    const auto year_month =
        check_pattern<kYearMonth>(hn::Xor(text.first, hn::Set(lanes, kYearMonth)));
    const auto day = check_pattern<kDay>(
        hn::Xor(hn::And(text.second, hn::Set(lanes, 0xffff)), hn::Set(lanes, kDay)));
    const DayNumber number = day_number(year_month.digits, first_two(day.digits));

    const hn::Rebind<std::uint32_t, Lanes> narrow;
    const hn::Rebind<std::int32_t, Lanes> signed_narrow;
    const auto since_epoch = hn::TruncateTo(narrow, hn::Sub(number.day, hn::Set(lanes, kEpochDay)));
    hn::StoreU(hn::BitCast(signed_narrow, since_epoch), signed_narrow, days);

    const Words length_off = hn::Xor(group.lengths().get(), hn::Set(lanes, 10));
    const Words bad = hn::Or(hn::Or(year_month.bad, day.bad), hn::Or(number.bad, length_off));
    return bits_of_others(hn::Eq(bad, hn::Zero(lanes)));
  }
};

}  // namespace leat::parser::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
