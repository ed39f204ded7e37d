// Rows in SQLite: types, tables, transactions, recovery, and what goes wrong.

#include "connector/sqlite/sqlite_sink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "tests/connector/chunk_builder.h"
#include "tests/support/child_process.h"
#include "tests/support/small_disk.h"
#include "tests/support/sqlite_session.h"
#include "tests/support/temporary_folder.h"

namespace leat::connector {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Waits for nobody: a lock that is in the way is to be seen.
class Reader : public testing::SqliteSession {
 public:
  explicit Reader(const fs::path& path) : SqliteSession(path, /*busy_timeout_ms=*/0) {}
};

class SqliteSinkTest : public ::testing::Test {
 protected:
  fs::path path() const { return folder_.path() / "rows.db"; }

  std::unique_ptr<SqliteSink> make_sink(bool keep_rejects = false, const std::string& table = "t") {
    return std::make_unique<SqliteSink>(SqliteSinkOptions{.path = path().string(),
                                                          .table = table,
                                                          .keep_rejects = keep_rejects,
                                                          .busy_timeout_ms = 0});
  }

  std::unique_ptr<SqliteSink> open_sink(bool keep_rejects = false, const std::string& table = "t") {
    auto sink = make_sink(keep_rejects, table);
    const auto recovery = sink->open("p", {}, [](const SplitProgress&) { return Result<void>(); });
    EXPECT_TRUE(recovery) << recovery.error().to_string();
    return sink;
  }

  static Checkpoint checkpoint(std::uint64_t epoch, std::vector<SplitProgress> splits = {}) {
    return {.epoch = epoch,
            .splits = std::move(splits),
            .token = epoch * 100,
            .parent = (epoch - 1) * 100};
  }

  void expect_ok(const Result<void>& result) { EXPECT_TRUE(result) << result.error().to_string(); }

  void prepare(const std::string& sql) { Reader(path()).rows(sql); }

