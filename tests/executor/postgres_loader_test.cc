// Loads into PostgreSQL as a whole: what the table refuses, what is lost.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "leat/loader.h"
#include "tests/connector/postgres_server.h"
#include "tests/executor/continuous_load.h"
#include "tests/support/temporary_folder.h"

namespace leat {
namespace {

using ::testing::HasSubstr;

class PostgresLoaderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!test::PostgresDatabase::available()) GTEST_SKIP() << "LEAT_TEST_POSTGRES is not set";
    database_.emplace("loader");
    reader_.emplace(database_->connection());
    std::filesystem::create_directory(folder_.path() / "in");
  }

  void put(const std::string& name, const std::string& text) {
    std::ofstream(folder_.path() / "in" / name, std::ios::binary) << text;
  }

  LoaderOptions options() {
    LoaderOptions options;
    options.source.from = (folder_.path() / "in" / "**").string();
    options.source.state_dir = folder_.path() / "state";
    options.source.schema = *parse_schema("id bigint, name text");
    options.source.once = true;
    options.source.store.local.settle_ms = 0;
    options.to = database_->uri();
    options.sink.table = "t";
    return options;
  }

  LoaderOptions without_schema() {
    LoaderOptions with = options();
    with.source.schema.reset();
    with.source.types = SourceOptions::Types::kSniff;
    return with;
  }

  static Result<LoadReport> run(LoaderOptions options) {
    Result<std::unique_ptr<Loader>> loader = Loader::create(std::move(options));
    if (!loader) return std::move(loader).error();
    return (*loader)->run({}, {});
  }

  /// Waits until the table holds the rows, each once; false after a minute.
  bool arrives(int rows) {
    const std::string wanted = std::to_string(rows) + "|" + std::to_string(rows);
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (reader_->one("SELECT count(*), count(DISTINCT id) FROM t") != wanted) {
      if (std::chrono::steady_clock::now() > end) return false;
    }
    return true;
  }

  testing::TemporaryFolder folder_;
  std::optional<test::PostgresDatabase> database_;
  std::optional<test::PostgresSession> reader_;
};

// Somebody made the table, and says no types again.
TEST_F(PostgresLoaderTest, WithoutASchemaTheTableSaysTheTypes) {
  reader_->run("CREATE TYPE mood AS ENUM ('sad', 'happy')");
  reader_->run("CREATE DOMAIN positive AS integer CHECK (value > 0)");
  reader_->run(
      "CREATE TABLE t (\"ID\" integer, code varchar(8), price numeric(8,2), rate real, share "
      "numeric, day timestamp, mood mood, level positive, doc jsonb, tag xml, "
      "twice integer GENERATED ALWAYS AS (\"ID\" * 2) STORED, n bigint GENERATED ALWAYS AS "
      "IDENTITY)");
  put("a",
      "id,code,price,rate,share,day,mood,level,doc,tag\n"
      "1,007,5,1,3,2026-11-20,happy,3,{},<a/>\n"
      "2,1.50,2.5,0.5,4,2026-11-21T10:00:00,sad,4,\"[1, 2]\",b\n"
      "3000000000,x,1,1,1,2026-11-21,sad,1,{},\n"
      "4,x,1,1,1,2026-11-21,angry,1,{},\n"
      "5,x,1,1,1,2026-11-21,sad,-1,{},\n"
      "6,x,1,1,1,2026-11-21,sad,1,{},<a>\n");
  LoaderOptions with = without_schema();
  with.source.format.on_error = OnError::kReject;
  const Result<LoadReport> report = run(with);
  ASSERT_TRUE(report) << report.error().to_string();
  EXPECT_EQ(report->source.rows, 2u);
  EXPECT_EQ(report->source.rows_rejected, 4u);
  EXPECT_EQ(reader_->one("SELECT string_agg(concat_ws(' ', \"ID\", code, price, rate, share, day, "
                         "mood, level, doc, tag, twice), E'\\n' ORDER BY \"ID\") FROM t"),
            "1 007 5.00 1 3 2026-11-20 00:00:00 happy 3 {} <a/> 2\n"
            "2 1.50 2.50 0.5 4 2026-11-21 10:00:00 sad 4 [1, 2] b 4");
}

