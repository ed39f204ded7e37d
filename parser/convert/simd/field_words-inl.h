// The text of neighbouring rows' fields as vectors: one field in each 64-bit lane.
//
// Included once for each target, behind <hwy/highway.h>, by column_kernels.cc.
HWY_BEFORE_NAMESPACE();
namespace leat::parser::simd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// One lane is one field. A word's first byte in memory is its lowest.
using Lanes = hn::ScalableTag<std::uint64_t>;
using SignedLanes = hn::ScalableTag<std::int64_t>;
using Bytes = hn::Repartition<std::uint8_t, Lanes>;
using Words = hn::Vec<Lanes>;
using LaneMask = hn::Mask<Lanes>;

constexpr std::size_t kLanes = hn::MaxLanes(Lanes());

// Loads kBytes from address(lane), address(lane + step) and so on, into one vector. Much faster
// than a gather.
template <std::size_t kBytes, class Tag, class Address>
HWY_INLINE hn::Vec<Tag> load_each(Tag tag, const Address& address, std::size_t lane,
                                  std::size_t step) {
  constexpr std::size_t kParts = hn::MaxLanes(Tag()) * sizeof(std::uint64_t) / kBytes;
  if constexpr (kParts == 1) {
    return hn::BitCast(tag, hn::LoadU(hn::CappedTag<std::uint8_t, kBytes>(), address(lane)));
  } else {
    const hn::Half<Tag> half;
    const auto lower = load_each<kBytes>(half, address, lane, step);
    const auto upper = load_each<kBytes>(half, address, lane + kParts / 2 * step, step);
    return hn::Combine(tag, upper, lower);
  }
}

// Eight bytes from address(lane) in each lane.
template <class Address>
HWY_INLINE Words load_words(const Address& address) {
  return load_each<8>(Lanes(), address, 0, 1);
}

struct WordPair {
  Words first;   // In memory.
  Words second;  // The eight bytes behind it.
};

// Sixteen bytes from address(lane): half the loads and shuffles of two load_words.
template <class Address>
HWY_INLINE WordPair load_word_pairs(const Address& address) {
  const Lanes lanes;
  const Words even = load_each<16>(lanes, address, 0, 2);
  const Words odd = load_each<16>(lanes, address, 1, 2);
  return {hn::InterleaveLower(lanes, even, odd), hn::InterleaveUpper(lanes, even, odd)};
}

// The lengths of kLanes fields.
class Lengths {
 public:
  // Of each field, the bounds on both sides of it: the first one in the lower half.
  HWY_INLINE explicit Lengths(Words bounds) : raised_(hn::Sub(bounds, hn::ShiftLeft<32>(bounds))) {}

  HWY_INLINE Words get() const { return hn::Sub(hn::ShiftRight<32>(raised_), hn::Set(Lanes(), 1)); }

  // Whether no field is longer. As signed numbers: comparing unsigned ones costs more.
  HWY_INLINE bool all_within(std::int64_t limit) const {
    const SignedLanes lanes;
    return hn::AllTrue(lanes,
                       hn::Lt(hn::BitCast(lanes, raised_), hn::Set(lanes, (limit + 2) << 32)));
  }

  // Not zero for lengths of zero, and above 2^kLog.
  template <int kLog>
  HWY_INLINE Words outside_power() const {
    return hn::ShiftRight<32 + kLog>(hn::Sub(raised_, hn::Set(Lanes(), std::uint64_t{2} << 32)));
  }

  // The length plus one, modulo 256, in every byte of its lane.
  HWY_INLINE hn::Vec<Bytes> bytes_behind() const {
    HWY_ALIGN static constexpr std::uint8_t kFifthOfLane[16] = {4,  4,  4,  4,  4,  4,  4,  4,
                                                                12, 12, 12, 12, 12, 12, 12, 12};
    const Bytes bytes;
    return hn::TableLookupBytes(hn::BitCast(bytes, raised_), hn::LoadDup128(bytes, kFifthOfLane));
  }

 private:
  // The length plus one, times 2^32, plus something below 2^32.
  Words raised_;
};

// kLanes fields. Field i lies between two neighbouring bounds, both exclusive, the first of which
// is bounds[i * stride].
class FieldGroup {
 public:
  HWY_INLINE FieldGroup(const char* text, const std::uint32_t* bounds, std::size_t stride)
      : text_(reinterpret_cast<const std::uint8_t*>(text)),
        bounds_(bounds),
        fourth_bounds_(hidden(bounds + 3 * stride)),
        stride_(stride) {}

  HWY_INLINE Lengths lengths() const {
    // A field's two bounds are one word.
    return Lengths(load_words([this](std::size_t lane) {
      return reinterpret_cast<const std::uint8_t*>(bounds_of(lane));
    }));
  }

  // The eight bytes from `offset` behind the field's begin.
  HWY_INLINE Words words_from_begin(std::size_t offset) const {
    return load_words([=, this](std::size_t lane) { return begin(lane) + offset; });
  }
  HWY_INLINE WordPair first_word_pairs() const {
    return load_word_pairs([this](std::size_t lane) { return begin(lane); });
  }

  // The eight bytes that end `back` before the field's end.
  HWY_INLINE Words words_before_end(std::size_t back) const {
    return load_words([=, this](std::size_t lane) { return end(lane) - back - 8; });
  }
  HWY_INLINE WordPair last_word_pairs() const {
    return load_word_pairs([this](std::size_t lane) { return end(lane) - 16; });
  }

 private:
  // From two places, and one or three strides, an x86 instruction reaches all eight bounds. Unless
  // it cannot know, GCC takes a register for each, of which there are not enough.
  HWY_INLINE static const std::uint32_t* hidden(const std::uint32_t* bounds) {
    asm("" : "+r"(bounds));
    return bounds;
  }

  HWY_INLINE const std::uint32_t* bounds_of(std::size_t lane) const {
    if (lane == 6) return bounds_ + 2 * (3 * stride_);
    return lane < 3 || lane == 4 ? bounds_ + lane * stride_ : fourth_bounds_ + (lane - 3) * stride_;
  }
  HWY_INLINE const std::uint8_t* begin(std::size_t lane) const {
    return text_ + static_cast<std::uint32_t>(*bounds_of(lane) + 1);
  }
  HWY_INLINE const std::uint8_t* end(std::size_t lane) const { return text_ + bounds_of(lane)[1]; }

  const std::uint8_t* text_;
  const std::uint32_t* bounds_;
  const std::uint32_t* fourth_bounds_;
  std::size_t stride_;
};

}  // namespace leat::parser::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