  testing::TemporaryFolder folder_{"leat-sqlite"};
};

constexpr const char* kIdName = "id bigint, name text";

TEST_F(SqliteSinkTest, MakesTheTableAndKeepsRowsWithTheirEpoch) {
  auto sink = open_sink();
  ChunkBuilder chunk("id bigint not null, name text");
  chunk.row(1, "a").row(2, nullptr).row(3, "");
  expect_ok(sink->write(chunk.build()));
  Reader reader(path());
  EXPECT_EQ(reader.one("SELECT epoch FROM leat_pipeline"), "0");
  EXPECT_EQ(reader.one("SELECT count(*) FROM sqlite_master WHERE name = 't'"), "0");
  expect_ok(sink->commit(checkpoint(1)));
  EXPECT_THAT(reader.rows("SELECT id, name FROM t ORDER BY id"),
              ElementsAre("1|a", "2|NULL", "3|"));
  EXPECT_EQ(reader.one("SELECT pipeline, epoch, token FROM leat_pipeline"), "p|1|100");
  EXPECT_EQ(reader.one("SELECT sql FROM sqlite_master WHERE name = 't'"),
            "CREATE TABLE \"t\" (\"id\" INTEGER NOT NULL, \"name\" TEXT)");
  expect_ok(sink->close());
  expect_ok(sink->close());
}

TEST_F(SqliteSinkTest, KeepsEveryTypeInItsCanonicalForm) {
  auto sink = open_sink();
  ChunkBuilder chunk(
      "b bool, s int2, i int4, l int8, f real, d double precision, n numeric(20,2), t text, "
      "y bytea, da date, ti time, ts timestamp, tz timestamptz, u uuid, j json");
  chunk.row(1, -2, 3, std::numeric_limits<std::int64_t>::min(), 0.5, 0.1, -150,
            std::string("a\0b", 3), std::string("\0\xff", 2), 0, 1'500'000, 0, 0,
            "0123456789abcdef", "{\"a\":1}");
  chunk.row(0, 0, 0, std::numeric_limits<std::int64_t>::max(), std::nan(""), std::nan(""), 0, "",
            "", -1, 0, -1, 1, std::string(16, '\0'), "null");
  chunk.row(nullptr, nullptr, nullptr, nullptr, nullptr, -std::numeric_limits<double>::infinity(),
            nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr);
  expect_ok(sink->write(chunk.build()));
  expect_ok(sink->commit(checkpoint(1)));
  Reader reader(path());
  EXPECT_THAT(
      reader.rows(
          "SELECT b, s, i, l, f, d, n, hex(t), length(y), hex(y), da, ti, ts, tz, u, j FROM t"),
      ElementsAre("1|-2|3|-9223372036854775808|0.5|0.1|-1.50|610062|2|00FF|1970-01-01|00:00:01.5|"
                  "1970-01-01 00:00:00|1970-01-01 00:00:00+00|"
                  "30313233-3435-3637-3839-616263646566|{\"a\":1}",
                  "0|0|0|9223372036854775807|NaN|NaN|0.00||0||1969-12-31|00:00:00|"
                  "1969-12-31 23:59:59.999999|1970-01-01 00:00:00.000001+00|"
                  "00000000-0000-0000-0000-000000000000|null",
                  "NULL|NULL|NULL|NULL|NULL|-Inf|NULL||NULL||NULL|NULL|NULL|NULL|NULL|NULL"));
  EXPECT_EQ(reader.one("SELECT group_concat(DISTINCT typeof(b)||typeof(l)||typeof(f)||typeof(n)||"
                       "typeof(y)) FROM t WHERE f = 0.5"),
            "integerintegerrealtextblob");
}

TEST_F(SqliteSinkTest, InsertsChunksOfEverySize) {
  auto sink = open_sink();
  std::int64_t next = 0;
  for (const int rows : {0, 1, 15, 16, 17, 32, 100}) {
    ChunkBuilder chunk(kIdName);
    for (int i = 0; i < rows; ++i, ++next) chunk.row(next, std::to_string(next));
    expect_ok(sink->write(chunk.build()));
  }
  expect_ok(sink->commit(checkpoint(1)));
  Reader reader(path());
  EXPECT_EQ(reader.one("SELECT count(*), min(id), max(id), count(DISTINCT id) FROM t"),
            "181|0|180|181");
  EXPECT_EQ(reader.one("SELECT count(*) FROM t WHERE name <> CAST(id AS TEXT)"), "0");
}

TEST_F(SqliteSinkTest, MatchesAnExistingTableByNameInAnyCaseAndOrder) {
  prepare("CREATE TABLE t (extra TEXT DEFAULT 'x', NAME TEXT, Id INTEGER)");
  auto sink = open_sink();
  expect_ok(sink->write(ChunkBuilder(kIdName).row(1, "a").build()));
  expect_ok(sink->commit(checkpoint(1)));
  EXPECT_EQ(Reader(path()).one("SELECT extra, name, id FROM t"), "x|a|1");
}

TEST_F(SqliteSinkTest, NamesEachMissingColumn) {
  prepare("CREATE TABLE t (id INTEGER)");
  auto sink = open_sink();
  const auto refused =
      sink->write(ChunkBuilder("id int, name text, \"no x\" int8").row(1, "a", 2).build());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kSchemaMismatch);
  EXPECT_THAT(refused.error().message,
              HasSubstr("no column \"name\" TEXT; it has no column \"no x\" INTEGER"));
}

// A trigger that leaves rows out, and one that writes elsewhere, make the counts agree by chance.
TEST_F(SqliteSinkTest, SaysHowManyColumnsATableHolds) {
  std::string schema = "c0 bigint";
  for (int i = 1; i <= 2'000; ++i) schema += ", c" + std::to_string(i) + " bigint";
  auto sink = open_sink();
  const Result<void> written = sink->write(ChunkBuilder(schema).build());
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().message, HasSubstr("2001 columns"));
  EXPECT_THAT(written.error().message, HasSubstr("2000 at most"));
}

TEST_F(SqliteSinkTest, TakesNothingBackFromATableWithTriggers) {
  prepare(
      "CREATE TABLE t (id INTEGER); INSERT INTO t VALUES (100), (200);"
      "CREATE TABLE log (id INTEGER);"
      "CREATE TRIGGER skip BEFORE INSERT ON t WHEN new.id % 2 BEGIN SELECT raise(ignore); END;"
      "CREATE TRIGGER note AFTER INSERT ON t BEGIN INSERT INTO log VALUES (new.id); END");
  auto sink = open_sink();
  const RowChunk chunk = ChunkBuilder("id int").row(1).row(2).build();
  expect_ok(sink->write(chunk));
  const auto discarded = sink->discard(*chunk.split);
  ASSERT_FALSE(discarded);
  EXPECT_EQ(discarded.error().code, ErrorCode::kUnsupported);
}

