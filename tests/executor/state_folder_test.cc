// Loads whose state folder suffers: no room, or an end of the log missing. The table has to be
// right.

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stop_token>
#include <string>
#include <utility>

#include "leat/clock.h"
#include "leat/loader.h"
#include "tests/support/small_disk.h"
#include "tests/support/temporary_folder.h"

namespace leat {
namespace {

namespace fs = std::filesystem;
using testing::TemporaryFolder;

/// Seconds pass like milliseconds. One that stands still would let polls follow each other at once,
/// and what each records would fill the small disk.
class FastClock final : public Clock {
 public:
  std::int64_t wall_ms() const noexcept override { return system_clock().wall_ms(); }
  Duration monotonic() const noexcept override { return system_clock().monotonic() * 1000; }
  bool wait(Duration duration, std::stop_token stop) const override {
    return system_clock().wait(duration / 1000, std::move(stop));
  }
};

class StateFolderTest : public ::testing::Test {
 protected:
  void SetUp() override { fs::create_directory(folder_.path() / "in"); }

  /// Objects of one row each, with names long enough to fill a log.
  void put(int first, int count) {
    for (int id = first; id < first + count; ++id) {
      const std::string name = std::to_string(id) + std::string(200, 'x') + ".csv";
      std::ofstream(folder_.path() / "in" / name) << "id\n" << id << "\n";
    }
  }

  LoaderOptions options() {
    LoaderOptions options;
    options.source.from = (folder_.path() / "in" / "**").string();
    options.source.state_dir = folder_.path() / "state";
    options.source.schema = *parse_schema("id bigint");
    options.source.store.local.settle_ms = 0;
    options.to = "sqlite:" + (folder_.path() / "rows.db").string();
    options.sink.table = "t";
    return options;
  }

  Result<LoadReport> load_once(AfterAction::Kind after = AfterAction::Kind::kKeep) {
    LoaderOptions once = options();
    once.source.once = true;
    once.source.after.kind = after;
    return (*Loader::create(std::move(once)))->run({}, {});
  }

