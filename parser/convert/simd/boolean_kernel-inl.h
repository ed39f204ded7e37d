// Booleans: PostgreSQL's words for true and false, in any case.
//
// Included once for each target, behind <hwy/highway.h>, by column_kernels.cc.
HWY_BEFORE_NAMESPACE();
namespace leat::parser::simd::HWY_NAMESPACE {

// A word of up to seven characters as its bytes, zeros, and its length on top.
template <std::size_t kSize>
constexpr std::uint64_t sized_word(const char (&word)[kSize]) {
  std::uint64_t out = std::uint64_t{kSize - 1} << 56;
  for (std::size_t i = 0; i + 1 < kSize; ++i) {
    out |= std::uint64_t{static_cast<std::uint8_t>(word[i])} << (8 * i);
  }
  return out;
}

struct BooleanKernel {
  using Value = std::uint8_t;

  template <Sign kSign>
  HWY_INLINE unsigned convert(const FieldGroup& group, std::uint8_t* values) const {
    const Lanes lanes;
    const Words length = group.lengths().get();
    // The bits of bytes behind the field's end.
    const Words foreign =
        hn::And(hn::Sub(hn::Set(lanes, 64), hn::ShiftLeft<3>(length)), hn::Set(lanes, 63));
    const Words own = hn::Shr(hn::Set(lanes, ~std::uint64_t{0}), foreign);
    const Words text = hn::Or(hn::And(group.words_from_begin(0), own), hn::ShiftLeft<56>(length));
    // In lower case; a control character would look like a digit.
    const Words lower = hn::Or(text, hn::And(own, hn::Set(lanes, 0x20 * kEachByte)));
    const auto is = [&](std::uint64_t word) { return hn::Eq(lower, hn::Set(lanes, word)); };
    const auto any_of = [](LaneMask a, LaneMask b, LaneMask c) { return hn::Or(hn::Or(a, b), c); };
    const auto is_true =
        hn::Or(any_of(hn::Eq(text, hn::Set(lanes, sized_word("1"))), is(sized_word("t")),
                      is(sized_word("true"))),
               any_of(is(sized_word("y")), is(sized_word("yes")), is(sized_word("on"))));
    const auto is_false =
        hn::Or(any_of(hn::Eq(text, hn::Set(lanes, sized_word("0"))), is(sized_word("f")),
                      is(sized_word("false"))),
               any_of(is(sized_word("n")), is(sized_word("no")), is(sized_word("off"))));
    const hn::Rebind<std::uint8_t, Lanes> narrow;
    hn::StoreU(hn::TruncateTo(narrow, hn::IfThenElseZero(is_true, hn::Set(lanes, 1))), narrow,
               values);
    // Lengths repeat after 256, longer fields fill the top byte, and of an empty one nothing is
    // foreign.
    const auto is_short = hn::Lt(hn::Sub(length, hn::Set(lanes, 1)), hn::Set(lanes, 5));
    return bits_of_others(hn::And(hn::Or(is_true, is_false), is_short));
  }
};

}  // namespace leat::parser::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
