// The commands that look at and mend what a pipeline has done, with PostgreSQL as its sink.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tests/cli/command_test.h"
#include "tests/connector/postgres_server.h"
#include "tests/support/test_bucket.h"

namespace leat::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class PostgresRepairCommandTest : public CommandTest {
 protected:
  void SetUp() override {
    CommandTest::SetUp();
    if (!test::PostgresDatabase::available()) GTEST_SKIP() << "LEAT_TEST_POSTGRES is not set";
    database_.emplace("repair_cli");
    session_.emplace(database_->connection());
    pipeline_ = pipeline("id bigint, name text");
    load_ = "load --once --log-level error" + pipeline_;
  }

  std::string pipeline(const std::string& schema) const {
    return " --from 'in/*.csv' --to '" + database_->uri() + "' --table t --state st --schema '" +
           schema + "' --lineage --settle 0 ";
  }
  std::vector<std::string> rows(const std::string& sql) { return session_->rows(sql); }
  std::vector<std::string> table() { return rows("SELECT id, name FROM t ORDER BY id, name"); }

  void replace(const std::string& name, const std::string& text) {
    put("next", text);
    fs::rename(path("next"), path(name));
  }
  static void expect_status(const Outcome& outcome, int status) {
    EXPECT_EQ(outcome.status, status) << outcome.out << outcome.err;
  }
  static json last_line(const std::string& text) {
    const std::size_t begin = text.rfind('\n', text.size() - 2);
    return json::parse(text.substr(begin == std::string::npos ? 0 : begin + 1));
  }

  std::optional<test::PostgresDatabase> database_;
  std::optional<test::PostgresSession> session_;
  std::string pipeline_;
  std::string load_;
};

TEST_F(PostgresRepairCommandTest, AuditNamesEachKindOfDifference) {
  for (const char* name : {"a", "b", "c", "d", "e", "f"}) {
    put(std::string("in/") + name + ".csv", "id,name\n1,x\n2,y\n");
  }
  put("in/q.csv", "id,name\n7,x\nnot a number,y\n");
  expect_status(leat(load_), 3);
  EXPECT_EQ(last_line(leat("audit --json" + pipeline_).out)["rows_counted"], 13);
  put("in/late.csv", "id,name\n9,z\n");
  replace("in/b.csv", "id,name\n1,x\n2,y\n3,z\n");
  fs::remove(path("in/c.csv"));
  rows("DELETE FROM t WHERE _object LIKE '%/a.csv' AND id = 1");
  rows("INSERT INTO t SELECT * FROM t WHERE _object LIKE '%/d.csv' AND id = 2");
  rows(
      "INSERT INTO t SELECT id, name, _object, 'other', _offset, _record FROM t WHERE _object LIKE "
      "'%/e.csv' AND id = 2");
  rows("DELETE FROM leat.position WHERE convert_from(key, 'UTF8') LIKE '%/f.csv'");
  const Outcome audit = leat("audit --json" + pipeline_);
  expect_status(audit, 1);
  std::vector<std::string> findings;
  std::istringstream lines(audit.out);
  for (std::string line; std::getline(lines, line);) {
    const json one = json::parse(line);
    if (!one.contains("finding")) continue;
    findings.push_back(one["finding"].get<std::string>() + " " +
                       fs::path(one["key"].get<std::string>()).filename().string());
  }
  EXPECT_THAT(findings,
              ElementsAre("rows_missing a.csv", "changed b.csv", "unlisted c.csv",
                          "rows_doubled d.csv", "rows_unknown e.csv", "record_differs f.csv",
                          "missing late.csv", "quarantined q.csv"));
}

TEST_F(PostgresRepairCommandTest, RewindTakesRowsOutAndTheNextLoadBringsThemBack) {
  put("in/a.csv", "id,name\n1,a\n2,b\n");
  put("in/b.csv", "id,name\n3,c\n");
  expect_status(leat(load_), 0);
  const Outcome rewind = leat("rewind --key 'in/a.csv'" + pipeline_);
  expect_status(rewind, 0);
  EXPECT_THAT(rewind.out, HasSubstr("1 object forgotten, 2 rows taken out of the table"));
  EXPECT_THAT(table(), ElementsAre("3|c"));
  EXPECT_THAT(leat("audit" + pipeline_).out, HasSubstr("1 missing"));
  // The sink alone remembers it, too.
  fs::remove_all(path("st"));
  expect_status(leat(load_), 0);
  EXPECT_THAT(table(), ElementsAre("1|a", "2|b", "3|c"));
  expect_status(leat("audit" + pipeline_), 0);
  EXPECT_EQ(last_line(leat("rewind --json --all" + pipeline_).out)["rows_removed"], 3);
  expect_status(leat(load_), 0);
  EXPECT_THAT(table(), ElementsAre("1|a", "2|b", "3|c"));
  expect_status(leat("audit" + pipeline_), 0);
}