// With the largest row number taken SQLite draws free ones at random.
TEST_F(SqliteSinkTest, TakesNothingBackWhereRowNumbersAreDrawnAtRandom) {
  prepare("CREATE TABLE t (id INTEGER); INSERT INTO t (rowid, id) VALUES (9223372036854775807, 7)");
  auto sink = open_sink();
  const RowChunk chunk = ChunkBuilder("id int").row(1).row(2).build();
  expect_ok(sink->write(chunk));
  const auto discarded = sink->discard(*chunk.split);
  ASSERT_FALSE(discarded);
  EXPECT_EQ(discarded.error().code, ErrorCode::kUnsupported);
}

TEST_F(SqliteSinkTest, RefusesViewsAndItsOwnTables) {
  prepare("CREATE VIEW v AS SELECT 1 AS id");
  EXPECT_EQ(open_sink(false, "v")->write(ChunkBuilder("id int").row(1).build()).error().code,
            ErrorCode::kSchemaMismatch);
  EXPECT_EQ(
      open_sink(false, "Leat_Split")->write(ChunkBuilder("id int").row(1).build()).error().code,
      ErrorCode::kInvalidArgument);
}

TEST_F(SqliteSinkTest, QuotesNamesOfTablesAndColumns) {
  auto sink = open_sink(false, "my \"table\"");
  expect_ok(sink->write(ChunkBuilder("\"select\" int, \"a\"\"b\" text").row(1, "x").build()));
  expect_ok(sink->commit(checkpoint(1)));
  EXPECT_EQ(Reader(path()).one("SELECT \"select\", \"a\"\"b\" FROM \"my \"\"table\"\"\""), "1|x");
}

TEST_F(SqliteSinkTest, NamesTheRecordThatAConstraintRefusesAndLeavesNothing) {
  prepare("CREATE TABLE t (id INTEGER CHECK (id < 1000), name TEXT UNIQUE)");
  for (const int bad : {0, 7, 16, 20, 39}) {
    auto sink = open_sink();
    ChunkBuilder good(kIdName);
    expect_ok(sink->write(good.row(1, "kept out").build()));
    ChunkBuilder chunk(kIdName);
    chunk.first_record(101);
    for (int i = 0; i < 40; ++i) chunk.row(i == bad ? 5'000 : i, std::to_string(i));
    const auto refused = sink->write(chunk.build());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kBadValue);
    EXPECT_EQ(refused.error().at.object, "in/a.csv");
    EXPECT_EQ(refused.error().at.record, 101u + static_cast<unsigned>(bad));
    EXPECT_EQ(refused.error().at.byte_offset, 1'000u + 10 * static_cast<unsigned>(bad));
    EXPECT_THAT(refused.error().message, HasSubstr("CHECK constraint failed"));
    EXPECT_FALSE(sink->commit(checkpoint(1)));
    EXPECT_FALSE(sink->write(good.build()));
    expect_ok(sink->close());
    Reader reader(path());
    EXPECT_EQ(reader.one("SELECT count(*) FROM t"), "0");
    EXPECT_EQ(reader.one("SELECT epoch FROM leat_pipeline"), "0");
  }
}

TEST_F(SqliteSinkTest, TellsAConstraintThatRollsBackByItself) {
  prepare("CREATE TABLE t (id INTEGER UNIQUE ON CONFLICT ROLLBACK, name TEXT)");
  auto sink = open_sink();
  ChunkBuilder chunk(kIdName);
  for (int i = 0; i < 20; ++i) chunk.row(1, "a");
  const auto refused = sink->write(chunk.build());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kBadValue);
  EXPECT_THAT(refused.error().message, HasSubstr("UNIQUE constraint failed: t.id"));
  EXPECT_EQ(Reader(path()).one("SELECT count(*) FROM t"), "0");
}

