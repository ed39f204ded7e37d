// Plain lines: one value each, whatever is in them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/parser/load_support.h"

namespace leat::parser {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

FormatOptions lines() {
  FormatOptions options;
  options.kind = Format::kLines;
  return options;
}

Loaded load_lines(std::string bytes, std::string schema = "") {
  return load({"object.log", std::move(bytes), lines(), std::move(schema)});
}

TEST(Lines, EachIsOneText) {
  const Loaded loaded = load_lines("a,\"b\n\n#x\\N\n\"\n");
  EXPECT_THAT(loaded.rows, ElementsAre("a,\"b", "", "#x\\N", "\""));
  EXPECT_EQ(loaded.schema->to_sql(), "line text");
  EXPECT_THAT(loaded.lineage, ElementsAre("#1@0", "#2@5", "#3@6", "#4@11"));
}

TEST(Lines, OnlyACarriageReturnInFrontOfALineFeedIsNoData) {
  EXPECT_THAT(load_lines("50%\r100%\r\n\r\n\r\r\nend\r").rows,
              ElementsAre("50%\r100%", "", "\r", "end\r"));
}

TEST(Lines, TheLastNeedsNoLineEnd) {
  EXPECT_THAT(load_lines("a\nb").rows, ElementsAre("a", "b"));
  EXPECT_THAT(load_lines("").rows, ElementsAre());
  EXPECT_THAT(load_lines("\n").rows, ElementsAre(""));
}

TEST(Lines, MayBeOfAnotherType) {
  EXPECT_THAT(load_lines("1\n-2\n", "n bigint").rows, ElementsAre("1", "-2"));
  EXPECT_THAT(load_lines("1\n\n", "n bigint").error, HasSubstr("not an integer"));
  EXPECT_THAT(load_lines("\xff\n", "raw bytea").rows, ElementsAre("\\xff"));
  EXPECT_THAT(load_lines("\xff\n").error, HasSubstr("not UTF-8"));
}

TEST(Lines, HaveOneColumn) {
  auto schema = std::make_shared<const Schema>(*parse_schema("a text, b text"));
  const auto made = leat::make_parser(lines(), schema);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kInvalidArgument);
}

TEST(Lines, ReadOnWhereTheyStopped) {
  const Fixture fixture{"object.log", "a\nb\nc\n", lines()};
  std::vector<Checkpointed> checkpoints;
  const Loaded whole = load(fixture, {}, {}, &checkpoints);
  EXPECT_EQ(whole.end.parser_state.substr(0, 2), "l\x01");
  FormatOptions csv;
  csv.header = false;
  const Loaded other = load({"object.log", fixture.bytes, csv, "a text"}, {}, whole.end);
  EXPECT_EQ(other.failure->code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace leat::parser
