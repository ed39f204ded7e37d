#include <algorithm>

#include "tests/parser/convert/simd/field_block.h"

namespace leat::parser::simd {
namespace {

struct Type {
  int precision;
  int scale;
};

constexpr Type kTypes[] = {{1, 0},  {5, 2},   {9, 0},   {10, 2},  {15, 15}, {16, 0},  {16, 4},
                           {18, 6}, {38, 10}, {38, 22}, {38, 23}, {38, 38}, {20, 20}, {2, 1}};

KernelUnderTest<Int128> kernel_of(Type type) {
  return {[type](const ColumnKernels& kernels, const FieldColumn& column, Int128* values,
                 std::uint32_t* abnormal) {
            return kernels.convert_decimal(column, type.precision, type.scale, values, abnormal);
          },
          [type](std::string_view text, Int128& value) {
            return parse_decimal(text, type.precision, type.scale, value);
          }};
}

class DecimalKernel : public SeededTest {
 protected:
  std::string number() {
    std::string text = digits(1 + below(15));
    if (below(3) != 0) text.insert(below(text.size()), ".");
    return (below(3) == 0 ? "-" : "") + text;
  }
};

TEST_F(DecimalKernel, ConvertsOrdinaryNumbersWithoutLeavingAnyOver) {
  std::vector<std::string> fields = {"0", "-0", "0.00", "-0.01", ".5", "-.5", "12345678.12", "1"};
  for (int i = 0; i < 20'000; ++i) {
    fields.push_back((below(2) == 0 ? "-" : "") + digits(1 + below(8)) + "." +
                     digits(1 + below(2)));
    fields.push_back(digits(1 + below(8)));
  }
  EXPECT_EQ(expect_same_as_values_h(kernel_of({10, 2}), fields), 0u);
  std::erase_if(fields, [](const std::string& text) { return text.size() > 6; });
  EXPECT_EQ(expect_same_as_values_h(kernel_of({18, 6}), fields), 0u);
}

TEST_F(DecimalKernel, AgreesWithTheScalarOneForEveryType) {
  for (const Type type : kTypes) {
    SCOPED_TRACE("numeric(" + std::to_string(type.precision) + "," + std::to_string(type.scale) +
                 ")");
    std::vector<std::string> fields;
    for (int i = 0; i < 20'000; ++i) fields.push_back(number());
    expect_same_as_values_h(kernel_of(type), fields);
  }
}

TEST_F(DecimalKernel, KnowsTheLimitsOfPrecisionAndOfDoubles) {
  for (const Type type : kTypes) {
    SCOPED_TRACE("numeric(" + std::to_string(type.precision) + "," + std::to_string(type.scale) +
                 ")");
    std::vector<std::string> fields;
    for (const char* const number :
         {"4503599627370495", "4503599627370496", "4503599627370497", "9007199254740991",
          "9007199254740993", "9999999999999999", "999999999999999", "1000000000000000"}) {
      for (std::size_t size = 1; size <= 16; ++size) {
        for (std::size_t point = 0; point <= size; ++point) {
          fields.emplace_back(number, size);
          if (point < size) fields.back().insert(point, ".");
          fields.push_back("-" + fields.back());
        }
      }
    }
    for (std::size_t nines = 1; nines <= 20; ++nines) {
      fields.emplace_back(nines, '9');
      fields.push_back("1" + std::string(nines, '0'));
      fields.push_back("0." + std::string(nines, '9'));
      fields.push_back("1." + std::string(nines, '0'));
    }
    expect_same_as_values_h(kernel_of(type), fields);
  }
}

TEST_F(DecimalKernel, AgreesWithTheScalarOneOnMutatedNumbers) {
  std::vector<std::string> fields = {"", ".", "-", "-.", "NaN", "1e2", "+1", "5.", "1.2.3", "--1"};
  for (int i = 0; i < 100'000; ++i) {
    fields.push_back(number());
    while (below(4) == 0) fields.back() = mutated(fields.back());
  }
  expect_same_as_values_h(kernel_of({12, 3}), fields);
  expect_same_as_values_h(kernel_of({38, 15}), fields);
}

}  // namespace
}  // namespace leat::parser::simd
