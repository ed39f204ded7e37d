// The method of J. Keiser and D. Lemire, "Validating UTF-8 in less than one instruction per byte"
// (2021): what two neighbouring bytes can be wrong about is looked up by three of their halves; a
// kind of error that all three name is there. What is then left to check is that a third or fourth
// byte stands where, and only where, a lead two or three bytes before asks for it.
#include "parser/records/simd/utf8_check.h"

#include "parser/simd/highway_targets.h"

// Highway compiles the rest of this file once for each target.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "parser/records/simd/utf8_check.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "parser/convert/values.h"

// Emulated vectors are slower than the loop over bytes.
#if HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128

HWY_BEFORE_NAMESPACE();
namespace leat::parser {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using Bytes = hn::ScalableTag<std::uint8_t>;
using Vector = hn::Vec<Bytes>;
constexpr std::size_t kVectorBytes = hn::MaxLanes(Bytes());

/// Bytes of a sequence before its last.
constexpr std::size_t kBefore = 3;

enum Fault : std::uint8_t {
  kTooShort = 1 << 0,    ///< A lead without a continuation.
  kTooLong = 1 << 1,     ///< A continuation behind ASCII.
  kOverlong3 = 1 << 2,   ///< e0 80 … e0 9f
  kTooLarge = 1 << 3,    ///< f4 90 …, f5 90 …
  kSurrogate = 1 << 4,   ///< ed a0 … ed bf
  kOverlong2 = 1 << 5,   ///< c0, c1
  kOverlong4 = 1 << 6,   ///< f0 80 … f0 8f
  kTooLarge80 = 1 << 6,  ///< f5 80 … ff 8f: the same bit, told apart by the low half.
  kTwoInARow = 1 << 7,   ///< Two continuations: right behind a lead of three bytes or more.
};

/// Faults that do not depend on the first byte's low half.
constexpr std::uint8_t kAnyLow = kTooShort | kTooLong | kTwoInARow;
constexpr std::uint8_t kLowAbove4 = kAnyLow | kTooLarge | kTooLarge80;
/// Faults that any continuation may have.
constexpr std::uint8_t kContinued = kTooLong | kOverlong2 | kTwoInARow;

alignas(16) constexpr std::uint8_t kByFirstHigh[16] = {
    kTooLong,
    kTooLong,
    kTooLong,
    kTooLong,
    kTooLong,
    kTooLong,
    kTooLong,
    kTooLong,
    kTwoInARow,
    kTwoInARow,
    kTwoInARow,
    kTwoInARow,
    kTooShort | kOverlong2,
    kTooShort,
    kTooShort | kOverlong3 | kSurrogate,
    kTooShort | kTooLarge | kTooLarge80 | kOverlong4,
};

alignas(16) constexpr std::uint8_t kByFirstLow[16] = {
    kAnyLow | kOverlong3 | kOverlong2 | kOverlong4,
    kAnyLow | kOverlong2,
    kAnyLow,
    kAnyLow,
    kAnyLow | kTooLarge,
    kLowAbove4,
    kLowAbove4,
    kLowAbove4,
    kLowAbove4,
    kLowAbove4,
    kLowAbove4,
    kLowAbove4,
    kLowAbove4,
    kLowAbove4 | kSurrogate,
    kLowAbove4,
    kLowAbove4,
};

alignas(16) constexpr std::uint8_t kBySecondHigh[16] = {
    kTooShort,
    kTooShort,
    kTooShort,
    kTooShort,
    kTooShort,
    kTooShort,
    kTooShort,
    kTooShort,
    kContinued | kOverlong3 | kTooLarge80 | kOverlong4,
    kContinued | kOverlong3 | kTooLarge,
    kContinued | kSurrogate | kTooLarge,
    kContinued | kSurrogate | kTooLarge,
    kTooShort,
    kTooShort,
    kTooShort,
    kTooShort,
};

/// Not zero where the bytes at `text` break the rules, given the kBefore bytes in front of them.
HWY_INLINE Vector faults_at(const std::uint8_t* text) {
  const Bytes bytes;
  const auto here = hn::LoadU(bytes, text);
  const auto before = hn::LoadU(bytes, text - 1);
  const auto low_half = hn::Set(bytes, 0x0f);
  const auto faults = hn::And(
      hn::And(hn::TableLookupBytes(hn::LoadDup128(bytes, kByFirstHigh), hn::ShiftRight<4>(before)),
              hn::TableLookupBytes(hn::LoadDup128(bytes, kByFirstLow), hn::And(before, low_half))),
      hn::TableLookupBytes(hn::LoadDup128(bytes, kBySecondHigh), hn::ShiftRight<4>(here)));
  // The top bit is set where a byte >= e0 stands two, or one >= f0 three bytes before.
  const auto third = hn::SaturatedSub(hn::LoadU(bytes, text - 2), hn::Set(bytes, 0xe0 - 0x80));
  const auto fourth = hn::SaturatedSub(hn::LoadU(bytes, text - 3), hn::Set(bytes, 0xf0 - 0x80));
  const auto continues = hn::And(hn::Or(third, fourth), hn::Set(bytes, 0x80));
  return hn::Xor(faults, continues);
}

bool check_utf8(std::string_view text) noexcept {
  const Bytes bytes;
  const auto* const from = reinterpret_cast<const std::uint8_t*>(text.data());
  // The first bytes behind zeros, and the last ones in front of zeros, which end any sequence.
  std::uint8_t edge[kBefore + kVectorBytes] = {};
  const std::size_t head = std::min(text.size(), kVectorBytes);
  if (head != 0) std::memcpy(edge + kBefore, from, head);
  auto faults = faults_at(edge + kBefore);
  std::size_t at = kVectorBytes;
  for (; at + kVectorBytes <= text.size(); at += kVectorBytes) {
    faults = hn::Or(faults, faults_at(from + at));
  }
  if (at <= text.size()) {
    std::memset(edge, 0, sizeof edge);
    std::memcpy(edge, from + at - kBefore, kBefore + text.size() - at);
    faults = hn::Or(faults, faults_at(edge + kBefore));
  }
  return hn::AllTrue(bytes, hn::Eq(faults, hn::Zero(bytes)));
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace leat::parser
HWY_AFTER_NAMESPACE();

#endif

#if HWY_ONCE
namespace leat::parser {

CheckUtf8 check_utf8_of(SimdTarget target) noexcept {
  return LEAT_FUNCTION_OF(target, check_utf8, valid_utf8);
}

}  // namespace leat::parser
#endif  // HWY_ONCE
