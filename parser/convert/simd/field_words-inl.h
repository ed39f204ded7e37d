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

// Lanes below `limit`, as signed numbers: cheap on every target, other than unsigned ones.
HWY_INLINE LaneMask below(Words words, std::int64_t limit) {
  const SignedLanes lanes;
  return hn::RebindMask(Lanes(), hn::Lt(hn::BitCast(lanes, words), hn::Set(lanes, limit)));
}

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

// kLanes fields. Field i lies between bounds[i * stride] and bounds[i * stride + 1], both
// exclusive.
struct FieldGroup {
  const char* text;
  const std::uint32_t* bounds;
  std::size_t stride;

  const std::uint8_t* begin(std::size_t lane) const {
    return bytes() + static_cast<std::uint32_t>(bounds[lane * stride] + 1);
  }
  const std::uint8_t* end(std::size_t lane) const { return bytes() + bounds[lane * stride + 1]; }

  HWY_INLINE Words lengths() const {
    // A field's two bounds are one word.
    const Words both = load_words([this](std::size_t lane) {
      return reinterpret_cast<const std::uint8_t*>(bounds + lane * stride);
    });
    // end - bound - 1, modulo 2^32.
    return hn::And(hn::Add(hn::ShiftRight<32>(both), hn::Not(both)),
                   hn::Set(Lanes(), 0xffff'ffffu));
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
  const std::uint8_t* bytes() const { return reinterpret_cast<const std::uint8_t*>(text); }
};

}  // namespace leat::parser::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
