// Integers: an optional minus and digits.
//
// Included once for each target, behind <hwy/highway.h>, by column_kernels.cc.
HWY_BEFORE_NAMESPACE();
namespace leat::parser::simd::HWY_NAMESPACE {

template <class Integer>
struct IntegerKernel {
  using Value = Integer;

  template <Sign kSign>
  HWY_INLINE unsigned convert(const FieldGroup& group, Integer* values) const {
    const Lengths lengths = group.lengths();
    // Without leading zeros no smallint needs a second word, and no integer a third one.
    if constexpr (sizeof(Integer) == 8) {
      if (HWY_UNLIKELY(!lengths.all_within(16))) {
        return convert_words<3, kSign>(group, lengths, values);
      }
    }
    if constexpr (sizeof(Integer) > 2) {
      if (!lengths.all_within(8)) return convert_words<2, kSign>(group, lengths, values);
    }
    return convert_words<1, kSign>(group, lengths, values);
  }

 private:
  template <int kWords, Sign kSign>
  HWY_INLINE static unsigned convert_words(const FieldGroup& group, const Lengths& lengths,
                                           Integer* values) {
    const Lanes lanes;
    const auto characters = load_characters<kWords, kSign>(group, lengths);
    Words bad = hn::Or(characters.bad, non_digits(characters.words[0]));
    Words number = number_of(characters.words[0]);
    if constexpr (kWords >= 2) {
      bad = hn::Or(bad, non_digits(characters.words[1]));
      number = hn::Add(number, multiply32(number_of(characters.words[1]), 100'000'000));
    }
    if constexpr (kWords == 3) {
      bad = hn::Or(bad, non_digits(characters.words[2]));
      const Words top = number_of(characters.words[2]);
      // Up to 9,219,999,999,999,999,999: so there is nothing to find out about overflow.
      bad = hn::Or(bad, hn::VecFromMask(lanes, hn::Gt(top, hn::Set(lanes, 921))));
      // top × 10^16 = top × 10^6 × 5^10 × 2^10, without a product of more than 64 bits.
      number =
          hn::Add(number, hn::ShiftLeft<10>(multiply32(multiply32(top, 1'000'000), 9'765'625)));
    }
    if constexpr (kSign == Sign::kOptional) {
      number = hn::IfThenElse(characters.negative, hn::Sub(hn::Zero(lanes), number), number);
    }
    if constexpr (sizeof(Integer) < 8) {
      constexpr std::uint64_t kLimit = std::uint64_t{1} << (8 * sizeof(Integer) - 1);
      bad =
          hn::Or(bad, hn::ShiftRight<8 * sizeof(Integer)>(hn::Add(number, hn::Set(lanes, kLimit))));
    }
    store(number, values);
    return bits_of_others(hn::Eq(bad, hn::Zero(lanes)));
  }

  HWY_INLINE static void store(Words number, Integer* values) {
    if constexpr (sizeof(Integer) == 8) {
      const SignedLanes lanes;
      hn::StoreU(hn::BitCast(lanes, number), lanes, values);
    } else {
      const hn::Rebind<std::make_unsigned_t<Integer>, Lanes> narrow;
      const hn::Rebind<Integer, Lanes> signed_narrow;
      hn::StoreU(hn::BitCast(signed_narrow, hn::TruncateTo(narrow, number)), signed_narrow, values);
    }
  }
};

}  // namespace leat::parser::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
