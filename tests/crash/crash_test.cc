// Killed at random moments, again and again, a load ends with the same rows as one that was left
// alone: row for row, with lineage. LEAT_CRASH_KILLS and LEAT_CRASH_SEED make it longer, or repeat
// it.

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "tests/crash/crash_files.h"
#include "tests/crash/crash_run.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_bucket.h"

namespace leat::crash {
namespace {

namespace fs = std::filesystem;

class Database {
 public:
  explicit Database(const fs::path& path) {
    if (sqlite3_open_v2(path.c_str(), &database_, SQLITE_OPEN_READONLY, nullptr) != SQLITE_OK) {
      throw std::runtime_error("cannot open " + path.string());
    }
  }
  ~Database() { sqlite3_close(database_); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Rows as text, columns joined by a byte that no row holds.
  std::vector<std::string> rows(const std::string& sql) const {
    std::vector<std::string> rows;
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(database_, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) {
      throw std::runtime_error(sqlite3_errmsg(database_));
    }
    while (sqlite3_step(statement) == SQLITE_ROW) {
      std::string row;
      for (int i = 0; i < sqlite3_column_count(statement); ++i) {
        row += std::to_string(sqlite3_column_type(statement, i)) + ":";
        if (const unsigned char* text = sqlite3_column_text(statement, i)) {
          row += reinterpret_cast<const char*>(text);
        }
        row += '\x01';
      }
      rows.push_back(std::move(row));
    }
    sqlite3_finalize(statement);
    return rows;
  }

 private:
  sqlite3* database_ = nullptr;
};

class CrashTest : public ::testing::Test {
 protected:
  CrashTest()
      : plan_{.kills = static_cast<int>(number_from_environment("LEAT_CRASH_KILLS", 25)),
              .seed = number_from_environment("LEAT_CRASH_SEED", 1),
              .longest_life = std::chrono::milliseconds(250)},
        files_(plan_.seed) {
    std::cout << "seed " << plan_.seed << ", " << plan_.kills
              << " kills; repeat with LEAT_CRASH_SEED and LEAT_CRASH_KILLS\n";
  }

  void add_files(testing::TestBucket& bucket, int count) {
    for (int i = 0; i < count; ++i) {
      const std::string number = std::to_string(++file_number_);
      bucket.put("in/" + std::to_string(file_number_ % 7) + "/part " + number + ".csv",
                 files_.next_file());
    }
  }

  std::vector<std::string> load_command(const testing::TestBucket& bucket,
                                        const std::string& name) const {
    std::vector<std::string> command{LEAT_COMMAND, "load", "--once", "--lineage"};
    for (const std::string& argument : bucket.flags()) command.push_back(argument);
    for (const char* argument : {"--schema=id bigint, name text, amount numeric(12,1)", "--table=t",
                                 "--settle=0", "--checkpoint-interval=20ms", "--log-level=error"}) {
      command.emplace_back(argument);
    }
    command.push_back("--to=sqlite:" + (folder_.path() / (name + ".db")).string());
    command.push_back("--state=" + (folder_.path() / (name + "-state")).string());
    return command;
  }

  void survives_kills(testing::TestBucket& bucket) {
    add_files(bucket, 40);
    const CrashOutcome outcome =
        run_with_kills(load_command(bucket, "killed"), plan_, [&] { add_files(bucket, 20); });
    ASSERT_TRUE(outcome.failures.empty()) << outcome.failures.front();
    ASSERT_EQ(run_to_end(load_command(bucket, "alone")), 0);
    const std::string all =
        "SELECT id, name, amount, _object, _offset, _record FROM t ORDER BY _object, _record, id";
    const std::vector<std::string> killed = Database(folder_.path() / "killed.db").rows(all);
    const std::vector<std::string> alone = Database(folder_.path() / "alone.db").rows(all);
    ASSERT_EQ(alone.size(), files_.ids());
    ASSERT_EQ(killed.size(), alone.size());
    const auto different = std::mismatch(killed.begin(), killed.end(), alone.begin());
    ASSERT_TRUE(different.first == killed.end())
        << *different.first << "\nafter kills, but left alone\n"
        << *different.second;
    std::cout << outcome.kills << " kills, " << outcome.finished << " runs finished between them, "
              << killed.size() << " rows equal\n";
  }

  const CrashPlan plan_;
  FileMaker files_;
  int file_number_ = 0;
  testing::TemporaryFolder folder_{"leat-crash"};
};

TEST_F(CrashTest, LocalFilesIntoSqlite) {
  const std::unique_ptr<testing::TestBucket> bucket =
      testing::make_folder_bucket(folder_.path() / "bucket");
  survives_kills(*bucket);
}

TEST_F(CrashTest, S3ObjectsIntoSqlite) {
  const std::unique_ptr<testing::TestBucket> bucket = testing::make_s3_bucket("crash");
  if (bucket == nullptr)
    GTEST_SKIP() << "LEAT_TEST_S3_ENDPOINT is not set: no S3 server to read from";
  survives_kills(*bucket);
}

TEST_F(CrashTest, ConsumerThatKeepsTheCheckpointItself) {
  const std::unique_ptr<testing::TestBucket> bucket =
      testing::make_folder_bucket(folder_.path() / "bucket");
  add_files(*bucket, 10);
  const fs::path rows_file = folder_.path() / "rows.txt";
  // An example takes files only when they have settled; so the kills come within what it waits,
  // too.
  CrashPlan plan = plan_;
  const CrashOutcome outcome =
      run_with_kills({OWN_CHECKPOINT_EXAMPLE, (folder_.path() / "bucket" / "in" / "**").string(),
                      (folder_.path() / "state").string(), rows_file.string()},
                     plan, [&] { add_files(*bucket, 10); });
  ASSERT_TRUE(outcome.failures.empty()) << outcome.failures.front();
  std::vector<std::uint64_t> ids;
  std::ifstream in(rows_file);
  for (std::string line; std::getline(in, line);) ids.push_back(std::stoull(line));
  std::sort(ids.begin(), ids.end());
  ASSERT_EQ(ids.size(), files_.ids());
  for (std::size_t i = 0; i < ids.size(); ++i) ASSERT_EQ(ids[i], i);
  std::cout << outcome.kills << " kills, " << ids.size() << " rows, each once\n";
}

}  // namespace
}  // namespace leat::crash
