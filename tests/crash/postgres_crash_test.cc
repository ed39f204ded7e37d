// Whatever is killed, and whenever, PostgreSQL ends with the same rows as after a load that was
// left alone. The loader is killed at random moments and at each step of a commit; PostgreSQL's
// backends and its postmaster, and the S3 gateway, while it loads.
//
// LEAT_CRASH_KILLS and LEAT_CRASH_SEED make it longer, or repeat it. LEAT_CRASH_RADOSGW names the
// folder of an S3 server (tests/servers/radosgw) that may be killed, too.

#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/connector/postgres_server.h"
#include "tests/crash/crash_files.h"
#include "tests/crash/crash_run.h"
#include "tests/support/killable_postgres.h"
#include "tests/support/source_dir.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_bucket.h"

namespace leat::crash {
namespace {

namespace fs = std::filesystem;
using test::KillablePostgres;

constexpr const char* kSteps[] = {"copy sent",     "copy ended",      "commit begins",
                                  "commit sent",   "commit answered", "ledger begins",
                                  "ledger written"};

class PostgresCrashTest : public ::testing::Test {
 protected:
  PostgresCrashTest()
      : kills_(static_cast<int>(number_from_environment("LEAT_CRASH_KILLS", 20))),
        seed_(number_from_environment("LEAT_CRASH_SEED", 1)),
        files_(seed_),
        random_(seed_) {
    std::cout << "seed " << seed_ << ", " << kills_
              << " kills; repeat with LEAT_CRASH_SEED and LEAT_CRASH_KILLS\n";
  }

  void SetUp() override {
    if (!KillablePostgres::available()) GTEST_SKIP() << "no PostgreSQL here";
    server_ = std::make_unique<KillablePostgres>();
    ASSERT_TRUE(server_->started());
    database_.emplace("crash");
  }

  void add_files(testing::TestBucket& bucket, int count) {
    for (int i = 0; i < count; ++i) {
      const std::string number = std::to_string(++file_number_);
      bucket.put("in/" + std::to_string(file_number_ % 7) + "/part " + number + ".csv",
                 files_.next_file());
    }
  }

  std::vector<std::string> command(const testing::TestBucket& bucket, const std::string& table,
                                   const std::string& state) const {
    std::vector<std::string> command{LEAT_CRASH_CHILD, "load", "", ""};
    for (const std::string& flag : bucket.flags()) {
      const std::size_t equals = flag.find('=');
      command[flag.starts_with("--from") ? 2 : 3] = flag.substr(equals + 1);
    }
    command.insert(command.end(), {database_->uri(), table, (folder_.path() / state).string()});
    return command;
  }

