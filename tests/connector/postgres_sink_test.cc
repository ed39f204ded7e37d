// Rows in PostgreSQL: types, tables, transactions over several connections, and what goes wrong.

#include "connector/postgres/postgres_sink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "tests/connector/postgres_sink_case.h"

namespace leat::connector {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kAllTypes =
    "b bool, i2 smallint, i4 integer, i8 bigint, f4 real, f8 double precision, d numeric(18,4), dt "
    "date, tm time, ts timestamp, tz timestamptz, tx text, by bytea, u uuid, j json";

TEST_F(PostgresSinkTest, EveryTypeArrivesAsItIs) {
  const std::string uuid("\x6f\x96\x19\xff\x8b\x86\xd0\x11\xb4\x2d\x00\xc0\x4f\xc9\x64\xff", 16);
  ChunkBuilder builder(kAllTypes);
  builder.row(1, -32768, INT32_MIN, INT64_MIN, 0.1, 0.1, 12345678, 0, 86'399'999'999,
              1'600'000'000'123'456, -1, "ü", std::string("\0\xff", 2), uuid, "{\"a\":  1}");
  builder.row(0, 32767, INT32_MAX, INT64_MAX, -1.5, 1e308, -1, -719'162, 0, 0, 0, "", "", uuid,
              "null");
  builder.row(nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
              nullptr, nullptr, nullptr, nullptr, nullptr, nullptr);
  auto sink = opened();
  load(*sink, builder);
  const RowChunk chunk = builder.build();
  std::vector<std::string> expected;
  for (std::int64_t row = 0; row < chunk.rows; ++row) {
    std::string text;
    for (std::size_t c = 0; c < chunk.columns.size(); ++c) {
      if (c > 0) text += "|";
      if (chunk.columns[c].is_null(row)) {
        text += "NULL";
      } else {
        append_value_text(chunk.schema->fields[c].type, chunk.columns[c], row, text);
      }
    }
    expected.push_back(text);
  }
  EXPECT_EQ(
      reader_->rows("SELECT b::text, i2, i4, i8, f4, f8, d, dt, tm, ts, tz, tx, by, u, j FROM "
                    "t ORDER BY i2 NULLS LAST"),
      expected);
  EXPECT_EQ(reader_->one("SELECT string_agg(format_type(atttypid, atttypmod), ',' ORDER BY attnum) "
                         "FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0"),
            "boolean,smallint,integer,bigint,real,double precision,numeric(18,4),date,time without "
            "time zone,timestamp without time zone,timestamp with time zone,text,bytea,uuid,json");
}

TEST_F(PostgresSinkTest, DecimalsOfEveryScaleKeepEachDigit) {
  std::mt19937_64 random(7);
  std::string schema = "n bigint";
  for (int scale = 0; scale <= 38; ++scale) {
    schema += ", d" + std::to_string(scale) + " numeric(38," + std::to_string(scale) + ")";
  }
  ChunkBuilder builder(schema);
  constexpr int kRows = 60;
  RowChunk chunk = builder.build();
  chunk.rows = kRows;
  std::vector<std::string> expected(kRows);
  for (std::int64_t row = 0; row < kRows; ++row) {
    chunk.record_numbers.push_back(row + 1);
    chunk.record_offsets.push_back(row);
    chunk.columns[0].values.push_back(row);
    for (std::size_t c = 1; c < chunk.columns.size(); ++c) {
      // Up to 38 digits, of every length, with zeros inside and at the end.
      __extension__ __int128 value = 0;
      const int digits = static_cast<int>(random() % 39);
      for (int i = 0; i < digits; ++i) {
        value = value * 10 + static_cast<int>(random() % 3 == 0 ? 0 : random() % 10);
      }
      if (random() % 2 == 0) value = -value;
      chunk.columns[c].values.push_back(value);
      if (c > 1) expected[static_cast<std::size_t>(row)] += "|";
      append_value_text(chunk.schema->fields[c].type, chunk.columns[c], row,
                        expected[static_cast<std::size_t>(row)]);
    }
  }
  auto sink = opened();
  expect_ok(sink->write(chunk));
  expect_ok(sink->commit(checkpoint(1, {progress_of(*chunk.split, SplitState::kFinished, 1, 60)})));
  reader_->run("CREATE TABLE again (LIKE t)");
  std::string columns = "d0";
  for (int scale = 1; scale <= 38; ++scale) columns += ", d" + std::to_string(scale);
  EXPECT_EQ(reader_->rows("SELECT " + columns + " FROM t ORDER BY n"), expected);
  // The same digits are also the same bytes: as PostgreSQL itself would have stored them.
  for (const std::string& row : expected) {
    std::string values = "0";
    for (const char c : "|" + row) values += c == '|' ? "," : std::string(1, c);
    reader_->run("INSERT INTO again VALUES (" + values + ")");
  }
  EXPECT_EQ(reader_->one("SELECT count(*) FROM t JOIN again ON record_image_eq(ROW(t.d0, t.d7, "
                         "t.d38), ROW(again.d0, again.d7, again.d38))"),
            std::to_string(kRows));
}

TEST_F(PostgresSinkTest, WritesIntoWiderTypesOfAnExistingTable) {
  reader_->run(
      "CREATE TYPE mood AS ENUM ('sad', 'glad'); "
      "CREATE DOMAIN positive AS bigint CHECK (value > 0); "
      "CREATE TABLE t (a bigint, b numeric, c text, d timestamp, e double precision, f jsonb, "
      "g mood, h varchar(10), i numeric(20,6), j positive, k text, l text, z integer DEFAULT 7)");
  ChunkBuilder builder(
      "a smallint, b integer, c bigint, d date, e real, f text, g text, h text, i numeric(10,2), j "
      "integer, k timestamptz, l numeric(10,2)");
  builder.row(-1, 40'000, INT64_MAX, 1, 0.5, "{\"x\": [1,  2]}", "glad", "short", 12345, 3, 0, -5);
  auto sink = opened();
  load(*sink, builder);
  EXPECT_EQ(reader_->one("SELECT * FROM t"),
            "-1|40000|9223372036854775807|1970-01-02 00:00:00|0.5|{\"x\": [1, 2]}|glad|short|"
            "123.450000|3|1970-01-01 00:00:00+00|-0.05|7");
}

TEST_F(PostgresSinkTest, NamesEveryDifferenceOfAnExistingTable) {
  const Error error = refused_schema(
      "CREATE TABLE t (a smallint, b integer GENERATED ALWAYS AS (a + 1) STORED, "
      "need text NOT NULL, fine text NOT NULL DEFAULT 'x', n numeric(10,1), s timestamp(0))",
      "a bigint, b integer, c text, n numeric(10,2), s timestamp");
  EXPECT_EQ(error.code, ErrorCode::kSchemaMismatch);
  EXPECT_THAT(error.message,
              AllOf(HasSubstr("\"a\" is of type smallint"), HasSubstr("\"b\" is generated"),
                    HasSubstr("no column \"c\" text"), HasSubstr("\"need\" is NOT NULL"),
                    HasSubstr("numeric(10,1)"), HasSubstr("timestamp(0)"), Not(HasSubstr("fine"))));
}

TEST_F(PostgresSinkTest, FindsColumnsWhoseNamesDifferInCase) {
  reader_->run("CREATE TABLE t (id bigint, name text)");
  auto sink = opened();
  load(*sink, ChunkBuilder("ID bigint, \"Name\" text").row(1, "a"));
  EXPECT_EQ(reader_->one("SELECT id, name FROM t"), "1|a");
}

TEST_F(PostgresSinkTest, TakesQualifiedQuotedAndUnicodeNames) {
  reader_->run("CREATE SCHEMA \"Straße 9\"");
  auto sink = opened({.table = "\"Straße 9\".\"a \"\"b\"\".c\""});
  load(*sink, ChunkBuilder("\"größe, \"\"x\"\"\" bigint, select text").row(1, "a"));
  EXPECT_EQ(
      reader_->one("SELECT \"größe, \"\"x\"\"\", \"select\" FROM \"Straße 9\".\"a \"\"b\"\".c\""),
      "1|a");
}

TEST_F(PostgresSinkTest, MakesNoTableWhenToldSo) {
  auto sink = opened({.table = "t", .create_table = false});
  const Result<void> written = sink->write(ChunkBuilder("a bigint").row(1).build());
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::kNotFound);
}

TEST_F(PostgresSinkTest, SaysWhatToDoAboutTooManyColumns) {
  std::string schema = "c0 bigint";
  for (int i = 1; i <= 1'600; ++i) schema += ", c" + std::to_string(i) + " bigint";
  auto sink = opened();
  const Result<void> written = sink->write(ChunkBuilder(schema).build());
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().message, AllOf(HasSubstr("the table \"t\" would have 1601 columns"),
                                             HasSubstr("--schema"), HasSubstr("SQLSTATE 54011")));
}

TEST_F(PostgresSinkTest, CommitsRowsRejectsAndPositionsTogether) {
  auto sink = opened({.keep_rejects = true});
  ChunkBuilder builder("a bigint", "in/\xff.csv");
  builder.row(1).row(2).reject({.record = 3,
                                .byte_offset = 20,
                                .column = "a",
                                .text = std::string("x\0y", 3),
                                .raw = std::string("x\0y", 3),
                                .reason = "no number"});
  expect_ok(sink->write(builder.build()));
  ASSERT_TRUE(sink->settle());
  EXPECT_EQ(reader_->one("SELECT count(*) FROM t"), "0");
  expect_ok(
      sink->commit(checkpoint(1, {progress_of(*builder.split(), SplitState::kReading, 1, 2)})));
  EXPECT_EQ(reader_->one("SELECT count(*) FROM t"), "2");
  EXPECT_EQ(reader_->one("SELECT object, encode(key, 'hex'), record, byte_offset, column_name, "
                         "text, encode(raw, 'hex'), code, reason FROM leat.reject"),
            "in/\\xff.csv|696e2fff2e637376|3|20|a|x\\x00y|780079|bad_value|no number");
  expect_ok(sink->close());

  sink = opened();
  EXPECT_EQ(mark_, (EpochMark{.epoch = 1, .token = 1'001, .parent = 1'000}));
  ASSERT_EQ(visited_.size(), 1u);
  EXPECT_EQ(visited_[0].object.key, "in/\xff.csv");
  EXPECT_EQ(visited_[0].position.parser_state, "ps");
}

TEST_F(PostgresSinkTest, DropsTheRecordOfForgottenObjectsAndKeepsTheirRows) {
  auto sink = opened();
  ChunkBuilder builder("a bigint", "in/a.csv");
  expect_ok(sink->write(builder.row(1).build()));
  ASSERT_TRUE(sink->settle());
  expect_ok(
      sink->commit(checkpoint(1, {progress_of(*builder.split(), SplitState::kFinished, 1, 1)})));
  expect_ok(
      sink->commit(checkpoint(2, {progress_of(*builder.split(), SplitState::kForgotten, 2, 1)})));
  EXPECT_EQ(reader_->one("SELECT count(*) FROM leat.position"), "0");
  EXPECT_EQ(reader_->one("SELECT count(*) FROM t"), "1");
  expect_ok(sink->close());
  sink = opened();
  EXPECT_EQ(mark_.epoch, 2u);
  EXPECT_TRUE(visited_.empty());
}

TEST_F(PostgresSinkTest, ForgetsWhatWasNotCommitted) {
  auto sink = opened();
  expect_ok(sink->write(ChunkBuilder("a bigint").row(1).build()));
  ASSERT_TRUE(sink->settle());
  expect_ok(sink->close());
  sink = opened();
  EXPECT_EQ(mark_.epoch, 0u);
  EXPECT_EQ(reader_->one("SELECT count(*) FROM t"), "0");
}

TEST_F(PostgresSinkTest, RefusesAStateFolderOfAnotherHistory) {
  auto sink = opened();
  load(*sink, ChunkBuilder("a bigint").row(1));
  expect_ok(sink->close());
  auto other = make_sink();
  const auto mark = open_again(*other, {.epoch = 1, .token = 5, .parent = 0});
  ASSERT_FALSE(mark);
  EXPECT_EQ(mark.error().code, ErrorCode::kStateMismatch);
}

// One connection committed the epoch, the other did not: each split is what its own row says.
TEST_F(PostgresSinkTest, AnEpochThatOnlyOneConnectionCommittedIsTrueSplitBySplit) {
  auto sink = opened();
  ChunkBuilder a("a bigint", "a");
  ChunkBuilder b("a bigint", "b");
  expect_ok(sink->write(a.row(1).build()));
  expect_ok(sink->write(b.row(2).build()));
  ASSERT_TRUE(sink->settle());
  // The two writers are in a transaction; the later one holds the rows of "b".
  ASSERT_EQ(
      reader_->one("SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM "
                   "pg_stat_activity WHERE datname = current_database() AND application_name "
                   "LIKE 'leat %' AND xact_start IS NOT NULL ORDER BY xact_start DESC LIMIT 1) "
                   "w"),
      "1");
  const Result<void> committed =
      sink->commit(checkpoint(1, {progress_of(*a.split(), SplitState::kFinished, 1, 1),
                                  progress_of(*b.split(), SplitState::kFinished, 1, 1)}));
  ASSERT_FALSE(committed);
  EXPECT_TRUE(committed.error().retryable) << committed.error().to_string();
  expect_ok(sink->close());
  const std::string there = reader_->one("SELECT string_agg(a::text, ',') FROM t");
  visited_.clear();
  auto mark = sink->open("p", {}, [this](const SplitProgress& progress) {
    visited_.push_back(progress);
    return Result<void>();
  });
  ASSERT_TRUE(mark) << mark.error().to_string();
  EXPECT_EQ(mark->epoch, 1u);
  ASSERT_EQ(visited_.size(), 1u);
  EXPECT_EQ(there, visited_[0].object.key == "a" ? "1" : "2");
  // The other one comes again, as the next epoch.
  const ChunkBuilder& missing = visited_[0].object.key == "a" ? b : a;
  expect_ok(sink->write(missing.build()));
  expect_ok(sink->commit({.epoch = 2,
                          .splits = {progress_of(*missing.split(), SplitState::kFinished, 2, 1)},
                          .token = 5,
                          .parent = mark->token}));
  EXPECT_EQ(reader_->one("SELECT string_agg(a::text, ',' ORDER BY a) FROM t"), "1,2");
}

TEST_F(PostgresSinkTest, ALoaderThatWasTakenOverWritesNothing) {
  auto first = opened();
  load(*first, ChunkBuilder("a bigint").row(1));
  auto second = opened();
  ChunkBuilder more("a bigint", "b");
  expect_ok(first->write(more.row(2).build()));
  const Result<void> committed =
      first->commit(checkpoint(2, {progress_of(*more.split(), SplitState::kFinished, 2, 1)}));
  ASSERT_FALSE(committed);
  EXPECT_EQ(committed.error().code, ErrorCode::kFenced);
  EXPECT_EQ(reader_->one("SELECT string_agg(a::text, ',') FROM t"), "1");
  expect_ok(first->close());
  const auto again = open_again(*first);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::kFenced);
}

TEST_F(PostgresSinkTest, TakesOverFromALoaderThatStandsStillInATransaction) {
  auto first = opened();
  ChunkBuilder builder("a bigint");
  expect_ok(first->write(builder.row(1).build()));
  ASSERT_TRUE(first->settle());  // Its transaction is open, and holds the owner's row.
  auto second = opened();
  const Result<void> committed =
      first->commit(checkpoint(1, {progress_of(*builder.split(), SplitState::kFinished, 1, 1)}));
  ASSERT_FALSE(committed);
  expect_ok(first->close());
  EXPECT_EQ(open_again(*first).error().code, ErrorCode::kFenced);
  load(*second, builder);
  EXPECT_EQ(reader_->one("SELECT string_agg(a::text, ',') FROM t"), "1");
}

TEST_F(PostgresSinkTest, GoesOnAfterItsSessionsWereEnded) {
  auto sink = opened();
  load(*sink, ChunkBuilder("a bigint").row(1));
  reader_->run(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
      "AND pid <> pg_backend_pid()");
  ChunkBuilder more("a bigint", "b");
  expect_ok(sink->write(more.row(2).build()));
  const auto settled = sink->settle();
  ASSERT_FALSE(settled);
  EXPECT_TRUE(settled.error().retryable) << settled.error().to_string();
  expect_ok(sink->close());
  ASSERT_TRUE(open_again(*sink, {.epoch = 1, .token = 1'001, .parent = 1'000}));
  load(*sink, more, 2);
  EXPECT_EQ(reader_->one("SELECT string_agg(a::text, ',' ORDER BY a) FROM t"), "1,2");
}

TEST_F(PostgresSinkTest, ARecordOfLoadedRowsOutlivesTheNewsOfAnotherVersion) {
  auto sink = opened();
  ChunkBuilder builder("a bigint");
  load(*sink, builder.row(1));
  ObjectVersion other = *builder.split();
  other.version = "v2";
  expect_ok(sink->commit(checkpoint(2, {progress_of(other, SplitState::kNoted, 2, 0)})));
  expect_ok(sink->close());
  sink = opened();
  ASSERT_EQ(visited_.size(), 1u);
  EXPECT_EQ(visited_[0].object.version, "v1");
  EXPECT_EQ(visited_[0].state, SplitState::kFinished);
}

TEST_F(PostgresSinkTest, AColumnThatLeatDoesNotFillIsNoFaultOfRows) {
  auto sink = opened({.keep_rejects = true, .reject_refused = true});
  load(*sink, ChunkBuilder("id bigint").row(1));
  reader_->run(
      "ALTER TABLE t ADD COLUMN need text CHECK (true); UPDATE t SET need = ''; "
      "ALTER TABLE t ALTER need SET NOT NULL");
  expect_ok(sink->write(ChunkBuilder("id bigint", "b").row(2).build()));
  const auto settled = sink->settle();
  ASSERT_FALSE(settled);
  EXPECT_NE(settled.error().code, ErrorCode::kFenced);
  expect_ok(sink->close());
  ASSERT_TRUE(open_again(*sink));
  const Result<void> written = sink->write(ChunkBuilder("id bigint", "b").row(2).build());
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::kSchemaMismatch);
}

