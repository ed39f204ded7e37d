// leat sniff: what it prints is what leat load takes.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/cli/command_test.h"

namespace leat::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kOddFile =
    "# a comment\n"
    "order id;it's;tab\tname\n"
    "1;\"x;y\";2026-11-20\n"
    "2;z;2026-11-21\n";

TEST_F(CommandTest, SniffPrintsFlagsThatLoadTakes) {
  put("in/a b.csv", kOddFile);
  const Outcome sniffed = leat("sniff 'in/*.csv'");
  EXPECT_EQ(sniffed.status, 0) << sniffed.err;
  EXPECT_EQ(sniffed.out,
            "--from 'in/*.csv' --delimiter ';' --comment '#' --schema '\"order id\" bigint, "
            "\"it'\\''s\" text, \"tab\tname\" date'\n");
  EXPECT_THAT(sniffed.err, AllOf(HasSubstr("2 records"), HasSubstr("header: column 1 holds")));
  put("flags", sniffed.out);
  const Outcome loaded =
      leat("--version >/dev/null; eval \"set -- $(cat flags)\"; " + std::string(LEAT_COMMAND) +
           " load \"$@\" --once --settle 0 --to - --state st");
  EXPECT_EQ(loaded.status, 0) << loaded.err;
  EXPECT_EQ(loaded.out, "order id,it's,tab\tname\n1,x;y,2026-11-20\n2,z,2026-11-21\n");
}

TEST_F(CommandTest, SniffSaysHowAWordForNullIsRead) {
  put("in/a.csv", "id,n\n1,5\n2,NA\n3,6\n");
  EXPECT_THAT(leat("sniff in/a.csv").err, HasSubstr("if it means null, add --null '' --null NA"));
  put("in/a.csv", "id,n\n1,5\n2,many\n3,6\n");
  EXPECT_THAT(leat("sniff in/a.csv").err, Not(HasSubstr("--null")));
}

TEST_F(CommandTest, SniffWritesAConfigurationFile) {
  put("in/a.csv", kOddFile);
  put("leat.toml", leat("sniff 'in/*.csv' --output toml").out +
                       "to = \"-\"\nstate = \"st\"\nonce = true\nsettle = 0\n");
  const Outcome loaded = leat("load");
  EXPECT_EQ(loaded.status, 0) << loaded.err << content("leat.toml");
  EXPECT_EQ(loaded.out, "order id,it's,tab\tname\n1,x;y,2026-11-20\n2,z,2026-11-21\n");
}

TEST_F(CommandTest, SniffWritesAStatementForPostgres) {
  put("in/a.csv", "id,\"the \"\"name\"\"\",at\n1,x,2026-11-20 10:00:00Z\n");
  EXPECT_EQ(leat("sniff in/a.csv --output sql --table 'my orders'").out,
            "CREATE TABLE \"my orders\" (\n  id bigint,\n  \"the \"\"name\"\"\" text,\n"
            "  at timestamptz\n);\n");
}