  std::chrono::microseconds moment() { return std::chrono::microseconds(random_() % 250'000); }

  /// One loader, and one kill. False: what ended otherwise than it should.
  bool kill_one(testing::TestBucket& bucket, const std::string& radosgw) {
    std::vector<std::string> load = command(bucket, "killed", "killed");
    // The servers take a second or more to come back: most kills are the loader's.
    const std::uint64_t kind = random_() % 20;
    if (kind < 12) {
      const char* const step = kSteps[random_() % std::size(kSteps)];
      load.insert(load.end(), {"kill", step, std::to_string(1 + random_() % 4)});
      const int status = run_to_end(load);
      return count(status == 128 + SIGKILL, std::string("loader at \"") + step + "\"", status);
    }
    RunningCommand loader(load);
    if (loader.ends_within(moment())) return count(false, "", loader.wait());
    if (kind < 16) {
      loader.signal(SIGKILL);
      const int status = loader.wait();
      return count(status == 128 + SIGKILL, "loader at any moment", status);
    }
    if (kind < 18 || (kind == 19 && radosgw.empty())) {
      const bool killed = kill_a_backend();
      return count(killed, "PostgreSQL backend", loader.wait());
    }
    if (kind == 18) {
      EXPECT_TRUE(server_->crash());
      return count(true, "PostgreSQL postmaster", loader.wait());
    }
    EXPECT_EQ(
        run_to_end({(test_source_dir() / "tests/servers/radosgw").string(), "crash", radosgw}), 0);
    // A run gives up on a store that stays away; the next one goes on.
    const int status = loader.wait();
    return count(true, "radosgw", status == 1 ? 0 : status);
  }

  bool count(bool killed, const std::string& what, int status) {
    if (killed) ++killed_[what];
    if (status == 0) finished_ = true;
    return status == 0 || status == 128 + SIGKILL;
  }

  bool kill_a_backend() {
    try {
      test::PostgresSession session(database_->connection());
      const std::vector<std::string> pids = session.rows(
          "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND "
          "application_name LIKE 'leat %' ORDER BY pid");
      return !pids.empty() && ::kill(std::stoi(pids[random_() % pids.size()]), SIGKILL) == 0;
    } catch (const std::exception&) {
      return false;  // Still coming back from the kill before.
    }
  }

  int kills() const {
    int kills = 0;
    for (const auto& [what, times] : killed_) kills += times;
    return kills;
  }

  void survives(testing::TestBucket& bucket, const std::string& radosgw) {
    add_files(bucket, 40);
    while (kills() < kills_) {
      finished_ = false;
      ASSERT_TRUE(kill_one(bucket, radosgw)) << "after " << kills() << " kills";
      if (finished_) add_files(bucket, 20);
    }
    ASSERT_EQ(run_to_end(command(bucket, "killed", "killed")), 0);
    ASSERT_EQ(run_to_end(command(bucket, "alone", "alone")), 0);
    expect_same("killed", "alone");
    for (const auto& [what, times] : killed_) std::cout << times << " × " << what << "\n";
    std::cout << kills() << " kills, " << files_.ids() << " rows equal\n";
  }

  void survives_moving(testing::TestBucket& bucket, const std::string& place);

  std::string sum(const std::string& table) const {
    return test::PostgresSession(database_->connection())
        .one("SELECT count(*), count(DISTINCT id), sum(hashtextextended(t::text, 0)) FROM " +
             table + " t");
  }

  void expect_same(const std::string& a, const std::string& b) const {
    EXPECT_EQ(sum(a), sum(b));
    const std::string ids = std::to_string(files_.ids());
    EXPECT_TRUE(sum(a).starts_with(ids + "|" + ids + "|")) << sum(a) << ", not " << ids;
    test::PostgresSession session(database_->connection());
    EXPECT_EQ(session.one("SELECT count(*) FROM ((TABLE " + a + " EXCEPT ALL TABLE " + b +
                          ") UNION ALL (TABLE " + b + " EXCEPT ALL TABLE " + a + ")) d"),
              "0");
  }

  const int kills_;
  const std::uint64_t seed_;
  FileMaker files_;
  std::mt19937_64 random_;
  int file_number_ = 0;
  bool finished_ = false;
  std::map<std::string, int> killed_;
  testing::TemporaryFolder folder_{"leat-crash"};
  std::unique_ptr<KillablePostgres> server_;
  std::optional<test::PostgresDatabase> database_;
};

/// Loads that move what they loaded away, killed around the commits and the moves.
void PostgresCrashTest::survives_moving(testing::TestBucket& bucket, const std::string& place) {
  std::vector<std::string> load = command(bucket, "killed", "killed");
  load[1] = "move:" + place;
  while (kills() < (kills_ + 3) / 4) {
    add_files(bucket, 4);
    const char* const steps[] = {"commit answered", "ledger begins", "ledger written",
                                 "after-action begins", "after-action done"};
    const char* const step = steps[random_() % std::size(steps)];
    std::vector<std::string> killed = load;
    killed.insert(killed.end(), {"kill", step, std::to_string(1 + random_() % 3)});
    const int status = run_to_end(killed);
    ASSERT_TRUE(count(status == 128 + SIGKILL, std::string("at \"") + step + "\"", status));
  }
  ASSERT_EQ(run_to_end(load), 0);
  const std::vector<std::string> keys = bucket.keys();
  EXPECT_EQ(keys.size(), static_cast<std::size_t>(file_number_));
  for (const std::string& key : keys) EXPECT_TRUE(key.starts_with("done/")) << key;
  std::vector<std::string> again = command(bucket, "alone", "alone");
  again[2].replace(again[2].find("/in/"), 4, "/done/");
  ASSERT_EQ(run_to_end(again), 0);
  const std::string ids = std::to_string(files_.ids());
  EXPECT_TRUE(sum("killed").starts_with(ids + "|" + ids + "|")) << sum("killed");
  const std::string columns = "SELECT id, name, amount, _offset, _record FROM ";
  EXPECT_EQ(test::PostgresSession(database_->connection())
                .one("SELECT count(*) FROM ((" + columns + "killed EXCEPT ALL " + columns +
                     "alone) UNION ALL (" + columns + "alone EXCEPT ALL " + columns + "killed)) d"),
            "0");
  for (const auto& [what, times] : killed_) std::cout << times << " × " << what << "\n";
  std::cout << kills() << " kills, " << keys.size() << " objects moved, " << ids << " rows equal\n";
}

TEST_F(PostgresCrashTest, LocalFilesThatAreMovedAway) {
  survives_moving(*testing::make_folder_bucket(folder_.path() / "bucket"),
                  (folder_.path() / "bucket" / "done").string() + "/");
}

TEST_F(PostgresCrashTest, S3ObjectsThatAreMovedAway) {
  const std::unique_ptr<testing::TestBucket> bucket = testing::make_s3_bucket("crash");
  if (bucket == nullptr) GTEST_SKIP() << "LEAT_TEST_S3_ENDPOINT is not set";
  survives_moving(*bucket, "done/");
}

TEST_F(PostgresCrashTest, LocalFiles) {
  survives(*testing::make_folder_bucket(folder_.path() / "bucket"), "");
}

TEST_F(PostgresCrashTest, S3Objects) {
  const char* const radosgw = std::getenv("LEAT_CRASH_RADOSGW");
  const std::unique_ptr<testing::TestBucket> bucket = testing::make_s3_bucket("crash");
  if (bucket == nullptr) GTEST_SKIP() << "LEAT_TEST_S3_ENDPOINT is not set";
  survives(*bucket, radosgw == nullptr ? "" : radosgw);
}

TEST_F(PostgresCrashTest, ALoaderThatStoodStillDuringATakeoverWritesNothing) {
  const std::unique_ptr<testing::TestBucket> bucket =
      testing::make_folder_bucket(folder_.path() / "bucket");
  std::size_t stopped = 0;
  for (const char* step : kSteps) {
    add_files(*bucket, 8);
    std::vector<std::string> load = command(*bucket, "t", std::string("first at ") + step);
    load.insert(load.end(), {"stop", step, "1"});
    RunningCommand first(load);
    if (!first.wait_until_stopped()) continue;  // It was done before.
    ++stopped;
    ASSERT_EQ(run_to_end(command(*bucket, "t", std::string("second after ") + step)), 0) << step;
    const std::string before = sum("t");
    first.signal(SIGCONT);
    const int status = first.wait();
    // Where its commit was all there was to do, it has nothing to be kept from: the server carries
    // out what was sent, whatever became of who sent it.
    const bool committed = std::string_view(step) == "commit sent" ||
                           std::string_view(step) == "commit answered" ||
                           std::string_view(step).starts_with("ledger");
    EXPECT_TRUE(status == 4 || (status == 0 && committed)) << step << ": status " << status;
    EXPECT_EQ(sum("t"), before) << step;
    EXPECT_TRUE(before.starts_with(std::to_string(files_.ids()) + "|")) << step << ": " << before;
  }
  EXPECT_EQ(stopped, std::size(kSteps));
  ASSERT_EQ(run_to_end(command(*bucket, "alone", "alone")), 0);
  expect_same("t", "alone");
}

}  // namespace
}  // namespace leat::crash
