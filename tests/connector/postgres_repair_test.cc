// Looking into a PostgreSQL sink, and taking rows out of it again.

#include <unistd.h>

#include "tests/connector/postgres_server.h"
#include "tests/connector/sink_repair_cases.h"

namespace leat::connector {
namespace {

using leat::test::PostgresDatabase;
using leat::test::PostgresSession;
using testing::ElementsAre;
using testing::HasSubstr;

class Postgres {
 public:
  static bool available() { return PostgresDatabase::available(); }
  std::unique_ptr<RowSink> make_sink(const std::string& more = "") const {
    return *leat::open_sink(database_.uri(more), {.table = "t", .keep_rejects = true});
  }
  std::string last_key() const { return "\xf4\x8f\xbf\xbf"; }
  std::string connection() const { return database_.connection(); }

 private:
  PostgresDatabase database_{"repair"};
};

INSTANTIATE_TYPED_TEST_SUITE_P(Postgres, SinkRepairTest, Postgres);

class PostgresRepairTest : public SinkRepairTest<Postgres> {
 protected:
  PostgresSession session() const { return PostgresSession(backend_->connection()); }
};

TEST_F(PostgresRepairTest, FindsLineageInColumnsOfOtherTypesAndCases) {
  session().run(
      "CREATE TABLE t (id bigint, \"_OBJECT\" varchar COLLATE \"en-x-icu\", _version text, _offset "
      "numeric, _record text)");
  auto sink = open_sink();
  for (const char* key : {"B", "a", "b"}) write(*sink, key, 2);
  commit(*sink, {object("B"), object("a"), object("b")});
  EXPECT_THAT(objects_with_rows(), ElementsAre("B v1 2/2", "a v1 2/2", "b v1 2/2"));
  const std::vector<RowsOfObject> ranges{{.object = object("a"), .bytes = {10, 11}}};
  EXPECT_EQ(sink->remove_rows(ranges).value(), 1u);
}

TEST_F(PostgresRepairTest, KeepsRejectsOfKeysThatNoTextCanHold) {
  auto sink = open_sink();
  ChunkBuilder chunk(kColumns, "\xff");
  chunk.reject({.record = 1, .byte_offset = 0, .raw = "x", .code = ErrorCode::kBadValue});
  ASSERT_TRUE(sink->write(chunk.build()));
  commit(*sink, {object("\xff")});
  const auto kept = make_sink()->read("p").value()->next_reject().value();
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->key, "\xff");
  const std::vector<RowsOfObject> ranges{{.object = object("\xff")}};
  EXPECT_EQ(sink->remove_rows(ranges).value(), 0u);
  commit(*sink, {object("\xff")}, SplitState::kRewound);
  EXPECT_FALSE(make_sink()->read("p").value()->next_reject().value());
}

TEST_F(PostgresRepairTest, RemovesBesideOtherWritersOfTheSameEpoch) {
  auto sink = open_sink();
  for (int i = 0; i < 8; ++i) write(*sink, std::to_string(i), 10);
  std::vector<ObjectVersion> all;
  for (int i = 0; i < 8; ++i) all.push_back(object(std::to_string(i)));
  commit(*sink, all);
  std::vector<RowsOfObject> former;
  for (int i = 0; i < 8; ++i) {
    write(*sink, std::to_string(i), 1, "v2");
    former.push_back({.object = object(std::to_string(i))});
  }
  EXPECT_EQ(sink->remove_rows(former).value(), 80u);
  for (ObjectVersion& one : all) one.version = "v2";
  commit(*sink, all);
  EXPECT_EQ(session().one("SELECT count(*), count(DISTINCT _object), min(_version) FROM t"),
            "8|8|v2");
}

TEST_F(PostgresRepairTest, ARewoundObjectComesBackToALostLedger) {
  auto sink = open_sink();
  write(*sink, "a", 1);
  commit(*sink, {object("a")});
  commit(*sink, {object("a")}, SplitState::kRewound);
  ASSERT_TRUE(sink->close());
  std::vector<SplitState> states;
  auto again = make_sink();
  ASSERT_TRUE(again->open("p", {}, [&states](const SplitProgress& split) {
    states.push_back(split.state);
    return Result<void>();
  }));
  EXPECT_THAT(states, ElementsAre(SplitState::kRewound));
}

TEST_F(PostgresRepairTest, SaysThatTheTableIsGone) {
  {
    auto sink = open_sink();
    write(*sink, "a", 1);
    commit(*sink, {object("a")});
  }
  session().run("DROP TABLE t");
  const auto rows = make_sink()->read("p").value()->next_rows();
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(rows.error().message, HasSubstr("\"t\""));
}

TEST_F(PostgresRepairTest, SaysWhatARoleMayNotDo) {
  auto sink = open_sink();
  write(*sink, "a", 1);
  commit(*sink, {object("a")});
  ASSERT_TRUE(sink->close());
  const std::string role = "loader_" + std::to_string(::getpid());
  session().run("CREATE ROLE " + role + " LOGIN; GRANT USAGE ON SCHEMA leat TO " + role +
                "; GRANT ALL ON ALL TABLES IN SCHEMA leat TO " + role + "; GRANT INSERT ON t TO " +
                role);
  auto limited = backend_->make_sink("user=" + role);
  ASSERT_TRUE(limited->open("p", {}, [](const SplitProgress&) { return Result<void>(); }));
  const std::vector<RowsOfObject> rows{{.object = object("a")}};
  const auto removed = limited->remove_rows(rows);
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code, ErrorCode::kPermissionDenied);
  EXPECT_THAT(removed.error().message, HasSubstr("DELETE"));
  ASSERT_TRUE(limited->close());
  session().run("DROP OWNED BY " + role + "; DROP ROLE " + role);
}

}  // namespace
}  // namespace leat::connector