TEST_F(SqliteSinkTest, RollsBackRowsThatWereNotCommitted) {
  auto sink = open_sink(true);
  expect_ok(sink->write(ChunkBuilder(kIdName).row(1, "a").build()));
  expect_ok(sink->commit(checkpoint(1)));
  expect_ok(sink->write(ChunkBuilder(kIdName).row(2, "b").reject({.record = 1}).build()));
  expect_ok(sink->close());
  Reader reader(path());
  EXPECT_EQ(reader.one("SELECT count(*) FROM t"), "1");
  EXPECT_EQ(reader.one("SELECT count(*) FROM leat_reject"), "0");
}

TEST_F(SqliteSinkTest, VisitsProgressThatIsNewerThanTheLedger) {
  const ObjectVersion a{
      .key = std::string("a\0\xff", 3), .version = "1", .size = 10, .modified_ms = 4};
  const ObjectVersion b{.key = "b", .version = "1", .size = 20, .modified_ms = 5};
  {
    auto sink = open_sink();
    expect_ok(sink->commit(checkpoint(1, {progress_of(a, SplitState::kFinished, 1, 5)})));
    expect_ok(sink->commit(checkpoint(2, {progress_of(b, SplitState::kReading, 2, 7)})));
    expect_ok(sink->close());
  }
  const auto visited = [this](std::uint64_t since) {
    std::vector<SplitProgress> all;
    auto sink = make_sink();
    const auto recovery = sink->open("p", {.epoch = since, .token = since * 100},
                                     [&all](const SplitProgress& progress) {
                                       all.push_back(progress);
                                       return Result<void>();
                                     });
    EXPECT_TRUE(recovery) << recovery.error().to_string();
    EXPECT_EQ(recovery->epoch, 2u);
    EXPECT_EQ(recovery->token, 200u);
    return all;
  };
  EXPECT_THAT(visited(2), IsEmpty());
  const auto since_one = visited(1);
  ASSERT_EQ(since_one.size(), 1u);
  EXPECT_EQ(since_one[0].encode(), progress_of(b, SplitState::kReading, 2, 7).encode());
  const auto all = visited(0);
  ASSERT_EQ(all.size(), 2u);
  SplitProgress finished = progress_of(a, SplitState::kFinished, 1, 5);
  finished.position.parser_state.clear();
  finished.position.decoder_state.clear();
  EXPECT_EQ(all[0].encode(), finished.encode());

  auto other = make_sink();
  const auto unknown =
      other->open("another pipeline", {}, [](const SplitProgress&) -> Result<void> {
        return Error{ErrorCode::kInternal, "must not be visited"};
      });
  ASSERT_TRUE(unknown);
  EXPECT_EQ(unknown->epoch, 0u);
}

TEST_F(SqliteSinkTest, HandsOnTheVisitorsError) {
  const ObjectVersion a{.key = "a", .version = "1", .size = 10};
  {
    auto sink = open_sink();
    expect_ok(sink->commit(checkpoint(1, {progress_of(a, SplitState::kFinished, 1, 5)})));
  }
  auto sink = make_sink();
  const auto recovery = sink->open("p", {}, [](const SplitProgress&) -> Result<void> {
    return Error{ErrorCode::kCancelled, "stop"};
  });
  ASSERT_FALSE(recovery);
  EXPECT_EQ(recovery.error().code, ErrorCode::kCancelled);
}

TEST_F(SqliteSinkTest, KeepsTheRecordOfLoadedRowsWhenTheirObjectChanges) {
  const ObjectVersion one{.key = "a", .version = "1", .size = 10};
  const ObjectVersion two{.key = "a", .version = "2", .size = 10};
  const auto kept = [this] {
    std::vector<SplitProgress> all;
    auto sink = make_sink();
    EXPECT_TRUE(sink->open("p", {}, [&all](const SplitProgress& progress) {
      all.push_back(progress);
      return Result<void>();
    }));
    return all.at(0);
  };
  auto sink = open_sink();
  expect_ok(sink->commit(checkpoint(1, {progress_of(one, SplitState::kFinished, 1, 5)})));
  expect_ok(sink->commit(checkpoint(2, {progress_of(two, SplitState::kNoted, 2, 0)})));
  expect_ok(sink->close());
  EXPECT_EQ(kept().state, SplitState::kFinished);
  EXPECT_EQ(kept().object.version, "1");

  sink = open_sink();
  expect_ok(sink->commit(checkpoint(3, {progress_of(one, SplitState::kChanged, 3, 5)})));
  expect_ok(sink->close());
  EXPECT_EQ(kept().state, SplitState::kChanged);
  EXPECT_EQ(kept().rows, 5u);

  sink = open_sink();
  expect_ok(sink->commit(checkpoint(4, {progress_of(two, SplitState::kFinished, 4, 9)})));
  expect_ok(sink->close());
  EXPECT_EQ(kept().object.version, "2");
}

