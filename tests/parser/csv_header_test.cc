// How header names find the schema's columns.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "parser/csv/header.h"
#include "tests/parser/load_support.h"

namespace leat::parser {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Loaded load_as(std::string bytes, std::string schema, FormatOptions options = {}) {
  return load({"object.csv", std::move(bytes), std::move(options), std::move(schema)});
}

ErrorCode code_of(const Loaded& loaded) {
  return loaded.failure ? loaded.failure->code : ErrorCode{};
}

TEST(CsvHeader, MatchesColumnsByNameInAnyOrder) {
  EXPECT_THAT(load_as("c,a,b\n3,1,2\n", "a int, b int, c int").rows, ElementsAre("1|2|3"));
}

TEST(CsvHeader, MatchesTheOnlyNameThatDiffersInCase) {
  EXPECT_THAT(load_as("ID,Name\n1,x\n", "id int, name text").rows, ElementsAre("1|x"));
}

TEST(CsvHeader, PrefersTheExactName) {
  EXPECT_THAT(load_as("ID,id\n1,2\n", "id int").rows, ElementsAre("2"));
  EXPECT_THAT(load_as("ID,id\n1,2\n", "id int, \"Id\" int").rows, ElementsAre("2|1"));
}

TEST(CsvHeader, RefusesNamesThatFitTwice) {
  for (const char* header : {"ID,Id", "id,id", "a,id,id,b"}) {
    const Loaded loaded = load_as(std::string(header) + "\n1,2,3,4\n", "id int");
    EXPECT_EQ(code_of(loaded), ErrorCode::kSchemaMismatch) << header;
    EXPECT_THAT(loaded.error, HasSubstr("2 columns named \"id\""));
    EXPECT_EQ(loaded.end, Position{});
  }
  EXPECT_THAT(load_as("id\n1\n", "\"ID\" int, \"Id\" int").error, HasSubstr("differ in case only"));
}

TEST(CsvHeader, AllowsDuplicateNamesThatNobodyAsksFor) {
  EXPECT_THAT(load_as("x,id,x,\n1,2,3,4\n", "id int").rows, ElementsAre("2"));
}

TEST(CsvHeader, ColumnsWithoutANameHaveThatOfTheirPlace) {
  EXPECT_THAT(load_as(",b,\n1,2,3\n", "column3 int, column1 int").rows, ElementsAre("3|1"));
  EXPECT_THAT(load_as(",column1\n1,2\n", "column1 int").rows, ElementsAre("2"));
}

TEST(CsvHeader, ReadsAMissingColumnAsNull) {
  EXPECT_THAT(load_as("a\n1\n2\n", "a int, b text, c date, d boolean").rows,
              ElementsAre("1|\\N|\\N|\\N", "2|\\N|\\N|\\N"));
}

TEST(CsvHeader, RefusesAMissingColumnThatIsNotNull) {
  const Loaded loaded = load_as("a\n1\n", "a int, b text not null");
  EXPECT_EQ(code_of(loaded), ErrorCode::kSchemaMismatch);
  EXPECT_THAT(loaded.error, HasSubstr("must not be null: \"b\""));
  EXPECT_EQ(loaded.failure->at.object, "object.csv");
  EXPECT_EQ(loaded.failure->at.byte_offset, 0u);
}

TEST(CsvHeader, TakesARowForNoHeader) {
  const Loaded loaded = load_as("1,2\n3,4\n", "a int, b int");
  EXPECT_EQ(code_of(loaded), ErrorCode::kSchemaMismatch);
  EXPECT_THAT(loaded.error, HasSubstr("--no-header"));
}

TEST(CsvHeader, IgnoresExtraColumnsOrRefusesThem) {
  FormatOptions options;
  EXPECT_THAT(load_as("a,z\n1,2\n", "a int", options).rows, ElementsAre("1"));
  options.extra_columns = ExtraColumns::kFail;
  const Loaded loaded = load_as("a,z,y\n1,2,3\n", "a int", options);
  EXPECT_EQ(code_of(loaded), ErrorCode::kSchemaMismatch);
  EXPECT_THAT(loaded.error, HasSubstr("\"z\", \"y\""));
}

TEST(CsvHeader, MakesTheSchemaWhenNoneIsGiven) {
  const Loaded loaded = load_as("a,\"b c\"\n1,\n", "");
  EXPECT_EQ(loaded.schema->to_sql(), "a text, \"b c\" text");
  EXPECT_THAT(loaded.rows, ElementsAre("1|\\N"));
}

TEST(CsvHeader, RefusesToMakeASchemaOfNamesThatAreNone) {
  for (const char* header : {"a,a", "column2,", "column2,\"\"", "a,\xff"}) {
    const Loaded loaded = load_as(std::string(header) + "\n1,2\n", "");
    EXPECT_EQ(code_of(loaded), ErrorCode::kSchemaMismatch) << header;
    EXPECT_THAT(loaded.error, HasSubstr("column 2 in the header"));
    EXPECT_THAT(loaded.error, HasSubstr("--schema"));
  }
}

TEST(CsvHeader, KeepsTheFirstSchemaForLaterObjects) {
  const Fixture first{"1.csv", "a,b\n1,2\n"};
  const auto parser = make_parser(first);
  EXPECT_EQ(parser->schema(), nullptr);
  EXPECT_THAT(load_with(*parser, first).rows, ElementsAre("1|2"));
  const auto schema = parser->schema();
  EXPECT_THAT(load_with(*parser, {"2.csv", "b,a\n2,1\n"}).rows, ElementsAre("1|2"));
  EXPECT_THAT(load_with(*parser, {"3.csv", "a\n1\n"}).rows, ElementsAre("1|\\N"));
  const Loaded extra = load_with(*parser, {"4.csv", "a,b,c\n1,2,3\n"});
  EXPECT_EQ(code_of(extra), ErrorCode::kSchemaMismatch);
  EXPECT_THAT(extra.rows, IsEmpty());
  EXPECT_THAT(load_with(*parser, {"5.csv", "a,b\n5,6\n"}).rows, ElementsAre("5|6"));
  EXPECT_EQ(parser->schema(), schema);
}

TEST(CsvHeader, AnEmptyObjectMakesNoSchema) {
  const Fixture empty{"1.csv", ""};
  const auto parser = make_parser(empty);
  EXPECT_EQ(load_with(*parser, empty).error, "");
  EXPECT_EQ(parser->schema(), nullptr);
}

TEST(CsvHeader, ReadsColumnsByPlaceWithoutAHeader) {
  FormatOptions options;
  options.header = false;
  EXPECT_THAT(load_as("1,x\n2,y", "a int, b text", options).rows, ElementsAre("1|x", "2|y"));
}

TEST(CsvHeader, SkipsLinesInFrontOfIt) {
  FormatOptions options;
  options.skip_lines = 2;
  EXPECT_THAT(load_as("a \"title\n\na\n1\n", "a int", options).rows, ElementsAre("1"));
}

TEST(CsvHeader, MayHaveAHundredThousandColumns) {
  std::string bytes;
  std::string row;
  for (int i = 0; i < 100'000; ++i) {
    bytes += (i == 0 ? "c" : ",c") + std::to_string(i);
    row += i == 0 ? "" : ",";
    row += std::to_string(i % 10);
  }
  const Loaded loaded =
      load({"wide.csv", bytes + "\n" + row + "\n", {}, "c99999 int, c7 int"}, {5'000, 70'000});
  EXPECT_EQ(loaded.error, "");
  EXPECT_THAT(loaded.rows, ElementsAre("9|7"));
}

TEST(CsvHeader, BlankLinesAreRecordsOfAOneColumnObjectOnly) {
  // One column in the file: what the schema asks for besides is null anyway.
  EXPECT_THAT(load_as("a\n1\n\n", "a int, b int").rows, ElementsAre("1|\\N", "\\N|\\N"));
  EXPECT_THAT(load_as("a,b\n1,2\n\n", "a int").rows, ElementsAre("1"));
}

}  // namespace
}  // namespace leat::parser
