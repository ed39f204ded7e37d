// Formats and dialects as a user names them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/cli/command_test.h"

namespace leat::cli {
namespace {

using ::testing::HasSubstr;

TEST_F(CommandTest, InputFormatJsonlReadsColumnsByKey) {
  put("in/a.jsonl", "{\"id\": 1, \"name\": \"x\\ty\"}\n\n{\"name\": null, \"id\": 2}\n");
  const Outcome typed =
      leat("cat in/a.jsonl --input-format jsonl --schema 'id bigint, name text' --format jsonl");
  EXPECT_EQ(typed.status, 0) << typed.err;
  EXPECT_EQ(typed.out, "{\"id\":1,\"name\":\"x\\ty\"}\n{\"id\":2,\"name\":null}\n");
  const Outcome untyped = leat("cat in/a.jsonl --input-format jsonl");
  EXPECT_EQ(untyped.status, 0) << untyped.err;
  EXPECT_EQ(untyped.out, "id,name\n1,x\ty\n2,\n");
}

TEST_F(CommandTest, InputFormatLinesReadsEachAsOneText) {
  put("in/a.log", "a,\"b\r\n\nc");
  const Outcome lines = leat("cat in/a.log --input-format lines --format jsonl");
  EXPECT_EQ(lines.status, 0) << lines.err;
  EXPECT_EQ(lines.out, "{\"line\":\"a,\\\"b\"}\n{\"line\":\"\"}\n{\"line\":\"c\"}\n");
}

TEST_F(CommandTest, DialectsAreReadByPlace) {
  const std::string as_jsonl = " --schema 'id int, name text' --format jsonl";
  put("in/a.txt", "1\ta\\tb\n2\t\\N\n\\.\n");
  EXPECT_EQ(leat("cat in/a.txt --dialect postgres-text" + as_jsonl).out,
            "{\"id\":1,\"name\":\"a\\tb\"}\n{\"id\":2,\"name\":null}\n");
  put("in/a.csv", "1,a\"b,c\"d\n2,\"\"\n");
  EXPECT_EQ(leat("cat in/a.csv --dialect postgres" + as_jsonl).out,
            "{\"id\":1,\"name\":\"ab,cd\"}\n{\"id\":2,\"name\":\"\"}\n");
  put("in/000", "1|a\\|b\n2|\\N\n");
  EXPECT_EQ(leat("cat in/000 --dialect redshift --escape '\\' --null '\\N'" + as_jsonl).out,
            "{\"id\":1,\"name\":\"a|b\"}\n{\"id\":2,\"name\":null}\n");
}

TEST_F(CommandTest, FlagsGoOverTheDialect) {
  put("in/a.txt", "name;id\nx;1\nNA;2\n");
  const Outcome out = leat(
      "cat in/a.txt --dialect postgres-text --delimiter ';' --header --null NA "
      "--schema 'id int, name text' --format jsonl");
  EXPECT_EQ(out.out, "{\"id\":1,\"name\":\"x\"}\n{\"id\":2,\"name\":null}\n") << out.err;
}

TEST_F(CommandTest, RefusesFlagsThatAFormatDoesNotHave) {
  put("in/a.jsonl", "{\"id\":1}\n");
  for (const auto& [flags, named] :
       {std::pair("--input-format jsonl --delimiter ';'", "--delimiter has no meaning"),
        std::pair("--input-format jsonl --no-header", "--header has no meaning"),
        std::pair("--input-format lines --null x", "--null has no meaning"),
        std::pair("--input-format lines --dialect postgres", "--dialect has no meaning"),
        std::pair("--dialect postgres-text --quote x --schema 'a int'", "--quote has no meaning"),
        std::pair("--dialect postgres --comment x --schema 'a int'", "--comment"),
        std::pair("--dialect mysql", "--dialect"),
        std::pair("--input-format xml", "--input-format")}) {
    const Outcome refused = leat("cat in/a.jsonl " + std::string(flags));
    EXPECT_NE(refused.status, 0) << flags;
    EXPECT_THAT(refused.err, HasSubstr(named)) << flags;
  }
}

TEST_F(CommandTest, AnInterruptedLoadOfJsonLinesGoesOnWithItsColumns) {
  put("in/1.jsonl", "{\"a\":1,\"b\":\"x\"}\n{\"a\":2}\n");
  const std::string load =
      "load --once --settle 0 --input-format jsonl --from 'in/*.jsonl' --to sqlite:rows.db "
      "--table t --state st";
  EXPECT_EQ(leat(load).status, 0);
  put("in/2.jsonl", "{\"b\":\"y\",\"a\":3}\n");
  const Outcome second = leat(load + " --report report.json");
  EXPECT_EQ(second.status, 0) << second.err;
  EXPECT_THAT(content("report.json"), HasSubstr("\"rows\": 1"));
}

}  // namespace
}  // namespace leat::cli
