#include "tests/parser/convert/simd/field_block.h"

namespace leat::parser::simd {
namespace {

std::string_view parse_byte(std::string_view text, std::uint8_t& out) {
  bool value = false;
  const std::string_view reason = parse_bool(text, value);
  out = value ? 1 : 0;
  return reason;
}

const KernelUnderTest<std::uint8_t> kBoolean = {&ColumnKernels::convert_bool, parse_byte};

class BooleanKernel : public SeededTest {
 protected:
  std::string word() {
    constexpr std::string_view kWords[] = {"t", "true",  "y", "yes", "on",  "1",
                                           "f", "false", "n", "no",  "off", "0"};
    std::string text(kWords[below(std::size(kWords))]);
    for (char& c : text) {
      if (c >= 'a' && below(3) == 0) c = static_cast<char>(c - 'a' + 'A');
    }
    return text;
  }
};

TEST_F(BooleanKernel, ConvertsEveryWordInAnyCase) {
  std::vector<std::string> fields;
  for (int i = 0; i < 20'000; ++i) fields.push_back(word());
  EXPECT_EQ(expect_same_as_values_h(kBoolean, fields), 0u);
}

TEST_F(BooleanKernel, LeavesOverEveryOtherByte) {
  std::vector<std::string> fields;
  for (int i = 0; i < 200; ++i) {
    for (int byte = 0; byte < 256; ++byte) {
      fields.push_back(word());
      fields.back()[below(fields.back().size())] = static_cast<char>(byte);
    }
  }
  expect_same_as_values_h(kBoolean, fields);
}

TEST_F(BooleanKernel, LeavesOverFieldsOfAnyOtherLength) {
  std::vector<std::string> fields = {"", "tr", "tru", "yess", "falsehood", "t       ", "1       "};
  for (std::size_t zeros = 1; zeros < 70; ++zeros) {
    fields.push_back(std::string("true") + std::string(zeros, '\0'));
    fields.push_back(std::string("0") + std::string(zeros, '\0'));
    fields.emplace_back(zeros, ' ');
  }
  for (int i = 0; i < 100'000; ++i) {
    fields.push_back(word());
    while (below(4) == 0) fields.back() = mutated(fields.back());
  }
  expect_same_as_values_h(kBoolean, fields);
}

}  // namespace
}  // namespace leat::parser::simd
