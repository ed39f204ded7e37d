// How header names find the schema's columns.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "parser/records/header.h"
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
  EXPECT_EQ(load_as("a,a,\n1,2,3\n", "").schema->to_sql(), "a text, a_1 text, column3 text");
  EXPECT_EQ(load_as("column2,\"\"\n1,2\n", "").schema->to_sql(), "column2 text, column2_1 text");
  EXPECT_THAT(loaded.rows, ElementsAre("1|\\N"));
}

TEST(CsvHeader, MakesDistinctNamesOfThoseThatItHasTwice) {
  const auto names = [](const std::vector<std::string>& header) { return distinct_names(header); };
  EXPECT_THAT(names({"a", "b", "a", "a"}), ElementsAre("a", "b", "a_1", "a_2"));
  EXPECT_THAT(names({"a", "a", "a_1"}), ElementsAre("a", "a_2", "a_1"));
  EXPECT_THAT(names({"a_1", "a", "a_1", "a"}), ElementsAre("a_1", "a", "a_1_1", "a_2"));
  EXPECT_THAT(names({"ID", "id", "Id_1"}), ElementsAre("ID", "id_2", "Id_1"));
  EXPECT_THAT(names({"", "x", ""}), ElementsAre("column1", "x", "column3"));
  EXPECT_THAT(names({"column2", "", "column2_1"}),
              ElementsAre("column2", "column2_2", "column2_1"));
  const std::vector<std::string> many(100'000, "a");
  EXPECT_EQ(names(many).back(), "a_99999");
}

TEST(CsvHeader, DistinctNamesStayAsTheyAre) {
  for (const auto& header : {std::vector<std::string>{"a", "A", "a", "", "a_1"},
                             std::vector<std::string>{"", "column1", "", "column1_1", ""}}) {
    const std::vector<std::string> names = distinct_names(header);
    EXPECT_EQ(distinct_names(names), names);
  }
}

TEST(CsvHeader, FindsColumnsByDistinctNamesInAnyObject) {
  const std::string schema = "name text, name_1 text";
  EXPECT_THAT(load_as("id,name,name\n1,x,y\n", schema).rows, ElementsAre("x|y"));
  EXPECT_THAT(load_as("name,id,name\nx,1,y\n", schema).rows, ElementsAre("x|y"));
  EXPECT_THAT(load_as("name_1,name\ny,x\n", schema).rows, ElementsAre("x|y"));
  EXPECT_THAT(load_as("name\nx\n", schema).rows, ElementsAre("x|\\N"));
  EXPECT_THAT(load_as("NAME,Name\nx,y\n", schema).rows, ElementsAre("x|y"));
  EXPECT_THAT(load_as("name,name,name_1\nx,z,y\n", "name text, name_1 text, name_2 text").rows,
              ElementsAre("x|y|z"));
}

TEST(CsvHeader, NamesInTwoCasesKeepTheirColumnsOrSayThatTheOrderIsAnother) {
  const std::string schema = "id int, \"ID_1\" int";
  EXPECT_THAT(load_as("id,ID\n1,2\n", schema).rows, ElementsAre("1|2"));
  const Loaded swapped = load_as("ID,id\n2,1\n", schema);
  EXPECT_EQ(code_of(swapped), ErrorCode::kSchemaMismatch);
  EXPECT_THAT(swapped.error, HasSubstr("column 2, \"id\", fits the columns \"id\" and \"ID_1\""));
  EXPECT_THAT(swapped.error, HasSubstr("told apart by their order"));
}

TEST(CsvHeader, SaysHowToAskForTheSecondColumnOfAName) {
  EXPECT_THAT(load_as("a,b,a\n1,2,3\n", "a int").error, HasSubstr("as \"a_1\""));
  EXPECT_THAT(load_as("a,b,a\n1,2,3\n", "a_1 int").rows, ElementsAre("3"));
}

TEST(CsvHeader, APositionBehindNamesThatStandTwiceIsGoneOnWith) {
  std::string bytes = "a,a\n";
  for (int i = 0; i < 2'000; ++i) bytes += "1,2\n";
  const Fixture fixture{"o", bytes, {}, "a int, a_1 int"};
  std::vector<Checkpointed> checkpoints;
  EXPECT_EQ(load(fixture, {6'000}, {}, &checkpoints).rows.size(), 2'000u);
  ASSERT_FALSE(checkpoints.empty());
  const Checkpointed& at = checkpoints.front();
  ASSERT_GT(at.rows, 0u);
  const Loaded rest = load(fixture, {}, at.position);
  EXPECT_EQ(rest.rows.size(), 2'000u - at.rows);
  EXPECT_THAT(rest.rows, ::testing::Each("1|2"));
}

TEST(CsvHeader, RefusesToMakeASchemaOfNamesThatAreNone) {
  for (const char* header : {"a,\xff"}) {
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
