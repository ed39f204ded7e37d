// A disk that is full, with PostgreSQL as the sink: the table's, the server's, the state folder's.
// A continuous load says so, goes on once there is space again, and has lost nothing.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>

#include "leat/loader.h"
#include "tests/connector/postgres_server.h"
#include "tests/executor/continuous_load.h"
#include "tests/support/killable_postgres.h"
#include "tests/support/small_disk.h"
#include "tests/support/temporary_folder.h"

namespace leat {
namespace {

using ::testing::HasSubstr;

class DiskFullTest : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directory(folder_.path() / "in"); }

  void put(const std::string& name, const std::string& text) {
    std::ofstream(folder_.path() / "in" / name, std::ios::binary) << text;
  }

  LoaderOptions options(const std::filesystem::path& state) {
    LoaderOptions options;
    options.source.from = (folder_.path() / "in" / "**").string();
    options.source.state_dir = state;
    options.source.schema = *parse_schema("id bigint, name text");
    options.source.store.local.settle_ms = 0;
    options.to = database_->uri();
    options.sink.table = "t";
    return options;
  }

  /// The only row of a query's answer; what went wrong instead.
  std::string one(const std::string& sql) const {
    try {
      return test::PostgresSession(database_->connection()).one(sql);
    } catch (const std::exception& failure) {
      return failure.what();
    }
  }
  /// Waits until the table holds the rows, each once; false after a minute.
  bool arrives(int rows) const {
    const std::string wanted = std::to_string(rows) + "|" + std::to_string(rows);
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (one("SELECT count(*), count(DISTINCT id) FROM t") != wanted) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::yield();
    }
    return true;
  }
  /// A run that is left alone finds nothing to do.
  void expect_nothing_left(LoaderOptions options) {
    options.source.once = true;
    const Result<LoadReport> report = (*Loader::create(std::move(options)))->run({}, {});
    ASSERT_TRUE(report) << report.error().to_string();
    EXPECT_EQ(report->source.rows, 0u);
  }

  testing::TemporaryFolder folder_;
  std::optional<test::PostgresDatabase> database_;
};

TEST_F(DiskFullTest, OfTheTable) {
  if (!test::PostgresDatabase::available()) GTEST_SKIP() << "LEAT_TEST_POSTGRES is not set";
  test::SmallDisk disk(16);
  if (!disk.mounted()) GTEST_SKIP() << "mounting is not allowed here";
  database_.emplace("full");
  const std::filesystem::path place = disk.path() / "space";
  std::filesystem::create_directory(place);
  std::filesystem::permissions(place, std::filesystem::perms::all);
  const std::string owner = "chown postgres " + place.string() + " 2>/dev/null";
  if (::geteuid() == 0 && std::system(owner.c_str()) != 0) GTEST_SKIP() << "no user postgres";
  const std::string space = "small_" + std::to_string(::getpid());
  test::PostgresSession session(database_->connection());
  session.run("CREATE TABLESPACE " + space + " LOCATION '" + place.string() + "'");
  session.run("CREATE TABLE t (id bigint, name text) TABLESPACE " + space);
  disk.fill();
  put("a", many_rows(0, 5'000));
  ContinuousLoad load(options(folder_.path() / "state"));
  EXPECT_TRUE(load.says("disk is full")) << load.messages();
  disk.free();
  EXPECT_TRUE(arrives(5'000)) << load.messages();
  const Result<LoadReport> report = load.stop();
  EXPECT_TRUE(report) << report.error().to_string();
  session.run("DROP TABLE t");
  session.run("DROP TABLESPACE " + space);
}

TEST_F(DiskFullTest, OfTheStateFolder) {
  if (!test::PostgresDatabase::available()) GTEST_SKIP() << "LEAT_TEST_POSTGRES is not set";
  test::SmallDisk disk(4);
  if (!disk.mounted()) GTEST_SKIP() << "mounting is not allowed here";
  database_.emplace("full");
  const LoaderOptions with = options(disk.path() / "state");
  put("a", many_rows(0, 10));
  ContinuousLoad load(with);
  ASSERT_TRUE(load.has_rows(10)) << load.messages();
  ASSERT_TRUE(arrives(10));
  disk.fill();
  for (int i = 1; i <= 300; ++i) put(std::to_string(i), many_rows(10 * i, 10));
  EXPECT_TRUE(load.says("No space is left")) << load.messages();
  EXPECT_THAT(load.messages(), HasSubstr(disk.path().string()));
  disk.free();
  EXPECT_TRUE(arrives(3'010)) << load.messages();
  const Result<LoadReport> report = load.stop();
  ASSERT_TRUE(report) << report.error().to_string();
  // What the table has and the ledger did not take counts as well.
  EXPECT_EQ(report->source.rows, 3'010u);
  expect_nothing_left(with);
}

TEST_F(DiskFullTest, OfTheServersDataFolder) {
  if (!test::KillablePostgres::available()) GTEST_SKIP() << "no PostgreSQL here";
  test::SmallDisk disk(192);
  if (!disk.mounted()) GTEST_SKIP() << "mounting is not allowed here";
  // One file of the log is more than is written here: it takes no more space.
  const test::KillablePostgres server(disk.path(), "--wal-segsize=64");
  ASSERT_TRUE(server.started());
  database_.emplace("full");
  const LoaderOptions with = options(folder_.path() / "state");
  put("a", many_rows(0, 10));
  ContinuousLoad load(with);
  ASSERT_TRUE(load.has_rows(10)) << load.messages();
  disk.fill();
  put("b", many_rows(10, 5'000));
  EXPECT_TRUE(load.says("disk is full")) << load.messages();
  disk.free();
  EXPECT_TRUE(arrives(5'010)) << load.messages();
  const Result<LoadReport> report = load.stop();
  EXPECT_TRUE(report) << report.error().to_string();
  expect_nothing_left(with);
}

// PostgreSQL ends when it cannot write its log, and has to be started again by hand.
TEST_F(DiskFullTest, OfTheServersLog) {
  if (!test::KillablePostgres::available()) GTEST_SKIP() << "no PostgreSQL here";
  test::SmallDisk disk(24);
  if (!disk.mounted()) GTEST_SKIP() << "mounting is not allowed here";
  const test::KillablePostgres server({},
                                      "--wal-segsize=1 --waldir=" + (disk.path() / "wal").string());
  ASSERT_TRUE(server.started());
  database_.emplace("full");
  const LoaderOptions with = options(folder_.path() / "state");
  put("a", many_rows(0, 10));
  ContinuousLoad load(with);
  ASSERT_TRUE(load.has_rows(10)) << load.messages();
  disk.fill();
  put("b", many_rows(10, 20'000));
  EXPECT_TRUE(load.says("loaded again")) << load.messages();
  EXPECT_THAT(server.log(), HasSubstr("PANIC"));
  ASSERT_TRUE(disk.resize(128));
  ASSERT_TRUE(server.crash());
  EXPECT_TRUE(arrives(20'010)) << load.messages();
  const Result<LoadReport> report = load.stop();
  EXPECT_TRUE(report) << report.error().to_string();
  expect_nothing_left(with);
}

}  // namespace
}  // namespace leat