TEST_F(PostgresSinkTest, StartsOverWhenTheTableWasAltered) {
  auto sink = opened();
  load(*sink, ChunkBuilder("id integer").row(1));
  reader_->run("ALTER TABLE t ALTER id TYPE bigint");
  ChunkBuilder more("id integer", "b");
  expect_ok(sink->write(more.row(2).build()));
  const auto settled = sink->settle();
  ASSERT_FALSE(settled);
  EXPECT_TRUE(settled.error().retryable) << settled.error().to_string();
  expect_ok(sink->close());
  ASSERT_TRUE(open_again(*sink));
  load(*sink, more, 2);
  EXPECT_EQ(reader_->one("SELECT string_agg(id::text, ',' ORDER BY id) FROM t"), "1,2");
}

// What PostgreSQL would take, as its bytes have the right width: 6 as 3e-323, "ABCD" for a number.
TEST_F(PostgresSinkTest, NoRowGoesIntoATableThatWasAlteredSinceItWasMatched) {
  for (const auto& [from, to, good] : {std::tuple{"bigint", "double precision", Cell(6)},
                                       {"bigint", "timestamp USING '2026-01-01'", 6},
                                       {"integer", "real", 1'078'530'011},
                                       {"integer", "text", 1'094'861'636},
                                       {"text", "bigint USING 0", "12345678"},
                                       {"double precision", "bigint", 0.5},
                                       {"numeric(10,2)", "numeric(10,0)", 755}}) {
    reader_->run("DROP TABLE IF EXISTS t; DROP SCHEMA IF EXISTS leat CASCADE");
    auto sink = opened({.keep_rejects = true, .reject_refused = true});
    const std::string schema = "id bigint, v " + std::string(from);
    load(*sink, ChunkBuilder(schema).row(1, good));
    reader_->run("ALTER TABLE t ALTER v TYPE " + std::string(to));
    ChunkBuilder more(schema, "b");
    expect_ok(sink->write(more.row(2, good).build()));
    const auto settled = sink->settle();
    Result<void> committed =
        settled
            ? sink->commit(checkpoint(2, {progress_of(*more.split(), SplitState::kFinished, 2, 1)}))
            : Result<void>(settled.error());
    ASSERT_FALSE(committed) << from << " to " << to;
    EXPECT_TRUE(committed.error().retryable) << committed.error().to_string();
    EXPECT_THAT(committed.error().message, HasSubstr("altered"));
    expect_ok(sink->close());
    EXPECT_EQ(reader_->one("SELECT count(*), (SELECT count(*) FROM leat.reject) FROM t"), "1|0");
  }
}

TEST_F(PostgresSinkTest, ATableThatWasMadeAnewIsAnotherOne) {
  auto sink = opened();
  load(*sink, ChunkBuilder("id bigint").row(1));
  expect_ok(sink->close());
  reader_->run("DROP TABLE t; CREATE TABLE t (id bigint)");
  const auto again = open_again(*make_sink());
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::kStateMismatch);
  EXPECT_THAT(again.error().message, HasSubstr("made anew"));
  // As the message says, for one that was restored.
  reader_->run("UPDATE leat.pipeline SET target_oid = NULL");
  EXPECT_TRUE(open_again(*make_sink()));
}

// Whoever takes rows out before it has any to add holds the record that says which table it is.
TEST_F(PostgresSinkTest, RowsThatGoBeforeOthersComeDoNotWaitForEachOther) {
  const std::string schema =
      "id bigint, _object text, _version text, _offset bigint, _record bigint";
  auto sink = opened();
  load(*sink, ChunkBuilder(schema).row(1, "in/a.csv", "v1", 0, 1));
  expect_ok(sink->close());
  reader_->run("UPDATE leat.pipeline SET target_oid = NULL");
  sink = opened({.table = "t", .lock_timeout_ms = 2'000});
  ChunkBuilder builder(schema);
  ASSERT_TRUE(sink->remove_rows(std::vector<RowsOfObject>{{.object = *builder.split()}}));
  load(*sink, builder.row(2, "in/a.csv", "v1", 0, 1), 2);
  EXPECT_EQ(reader_->one("SELECT id FROM t"), "2");
}

TEST_F(PostgresSinkTest, APipelineStaysWithItsTable) {
  auto sink = opened();
  load(*sink, ChunkBuilder("id bigint").row(1));
  expect_ok(sink->close());
  auto other = make_sink({.table = "u"});
  ASSERT_TRUE(open_again(*other));
  const Result<void> written = other->write(ChunkBuilder("id bigint", "b").row(2).build());
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::kStateMismatch);
  EXPECT_EQ(reader_->one("SELECT to_regclass('u')"), "NULL");
  reader_->run("ALTER TABLE t RENAME TO u");
  other = make_sink({.table = "u"});
  ASSERT_TRUE(open_again(*other));
  ChunkBuilder more("id bigint", "b");
  load(*other, more.row(2), 2);
  EXPECT_EQ(reader_->one("SELECT string_agg(id::text, ',' ORDER BY id) FROM u"), "1,2");
}

TEST_F(PostgresSinkTest, WhatATriggerFillsIsNotMissing) {
  reader_->run(
      "CREATE TABLE t (id bigint, made text NOT NULL); CREATE FUNCTION fill() RETURNS trigger "
      "LANGUAGE plpgsql AS $$ BEGIN NEW.made := 'by trigger'; RETURN NEW; END $$; CREATE TRIGGER f "
      "BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION fill()");
  auto sink = opened();
  load(*sink, ChunkBuilder("id bigint").row(1));
  EXPECT_EQ(reader_->one("SELECT * FROM t"), "1|by trigger");
}

TEST_F(PostgresSinkTest, DocumentsAreInTheDatabasesEncodingWhateverTheySay) {
  reader_->run("CREATE TABLE t (id bigint, v xml)");
  auto sink = opened();
  load(*sink, ChunkBuilder("id bigint, v text")
                  .row(1, "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>é</a>"));
  EXPECT_EQ(reader_->one("SELECT id, v FROM t"), "1|<a>é</a>");
}

TEST_F(PostgresSinkTest, ATypeOfSomebodyElseIsNotTakenForOneOfPostgres) {
  reader_->run(
      "CREATE SCHEMA mine; CREATE TYPE mine.text AS (a integer, b integer); "
      "CREATE TABLE t (id bigint, v mine.text)");
  auto sink = opened();
  load(*sink, ChunkBuilder("id bigint, v text").row(1, "(2,3)"));
  EXPECT_EQ(reader_->one("SELECT id, (v).b FROM t"), "1|3");
}

TEST_F(PostgresSinkTest, SettingsHoldForItsTransactionsAlone) {
  reader_->run("ALTER DATABASE " + database_->name() + " SET synchronous_commit = off");
  reader_->run(
      "CREATE TABLE t (id bigint, c text DEFAULT current_setting('synchronous_commit'), l text "
      "DEFAULT current_setting('lock_timeout'))");
  auto sink = opened({.table = "t", .lock_timeout_ms = 7'000});
  load(*sink, ChunkBuilder("id bigint").row(1));
  EXPECT_EQ(reader_->one("SELECT * FROM t"), "1|on|7s");
}

TEST_F(PostgresSinkTest, WhatIsWrongWithTheUriIsNotTriedAgain) {
  for (const char* const wrong : {"sslmode=bogus", "service=nowhere", "sslmode=require"}) {
    auto sink = make_sink({}, wrong);
    const auto mark = open_again(*sink);
    ASSERT_FALSE(mark);
    EXPECT_FALSE(mark.error().retryable) << mark.error().to_string();
    EXPECT_EQ(mark.error().code, ErrorCode::kInvalidArgument);
  }
}

/// Answers each connection with one refusal, in a language that is not the program's.
class RefusingServer {
 public:
  explicit RefusingServer(const std::string& state) {
    const std::string fields = "SSCHWERWIEGEND" + std::string(1, '\0') + "VFATAL" +
                               std::string(1, '\0') + "C" + state + std::string(1, '\0') +
                               "Mdas geht nicht" + std::string(2, '\0');
    answer_ = std::string("E\0\0\0", 4) + static_cast<char>(fields.size() + 4) + fields;
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, any, length) != 0 || ::listen(listener_, 8) != 0 ||
        ::getsockname(listener_, any, &length) != 0) {
      std::abort();
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] {
      for (int peer = 0; (peer = ::accept(listener_, nullptr, nullptr)) >= 0;) {
        char startup[1024];
        (void)::recv(peer, startup, sizeof(startup), 0);
        (void)::send(peer, answer_.data(), answer_.size(), MSG_NOSIGNAL);
        ::close(peer);
      }
    });
  }
  RefusingServer(const RefusingServer&) = delete;
  RefusingServer& operator=(const RefusingServer&) = delete;
  ~RefusingServer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  std::string uri() const {
    return "postgresql://u:p@127.0.0.1:" + std::to_string(port_) +
           "/d?sslmode=disable&gssencmode=disable";
  }

 private:
  std::string answer_;
  int listener_ = -1;
  int port_ = 0;
  std::thread thread_;
};

TEST(PostgresConnection, WhatAServerRefusesIsUnderstoodInWhateverLanguage) {
  struct Case {
    const char* state;
    ErrorCode code;
    bool retryable;
  };
  for (const Case& wanted :
       {Case{"28P01", ErrorCode::kPermissionDenied, false},
        Case{"3D000", ErrorCode::kNotFound, false}, Case{"57P03", ErrorCode::kUnavailable, true},
        Case{"53300", ErrorCode::kUnavailable, true}}) {
    SCOPED_TRACE(wanted.state);
    const RefusingServer server(wanted.state);
    auto sink = open_sink(server.uri(), {.table = "t"}).value();
    const auto mark = sink->open("p", {}, [](const SplitProgress&) { return Result<void>(); });
    ASSERT_FALSE(mark);
    EXPECT_EQ(mark.error().code, wanted.code) << mark.error().to_string();
    EXPECT_EQ(mark.error().retryable, wanted.retryable);
    EXPECT_THAT(mark.error().message, HasSubstr("das geht nicht"));
  }
}

TEST_F(PostgresSinkTest, SaysThatTheTableWasDropped) {
  auto sink = opened();
  load(*sink, ChunkBuilder("id integer").row(1));
  reader_->run("DROP TABLE t");
  expect_ok(sink->write(ChunkBuilder("id integer", "b").row(2).build()));
  const auto settled = sink->settle();
  ASSERT_FALSE(settled);
  EXPECT_THAT(settled.error().message, HasSubstr("dropped"));
  expect_ok(sink->close());
  const auto again = open_again(*sink);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::kStateMismatch);
}