TEST_F(CommandTest, SniffTellsAllAsJson) {
  std::string bytes = "id,amount\n";
  for (int i = 1; i <= 5'000; ++i) {
    bytes += std::to_string(i) + (i == 1234 ? ",12.5\n" : ",12\n");
  }
  put("in/a.csv", bytes + "1,2,3\n");
  const Outcome outcome = leat("sniff in/a.csv --output json");
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json.at("schema"), "id bigint, amount double precision");
  EXPECT_EQ(json.at("records"), 5'001);
  EXPECT_EQ(json.at("records_misfit"), 1);
  EXPECT_EQ(json.at("misfits").at(0).at("record"), 5'001);
  const auto& near = json.at("columns").at(1).at("near");
  EXPECT_EQ(near.at("type"), "bigint");
  EXPECT_EQ(near.at("fits"), 4'999);
  EXPECT_EQ(near.at("first").at("record"), 1'234);
  EXPECT_EQ(near.at("first").at("text"), "12.5");
  EXPECT_THAT(leat("sniff in/a.csv").err,
              AllOf(HasSubstr("column amount: bigint fits 99.98 % of 5,000 values, record 1,234"),
                    HasSubstr("1 record would be rejected"), Not(HasSubstr("--null"))));
}

TEST_F(CommandTest, SniffNamesTextsThatMayMeanNull) {
  put("in/a.csv", "id,n\n1,5\n2,NA\n3,7\n4,NA\n5,8\n");
  EXPECT_THAT(leat("sniff in/a.csv").err, HasSubstr("--null '' --null NA"));
  EXPECT_EQ(leat("sniff in/a.csv --null '' --null NA").out,
            "--from in/a.csv --null '' --null NA --schema 'id bigint, n bigint'\n");
}

TEST_F(CommandTest, SniffReadsByPlaceUnderNamesThatAreNone) {
  put("in/a.csv", ",id,id,\xff\n1,2,x,3\n");
  const Outcome sniffed = leat("sniff in/a.csv");
  EXPECT_EQ(sniffed.out,
            "--from in/a.csv --skip-lines 1 --no-header --schema 'column1 bigint, id bigint, "
            "id_1 text, column4 bigint'\n");
  EXPECT_THAT(sniffed.err, HasSubstr("by place"));
}

TEST_F(CommandTest, NamesThatAHeaderHasTwiceLoadWithAndWithoutTheSniffedFlags) {
  put("in/a.csv", ",id,id\n1,2,x\n");
  const Outcome sniffed = leat("sniff in/a.csv");
  EXPECT_EQ(sniffed.out, "--from in/a.csv --schema 'column1 bigint, id bigint, id_1 text'\n");
  EXPECT_THAT(sniffed.err, HasSubstr("\"id\" in place 3 is \"id_1\""));
  EXPECT_EQ(leat("cat in/a.csv").out, "column1,id,id_1\n1,2,x\n");
  EXPECT_EQ(leat("cat in/a.csv --schema 'column1 bigint, id bigint, id_1 text'").out,
            "column1,id,id_1\n1,2,x\n");
  EXPECT_EQ(leat("cat in/a.csv --types text").out, "column1,id,id_1\n1,2,x\n");
}

TEST_F(CommandTest, SniffFindsADelimiterBehindEachRecord) {
  put("in/a.csv", "id,n\n1,2,\n3,4,\n");
  const Outcome sniffed = leat("sniff in/a.csv");
  EXPECT_EQ(sniffed.out,
            "--from in/a.csv --long-records ignore-empty --schema 'id bigint, n bigint'\n");
  EXPECT_THAT(sniffed.err, AllOf(HasSubstr("100 % of them regular"), HasSubstr("2 of 2 records")));
  EXPECT_EQ(leat("cat in/a.csv").out, "id,n\n1,2\n3,4\n");
  EXPECT_EQ(leat("cat in/a.csv --long-records ignore-empty --schema 'n bigint'").out, "n\n2\n4\n");
  EXPECT_EQ(leat("cat in/a.csv --long-records fail").status, 3);
}

TEST_F(CommandTest, SniffFindsTheTextFormatOfPostgresAndMySql) {
  put("in/a.tsv", "1\ta\\\\b\n2\t\\N\n");
  const Outcome sniffed = leat("sniff in/a.tsv");
  EXPECT_EQ(sniffed.out,
            "--from in/a.tsv --dialect postgres-text --schema 'column1 bigint, column2 text'\n");
  EXPECT_THAT(sniffed.err, HasSubstr("dialect postgres-text, delimiter tab, quote none, line end"));
  const std::string rows = "column1,column2\n1,a\\b\n2,\n";
  EXPECT_EQ(leat("cat in/a.tsv").out, rows);
  EXPECT_EQ(
      leat("cat in/a.tsv --dialect postgres-text --schema 'column1 bigint, column2 text'").out,
      rows);
}

TEST_F(CommandTest, SniffFailsWithAClearMessage) {
  put("in/a.bin", std::string("\x7f"
                              "ELF\x01\x01\x01\0\0\0\0\0",
                              12));
  const Outcome binary = leat("sniff in/a.bin");
  EXPECT_EQ(binary.status, 1);
  EXPECT_THAT(binary.err, AllOf(HasSubstr("ELF"), HasSubstr("a.bin")));
  EXPECT_EQ(leat("sniff in/none.csv").status, 1);
  EXPECT_EQ(leat("sniff").status, 2);
  EXPECT_EQ(leat("sniff in/a.bin --objects 0").status, 2);
  EXPECT_EQ(leat("sniff in/a.bin --output yaml").status, 2);
}

TEST_F(CommandTest, LoadFindsColumnsItselfAndSaysSo) {
  put("in/a.csv", "id;at\n1;2026-11-20\n");
  const Outcome loaded =
      leat("load --once --settle 0 --from 'in/*.csv' --to - --format jsonl --state st");
  EXPECT_EQ(loaded.status, 0) << loaded.err;
  EXPECT_EQ(loaded.out, "{\"id\":1,\"at\":\"2026-11-20\"}\n");
  EXPECT_THAT(loaded.err, AllOf(HasSubstr("id bigint, at date"), HasSubstr("--types text")));
  EXPECT_EQ(leat("cat in/a.csv --types text --format jsonl").out, "{\"id;at\":\"1;2026-11-20\"}\n");
}

TEST_F(CommandTest, DriftIsInSummaryAndReport) {
  put("in/a.csv", "id,n\n1,2\n");
  put("in/b.csv", "id,new\n2,3\n");
  put("in/c.csv", "id,n\n2,x\n");
  const Outcome loaded = leat(
      "load --once --settle 0 --from 'in/*.csv' --to null: --state st --schema 'id bigint, n "
      "bigint' --on-error null --report report.json");
  EXPECT_EQ(loaded.status, 0) << loaded.err;
  EXPECT_THAT(
      loaded.err,
      AllOf(HasSubstr("1 object with extra columns"), HasSubstr("1 object with missing"),
            HasSubstr("1 value read as null"), HasSubstr("column n: 1 value does not fit")));
  const auto report = nlohmann::json::parse(content("report.json"));
  EXPECT_EQ(report.at("objects_with_extra_columns"), 1);
  EXPECT_EQ(report.at("objects_with_missing_columns"), 1);
  EXPECT_EQ(report.at("objects_with_misfits"), 1);
  EXPECT_EQ(report.at("values_nulled"), 1);
}

}  // namespace
}  // namespace leat::cli