TEST_F(PostgresRepairCommandTest, ReplayReplacesTheRowsOfAnObject) {
  put("in/a.csv", "id,name\n1,a\n2,b\n");
  put("in/b.csv", "id,name\n3,c\n");
  expect_status(leat(load_), 0);
  rows("UPDATE t SET name = 'broken'");
  const Outcome replay = leat("replay --key in/a.csv" + pipeline_);
  expect_status(replay, 0);
  EXPECT_THAT(replay.out, HasSubstr("1 object replayed: 2 rows written, 2 taken out first"));
  EXPECT_THAT(table(), ElementsAre("1|a", "2|b", "3|broken"));
  rows("DELETE FROM t WHERE id = 2");
  expect_status(leat("replay --key in/a.csv --bytes 12-16" + pipeline_), 0);
  EXPECT_THAT(table(), ElementsAre("1|a", "2|b", "3|broken"));
  const std::string copy =
      "replay --all --into '" + database_->uri() + "' --into-table copy" + pipeline_;
  expect_status(leat(copy), 0);
  expect_status(leat(copy), 0);
  EXPECT_THAT(rows("SELECT id, name FROM copy ORDER BY id"), ElementsAre("1|a", "2|b", "3|c"));
  expect_status(leat("replay --key in/a.csv --bytes 12-16 --into '" + database_->uri() +
                     "' --into-table part" + pipeline_),
                0);
  EXPECT_THAT(rows("SELECT id, name FROM part"), ElementsAre("2|b"));
  fs::remove(path("in/b.csv"));
  expect_status(leat("replay --all" + pipeline_), 3);
  EXPECT_THAT(table(), ElementsAre("1|a", "2|b", "3|broken"));
  expect_status(leat("audit" + pipeline_), 0);
}

TEST_F(PostgresRepairCommandTest, RedriveTurnsMendedRecordsAndRowsIntoRows) {
  rows(
      "CREATE TABLE t (id smallint, name text CHECK (name <> 'b'), at timestamptz, j jsonb, "
      "_object text, _version text, _offset bigint, _record bigint)");
  const std::string with =
      pipeline("id smallint, name text, at timestamptz, j json") + "--on-error reject";
  put("in/a.csv",
      "name,at,id,j\n"
      "a,2026-11-20 10:00:00Z,1,\"{\"\"x\"\": [1]}\"\n"
      "b,2026-11-20 10:00:00.000001+01,2,\"{\"\"x\"\": \"\"q\"\"}\"\n"
      "c,,x,\n"
      "\"b\",,4,null\n"
      "d,,y,\n");
  expect_status(leat("load --once --log-level error" + with), 0);
  EXPECT_THAT(table(), ElementsAre("1|a"));
  EXPECT_THAT(rows("SELECT record, code FROM leat.reject ORDER BY record"),
              ElementsAre("2|row_refused", "3|bad_value", "4|row_refused", "5|bad_value"));
  const std::string redrive = "redrive --json" + with;
  json report = last_line(leat(redrive).out);
  EXPECT_EQ(report["rejects"], 4);
  EXPECT_EQ(report["rows"], 0);
  EXPECT_EQ(report["refused"], 2);
  EXPECT_EQ(rows("SELECT count(*) FROM leat.reject"), std::vector<std::string>{"4"});
  // The rule goes for one of the rows, the other is corrected, and so is a record.
  rows("ALTER TABLE t DROP CONSTRAINT t_name_check, ADD CHECK (name <> 'b' OR id = 2)");
  rows("UPDATE leat.reject SET raw = convert_to('c,,3,', 'UTF8') WHERE record = 3");
  EXPECT_EQ(last_line(leat(redrive + " --dry-run").out)["rows"], 3);
  report = last_line(leat(redrive).out);
  EXPECT_EQ(report["rows"], 2);
  EXPECT_EQ(report["refused"], 1);
  EXPECT_THAT(rows("SELECT record, code FROM leat.reject ORDER BY record"),
              ElementsAre("4|row_refused", "5|bad_value"));
  rows(
      "UPDATE leat.reject SET raw = convert_to(replace(convert_from(raw, 'UTF8'), '\"b\"', "
      "'\"e\"'), 'UTF8') WHERE record = 4");
  EXPECT_EQ(last_line(leat(redrive).out)["rows"], 1);
  EXPECT_THAT(rows("SELECT id, name, at AT TIME ZONE 'UTC', j, _record FROM t ORDER BY id"),
              ElementsAre("1|a|2026-11-20 10:00:00|{\"x\": [1]}|1",
                          "2|b|2026-11-20 09:00:00.000001|{\"x\": \"q\"}|2", "3|c|NULL|NULL|3",
                          "4|e|NULL|null|4"));
  EXPECT_THAT(rows("SELECT count(DISTINCT (_object, _version)), min(_offset) FROM t"),
              ElementsAre("1|13"));
  expect_status(leat("audit" + with), 0);
}

