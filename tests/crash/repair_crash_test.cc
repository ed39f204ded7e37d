// Loads that replace, rewinds, replays and redrives, each killed at random moments and at each of
// their steps, end with the same rows as one load that was left alone, and the audit finds no
// difference.
//
// LEAT_CRASH_KILLS and LEAT_CRASH_SEED make it longer, or repeat it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/connector/postgres_server.h"
#include "tests/crash/crash_files.h"
#include "tests/crash/crash_run.h"
#include "tests/support/killable_postgres.h"
#include "tests/support/sqlite_session.h"
#include "tests/support/temporary_folder.h"

namespace leat::crash {
namespace {

namespace fs = std::filesystem;
using test::KillablePostgres;

constexpr const char* kSteps[] = {"copy sent",     "rows removed",  "rejects removed",
                                  "commit begins", "commit sent",   "commit answered",
                                  "ledger begins", "ledger written"};

/// Where the rows go, in two tables: "killed" and "alone".
class Target {
 public:
  virtual ~Target() = default;
  virtual std::string uri() = 0;
  /// Each row of a query as one text.
  virtual std::vector<std::string> rows(const std::string& sql) = 0;
  /// Makes each reject of a pipeline fit.
  virtual void mend() = 0;
  virtual std::string reject_table() const = 0;
  /// Kills something of it. False: there was nothing to kill.
  virtual bool kill(std::mt19937_64& random) = 0;
};

class SqliteTarget final : public Target {
 public:
  explicit SqliteTarget(const fs::path& folder) : path_(folder / "rows.db") {}

  std::string uri() override { return "sqlite:" + path_.string(); }
  std::vector<std::string> rows(const std::string& sql) override {
    return testing::SqliteSession(path_).rows(sql);
  }
  void mend() override {
    if (rows("SELECT 1 FROM sqlite_schema WHERE name = 'leat_reject'").empty()) return;
    rows("UPDATE leat_reject SET raw = CAST(replace(CAST(raw AS TEXT), 'bad', '') AS BLOB)");
  }
  std::string reject_table() const override { return "leat_reject"; }
  bool kill(std::mt19937_64&) override { return false; }

 private:
  fs::path path_;
};

class PostgresTarget final : public Target {
 public:
  explicit PostgresTarget(const KillablePostgres& server) : server_(server) {
    for (const char* table : {"killed", "alone"}) {
      rows(std::string("CREATE TABLE ") + table +
           " (id bigint, name text, amount numeric(12,1) CHECK (amount <> 13), _object text, "
           "_version text, _offset bigint, _record bigint)");
    }
  }

  std::string uri() override { return database_.uri(); }
  /// Waits for a server that is coming back; a minute at most.
  std::vector<std::string> rows(const std::string& sql) override {
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (true) {
      try {
        return test::PostgresSession(database_.connection()).rows(sql);
      } catch (const std::exception&) {
        if (std::chrono::steady_clock::now() > end) throw;
        std::this_thread::yield();
      }
    }
  }
  void mend() override {
    if (rows("SELECT FROM pg_tables WHERE schemaname = 'leat'").empty()) return;
    rows(
        "UPDATE leat.reject SET raw = CASE code WHEN 'row_refused' THEN "
        "convert_to(replace(convert_from(raw, 'UTF8'), '\"13.0\"', '\"13.5\"'), 'UTF8') ELSE "
        "convert_to(replace(convert_from(raw, 'UTF8'), 'bad', ''), 'UTF8') END");
  }
  std::string reject_table() const override { return "leat.reject"; }
  bool kill(std::mt19937_64& random) override {
    if (random() % 4 == 0) return server_.crash();
    const std::vector<std::string> pids = rows(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND "
        "application_name LIKE 'leat %' ORDER BY pid");
    return !pids.empty() && ::kill(std::stoi(pids[random() % pids.size()]), SIGKILL) == 0;
  }

 private:
  const KillablePostgres& server_;
  test::PostgresDatabase database_{"repair_crash"};
};

class RepairCrashTest : public ::testing::Test {
 protected:
  RepairCrashTest()
      : kills_(static_cast<int>(number_from_environment("LEAT_CRASH_KILLS", 8))),
        seed_(number_from_environment("LEAT_CRASH_SEED", 1)),
        random_(seed_) {
    fs::create_directory(folder_.path() / "in");
    std::cout << "seed " << seed_ << ", " << kills_
              << " kills; repeat with LEAT_CRASH_SEED and LEAT_CRASH_KILLS\n";
  }

  std::string text() {
    std::string text = "id,name,amount\n";
    for (std::uint64_t rows = random_() % 300; rows > 0; --rows) {
      const std::uint64_t kind = random_() % 40;
      text += (kind == 0 ? "bad" : "") + std::to_string(next_id_++) + ",\"two\nlines, " +
              std::to_string(random_()) + "\"," + (kind == 1 ? "13" : std::to_string(kind + 20)) +
              ".0\n";
    }
    return text;
  }
  /// Writes the file, or another in its place.
  void put(int number) {
    const fs::path next = folder_.path() / "next";
    std::ofstream(next, std::ios::binary) << text();
    fs::rename(next, folder_.path() / "in" / ("part " + std::to_string(number) + ".csv"));
  }
  void change_files() {
    for (int i = 0; i < 4; ++i) put(files_++);
    for (int i = 0; i < 3; ++i) put(static_cast<int>(random_() % static_cast<unsigned>(files_)));
  }