TEST_F(PostgresLoaderTest, TypesThatLeatDoesNotKnowAreReadByTheServer) {
  reader_->run(
      "CREATE TABLE t (id bigint, host inet, tags text[], took interval, share numeric, note text, "
      "raw bytea, at timestamptz)");
  put("a",
      "id,host,tags,took,share,note,raw,at\n"
      "1,10.0.0.1,\"{a,\"\"b c\"\"}\",1 day,1.50,\"a\tb\\c\nd\",\\x00ff,2026-11-20T10:00:00+01\n"
      "2,,,,,,,\n"
      "3,no address,{},1 day,1,x,\\x,2026-11-20T10:00:00Z\n"
      "4,::1,{},2:00,1e3,\\.,\\x,2026-11-20T10:00:00Z\n");
  LoaderOptions with = without_schema();
  with.source.format.on_error = OnError::kReject;
  const Result<LoadReport> report = run(with);
  ASSERT_TRUE(report) << report.error().to_string();
  EXPECT_EQ(report->source.rows, 3u);
  EXPECT_EQ(report->source.rows_rejected, 1u);
  EXPECT_EQ(reader_->one("SELECT string_agg(concat_ws('|', id, host, tags, took, share, note, raw, "
                         "at AT TIME ZONE 'UTC'), ';' ORDER BY id) FROM t"),
            "1|10.0.0.1|{a,\"b c\"}|1 day|1.50|a\tb\\c\nd|\\x00ff|2026-11-20 09:00:00;2;"
            "4|::1|{}|02:00:00|1000|\\.|\\x|2026-11-20 10:00:00");
  EXPECT_EQ(reader_->one("SELECT record || ' ' || code FROM leat.reject"), "3 row_refused");
}

TEST_F(PostgresLoaderTest, DatesInAFormatOfTheirOwnFillATablesTimestamps) {
  reader_->run("CREATE TABLE t (id smallint, day timestamp)");
  put("a", "id,day\n1,20.11.2026\n2,21.11.2026\n");
  LoaderOptions with = without_schema();
  with.source.format.date_format = "%d.%m.%Y";
  ASSERT_TRUE(run(with));
  EXPECT_EQ(reader_->one("SELECT string_agg(id || ' ' || day, ', ' ORDER BY id) FROM t"),
            "1 2026-11-20 00:00:00, 2 2026-11-21 00:00:00");
  // The second run has the schema from the state folder.
  put("b", "id,day\n3,01.12.2026\n");
  ASSERT_TRUE(run(with));
  EXPECT_EQ(reader_->one("SELECT count(*) FROM t"), "3");
}