TEST_F(PostgresSinkTest, WaitsForAServerThatIsReadOnly) {
  reader_->run("ALTER DATABASE " + database_->name() + " SET default_transaction_read_only = on");
  auto sink = make_sink();
  const auto mark = open_again(*sink);
  ASSERT_FALSE(mark);
  EXPECT_TRUE(mark.error().retryable);
  EXPECT_THAT(mark.error().message, HasSubstr("read-only"));
}

TEST_F(PostgresSinkTest, SaysWhatARoleMayNotDo) {
  const std::string role = "reader_" + std::to_string(::getpid());
  reader_->run("CREATE ROLE " + role + " LOGIN");
  {
    auto sink = opened();
    load(*sink, ChunkBuilder("id integer").row(1));
    expect_ok(sink->close());
  }
  reader_->run("GRANT USAGE ON SCHEMA leat TO " + role +
               "; GRANT ALL ON ALL TABLES IN SCHEMA leat TO " + role + "; GRANT SELECT ON t TO " +
               role);
  auto sink = make_sink({}, "user=" + role);
  ASSERT_TRUE(open_again(*sink));
  expect_ok(sink->write(ChunkBuilder("id integer", "b").row(2).build()));
  const auto settled = sink->settle();
  ASSERT_FALSE(settled);
  EXPECT_EQ(settled.error().code, ErrorCode::kPermissionDenied);
  EXPECT_THAT(settled.error().message, HasSubstr("INSERT"));
  expect_ok(sink->close());
  reader_->run("DROP OWNED BY " + role + "; DROP ROLE " + role);
}

