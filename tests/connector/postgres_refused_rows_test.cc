// Rows that a table of PostgreSQL refuses: which ones, why, and that all others get in.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/connector/postgres_sink_case.h"

namespace leat::connector {
namespace {

using testing::HasSubstr;

class RefusedRowsTest : public PostgresSinkTest {
 protected:
  /// Rows 1 to 1,000 with `bad` in some of them; the table refuses those and takes the others.
  std::vector<RejectedRow> refuse(const std::string& table_sql, const std::string& schema,
                                  const Cell& good, const Cell& bad) {
    reader_->run(table_sql);
    auto sink = opened({.keep_rejects = true, .reject_refused = true});
    ChunkBuilder builder(schema);
    for (int id = 1; id <= 1'000; ++id) {
      const bool is_bad = id == 1 || id == 500 || id == 501 || id == 1'000;
      builder.row(id, is_bad ? bad : good);
    }
    expect_ok(sink->write(builder.build()));
    auto refused = sink->settle();
    EXPECT_TRUE(refused) << refused.error().to_string();
    if (!refused || refused->size() != 1) return {};
    expect_ok(sink->commit(
        checkpoint(1, {progress_of(*builder.split(), SplitState::kFinished, 1, 996)})));
    EXPECT_EQ(reader_->one("SELECT count(*), count(DISTINCT id) FROM t"), "996|996");
    EXPECT_EQ(reader_->one("SELECT string_agg(record::text, ',' ORDER BY record) FROM leat.reject"),
              "1,500,501,1000");
    std::vector<RejectedRow> rows;
    const auto column = [this](const std::string& what) {
      return reader_->rows("SELECT " + what + " FROM leat.reject ORDER BY record");
    };
    const auto records = column("record");
    const auto offsets = column("byte_offset");
    const auto reasons = column("reason");
    const auto raws = column("encode(raw, 'escape')");
    for (std::size_t i = 0; i < records.size(); ++i) {
      RejectedRow& row = rows.emplace_back();
      row.record = std::stoull(records[i]);
      row.byte_offset = std::stoull(offsets[i]);
      row.reason = reasons[i];
      row.raw = raws[i];
    }
    EXPECT_EQ(refused->front().rows.size(), rows.size());
    return rows;
  }

