#include "parser/csv/simd/structural_index.h"

#include "parser/simd/highway_targets.h"

// Highway compiles the rest of this file once for each target.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "parser/csv/simd/structural_index.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "parser/records/byte_search.h"
#include "parser/simd/byte_masks-inl.h"

HWY_BEFORE_NAMESPACE();
namespace leat::parser {
namespace HWY_NAMESPACE {
namespace {

constexpr std::size_t kStepBytes = 64;

/// For each of a step's bytes a bit, the first byte's lowest.
struct StepMasks {
  std::uint64_t delimiters = 0;
  std::uint64_t line_feeds = 0;
  std::uint64_t returns = 0;
  std::uint64_t quotes = 0;
};

/// Writes the position of each bit; up to 64 places behind them are overwritten too.
HWY_INLINE void write_positions(std::uint64_t bits, std::uint32_t position, std::uint32_t*& next) {
  const auto count = static_cast<std::size_t>(std::popcount(bits));
#if HWY_TARGET == HWY_AVX3_DL
  // Compress and Store: CompressStore is one instruction, and on Zen 4 thirty times as slow.
  const hn::CappedTag<std::uint8_t, kStepBytes> bytes;
  const hn::CappedTag<std::uint32_t, 16> words;
  const hn::CappedTag<std::uint8_t, 16> quarter;
  const auto base = hn::Set(words, position);
  std::uint8_t stored[sizeof bits];
  std::memcpy(stored, &bits, sizeof bits);
  const auto places = hn::Compress(hn::Iota(bytes, 0), hn::LoadMaskBits(bytes, stored));
  hn::StoreU(hn::Add(base, hn::PromoteTo(words, hn::LowerHalf(hn::LowerHalf(places)))), words,
             next);
  if (HWY_UNLIKELY(count > 16)) {
    alignas(kStepBytes) std::uint8_t all[kStepBytes];
    hn::Store(places, bytes, all);
    for (std::size_t i = 16; i < count; i += 16) {
      hn::StoreU(hn::Add(base, hn::PromoteTo(words, hn::Load(quarter, all + i))), words, next + i);
    }
  }
#else
  constexpr std::size_t kBatch = 8;
  for (std::size_t done = 0; done < count; done += kBatch) {
    for (std::size_t i = 0; i < kBatch; ++i) {
      next[done + i] = position + static_cast<std::uint32_t>(std::countr_zero(bits));
      bits &= bits - 1;
    }
  }
#endif
  next += count;
}

#if HWY_TARGET == HWY_EMU128 || HWY_TARGET == HWY_SCALAR
/// Finds the bytes in eight bytes of a word at a time.
class Stepper {
 public:
  explicit Stepper(const IndexState& state)
      : delimiter_(repeated(state.delimiter)),
        quote_(repeated(state.quote)),
        quoting_(state.quoting) {}

  StepMasks masks(const char* text) {
    StepMasks masks;
    for (std::size_t i = 0; i < kStepBytes; i += sizeof(std::uint64_t)) {
      static_assert(std::endian::native == std::endian::little, "the first byte is the lowest");
      std::uint64_t word;
      std::memcpy(&word, text + i, sizeof word);
      seen_ |= word;
      masks.delimiters |= zero_bytes(word ^ delimiter_) << i;
      masks.line_feeds |= zero_bytes(word ^ repeated('\n')) << i;
      masks.returns |= zero_bytes(word ^ repeated('\r')) << i;
      masks.quotes |= zero_bytes(word ^ quote_) << i;
    }
    masks.quotes &= quoting_;
    return masks;
  }

  bool saw_non_ascii() const { return (seen_ & repeated('\x80')) != 0; }

 private:
  static constexpr std::uint64_t repeated(char byte) {
    return std::uint64_t{0x0101010101010101} * static_cast<unsigned char>(byte);
  }
  /// A bit for each byte that is zero.
  static constexpr std::uint64_t zero_bytes(std::uint64_t word) {
    constexpr std::uint64_t kLow = repeated('\x7f');
    const std::uint64_t top = ~(((word & kLow) + kLow) | word | kLow);
    return (top >> 7) * 0x0102040810204080 >> 56;
  }

  std::uint64_t delimiter_;
  std::uint64_t quote_;
  std::uint64_t quoting_;
  std::uint64_t seen_ = 0;
};
#else
/// At most a step's bytes, so that their masks fill a word.
using Bytes = hn::CappedTag<std::uint8_t, kStepBytes>;
using BytesVector = hn::Vec<Bytes>;

class Stepper {
 public:
  explicit Stepper(const IndexState& state)
      : delimiter_(hn::Set(Bytes(), static_cast<std::uint8_t>(state.delimiter))),
        quote_(hn::Set(Bytes(), static_cast<std::uint8_t>(state.quote))),
        quoting_(state.quoting),
        seen_(hn::Zero(Bytes())) {}