TEST_F(SqliteSinkTest, ASecondLoaderFencesTheFirst) {
  auto first = open_sink();
  expect_ok(first->write(ChunkBuilder(kIdName).row(1, "a").build()));
  expect_ok(first->commit(checkpoint(1)));
  auto second = open_sink();
  const auto fenced = first->write(ChunkBuilder(kIdName).row(2, "b").build());
  ASSERT_FALSE(fenced);
  EXPECT_EQ(fenced.error().code, ErrorCode::kFenced);
  EXPECT_THAT(fenced.error().message, HasSubstr("\"p\""));
  EXPECT_FALSE(first->commit(checkpoint(2)));
  expect_ok(second->write(ChunkBuilder(kIdName).row(3, "c").build()));
  expect_ok(second->commit(checkpoint(2)));
  EXPECT_THAT(Reader(path()).rows("SELECT id FROM t ORDER BY id"), ElementsAre("1", "3"));
}

TEST_F(SqliteSinkTest, ACommitWithoutRowsIsFencedToo) {
  auto first = open_sink();
  auto second = open_sink();
  EXPECT_EQ(first->commit(checkpoint(1)).error().code, ErrorCode::kFenced);
  expect_ok(second->commit(checkpoint(1)));
}

TEST_F(SqliteSinkTest, PipelinesInOneFileDoNotDisturbEachOther) {
  auto one = open_sink();
  auto two = std::make_unique<SqliteSink>(
      SqliteSinkOptions{.path = path().string(), .table = "u", .busy_timeout_ms = 0});
  ASSERT_TRUE(two->open("q", {}, [](const SplitProgress&) { return Result<void>(); }));
  expect_ok(one->write(ChunkBuilder(kIdName).row(1, "a").build()));
  expect_ok(one->commit(checkpoint(1)));
  expect_ok(two->write(ChunkBuilder(kIdName).row(1, "a").build()));
  expect_ok(two->commit(checkpoint(1)));
  EXPECT_THAT(Reader(path()).rows("SELECT pipeline, epoch FROM leat_pipeline ORDER BY 1"),
              ElementsAre("p|1", "q|1"));
}

