#include "tests/parser/convert/simd/field_block.h"

namespace leat::parser::simd {
namespace {

std::string_view parse(std::string_view text, Uuid& out) { return parse_uuid(text, out.bytes); }

const KernelUnderTest<Uuid> kUuid = {&ColumnKernels::convert_uuid, parse};

class UuidKernel : public SeededTest {
 protected:
  std::string uuid() {
    std::string text = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    for (char& c : text) {
      if (c == 'x') c = one_of("0123456789abcdefABCDEF");
    }
    return text;
  }
};

TEST_F(UuidKernel, ConvertsEveryUuidWithHyphens) {
  std::vector<std::string> fields;
  for (int i = 0; i < 20'000; ++i) fields.push_back(uuid());
  EXPECT_EQ(expect_same_as_values_h(kUuid, fields), 0u);
}

TEST_F(UuidKernel, LeavesOverEveryOtherByte) {
  std::vector<std::string> fields;
  for (std::size_t place = 0; place < 36; ++place) {
    for (int byte = 0; byte < 256; ++byte) {
      fields.push_back(uuid());
      fields.back()[place] = static_cast<char>(byte);
    }
  }
  expect_same_as_values_h(kUuid, fields);
}

TEST_F(UuidKernel, AgreesWithTheScalarOneOnMutatedUuids) {
  std::vector<std::string> fields = {"", "{" + uuid() + "}", "0f8fad5bd9cb469fa16570867728950e"};
  for (int i = 0; i < 100'000; ++i) {
    fields.push_back(uuid());
    while (below(4) == 0) fields.back() = mutated(fields.back());
  }
  expect_same_as_values_h(kUuid, fields);
}

}  // namespace
}  // namespace leat::parser::simd