  std::int64_t number(const std::string& sql) {
    sqlite3* database = nullptr;
    sqlite3_stmt* statement = nullptr;
    std::int64_t value = -1;
    EXPECT_EQ(sqlite3_open((folder_.path() / "rows.db").c_str(), &database), SQLITE_OK);
    sqlite3_busy_timeout(database, 10'000);
    if (sqlite3_prepare_v2(database, sql.c_str(), -1, &statement, nullptr) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
      value = sqlite3_column_int64(statement, 0);
    }
    sqlite3_finalize(statement);
    sqlite3_close(database);
    return value;
  }

  void expect_each_row_once(std::int64_t rows) {
    EXPECT_EQ(number("SELECT count(*) FROM t"), rows);
    EXPECT_EQ(number("SELECT count(DISTINCT id) FROM t"), rows);
  }

  const TemporaryFolder folder_{"leat-state-folder", TemporaryFolder::in_memory()};
};

TEST_F(StateFolderTest, AContinuousLoadOutlastsAFullDiskAndLosesNothing) {
  test::SmallDisk disk(4);
  if (!disk.mounted()) GTEST_SKIP() << "mounting a small tmpfs is not allowed here";
  const FastClock clock;
  put(0, 1);
  LoaderOptions continuous = options();
  continuous.source.state_dir = disk.path() / "state";
  continuous.source.clock = &clock;
  continuous.checkpoint_interval = std::chrono::milliseconds(20);
  std::atomic<int> told = 0;
  continuous.source.log = [&](SourceOptions::LogLevel, const std::string& message) {
    if (message.find("No space is left") == std::string::npos) return;
    EXPECT_NE(message.find(disk.path().string()), std::string::npos) << message;
    if (++told == 3) disk.free();
  };
  bool filled = false;
  std::stop_source stop;
  const auto loader = Loader::create(continuous);
  ASSERT_TRUE(loader) << loader.error().to_string();
  const Result<LoadReport> report = (*loader)->run(stop.get_token(), [&](const LoadReport& so_far) {
    if (!filled && so_far.epoch > 0) {
      filled = true;
      disk.fill();
      put(1, 300);
    }
    if (told >= 3 && number("SELECT count(*) FROM t") == 301) stop.request_stop();
  });
  ASSERT_TRUE(report) << report.error().to_string();
  EXPECT_GE(told, 3);
  expect_each_row_once(301);
  LoaderOptions again = continuous;
  again.source.once = true;
  const Result<LoadReport> second = (*Loader::create(again))->run({}, {});
  ASSERT_TRUE(second) << second.error().to_string();
  EXPECT_EQ(second->source.rows, 0u);
}

TEST_F(StateFolderTest, ALogThatIsCutAnywhereLosesAndDoublesNoRow) {
  put(0, 40);
  ASSERT_TRUE(load_once());
  put(40, 120);
  ASSERT_TRUE(load_once());
  const fs::path state = folder_.path() / "state";
  fs::path log;
  for (const auto& file : fs::directory_iterator(state)) {
    if (file.path().extension() == ".log" && (log.empty() || file.path() > log)) log = file.path();
  }
  const std::uint64_t bytes = fs::file_size(log);
  ASSERT_GT(bytes, 10'000u);
  fs::copy(state, folder_.path() / "whole");
  int behind = 0;
  for (std::uint64_t left = 0; left <= bytes; left += 512) {
    SCOPED_TRACE(std::to_string(left) + " bytes of the log");
    fs::remove_all(state);
    fs::copy(folder_.path() / "whole", state);
    fs::resize_file(state / log.filename(), left);
    const Result<LoadReport> report = load_once();
    ASSERT_TRUE(report) << report.error().to_string();
    ASSERT_EQ(report->source.rows, 0u);
    ++behind;
  }
  EXPECT_GT(behind, 20);
  expect_each_row_once(160);
}

TEST_F(StateFolderTest, AStateFolderThatLostSeveralEpochsIsMadeAnewFromTheTable) {
  const fs::path state = folder_.path() / "state";
  put(0, 10);
  ASSERT_TRUE(load_once());
  fs::copy(state, folder_.path() / "earlier");
  for (int run = 1; run < 4; ++run) {
    put(run * 10, 10);
    ASSERT_TRUE(load_once());
  }
  fs::remove_all(state);
  fs::rename(folder_.path() / "earlier", state);
  put(40, 10);
  const Result<LoadReport> report = load_once();
  ASSERT_TRUE(report) << report.error().to_string();
  EXPECT_EQ(report->source.rows, 10u) << "only what is new";
  expect_each_row_once(50);
  ASSERT_TRUE(load_once()) << "and the two belong together again";
}

// As it is when the loader was killed between the first commit of the table and that of the ledger.
TEST_F(StateFolderTest, AfterActionsOfAFirstEpochThatTheLedgerNeverSawAreCarriedOut) {
  put(0, 10);
  ASSERT_TRUE(load_once());
  fs::remove_all(folder_.path() / "state");
  const Result<LoadReport> report = load_once(AfterAction::Kind::kDelete);
  ASSERT_TRUE(report) << report.error().to_string();
  EXPECT_EQ(report->source.rows, 0u);
  EXPECT_TRUE(fs::is_empty(folder_.path() / "in"));
  expect_each_row_once(10);
}

TEST_F(StateFolderTest, NothingBefallsObjectsOfALongerRecordWhenTheStateFolderIsLost) {
  for (const int first : {0, 10}) {
    put(first, 10);
    ASSERT_TRUE(load_once());
  }
  fs::remove_all(folder_.path() / "state");
  put(20, 1);
  const Result<LoadReport> report = load_once(AfterAction::Kind::kDelete);
  ASSERT_TRUE(report) << report.error().to_string();
  EXPECT_EQ(report->source.rows, 1u);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_.path() / "in"), {}), 20);
  expect_each_row_once(21);
}

// The table goes back to an earlier state with its own record: the rows since are gone from it.
TEST_F(StateFolderTest, AStateFolderThatIsAheadOfTheTableIsRefused) {
  put(0, 10);
  ASSERT_TRUE(load_once());
  fs::copy(folder_.path() / "rows.db", folder_.path() / "earlier.db");
  for (int run = 1; run < 4; ++run) {
    put(run * 10, 10);
    ASSERT_TRUE(load_once());
  }
  fs::rename(folder_.path() / "earlier.db", folder_.path() / "rows.db");
  const Result<LoadReport> refused = load_once();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kStateMismatch) << refused.error().to_string();
  EXPECT_EQ(number("SELECT count(*) FROM t"), 10);
}

// A listing in which everything has changed: what waits in memory for the next commit is bounded.
TEST_F(StateFolderTest, AnEpochIsCommittedBeforeItsTimeWhenManySplitsHaveSettled) {
  LoaderOptions many = options();
  many.source.once = true;
  many.checkpoint_interval = std::chrono::hours(1);
  put(0, 10'500);
  const Result<LoadReport> report = (*Loader::create(many))->run({}, {});
  ASSERT_TRUE(report) << report.error().to_string();
  EXPECT_EQ(report->source.rows, 10'500u);
  EXPECT_EQ(report->epoch, 2u) << "one after 10,000 splits, one at the end";
}

}  // namespace
}  // namespace leat