TEST_F(PostgresRepairCommandTest, ARefusedRowComesBackWithEveryValueAsItWas) {
  const std::string columns =
      "b bool, i2 smallint, i4 integer, i8 bigint, f4 real, f8 double precision, d numeric(30,4), "
      "dt date, tm time, ts timestamp, tz timestamptz, tx text, by bytea, u uuid, j json";
  put("in/a.csv",
      "b,i2,i4,i8,f4,f8,d,dt,tm,ts,tz,tx,by,u,j\n"
      "true,-32768,-2147483648,-9223372036854775808,0.1,0.1,12345678901234567890123456.7891,"
      "0001-01-01,23:59:59.999999,1999-12-31 23:59:59.000001,2026-11-20 10:00:00.5+05:30,"
      "\"a \"\"q\"\" \\ \t\nü {}\",\\x00ff,6f9619ff-8b86-d011-b42d-00c04fc964ff,"
      "\"{\"\"a\"\": \"\"x\\ny\"\",\n  \"\"b\"\": [1, null]}\"\n"
      "false,32767,2147483647,9223372036854775807,NaN,-Infinity,-0.0001,9999-12-31,00:00:00,"
      "0001-01-01 00:00:00,0001-01-02 00:00:00Z,\"\",\\x,00000000-0000-0000-0000-000000000000,"
      "\"\"\"text\"\"\"\n"
      "true,,,,,,,,,,,,,,\n");
  const std::string with = pipeline(columns) + "--on-error reject ";
  rows("CREATE TABLE t (" + columns +
       " , _object text, _version text, _offset bigint, _record "
       "bigint, CONSTRAINT no CHECK (b IS NULL))");
  expect_status(leat("load --once --log-level error" + with), 0);
  EXPECT_EQ(rows("SELECT count(*) FROM leat.reject WHERE code = 'row_refused'"),
            std::vector<std::string>{"3"});
  rows("ALTER TABLE t DROP CONSTRAINT no");
  fs::rename(path("in/a.csv"), path("a.csv"));  // Nothing of the object is needed.
  EXPECT_EQ(last_line(leat("redrive --json" + with).out)["rows"], 3);
  fs::rename(path("a.csv"), path("in/a.csv"));
  std::string other = with;
  other.replace(other.find("--table t --state st"), 20, "--table o --state so");
  expect_status(leat("load --once --log-level error" + other), 0);
  EXPECT_EQ(rows("SELECT t::text FROM t ORDER BY _record"),
            rows("SELECT o::text FROM o ORDER BY _record"));
  EXPECT_EQ(rows("SELECT count(*) FROM o"), std::vector<std::string>{"3"});
}

TEST_F(PostgresRepairCommandTest, RedriveReadsTheRejectFile) {
  rows(
      "CREATE TABLE t (id bigint CHECK (id <> 2), name text, _object text, _version text, _offset "
      "bigint, _record bigint)");
  put("in/a.csv", "id,name\n1,a\n2,b\nx,c\n");
  put("in/b.csv", "id,name\n2,d\n");
  const std::string with = pipeline_ + "--on-error reject --rejects rejects.jsonl ";
  expect_status(leat("load --once --log-level error" + with), 0);
  EXPECT_THAT(table(), ElementsAre("1|a"));
  rows("ALTER TABLE t DROP CONSTRAINT t_id_check");
  const std::string before = content("rejects.jsonl");
  const json report = last_line(leat("redrive --json" + with).out);
  EXPECT_EQ(report["rejects"], 3);
  EXPECT_EQ(report["rows"], 2);
  EXPECT_THAT(table(), ElementsAre("1|a", "2|b", "2|d"));
  const std::string after = content("rejects.jsonl");
  EXPECT_EQ(std::count(after.begin(), after.end(), '\n'), 1);
  EXPECT_THAT(after, HasSubstr("x,c"));
  expect_status(leat("audit" + with), 0);
  // As if it had been killed before the file was written anew.
  put("rejects.jsonl", before);
  EXPECT_EQ(last_line(leat("redrive --json" + with).out)["rows"], 2);
  EXPECT_THAT(table(), ElementsAre("1|a", "2|b", "2|d"));
  EXPECT_EQ(content("rejects.jsonl"), after);
  expect_status(leat("audit" + with), 0);
}