  static void expect_reasons(const std::vector<RejectedRow>& rows, const std::string& state) {
    ASSERT_EQ(rows.size(), 4u);
    for (const RejectedRow& row : rows) {
      EXPECT_THAT(row.reason, HasSubstr("SQLSTATE " + state));
      EXPECT_EQ(row.byte_offset, (row.record - 1) * 10);
      EXPECT_THAT(row.raw, HasSubstr("{\"id\":\"" + std::to_string(row.record) + "\""));
    }
  }
};

TEST_F(RefusedRowsTest, Checks) {
  expect_reasons(refuse("CREATE TABLE t (id bigint, v text CHECK (v <> 'bad'))",
                        "id bigint, v text", "good", "bad"),
                 "23514");
}

TEST_F(RefusedRowsTest, NotNull) {
  expect_reasons(
      refuse("CREATE TABLE t (id bigint, v text NOT NULL)", "id bigint, v text", "good", nullptr),
      "23502");
}

TEST_F(RefusedRowsTest, ZeroBytesInText) {
  expect_reasons(refuse("CREATE TABLE t (id bigint, v text)", "id bigint, v text", "good",
                        std::string("a\0b", 3)),
                 "22021");
}

TEST_F(RefusedRowsTest, TextThatIsNoUtf8) {
  expect_reasons(refuse("CREATE TABLE t (id bigint, v text)", "id bigint, v text", "good", "\xc3("),
                 "22021");
}

TEST_F(RefusedRowsTest, NumericOverflow) {
  expect_reasons(refuse("CREATE TABLE t (id bigint, v numeric(5,2))", "id bigint, v numeric(9,2)",
                        99'999, 100'000),
                 "22003");
}

TEST_F(RefusedRowsTest, TextTooLong) {
  expect_reasons(
      refuse("CREATE TABLE t (id bigint, v varchar(3))", "id bigint, v text", "abc", "abcd"),
      "22001");
}

TEST_F(RefusedRowsTest, UniqueViolations) {
  reader_->run("CREATE TABLE t (id bigint PRIMARY KEY)");
  reader_->run("INSERT INTO t VALUES (7)");
  auto sink = opened({.keep_rejects = true, .reject_refused = true});
  ChunkBuilder builder("id bigint");
  for (int id = 1; id <= 10; ++id) builder.row(id).row(id % 3);
  expect_ok(sink->write(builder.build()));
  auto refused = sink->settle();
  ASSERT_TRUE(refused) << refused.error().to_string();
  ASSERT_EQ(refused->size(), 1u);
  // 0 once, 1 and 2 again, 7 was there.
  EXPECT_EQ(refused->front().rows.size(), 10u);
  expect_ok(
      sink->commit(checkpoint(1, {progress_of(*builder.split(), SplitState::kFinished, 1, 10)})));
  EXPECT_EQ(reader_->one("SELECT string_agg(id::text, ',' ORDER BY id) FROM t"),
            "0,1,2,3,4,5,6,7,8,9,10");
}

// Nothing says which row it was.
TEST_F(RefusedRowsTest, DeferredConstraints) {
  reader_->run(
      "CREATE TABLE parent (v text PRIMARY KEY); INSERT INTO parent VALUES ('good');"
      "CREATE TABLE made (id bigint, v text REFERENCES parent DEFERRABLE INITIALLY DEFERRED)");
  expect_reasons(refuse("ALTER TABLE made RENAME TO t", "id bigint, v text", "good", "bad"),
                 "23503");
}

TEST_F(RefusedRowsTest, WhatTriggersRaise) {
  reader_->run(
      "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
      "IF NEW.v = 'bad' THEN RAISE 'no, line 3'; END IF; RETURN NEW; END $$");
  expect_reasons(
      refuse("CREATE TABLE t (id bigint, v text); CREATE TRIGGER g AFTER INSERT ON t FOR EACH ROW "
             "EXECUTE FUNCTION no()",
             "id bigint, v text", "good", "bad"),
      "P0001");
}

TEST_F(RefusedRowsTest, WithoutAPolicyTheErrorTellsTheRow) {
  reader_->run("CREATE TABLE t (id bigint CHECK (id <> 3))");
  auto sink = opened();
  expect_ok(sink->write(ChunkBuilder("id bigint").row(1).row(2).row(3).build()));
  const auto settled = sink->settle();
  ASSERT_FALSE(settled);
  EXPECT_EQ(settled.error().code, ErrorCode::kBadValue);
  EXPECT_FALSE(settled.error().retryable);
  EXPECT_EQ(settled.error().at.record, 3u);
  EXPECT_EQ(settled.error().at.byte_offset, 20u);
  EXPECT_EQ(settled.error().at.object, "in/a.csv");
}

TEST_F(RefusedRowsTest, AreLimited) {
  reader_->run("CREATE TABLE t (id bigint CHECK (id < 0))");
  auto sink = opened({.keep_rejects = true, .reject_refused = true, .refused_rows_max = 2});
  expect_ok(sink->write(ChunkBuilder("id bigint").row(1).row(2).row(3).row(4).build()));
  const auto settled = sink->settle();
  ASSERT_FALSE(settled);
  EXPECT_THAT(settled.error().message, HasSubstr("--max-rejects"));
}

// The many are found on the server, where the table can be copied; else one by one.
TEST_F(RefusedRowsTest, AreFoundWhereMostAreRefused) {
  constexpr int kRows = 3'000;
  for (const std::string kind :
       {"id bigint CHECK (id % 2 = 0), v text", "id even, v text",
        "id bigint GENERATED ALWAYS AS IDENTITY CHECK (id % 2 = 0), v text"}) {
    reader_->run(
        "DROP TABLE IF EXISTS t; DROP SCHEMA IF EXISTS leat CASCADE; DROP DOMAIN IF EXISTS even; "
        "CREATE DOMAIN even AS bigint CHECK (value % 2 = 0); CREATE TABLE t (" +
        kind + ")");
    auto sink = opened({.keep_rejects = true, .reject_refused = true});
    ChunkBuilder builder("id bigint, v text");
    for (int id = 1; id <= kRows; ++id) builder.row(id, "value");
    expect_ok(sink->write(builder.build()));
    const auto refused = sink->settle();
    ASSERT_TRUE(refused) << refused.error().to_string();
    expect_ok(sink->commit(
        checkpoint(1, {progress_of(*builder.split(), SplitState::kFinished, 1, kRows / 2)})));
    EXPECT_EQ(reader_->one("SELECT count(*), sum(id) FROM t"), "1500|2251500");
    EXPECT_EQ(
        reader_->one("SELECT count(*), count(DISTINCT record), sum(record), min(code), "
                     "count(*) FILTER (WHERE reason LIKE '%SQLSTATE 23514%') FROM leat.reject"),
        "1500|1500|2250000|row_refused|1500");
    EXPECT_EQ(reader_->one("SELECT count(*) FROM pg_class WHERE relname LIKE 'leat\\_r%' AND "
                           "relpersistence = 't'"),
              "0");
  }
}

TEST_F(RefusedRowsTest, WhateverATriggerOrATypeCallsIt) {
  reader_->run(
      "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.v = 'bad' THEN "
      "RAISE 'no' USING ERRCODE = '45000'; END IF; RETURN NEW; END $$");
  expect_reasons(
      refuse("CREATE TABLE t (id bigint, v text); CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW "
             "EXECUTE FUNCTION no()",
             "id bigint, v text", "good", "bad"),
      "45000");
}

TEST_F(RefusedRowsTest, OfATypeWhoseInputHasErrorsOfItsOwn) {
  expect_reasons(
      refuse("CREATE TABLE t (id bigint, v tsquery)", "id bigint, v text", "good", "bad &"),
      "42601");
}

// Some of them do not even fit the types of the table.
TEST_F(RefusedRowsTest, AreFoundAmongOnesThatFitNoTable) {
  reader_->run("CREATE TABLE t (id bigint CHECK (id % 2 = 0), v varchar(5))");
  auto sink = opened({.keep_rejects = true, .reject_refused = true});
  ChunkBuilder builder("id bigint, v text");
  for (int id = 1; id <= 2'000; ++id) builder.row(id, id % 500 == 0 ? "too long" : "fits");
  expect_ok(sink->write(builder.build()));
  ASSERT_TRUE(sink->settle());
  expect_ok(
      sink->commit(checkpoint(1, {progress_of(*builder.split(), SplitState::kFinished, 1, 996)})));
  EXPECT_EQ(reader_->one("SELECT count(*), sum(id) FROM t"), "996|996000");
  EXPECT_EQ(reader_->one("SELECT count(*), count(DISTINCT record), count(*) FILTER (WHERE reason "
                         "LIKE '%SQLSTATE 22001%') FROM leat.reject"),
            "1004|1004|4");
}

TEST_F(RefusedRowsTest, WhatATriggerWritesElsewhere) {
  reader_->run(
      "CREATE TABLE audit (y text NOT NULL); "
      "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
      "INSERT INTO audit VALUES (NULLIF(NEW.v, 'bad')); RETURN NEW; END $$");
  expect_reasons(
      refuse("CREATE TABLE t (id bigint, v text); CREATE TRIGGER g AFTER INSERT ON t FOR EACH ROW "
             "EXECUTE FUNCTION note()",
             "id bigint, v text", "good", "bad"),
      "23502");
}

// Rows point at rows behind them, one of which is bad: the others point at good ones.
TEST_F(RefusedRowsTest, RowsThatPointAtLaterOnesGetIn) {
  reader_->run(
      "CREATE TABLE t (id bigint PRIMARY KEY, next bigint REFERENCES t, v text CHECK (v <> "
      "'bad'))");
  auto sink = opened({.keep_rejects = true, .reject_refused = true});
  ChunkBuilder builder("id bigint, next bigint, v text");
  constexpr int kRows = 200;
  // 50 is bad, and nobody points at it; 100 points at nothing that there is, and 99 at 100.
  for (int id = 1; id < kRows; ++id) {
    builder.row(id, id == 100 ? 1'000 : id == 49 ? 51 : id + 1, id == 50 ? "bad" : "good");
  }
  builder.row(kRows, nullptr, "good");
  expect_ok(sink->write(builder.build()));
  const auto refused = sink->settle();
  ASSERT_TRUE(refused) << refused.error().to_string();
  expect_ok(
      sink->commit(checkpoint(1, {progress_of(*builder.split(), SplitState::kFinished, 1, 100)})));
  // Of the chain up to 100 none can be there; of the one behind it all.
  EXPECT_EQ(reader_->one("SELECT min(id), count(*) FROM t"), "101|100");
  EXPECT_EQ(reader_->one("SELECT count(*), count(DISTINCT record) FROM leat.reject"), "100|100");
}

TEST_F(RefusedRowsTest, AreKeptInDatabasesThatLackTheirCharacters) {
  const std::string name = database_->name() + "_latin1";
  reader_->run("CREATE DATABASE " + name + " TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'");
  {
    SinkOptions options{.table = "t", .keep_rejects = true};
    auto opened_sink = open_sink(database_->uri("dbname=" + name), options);
    ASSERT_TRUE(opened_sink) << opened_sink.error().to_string();
    RowSink& sink = **opened_sink;
    ASSERT_TRUE(open_again(sink));
    ChunkBuilder builder("id bigint", "in/日.csv");
    builder.row(1).reject({.record = 2,
                           .byte_offset = 10,
                           .column = "id",
                           .text = "€",
                           .raw = "€",
                           .reason = "“€” is no number"});
    expect_ok(sink.write(builder.build()));
    expect_ok(
        sink.commit(checkpoint(1, {progress_of(*builder.split(), SplitState::kFinished, 1, 1)})));
    expect_ok(sink.close());
    test::PostgresSession reader(database_->connection() + " dbname=" + name);
    EXPECT_EQ(reader.one("SELECT object, text, encode(raw, 'hex') FROM leat.reject"),
              "in/\\xe6\\x97\\xa5.csv|\\xe2\\x82\\xac|e282ac");
  }
  reader_->run("DROP DATABASE " + name);
}

}  // namespace
}  // namespace leat::connector
