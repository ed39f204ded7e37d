// The index against a loop over single bytes, for every target that this machine can run.
#include "parser/csv/simd/structural_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>

namespace leat::parser {
namespace {

using ::testing::ElementsAre;

class StructuralIndexing : public ::testing::TestWithParam<SimdTarget> {
 protected:
  /// From a copy that ends where its memory ends: a sanitizer sees each byte read too far.
  static StructuralIndex index(std::string_view text, std::size_t from = 0, char quote = '"') {
    const auto copy = std::make_unique<char[]>(text.size());
    text.copy(copy.get(), text.size());
    StructuralIndex index;
    StructuralIndexer(GetParam(), ',', quote).index({copy.get(), text.size()}, from, index);
    return index;
  }
  static std::vector<std::uint32_t> positions(const StructuralIndex& index) {
    const auto* first = index.positions.as<std::uint32_t>() + 1;
    return {first, first + index.count};
  }
};

INSTANTIATE_TEST_SUITE_P(Targets, StructuralIndexing, ::testing::ValuesIn(available_simd_targets()),
                         [](const auto& instance) {
                           return std::string(simd_target_name(instance.param));
                         });

TEST_P(StructuralIndexing, FindsDelimitersAndLineFeedsOutsideQuotes) {
  const StructuralIndex found = index("a,\"b,\"\"\n\",c\nd\n");
  EXPECT_THAT(positions(found), ElementsAre(1, 9, 11, 13));
  EXPECT_EQ(found.line_feeds, 2u);
  EXPECT_EQ(found.breach, StructuralIndex::kNone);
  EXPECT_TRUE(found.has_quotes);
  EXPECT_FALSE(found.has_returns);
  EXPECT_FALSE(found.has_non_ascii);
}

TEST_P(StructuralIndexing, CountsPositionsFromTheInputsFirstByte) {
  const StructuralIndex found = index("\",x\"\"\na,b\r\nc", 6);
  EXPECT_THAT(positions(found), ElementsAre(7, 10));
  EXPECT_EQ(found.positions.as<std::uint32_t>()[0], 5u);
  EXPECT_TRUE(found.has_returns);
}

TEST_P(StructuralIndexing, EndsAtABreachOfTheRule) {
  for (const std::size_t offset : {0u, 1u, 60u, 61u, 62u, 63u, 64u, 100u, 127u}) {
    const std::string front = std::string(offset, 'x') + "\n";
    const std::pair<std::string_view, std::size_t> cases[] = {
        {"a\"b,c\n", 1}, {"\"a\"b,c\n", 3}, {"\r,c\n", 1}, {"\"\" ,c\n", 2}, {"\"a\"\rb,c\n", 4}};
    for (const auto& [record, at] : cases) {
      const StructuralIndex found = index(front + std::string(record));
      EXPECT_EQ(found.breach, front.size() + at) << offset << " " << record;
      EXPECT_THAT(positions(found), ElementsAre(offset)) << record;
      EXPECT_EQ(found.line_feeds, 1u);
    }
  }
}

TEST_P(StructuralIndexing, LeavesOpenWhatTheInputsEndCutsOff) {
  for (const char* text : {"a,b\r", "a,\"b\"", "a,\"b", "a,\"b\"\""}) {
    EXPECT_EQ(index(text).breach, StructuralIndex::kNone) << text;
    EXPECT_EQ(index(std::string(62, 'x') + text).breach, StructuralIndex::kNone) << text;
  }
}

TEST_P(StructuralIndexing, TakesQuotesForTextWithoutQuoting) {
  EXPECT_THAT(positions(index("a\",\"b\n", 0, '\0')), ElementsAre(2, 5));
  EXPECT_THAT(positions(index(std::string_view("\0,\0\n", 4), 0, '\0')), ElementsAre(1, 3));
}

TEST_P(StructuralIndexing, TellsWhetherQuotesAreOdd) {
  for (const std::size_t size : {0u, 1u, 62u, 64u, 65u, 200u}) {
    std::string text(size, '\'');
    const StructuralIndexer indexer(GetParam(), ',', '"');
    EXPECT_FALSE(indexer.has_odd_quotes(text)) << size;
    for (std::size_t count = 1; count <= size; ++count) {
      text[count * 7 % size] = '"';  // Each place once: 7 shares no factor with any of the sizes.
      EXPECT_EQ(indexer.has_odd_quotes(text), count % 2 != 0) << size << " " << count;
    }
    EXPECT_FALSE(StructuralIndexer(GetParam(), ',', '\0').has_odd_quotes(text));
  }
}

TEST_P(StructuralIndexing, SeesBytesAboveAscii) {
  for (const std::size_t at : {0u, 15u, 16u, 63u, 64u, 130u}) {
    std::string text(131, 'x');
    EXPECT_FALSE(index(text).has_non_ascii);
    text[at] = '\x80';
    EXPECT_TRUE(index(text).has_non_ascii) << at;
  }
}

TEST_P(StructuralIndexing, AgreesWithALoopOnTablesOfAnyDensity) {
  std::mt19937_64 random(20261122);
  for (int i = 0; i < 300; ++i) {
    const std::size_t plain_in = 1 + random() % 40;
    std::string text;
    std::vector<std::uint32_t> expected;
    for (std::size_t size = random() % 700; text.size() < size;) {
      if (random() % plain_in != 0) {
        text += 'x';
        continue;
      }
      // Whole fields, so that the rule is kept.
      if (random() % 3 == 0 && (text.empty() || text.back() == ',' || text.back() == '\n')) {
        text += "\"x,\n\"\"\"";
      }
      expected.push_back(static_cast<std::uint32_t>(text.size()));
      text += random() % 2 == 0 ? ',' : '\n';
    }
    const StructuralIndex found = index(text);
    ASSERT_EQ(found.breach, StructuralIndex::kNone) << text;
    ASSERT_EQ(positions(found), expected) << text;
  }
}

TEST_P(StructuralIndexing, GoesOnThroughInputsLargerThanItsWindow) {
  std::string text = "\"";
  text += std::string(100'000, ',') + "\",";
  const std::size_t quoted = text.size();
  text += std::string(200'000, ',') + "\n";
  const StructuralIndex found = index(text);
  EXPECT_EQ(found.count, text.size() - quoted + 1);
  EXPECT_EQ(positions(found).front(), quoted - 1);
  EXPECT_EQ(positions(found).back(), text.size() - 1);
}

}  // namespace
}  // namespace leat::parser