TEST_F(PostgresSinkTest, AWrongPasswordIsToldAndNotShown) {
  const std::string role = "guarded_" + std::to_string(::getpid());
  reader_->run("CREATE ROLE " + role + " LOGIN PASSWORD 'right'");
  // A rule for this role only, in front of those that are there: other tests do not notice.
  const std::string file = reader_->one("SHOW hba_file");
  const std::string before = reader_->one("SELECT pg_read_file('" + file + "')");
  const auto set_rules = [&](const std::string& rules) {
    reader_->run("COPY (SELECT unnest(string_to_array($hba$" + rules + "$hba$, E'\\n'))) TO '" +
                 file + "'");
    reader_->run("SELECT pg_reload_conf()");
  };
  set_rules("host all " + role + " 127.0.0.1/32 scram-sha-256\n" + before);
  std::optional<Error> error;
  // The server reads the file when it gets to it.
  for (int attempt = 0; attempt < 10'000 && !error; ++attempt) {
    auto sink = make_sink({}, "user=" + role + "&password=sesame-wrong");
    const auto mark = open_again(*sink);
    if (!mark && mark.error().message.find("password") != std::string::npos) error = mark.error();
  }
  set_rules(before);
  reader_->run("DROP ROLE " + role);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, ErrorCode::kPermissionDenied);
  EXPECT_FALSE(error->retryable);
  EXPECT_THAT(error->message, Not(HasSubstr("sesame")));
}

TEST_F(PostgresSinkTest, AServerThatIsNotThereMayComeBack) {
  auto sink = *open_sink("postgresql://me:sesame@127.0.0.1:1/db", {.table = "t"});
  const auto mark = open_again(*sink);
  ASSERT_FALSE(mark);
  EXPECT_EQ(mark.error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(mark.error().retryable);
  EXPECT_THAT(mark.error().message, Not(HasSubstr("sesame")));
  auto nowhere = make_sink({}, "dbname=not_there");
  const auto missing = open_again(*nowhere);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
}

TEST_F(PostgresSinkTest, ALockIsWaitedForNoLongerThanTold) {
  auto sink = opened({.lock_timeout_ms = 50});
  load(*sink, ChunkBuilder("id integer").row(1));
  reader_->run("BEGIN; LOCK TABLE t");
  expect_ok(sink->write(ChunkBuilder("id integer", "b").row(2).build()));
  const auto settled = sink->settle();
  ASSERT_FALSE(settled);
  EXPECT_TRUE(settled.error().retryable);
  EXPECT_THAT(settled.error().message, HasSubstr("lock"));
  reader_->run("ROLLBACK");
}

}  // namespace
}  // namespace leat::connector
