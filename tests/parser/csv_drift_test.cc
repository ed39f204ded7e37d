// What a parser tells of objects that depart from their schema.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <span>

#include "tests/parser/load_support.h"

namespace leat::parser {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// The last chunk of an object that was read in one piece, its rows in front of it.
struct Read {
  RowChunk rows;
  RowChunk last;
  std::optional<Error> error;
};

Read read(const Fixture& fixture, const Position& from = {}) {
  Read read;
  const auto parser = make_parser(fixture);
  const auto split = std::make_shared<const ObjectVersion>(ObjectVersion{.key = fixture.name});
  if (const Result<void> reset = parser->reset_for_new_split(split, from); !reset) {
    read.error = reset.error();
    return read;
  }
  const auto bytes = std::as_bytes(std::span(fixture.bytes)).subspan(from.offset);
  Result<void> done = parser->parse({from.offset, bytes}, read.rows);
  if (done) done = parser->finish(read.last);
  if (!done) read.error = done.error();
  return read;
}

TEST(CsvDrift, NamesColumnsThatAreIgnoredAndThoseReadAsNull) {
  const Read all = read({"o", "z,a,y\n1,2,3\n", {}, "a int, b text, c date"});
  ASSERT_FALSE(all.error) << all.error->to_string();
  ASSERT_NE(all.last.drift, nullptr);
  EXPECT_THAT(all.last.drift->extra, ElementsAre("z", "y"));
  EXPECT_THAT(all.last.drift->missing, ElementsAre("b", "c"));
}

TEST(CsvDrift, TellsItAgainBehindAPosition) {
  const Fixture fixture{"o", "z,a\n" + std::string(5'000, '1') + ",2\n3,4\n", {}, "a int"};
  const Read all = read(fixture);
  ASSERT_GT(all.rows.rows, 0);
  const Read rest = read(fixture, all.rows.end);
  ASSERT_NE(rest.last.drift, nullptr);
  EXPECT_EQ(*rest.last.drift, *all.last.drift);
}

TEST(CsvDrift, IsNoneWhenHeaderAndSchemaAgree) {
  EXPECT_EQ(read({"o", "b,A\n1,2\n", {}, "a int, b int"}).last.drift, nullptr);
  FormatOptions by_place;
  by_place.header = false;
  EXPECT_EQ(read({"o", "1,2\n", by_place, "a int, b int"}).last.drift, nullptr);
}

TEST(CsvDrift, RefusesMissingColumnsWhenAskedTo) {
  FormatOptions options;
  options.missing_columns = MissingColumns::kFail;
  const Read refused = read({"o", "a\n1\n", options, "a int, b text"});
  ASSERT_TRUE(refused.error);
  EXPECT_EQ(refused.error->code, ErrorCode::kSchemaMismatch);
  EXPECT_THAT(refused.error->message, HasSubstr("lacks columns of the schema: \"b\""));
  EXPECT_THAT(refused.error->message, HasSubstr("--missing-columns null"));
  EXPECT_FALSE(read({"o", "a,b\n1,2\n", options, "a int, b text"}).error);
}

TEST(CsvDrift, CountsValuesThatWereReadAsNull) {
  FormatOptions options;
  options.on_error = OnError::kNull;
  const Read all = read({"o", "a,b,c\n1,2,3\nx,2,3\n\"y\"\"\",2,z\n4,5\n1,q,3\n", options,
                         "a int, b int not null, c int"});
  const std::vector<NulledValues>& nulled = all.last.nulled;
  ASSERT_EQ(nulled.size(), 2u) << "what is in a rejected record was not read as null";
  EXPECT_EQ(nulled[0].column, 0u);
  EXPECT_EQ(nulled[0].count, 2u);
  EXPECT_EQ(nulled[0].first_record, 2u);
  EXPECT_EQ(nulled[0].first_text, "x");
  EXPECT_EQ(nulled[1].column, 2u);
  EXPECT_EQ(nulled[1].count, 1u);
  EXPECT_EQ(nulled[1].first_record, 3u);
  EXPECT_EQ(nulled[1].first_text, "z");
  EXPECT_EQ(all.last.rejects.size(), 2u);
}

TEST(CsvDrift, NothingIsReadAsNullUnlessAskedFor) {
  FormatOptions options;
  options.on_error = OnError::kReject;
  EXPECT_THAT(read({"o", "a\n1\nx\n", options, "a int"}).last.nulled, IsEmpty());
}

}  // namespace
}  // namespace leat::parser