  HWY_INLINE StepMasks masks(const char* text) {
    const Bytes bytes;
    const auto* from = reinterpret_cast<const std::uint8_t*>(text);
    StepMasks masks;
    for (std::size_t i = 0; i < kStepBytes; i += hn::Lanes(bytes)) {
      const BytesVector some = hn::LoadU(bytes, from + i);
      seen_ = hn::Or(seen_, some);
      masks.delimiters |= bits_of(bytes, hn::Eq(some, delimiter_)) << i;
      masks.line_feeds |= bits_of(bytes, hn::Eq(some, hn::Set(bytes, '\n'))) << i;
      masks.returns |= bits_of(bytes, hn::Eq(some, hn::Set(bytes, '\r'))) << i;
      masks.quotes |= bits_of(bytes, hn::Eq(some, quote_)) << i;
    }
    masks.quotes &= quoting_;
    return masks;
  }

  HWY_INLINE bool saw_non_ascii() const {
    const Bytes bytes;
    return !hn::AllFalse(bytes, hn::TestBit(seen_, hn::Set(bytes, 0x80)));
  }

 private:
  BytesVector delimiter_;
  BytesVector quote_;
  std::uint64_t quoting_;
  BytesVector seen_;
};
#endif

/// Runs until the bytes end, the rule is broken or, without WithQuotes, a quote is met. Returns the
/// number of steps done. Without WithPositions only the last line feed is kept.
template <bool WithQuotes, bool WithPositions>
HWY_INLINE std::size_t run(const char* text, std::size_t steps, std::uint32_t position,
                           IndexState& state) {
  Stepper stepper(state);
  std::uint64_t inside = state.inside;
  std::uint64_t after_start = state.after_start;
  std::uint64_t after_closing = state.after_closing;
  std::uint64_t after_return = state.after_return;
  std::uint64_t all_returns = 0;
  std::size_t line_feeds = 0;
  std::uint32_t* next = state.next;
  std::uint64_t last_line_feeds = 0;  // Of the last step that has any, and where it begins.
  std::uint64_t last_position = 0;
  std::size_t step = 0;
  for (; step < steps; ++step, position += kStepBytes) {
    StepMasks at = stepper.masks(text + step * kStepBytes);
    if (!WithQuotes && HWY_UNLIKELY(at.quotes != 0)) break;
    const std::uint64_t starts = at.delimiters | at.line_feeds | at.quotes;
    std::uint64_t broken = 0;
    if (WithQuotes) {
      const std::uint64_t quoted = prefix_xor(at.quotes) ^ inside;
      const std::uint64_t closing = at.quotes & ~quoted;
      broken = at.quotes & quoted & ~(starts << 1 | after_start);
      broken |= (closing << 1 | after_closing) & ~(starts | at.returns);
      after_closing = closing >> 63;
      inside = 0 - (quoted >> 63);
      at.delimiters &= ~quoted;
      at.line_feeds &= ~quoted;
      at.returns &= ~quoted;
    }
    after_start = starts >> 63;
    broken |= (at.returns << 1 | after_return) & ~at.line_feeds;
    after_return = at.returns >> 63;
    all_returns |= at.returns;
    if (HWY_UNLIKELY(broken != 0)) {
      const int first = std::countr_zero(broken);
      const std::uint64_t before = (std::uint64_t{1} << first) - 1;
      at.delimiters &= before;
      at.line_feeds &= before;
      state.breach = position + static_cast<std::size_t>(first);
    }
    if constexpr (WithPositions) {
      line_feeds += static_cast<std::size_t>(std::popcount(at.line_feeds));
      write_positions(at.delimiters | at.line_feeds, position, next);
    } else {
      // Without a branch, which could not be foretold.
      const std::uint64_t found = 0 - std::uint64_t{at.line_feeds != 0};
      last_line_feeds = (at.line_feeds & found) | (last_line_feeds & ~found);
      last_position = (position & found) | (last_position & ~found);
    }
    if (HWY_UNLIKELY(broken != 0)) break;
  }
  state.inside = inside;
  state.after_start = after_start;
  state.after_closing = after_closing;
  state.after_return = after_return;
  state.returns |= all_returns;
  state.line_feeds += line_feeds;
  state.next = next;
  if (last_line_feeds != 0) {
    state.line_end = last_position + static_cast<std::size_t>(std::bit_width(last_line_feeds));
  }
  state.has_non_ascii = state.has_non_ascii || stepper.saw_non_ascii();
  return step;
}

template <bool WithPositions>
void run_all(const char* text, std::size_t steps, std::uint32_t position, IndexState& state) {
  std::size_t done = 0;
  if (!state.has_quotes) {
    done = run<false, WithPositions>(text, steps, position, state);
    if (done == steps || state.breach != StructuralIndex::kNone) return;
    state.has_quotes = true;
  }
  run<true, WithPositions>(text + done * kStepBytes, steps - done,
                           position + static_cast<std::uint32_t>(done * kStepBytes), state);
}

void index_steps(const char* text, std::size_t steps, std::uint32_t position, IndexState& state) {
  if (state.next != nullptr) {
    run_all<true>(text, steps, position, state);
  } else {
    run_all<false>(text, steps, position, state);
  }
}

bool has_odd_count(const char* text, std::size_t steps, char byte) {
  IndexState state;
  state.quote = byte;
  state.quoting = ~std::uint64_t{0};
  Stepper stepper(state);
  std::uint64_t odd = 0;
  for (std::size_t step = 0; step < steps; ++step) {
    odd ^= stepper.masks(text + step * kStepBytes).quotes;
  }
  return std::popcount(odd) % 2 != 0;
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace leat::parser
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace leat::parser {

StructuralIndexer::StructuralIndexer(SimdTarget target, char delimiter, char quote) noexcept
    : index_steps_(steps_of(target)),
      has_odd_count_(odd_count_of(target)),
      delimiter_(delimiter),
      quote_(quote) {}

StructuralIndexer::IndexSteps StructuralIndexer::steps_of(SimdTarget target) noexcept {
  return LEAT_FUNCTION_OF(target, index_steps, HWY_STATIC_DISPATCH(index_steps));
}

StructuralIndexer::HasOddCount StructuralIndexer::odd_count_of(SimdTarget target) noexcept {
  return LEAT_FUNCTION_OF(target, has_odd_count, HWY_STATIC_DISPATCH(has_odd_count));
}

void StructuralIndexer::index(std::string_view input, std::size_t from,
                              StructuralIndex& out) const {
  constexpr std::size_t kStepBytes = 64;
  /// Memory for positions is asked for as it may be needed: most bytes are no structure.
  constexpr std::size_t kWindowBytes = 64u << 10;
  IndexState state;
  state.delimiter = delimiter_;
  state.quote = quote_;
  state.quoting = quote_ == '\0' ? 0 : ~std::uint64_t{0};
  out.count = 0;
  const auto before = static_cast<std::uint32_t>(from - 1);
  const auto make_room = [&](std::size_t bytes) {
    out.positions.resize((1 + out.count) * sizeof(std::uint32_t));
    out.positions.reserve((1 + out.count + bytes + kStepBytes) * sizeof(std::uint32_t));
    state.next = out.positions.as<std::uint32_t>() + 1 + out.count;
  };
  const auto run = [&](const char* text, std::size_t bytes) {
    make_room(bytes);
    index_steps_(text, bytes / kStepBytes, static_cast<std::uint32_t>(from), state);
    out.count = static_cast<std::size_t>(state.next - out.positions.as<std::uint32_t>()) - 1;
    from += bytes;
  };
  while (input.size() - from >= kStepBytes && state.breach == StructuralIndex::kNone) {
    run(input.data() + from, std::min(input.size() - from, kWindowBytes) & ~(kStepBytes - 1));
  }
  if (from < input.size() && state.breach == StructuralIndex::kNone) {
    // NULs behind the last bytes are neither structure nor quotes. They may break the rule.
    char last[kStepBytes] = {};
    std::memcpy(last, input.data() + from, input.size() - from);
    run(last, kStepBytes);
    if (state.breach >= input.size()) state.breach = StructuralIndex::kNone;
  }
  out.positions.resize((1 + out.count) * sizeof(std::uint32_t));
  *out.positions.as<std::uint32_t>() = before;
  out.line_feeds = state.line_feeds;
  out.breach = state.breach;
  out.has_quotes = state.has_quotes;
  out.has_returns = state.returns != 0;
  out.has_non_ascii = state.has_non_ascii;
  out.ends_inside_quotes = state.inside != 0;
}

std::size_t StructuralIndexer::end_of_last_record(std::string_view input) const {
  constexpr std::size_t kStepBytes = 64;
  IndexState state;
  state.delimiter = delimiter_;
  state.quote = quote_;
  state.quoting = quote_ == '\0' ? 0 : ~std::uint64_t{0};
  const std::size_t steps = input.size() / kStepBytes;
  index_steps_(input.data(), steps, 0, state);
  if (state.breach != StructuralIndex::kNone) return state.line_end;
  char last[kStepBytes] = {};
  const std::size_t done = steps * kStepBytes;
  std::memcpy(last, input.data() + done, input.size() - done);
  index_steps_(last, 1, static_cast<std::uint32_t>(done), state);
  return state.line_end;
}

bool StructuralIndexer::has_odd_quotes(std::string_view input) const noexcept {
  constexpr std::size_t kStepBytes = 64;
  if (quote_ == '\0') return false;
  const std::size_t steps = input.size() / kStepBytes;
  return has_odd_count_(input.data(), steps, quote_) !=
         is_count_odd(input.substr(steps * kStepBytes), quote_);
}

}  // namespace leat::parser
#endif  // HWY_ONCE
