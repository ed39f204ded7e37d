#include <limits>

#include "tests/parser/convert/simd/field_block.h"

namespace leat::parser::simd {
namespace {

template <class Integer>
KernelUnderTest<Integer> kernel_of();
template <>
KernelUnderTest<std::int16_t> kernel_of() {
  return {&ColumnKernels::convert_int16, parse_int<std::int16_t>};
}
template <>
KernelUnderTest<std::int32_t> kernel_of() {
  return {&ColumnKernels::convert_int32, parse_int<std::int32_t>};
}
template <>
KernelUnderTest<std::int64_t> kernel_of() {
  return {&ColumnKernels::convert_int64, parse_int<std::int64_t>};
}

template <class Integer>
class IntegerKernel : public SeededTest {};

using Integers = testing::Types<std::int16_t, std::int32_t, std::int64_t>;
TYPED_TEST_SUITE(IntegerKernel, Integers);

TYPED_TEST(IntegerKernel, ConvertsOrdinaryNumbersWithoutLeavingAnyOver) {
  const int bits = std::numeric_limits<TypeParam>::digits;
  // 10^18 and more is also read, though not up to the last.
  const std::int64_t most =
      std::min<std::int64_t>(std::numeric_limits<TypeParam>::max(), 9'219'999'999'999'999'999);
  std::vector<std::string> fields = {
      "0", "-0", "7", "00", std::to_string(most), std::to_string(-most)};
  for (int i = 0; i < 20'000; ++i) {
    const auto number = static_cast<std::int64_t>(
        std::min<std::uint64_t>(this->below(SIZE_MAX) >> (64 - 1 - this->below(bits)), most));
    fields.push_back(std::to_string(this->below(2) == 0 ? number : -number));
  }
  EXPECT_EQ(expect_same_as_values_h(kernel_of<TypeParam>(), fields), 0u);
}

TYPED_TEST(IntegerKernel, KnowsTheRangeOfItsType) {
  using Limits = std::numeric_limits<TypeParam>;
  std::vector<std::string> fields;
  for (const int distance : {-11, -2, -1, 0, 1, 2, 11}) {
    for (const auto limit : {Limits::min(), Limits::max()}) {
      __extension__ __int128 number = limit;
      number += distance;
      const bool negative = number < 0;
      std::string text;
      for (auto rest = negative ? -number : number; rest != 0; rest /= 10) {
        text.insert(text.begin(), static_cast<char>('0' + static_cast<int>(rest % 10)));
      }
      for (const int zeros : {0, 1, 5, 12}) {
        fields.push_back((negative ? "-" : "") + std::string(zeros, '0') + text);
      }
    }
  }
  for (std::size_t size = 1; size <= 24; ++size) {
    for (const char* const sign : {"", "-"}) {
      for (const char digit : {'0', '1', '2', '3', '9'}) {
        fields.push_back(sign + std::string(size, digit));
        fields.push_back(sign + ("1" + std::string(size, digit)));
      }
    }
  }
  expect_same_as_values_h(kernel_of<TypeParam>(), fields);
}

TYPED_TEST(IntegerKernel, LeavesOverEveryByteThatIsNoDigit) {
  std::vector<std::string> fields;
  for (std::size_t size = 0; size <= 24; ++size) {
    for (std::size_t place = 0; place < size; ++place) {
      for (int byte = 0; byte < 256; ++byte) {
        fields.push_back(this->digits(size));
        fields.back()[place] = static_cast<char>(byte);
        if (place > 0 && byte % 2 == 0) fields.back()[0] = '-';
      }
    }
  }
  expect_same_as_values_h(kernel_of<TypeParam>(), fields);
}

TYPED_TEST(IntegerKernel, AgreesWithTheScalarOneOnMutatedNumbers) {
  for (int round = 0; round < 20; ++round) {
    std::vector<std::string> fields;
    const std::size_t longest = 1 + this->below(24);
    for (int i = 0; i < 10'000; ++i) {
      fields.push_back(this->digits(this->below(longest + 1)));
      if (this->below(3) == 0) fields.back().insert(0, "-");
      while (this->below(8) == 0) fields.back() = this->mutated(fields.back());
    }
    expect_same_as_values_h(kernel_of<TypeParam>(), fields);
  }
}

TYPED_TEST(IntegerKernel, TakesAnyNumberOfRows) {
  std::vector<std::string> fields;
  for (std::size_t rows = 0; rows < 200; ++rows) {
    expect_same_as_values_h(kernel_of<TypeParam>(), fields);
    fields.push_back(this->below(5) == 0 ? "x" : this->digits(1 + this->below(4)));
  }
}

TYPED_TEST(IntegerKernel, LeavesOverFieldsOfAnyLength) {
  std::vector<std::string> fields;
  for (std::size_t size = 25; size < 600; ++size) fields.emplace_back(size, '0');
  expect_same_as_values_h(kernel_of<TypeParam>(), fields);
}

}  // namespace
}  // namespace leat::parser::simd