  std::vector<std::string> command(const std::string& what, const std::string& table) {
    return {LEAT_CRASH_CHILD, what,  (folder_.path() / "in" / "*.csv").string(), "",
            target_->uri(),   table, (folder_.path() / table).string()};
  }

  /// About a quarter of the objects.
  std::string some() { return "**/part *" + std::string(1, "0123456789"[random_() % 10]) + ".csv"; }

  std::string something() {
    switch (random_() % 8) {
      case 0:
        return "rewind:" + some();
      case 1:
      case 2:
        return "replay:" + some();
      case 3:
      case 4:
        if (random_() % 2 == 0) target_->mend();
        return "redrive";
      default:
        if (random_() % 2 == 0) change_files();
        return "replace";
    }
  }

  /// False: it ended otherwise than it should.
  bool kill_one() {
    const std::string what = something();
    const std::string name = what.substr(0, what.find(':'));
    std::vector<std::string> arguments = command(what, "killed");
    if (random_() % 4 != 0) {
      const char* const step = kSteps[random_() % std::size(kSteps)];
      arguments.insert(arguments.end(), {"kill", step, std::to_string(1 + random_() % 3)});
      return count(name + " at \"" + step + "\"", run_to_end(arguments));
    }
    const std::chrono::microseconds life(random_() % 100'000);
    RunningCommand running(arguments);
    if (running.ends_within(life)) return count(name, running.wait());
    if (random_() % 4 == 0 && target_->kill(random_)) {
      ++killed_[name + " beside a kill of its sink"];
      // A repair gives up, and is repeated.
      const int status = running.wait();
      target_->rows("SELECT 1");
      sink_was_killed_ = true;
      return status == 0 || status == 1;
    }
    running.signal(SIGKILL);
    return count(name + " at any moment", running.wait());
  }

  bool count(const std::string& what, int status) {
    if (status == 128 + SIGKILL) ++killed_[what];
    // PostgreSQL may have been about to notice the death of a backend when it answered.
    const bool excused = std::exchange(sink_was_killed_, false) && status == 1;
    return status == 0 || status == 128 + SIGKILL || excused;
  }
  int kills() const {
    int kills = 0;
    for (const auto& [what, times] : killed_) kills += times;
    return kills;
  }

  void survives(Target& target) {
    target_ = &target;
    for (int i = 0; i < 30; ++i) put(files_++);
    // A repair needs a pipeline.
    ASSERT_EQ(run_to_end(command("load", "killed")), 0);
    while (kills() < kills_) ASSERT_TRUE(kill_one()) << "after " << kills() << " kills";
    ASSERT_EQ(run_to_end(command("replace", "killed")), 0);
    ASSERT_EQ(run_to_end(command("load", "alone")), 0);
    for (const char* table : {"killed", "alone"}) {
      target.mend();
      ASSERT_EQ(run_to_end(command("redrive", table)), 0);
      ASSERT_EQ(run_to_end(command("audit", table)), 0);
    }
    const std::string all =
        "SELECT * FROM (SELECT id, name, amount, _object, _version, _offset, "
        "_record FROM ";
    const std::vector<std::string> killed = target.rows(all + "killed) AS t ORDER BY id");
    const std::vector<std::string> alone = target.rows(all + "alone) AS t ORDER BY id");
    ASSERT_EQ(killed.size(), alone.size());
    for (std::size_t i = 0; i < killed.size(); ++i) ASSERT_EQ(killed[i], alone[i]);
    EXPECT_EQ(target.rows("SELECT count(*) - count(DISTINCT id) FROM killed"),
              std::vector<std::string>{"0"});
    EXPECT_EQ(target.rows("SELECT count(*) FROM " + target.reject_table()),
              std::vector<std::string>{"0"});
    for (const auto& [what, times] : killed_) std::cout << times << " × " << what << "\n";
    std::cout << kills() << " kills, " << killed.size() << " rows equal\n";
  }

  const int kills_;
  const std::uint64_t seed_;
  std::mt19937_64 random_;
  std::uint64_t next_id_ = 0;
  int files_ = 0;
  bool sink_was_killed_ = false;
  std::map<std::string, int> killed_;
  testing::TemporaryFolder folder_{"leat-crash"};
  Target* target_ = nullptr;
};

TEST_F(RepairCrashTest, Sqlite) {
  SqliteTarget target(folder_.path());
  survives(target);
}

TEST_F(RepairCrashTest, Postgres) {
  if (!KillablePostgres::available()) GTEST_SKIP() << "no PostgreSQL here";
  const KillablePostgres server;
  ASSERT_TRUE(server.started());
  PostgresTarget target(server);
  survives(target);
}

}  // namespace
}  // namespace leat::crash