TEST_F(PostgresRepairCommandTest, OnChangeReplacePutsTheNewRowsInPlaceOfTheOld) {
  put("in/a.csv", "id,name\n1,a\n2,b\n");
  put("in/b.csv", "id,name\n3,c\n");
  expect_status(leat(load_), 0);
  replace("in/a.csv", "id,name\n2,B\n4,d\n5,e\n");
  expect_status(leat(load_), 3);
  expect_status(leat(load_ + "--on-change replace"), 0);
  EXPECT_THAT(table(), ElementsAre("2|B", "3|c", "4|d", "5|e"));
  expect_status(leat("audit" + pipeline_), 0);
  replace("in/a.csv", "id,name\n6,f\nx,y\n");
  replace("in/b.csv", "id,name\n7,g\n");
  expect_status(leat(load_ + "--on-change replace"), 3);
  EXPECT_THAT(table(), ElementsAre("2|B", "4|d", "5|e", "7|g"));
}

TEST_F(PostgresRepairCommandTest, ObjectsOfAnS3ServiceAreReadAgain) {
  const std::unique_ptr<testing::TestBucket> bucket = testing::make_s3_bucket("repair");
  if (bucket == nullptr) GTEST_SKIP() << "LEAT_TEST_S3_ENDPOINT is not set";
  bucket->put("in/a b.csv", "id,name\n1,a\n2,b\n");
  bucket->put("in/sub/c+.csv", "id,name\n3,c\nx,d\n");
  std::string with = " --to '" + database_->uri() +
                     "' --table t --state st --schema 'id bigint, name text' --lineage "
                     "--on-error reject --rejects r.jsonl ";
  for (const std::string& flag : bucket->flags()) with += "'" + flag + "' ";
  const std::string load = "load --once --log-level error" + with;
  expect_status(leat(load), 0);
  rows("UPDATE t SET name = 'broken'");
  expect_status(leat("replay --all" + with), 0);
  EXPECT_THAT(table(), ElementsAre("1|a", "2|b", "3|c"));
  std::string lines = content("r.jsonl");
  ASSERT_THAT(lines, HasSubstr("x,d"));
  lines.replace(lines.find("x,d"), 3, "4,d");
  put("r.jsonl", lines);
  EXPECT_EQ(last_line(leat("redrive --json" + with).out)["rows"], 1);
  EXPECT_THAT(table(), ElementsAre("1|a", "2|b", "3|c", "4|d"));
  EXPECT_EQ(content("r.jsonl"), "");
  expect_status(leat("audit" + with), 0);
  bucket->put("in/a b.csv", "id,name\n5,e\n");
  EXPECT_THAT(leat("audit" + with).out, HasSubstr("changed"));
  expect_status(leat("rewind --key 'in/sub/**'" + with), 0);
  EXPECT_THAT(table(), ElementsAre("1|a", "2|b"));
  expect_status(
      leat("load --once --log-level error --on-change replace" +
           with.substr(0, with.find("--rejects")) + with.substr(with.find("r.jsonl") + 8)),
      0);
  EXPECT_THAT(table(), ElementsAre("3|c", "5|e"));
}

TEST_F(PostgresRepairCommandTest, RetryLetsTheNextLoadTakeQuarantinedObjectsUp) {
  put("in/a.csv", "id,name\n1,a\nx,b\n3,c\n");
  expect_status(leat(load_), 3);
  expect_status(leat("retry" + pipeline_), 0);
  expect_status(leat(load_ + "--on-error reject"), 0);
  EXPECT_THAT(table(), ElementsAre("1|a", "3|c"));
  expect_status(leat("audit" + pipeline_), 0);
}

TEST_F(PostgresRepairCommandTest, RepairOfATableWithoutLineageIsRefused) {
  const std::string bare = " --from 'in/*.csv' --to '" + database_->uri() +
                           "' --table t --state st --schema 'id bigint, name text' --settle 0 ";
  put("in/a.csv", "id,name\n1,a\nx,b\n");
  expect_status(leat("load --once --on-error reject --rejects r.jsonl" + bare), 0);
  EXPECT_THAT(leat("audit" + bare).out, HasSubstr("rows were not counted"));
  const Outcome rewind = leat("rewind --all" + bare);
  expect_status(rewind, 1);
  EXPECT_THAT(rewind.err, HasSubstr("--rows keep"));
  EXPECT_THAT(leat("replay --all" + bare).err, HasSubstr("--append"));
  EXPECT_THAT(leat("redrive --rejects r.jsonl" + bare).err, HasSubstr("--lineage"));
  EXPECT_THAT(table(), ElementsAre("1|a"));
  rows("DELETE FROM t");
  expect_status(leat("rewind --all --rows keep" + bare), 0);
  expect_status(leat("load --once --on-error reject" + bare), 0);
  EXPECT_THAT(table(), ElementsAre("1|a"));
}

}  // namespace
}  // namespace leat::cli
