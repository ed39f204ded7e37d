#include <cstdio>

#include "tests/parser/convert/simd/field_block.h"

namespace leat::parser::simd {
namespace {

template <class Floating>
KernelUnderTest<Floating> kernel_of();
template <>
KernelUnderTest<float> kernel_of() {
  return {&ColumnKernels::convert_float32, parse_float<float>};
}
template <>
KernelUnderTest<double> kernel_of() {
  return {&ColumnKernels::convert_float64, parse_float<double>};
}

template <class Floating>
class FloatingKernel : public SeededTest {
 protected:
  /// Digits with a point anywhere, or none.
  std::string number(std::size_t digit_count) {
    std::string text = this->digits(digit_count);
    if (digit_count > 0 && this->below(4) != 0) text.insert(this->below(digit_count), ".");
    return text;
  }

  std::string signed_number(std::size_t digit_count) {
    return (this->below(2) == 0 ? "-" : "") + number(digit_count);
  }
};

using Floatings = testing::Types<float, double>;
TYPED_TEST_SUITE(FloatingKernel, Floatings);

TYPED_TEST(FloatingKernel, ConvertsOrdinaryNumbersWithoutLeavingAnyOver) {
  std::vector<std::string> fields = {"0",
                                     "-0",
                                     "0.0",
                                     "-0.0",
                                     "5.0",
                                     ".5",
                                     "-.5",
                                     "1",
                                     "00",
                                     "0.1",
                                     "0.3",
                                     "9007199254740991",
                                     "-0.9007199254740991",
                                     ".000000000000001"};
  for (int i = 0; i < 20'000; ++i) {
    fields.push_back(this->signed_number(1 + this->below(15)));
    fields.push_back(this->signed_number(1 + this->below(7)));
  }
  const auto middles = [](const std::string& text) {
    double value = 0;
    EXPECT_EQ(parse_float(text, value), "");
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    return sizeof(TypeParam) == 4 && (bits & 0x1fff'ffff) == 0x1000'0000;
  };
  std::erase_if(fields, middles);
  EXPECT_EQ(expect_same_as_values_h(kernel_of<TypeParam>(), fields), 0u);
}

TYPED_TEST(FloatingKernel, RoundsOnce) {
  std::vector<std::string> fields;
  // The first number that is no double, and others near it.
  for (const char* const digits : {"9007199254740991", "9007199254740992", "9007199254740993"}) {
    for (std::size_t place = 0; place < 16; ++place) {
      fields.emplace_back(digits);
      fields.back().insert(place, ".");
    }
  }
  // On, and beside, the middle between two floats and between two doubles.
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t float_middle = ((1u << 24) + this->below(1u << 24)) * 2 + 1;
    const std::uint64_t double_middle = (1ull << 53) + 1 + 2 * this->below(1ull << 20);
    for (const std::uint64_t middle : {float_middle, double_middle}) {
      for (const std::uint64_t off : {0, 1}) {
        std::string text = std::to_string(middle + off);
        fields.push_back(text);
        text.insert(1 + this->below(text.size()), ".");
        fields.push_back(text);
      }
    }
    // A float's middle with a fraction in binary: 8388608.5 to 16777215.5.
    fields.push_back(std::to_string((1u << 23) + this->below(1u << 23)) + ".5");
    fields.push_back(fields.back() + "00000001");
    fields.push_back(std::to_string((1u << 23) + this->below(1u << 23)) + ".4999999");
    // What printing a value with all its digits gives.
    for (const int precision : {6, 9, 15, 16, 17}) {
      char printed[64];
      std::snprintf(printed, sizeof printed, "%.*f", precision,
                    static_cast<double>(this->below(1u << 30)) / (1u << (20 + this->below(10))));
      fields.emplace_back(printed);
    }
  }
  expect_same_as_values_h(kernel_of<TypeParam>(), fields);
}

TYPED_TEST(FloatingKernel, LeavesOverEveryByteThatIsNoDigit) {
  std::vector<std::string> fields;
  for (std::size_t size = 0; size <= 24; ++size) {
    for (std::size_t place = 0; place < size; ++place) {
      for (int byte = 0; byte < 256; ++byte) {
        fields.push_back(this->signed_number(size));
        fields.back()[place] = static_cast<char>(byte);
      }
    }
  }
  expect_same_as_values_h(kernel_of<TypeParam>(), fields);
}

TYPED_TEST(FloatingKernel, KnowsEveryPlaceOfPointsAndMinuses) {
  std::vector<std::string> fields = {".", "-", "-.", "..", "--", ".-", "-.-", "1-"};
  for (std::size_t size = 1; size <= 22; ++size) {
    for (std::size_t first = 0; first <= size; ++first) {
      for (std::size_t second = 0; second <= size; ++second) {
        for (const char* const mark : {".", "-"}) {
          fields.push_back(this->digits(size));
          fields.back().insert(first, ".");
          fields.push_back(fields.back());
          fields.back().insert(second, mark);
          fields.push_back("-" + fields.back());
        }
      }
    }
  }
  expect_same_as_values_h(kernel_of<TypeParam>(), fields);
}

TYPED_TEST(FloatingKernel, AgreesWithTheScalarOneOnMutatedNumbers) {
  for (int round = 0; round < 20; ++round) {
    std::vector<std::string> fields;
    const std::size_t longest = 1 + this->below(22);
    for (int i = 0; i < 10'000; ++i) {
      fields.push_back(this->signed_number(this->below(longest + 1)));
      while (this->below(8) == 0) fields.back() = this->mutated(fields.back());
    }
    expect_same_as_values_h(kernel_of<TypeParam>(), fields);
  }
}

TYPED_TEST(FloatingKernel, LeavesOverWordsExponentsAndLongTexts) {
  std::vector<std::string> fields = {"NaN",   "Infinity", "-inf", "1e5", "1E-5",  "+1",
                                     "1e400", " 1",       "1 ",   "",    "\"1\"", "0x10"};
  for (std::size_t size = 19; size < 600; ++size) fields.emplace_back(size, '0');
  expect_same_as_values_h(kernel_of<TypeParam>(), fields);
}

}  // namespace
}  // namespace leat::parser::simd