TEST_F(SqliteSinkTest, SaysThatAnotherWriterHoldsTheFile) {
  auto sink = open_sink();
  Reader writer(path());
  writer.rows("BEGIN IMMEDIATE");
  const auto busy = sink->write(ChunkBuilder(kIdName).row(1, "a").build());
  ASSERT_FALSE(busy);
  EXPECT_EQ(busy.error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(busy.error().retryable);
  EXPECT_THAT(busy.error().message, HasSubstr("Another process is writing"));
}

TEST_F(SqliteSinkTest, ReadersNeitherWaitNorSeeWhatIsNotCommitted) {
  auto sink = open_sink();
  expect_ok(sink->write(ChunkBuilder(kIdName).row(1, "a").build()));
  expect_ok(sink->commit(checkpoint(1)));
  Reader reader(path());
  reader.rows("BEGIN");
  EXPECT_EQ(reader.one("SELECT count(*) FROM t"), "1");
  expect_ok(sink->write(ChunkBuilder(kIdName).row(2, "b").build()));
  expect_ok(sink->commit(checkpoint(2)));
  EXPECT_EQ(reader.one("SELECT count(*) FROM t"), "1");
  reader.rows("COMMIT");
  EXPECT_EQ(reader.one("SELECT count(*) FROM t"), "2");
}

TEST_F(SqliteSinkTest, TakesBackTheRowsOfASplitAndNoOthers) {
  auto sink = open_sink(true);
  ChunkBuilder a(kIdName, "a", "1");
  a.row(1, "a").row(2, "a");
  ChunkBuilder b(kIdName, "b", "1");
  b.row(3, "b").reject({.record = 9, .raw = "b"});
  ChunkBuilder newer(kIdName, "a", "2");
  newer.row(4, "newer");
  a.reject({.record = 8, .raw = "a"});

  expect_ok(sink->write(a.build()));
  expect_ok(sink->commit(checkpoint(1)));
  expect_ok(sink->write(a.build()));
  expect_ok(sink->write(a.build()));
  expect_ok(sink->write(b.build()));
  expect_ok(sink->write(a.build()));
  expect_ok(sink->discard(*a.split()));
  expect_ok(sink->write(newer.build()));
  expect_ok(sink->discard(*a.split()));
  expect_ok(sink->commit(checkpoint(2)));
  expect_ok(sink->discard(*a.split()));
  Reader reader(path());
  EXPECT_THAT(reader.rows("SELECT id FROM t ORDER BY id"), ElementsAre("1", "2", "3", "4"));
  EXPECT_THAT(reader.rows("SELECT object, record FROM leat_reject ORDER BY 1"),
              ElementsAre("a|8", "b|9"));
}

TEST_F(SqliteSinkTest, CannotTakeRowsBackFromTablesThatNumberThemselves) {
  const std::vector<std::string> tables = {
      "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)",
      "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT) WITHOUT ROWID",
      "CREATE TABLE t (id INTEGER, name TEXT, rowid INTEGER, _rowid_ INTEGER, oid INTEGER)",
      "CREATE TABLE t (id INTEGER, name TEXT UNIQUE ON CONFLICT IGNORE)"};
  for (const std::string& table : tables) {
    prepare("DROP TABLE IF EXISTS t; " + table);
    auto sink = open_sink();
    ChunkBuilder chunk(kIdName);
    chunk.row(7, "a").row(5, "a");
    expect_ok(sink->write(chunk.build()));
    expect_ok(sink->discard({.key = "other", .version = "1"}));
    const auto refused = sink->discard(*chunk.split());
    ASSERT_FALSE(refused) << table;
    EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
    // The rows stay, and the epoch can still be committed.
    expect_ok(sink->commit(
        checkpoint(Reader(path()).one("SELECT epoch FROM leat_pipeline") == "0" ? 1 : 2)));
    EXPECT_NE(Reader(path()).one("SELECT count(*) FROM t"), "0");
  }
}

TEST_F(SqliteSinkTest, TakesRowsBackFromATableOfTheUsersWithPlainRows) {
  prepare("CREATE TABLE t (rowid TEXT, id INTEGER, name TEXT)");
  auto sink = open_sink();
  ChunkBuilder chunk(kIdName);
  expect_ok(sink->write(chunk.row(1, "a").build()));
  expect_ok(sink->discard(*chunk.split()));
  expect_ok(sink->commit(checkpoint(1)));
  EXPECT_EQ(Reader(path()).one("SELECT count(*) FROM t"), "0");
}

TEST_F(SqliteSinkTest, KeepsRejectsBesideTheRows) {
  auto sink = open_sink(true);
  ChunkBuilder chunk(kIdName, "in/b\xff.csv");
  chunk.reject({.record = 3,
                .byte_offset = 20,
                .column = "id",
                .text = "x",
                .raw = std::string("x,\xff\0", 4),
                .code = ErrorCode::kBadValue,
                .reason = "no integer"});
  chunk.reject({.record = 4, .byte_offset = 30, .raw = "z", .code = ErrorCode::kFieldCount});
  expect_ok(sink->write(chunk.build()));
  expect_ok(sink->commit(checkpoint(1)));
  EXPECT_THAT(Reader(path()).rows("SELECT pipeline, hex(object), version, record, byte_offset, "
                                  "column_name, text, hex(raw), code, reason FROM leat_reject"),
              ElementsAre("p|696E2F62FF2E637376|v1|3|20|id|x|782CFF00|bad_value|no integer",
                          "p|696E2F62FF2E637376|v1|4|30|NULL||7A|field_count|"));
}

TEST_F(SqliteSinkTest, LeavesRejectsToOthersUnlessAsked) {
  auto sink = open_sink();
  expect_ok(sink->write(ChunkBuilder(kIdName).row(1, "a").reject({.record = 1}).build()));
  expect_ok(sink->commit(checkpoint(1)));
  EXPECT_EQ(Reader(path()).one("SELECT count(*) FROM sqlite_master WHERE name = 'leat_reject'"),
            "0");
}

TEST_F(SqliteSinkTest, TellsAFileThatIsNoDatabase) {
  std::ofstream(path()) << std::string(5'000, 'x');
  auto sink = make_sink();
  const auto refused = sink->open("p", {}, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(refused.error().message, HasSubstr("rows.db"));
}

TEST_F(SqliteSinkTest, TellsAFolderThatIsNotThere) {
  SqliteSink sink({.path = (folder_.path() / "no" / "rows.db").string(), .table = "t"});
  const auto refused = sink.open("p", {}, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kNotFound) << refused.error().to_string();
}

TEST_F(SqliteSinkTest, TellsDamagedProgress) {
  const ObjectVersion a{.key = "a", .version = "1", .size = 10};
  {
    auto sink = open_sink();
    expect_ok(sink->commit(checkpoint(1, {progress_of(a, SplitState::kFinished, 1, 5)})));
  }
  prepare("UPDATE leat_split SET progress = x'0102'");
  auto sink = make_sink();
  const auto refused = sink->open("p", {}, [](const SplitProgress&) { return Result<void>(); });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(refused.error().at.object, "a");
}

TEST_F(SqliteSinkTest, LeavesNothingWhenKilledInsideATransaction) {
  for (int round = 0; round < 3; ++round) {
    test::ChildProcess child({LEAT_SQLITE_CHILD, path().string()});
    ASSERT_EQ(child.read_line(), "committed");
    ASSERT_EQ(child.read_line(), "written");
    child.kill();
    std::uint64_t epoch = 0;
    std::vector<SplitProgress> visited;
    auto sink = make_sink();
    const auto recovery = sink->open("p", {}, [&visited](const SplitProgress& progress) {
      visited.push_back(progress);
      return Result<void>();
    });
    ASSERT_TRUE(recovery) << recovery.error().to_string();
    epoch = recovery->epoch;
    EXPECT_EQ(epoch, static_cast<std::uint64_t>(round + 1));
    EXPECT_EQ(visited.size(), 1u);
    expect_ok(sink->close());
    Reader reader(path());
    EXPECT_EQ(reader.one("SELECT count(*) FROM t"), std::to_string(100 * (round + 1)));
    EXPECT_EQ(reader.one("PRAGMA integrity_check"), "ok");
  }
}

TEST(SqliteSinkDiskFull, SaysSoAndLeavesNothingHalfWritten) {
  test::SmallDisk disk(4);
  if (!disk.mounted()) GTEST_SKIP() << "mounting a small tmpfs is not allowed here";
  const fs::path path = disk.path() / "rows.db";
  const auto open = [&path] {
    auto sink =
        std::make_unique<SqliteSink>(SqliteSinkOptions{.path = path.string(), .table = "t"});
    const auto recovery = sink->open("p", {}, [](const SplitProgress&) { return Result<void>(); });
    EXPECT_TRUE(recovery) << recovery.error().to_string();
    return sink;
  };
  auto sink = open();
  ChunkBuilder chunk("t text");
  for (int i = 0; i < 200; ++i) chunk.row(std::string(5'000, 'x'));
  ASSERT_TRUE(sink->write(ChunkBuilder("t text").row("a").build()));
  ASSERT_TRUE(sink->commit({.epoch = 1}));
  disk.fill();
  Result<void> full = sink->write(chunk.build());
  if (full) full = sink->commit({.epoch = 2});
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, ErrorCode::kDiskFull) << full.error().to_string();
  ASSERT_TRUE(sink->close());
  disk.free();
  {
    Reader reader(path);
    EXPECT_EQ(reader.one("SELECT count(*) FROM t"), "1");
    EXPECT_EQ(reader.one("SELECT epoch FROM leat_pipeline"), "1");
  }
  sink = open();
  ASSERT_TRUE(sink->write(chunk.build()));
  const auto done = sink->commit({.epoch = 2});
  ASSERT_TRUE(done) << done.error().to_string();
}

}  // namespace
}  // namespace leat::connector