TEST_F(PostgresLoaderTest, OneBadRowInEachOfAThousandFilesCostsNoOther) {
  reader_->run("CREATE TABLE t (id bigint, name text CHECK (name <> 'refused'))");
  for (int i = 0; i < 1'000; ++i) {
    // Half of them cannot be read, the others are refused by the table.
    const std::string id = std::to_string(3 * i);
    put(std::to_string(i), "id,name\n" + id + ",a\n" +
                               (i % 2 == 0 ? "no number,b\n" : "7,refused\n") +
                               std::to_string(3 * i + 1) + ",c\n");
  }
  LoaderOptions with = options();
  with.source.format.on_error = OnError::kReject;
  const Result<LoadReport> report = run(with);
  ASSERT_TRUE(report) << report.error().to_string();
  EXPECT_EQ(report->source.rows, 2'000u);
  EXPECT_EQ(report->source.rows_rejected, 1'000u);
  EXPECT_EQ(reader_->one("SELECT count(*), count(DISTINCT id), count(*) FILTER (WHERE name = 'a') "
                         "FROM t"),
            "2000|2000|1000");
  EXPECT_EQ(
      reader_->one("SELECT count(*), count(DISTINCT object), min(record), max(record), count(*) "
                   "FILTER (WHERE reason LIKE '%SQLSTATE 23514%') FROM leat.reject"),
      "1000|1000|2|2|500");
  // Nothing comes again.
  EXPECT_EQ(run(with)->source.rows, 0u);
}

TEST_F(PostgresLoaderTest, RefusedRowsGoToTheRejectFileWhereThereIsOne) {
  reader_->run("CREATE TABLE t (id bigint PRIMARY KEY, name text)");
  put("a", "id,name\n1,a\n2,b\n1,c\n");
  LoaderOptions with = options();
  with.source.format.on_error = OnError::kReject;
  with.rejects_file = folder_.path() / "rejects.jsonl";
  const Result<LoadReport> report = run(with);
  ASSERT_TRUE(report) << report.error().to_string();
  EXPECT_EQ(report->source.rows, 2u);
  std::ifstream in(with.rejects_file);
  const std::string text(std::istreambuf_iterator<char>(in), {});
  EXPECT_THAT(text, HasSubstr("SQLSTATE 23505"));
  EXPECT_EQ(reader_->one("SELECT count(*) FROM leat.reject"), "0");
}

TEST_F(PostgresLoaderTest, TooManyRejectsEndTheRunBeforeTheyAreCommitted) {
  const auto expect_nothing = [this] {
    EXPECT_EQ(reader_->one("SELECT count(*) FROM t"), "0");
    EXPECT_EQ(reader_->one("SELECT count(*) FROM leat.reject"), "0");
  };
  put("a", "id,name\n1,a\nx,b\ny,c\n2,d\n");
  LoaderOptions with = options();
  with.source.format.on_error = OnError::kReject;
  with.rejects_max = 1;
  Result<LoadReport> report = run(with);
  ASSERT_FALSE(report);
  EXPECT_THAT(report.error().message, HasSubstr("2 of "));
  expect_nothing();
  with.rejects_max = 2;
  with.rejects_percent_max = 49;
  report = run(with);
  ASSERT_FALSE(report);
  EXPECT_THAT(report.error().message, HasSubstr("--max-rejects"));
  expect_nothing();
  with.rejects_percent_max = 50;
  report = run(with);
  ASSERT_TRUE(report) << report.error().to_string();
  EXPECT_EQ(reader_->one("SELECT count(*) FROM t"), "2");
}

// More than are held in memory: they go to their table before the commit.
TEST_F(PostgresLoaderTest, ManyRejectsAreCommittedWithTheirEpochOrNotAtAll) {
  constexpr int kRejects = 60'000;
  std::string text = "id,name\n1,a\n";
  for (int i = 0; i < kRejects; ++i)
    text += "x" + std::to_string(i) + "," + std::string(80, 'n') + "\n";
  put("a", text + "2,b\n");
  LoaderOptions with = options();
  with.source.format.on_error = OnError::kReject;
  with.checkpoint_interval = std::chrono::hours(1);  // One epoch, however slow the machine is.
  with.rejects_max = kRejects - 1;
  ASSERT_FALSE(run(with));
  EXPECT_EQ(reader_->one("SELECT count(*) FROM t"), "0");
  EXPECT_EQ(reader_->one("SELECT count(*) FROM leat.reject"), "0");
  with.rejects_max = kRejects;
  const Result<LoadReport> report = run(with);
  ASSERT_TRUE(report) << report.error().to_string();
  EXPECT_EQ(reader_->one("SELECT count(*) FROM t"), "2");
  EXPECT_EQ(reader_->one("SELECT count(*), count(DISTINCT record), max(record) FROM leat.reject"),
            "60000|60000|60001");
}

TEST_F(PostgresLoaderTest, RecoversFromTheTableWhenTheStateFolderIsLost) {
  put("a", many_rows(0, 100));
  ASSERT_TRUE(run(options()));
  std::filesystem::remove_all(folder_.path() / "state");
  put("b", many_rows(100, 100));
  ASSERT_TRUE(run(options()));
  EXPECT_EQ(reader_->one("SELECT count(*), count(DISTINCT id) FROM t"), "200|200");
}

TEST_F(PostgresLoaderTest, AContinuousLoadOutlastsTheLossOfItsConnections) {
  put("a", many_rows(0, 10));
  ContinuousLoad load(options());
  ASSERT_TRUE(load.has_rows(10)) << load.messages();
  reader_->run(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
      "AND pid <> pg_backend_pid()");
  put("b", many_rows(10, 10));
  ASSERT_TRUE(load.says("loaded again")) << load.messages();
  EXPECT_TRUE(arrives(20)) << load.messages();
  const Result<LoadReport> report = load.stop();
  ASSERT_TRUE(report) << report.error().to_string();
}

TEST_F(PostgresLoaderTest, AContinuousLoadOutlastsAServerThatTakesNoWrites) {
  put("a", many_rows(0, 10));
  ContinuousLoad load(options());
  ASSERT_TRUE(load.has_rows(10)) << load.messages();
  const std::string database = "ALTER DATABASE " + database_->name() + " ";
  reader_->run(database + "SET default_transaction_read_only = on");
  reader_->run(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
      "AND pid <> pg_backend_pid()");
  put("b", many_rows(10, 10));
  EXPECT_TRUE(load.says("read-only mode")) << load.messages();
  reader_->run(database + "SET default_transaction_read_only = off");
  EXPECT_TRUE(arrives(20)) << load.messages();
  const Result<LoadReport> report = load.stop();
  EXPECT_TRUE(report) << report.error().to_string();
}

TEST_F(PostgresLoaderTest, AContinuousLoadOutlastsAnAlteredTable) {
  reader_->run("CREATE TABLE t (id numeric, name varchar)");
  put("a", many_rows(0, 10));
  ContinuousLoad load(options());
  ASSERT_TRUE(load.has_rows(10)) << load.messages();
  reader_->run("ALTER TABLE t ALTER id TYPE bigint, ALTER name TYPE text, ADD more integer");
  put("b", many_rows(10, 10));
  EXPECT_TRUE(arrives(20)) << load.messages();
  const Result<LoadReport> report = load.stop();
  EXPECT_TRUE(report) << report.error().to_string();
}

TEST_F(PostgresLoaderTest, ADroppedTableEndsTheLoadAndIsNotMadeAnew) {
  put("a", many_rows(0, 10));
  ContinuousLoad load(options());
  ASSERT_TRUE(load.has_rows(10)) << load.messages();
  reader_->run("DROP TABLE t");
  put("b", many_rows(10, 10));
  const Result<LoadReport> report = load.ended();
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kStateMismatch);
  EXPECT_THAT(report.error().message, HasSubstr("is gone"));
  EXPECT_EQ(reader_->one("SELECT to_regclass('t') IS NULL"), "t");
}

}  // namespace
}  // namespace leat
