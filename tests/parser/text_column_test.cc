#include "parser/records/simd/text_column.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "parser/records/tokenizer.h"

namespace leat::parser {
namespace {

/// Fields side by side in a text, with bytes around them that no copy may take for theirs.
class Fields {
 public:
  void add(std::string_view field) {
    bounds_.push_back(static_cast<std::uint32_t>(text_.size() - 1));
    text_ += field;
    bounds_.push_back(static_cast<std::uint32_t>(text_.size()));
    text_ += ",\"\",\"";
  }

  simd::FieldColumn column() {
    text_.append(64, '"');
    return {text_.data(), bounds_.data(), 2, bounds_.data() + 1, 2, bounds_.size() / 2};
  }

 private:
  std::string text_ = std::string(64, '"');
  std::vector<std::uint32_t> bounds_;
};

class TextColumn : public testing::TestWithParam<SimdTarget> {
 protected:
  void SetUp() override {
    if (append_texts_of(GetParam()) == nullptr) GTEST_SKIP() << "taken field by field";
  }

  /// Copies fields and checks each one against unescape().
  void check(const std::vector<std::string>& fields, char quote) {
    Fields laid_out;
    for (const std::string& field : fields) laid_out.add(field);
    const simd::FieldColumn column = laid_out.column();
    std::vector<char> bytes(field_bytes(column) + 64);
    std::vector<std::int32_t> ends(fields.size());
    std::vector<std::uint32_t> empty(fields.size());
    TextSink sink{bytes.data(), 1000, ends.data(), empty.data(), 0};
    append_texts_of(GetParam())(column, quote, sink);

    std::vector<std::uint32_t> expected_empty;
    std::int32_t begin = 1000;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      const std::string& field = fields[i];
      std::string expected = field;
      if (quote != '\0' && !field.empty() && field.front() == quote) {
        expected.clear();
        unescape(std::string_view(field).substr(1, field.size() - 2), quote, quote, expected);
      }
      if (field.empty()) expected_empty.push_back(static_cast<std::uint32_t>(i));
      ASSERT_LE(begin, ends[i]);
      EXPECT_EQ(std::string(bytes.data() + begin - 1000, bytes.data() + ends[i] - 1000), expected)
          << "field " << i << ": " << field;
      begin = ends[i];
    }
    EXPECT_EQ(sink.offset, begin);
    EXPECT_EQ(sink.bytes, bytes.data() + begin - 1000);
    EXPECT_EQ(std::vector(empty.begin(), empty.begin() + sink.empty_count), expected_empty);
  }
};

TEST_P(TextColumn, CopiesFieldsOfEveryLength) {
  std::vector<std::string> fields;
  for (std::size_t size = 0; size <= 200; ++size) {
    fields.emplace_back(size, static_cast<char>('a' + size % 26));
  }
  check(fields, '\0');
  check(fields, '"');
}

TEST_P(TextColumn, RemovesEnclosingQuotesAndHalvesThoseInside) {
  check({R"("")", R"("a")", R"("""")", R"("""""")", R"("a""b")", R"("""a""")", "", R"("x,y")",
         "5\" pipe"},
        '"');
  std::vector<std::string> fields;
  for (std::size_t pairs = 0; pairs <= 100; ++pairs) {
    fields.push_back('"' + std::string(2 * pairs, '"') + '"');
    fields.push_back('"' + std::string(pairs, 'x') + "\"\"" + std::string(pairs, 'y') + '"');
  }
  check(fields, '"');
}

TEST_P(TextColumn, HalvesRunsOfQuotesWhereverTheyLie) {
  std::mt19937_64 random(7);
  SCOPED_TRACE("seed 7");
  std::vector<std::string> fields;
  for (int i = 0; i < 3000; ++i) {
    std::string field = "'";
    for (std::size_t parts = random() % 30; parts != 0; --parts) {
      field += std::string(random() % 3 == 0 ? 2 * (random() % 40) : 2, '\'');
      field += std::string(random() % 24, static_cast<char>('a' + random() % 26));
    }
    fields.push_back(field + "'");
  }
  check(fields, '\'');
}

INSTANTIATE_TEST_SUITE_P(Targets, TextColumn, testing::ValuesIn(available_simd_targets()),
                         [](const auto& instance) {
                           return std::string(simd_target_name(instance.param));
                         });

}  // namespace
}  // namespace leat::parser
