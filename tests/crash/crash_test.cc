// Killed at random moments, again and again, a load ends with the same rows as one that was left
// alone: row for row, with lineage. LEAT_CRASH_KILLS and LEAT_CRASH_SEED make it longer, or repeat
// it.

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <memory>
#include <random>
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

/// Objects that grow by some bytes between two runs, wherever these end in a record.
class GrowingFiles {
 public:
  explicit GrowingFiles(std::uint64_t seed) : random_(seed) {}

  void grow(testing::TestBucket& bucket, bool whole) {
    for (std::size_t file = 0; file < texts_.size(); ++file) {
      std::string& text = texts_[file];
      std::string& rest = rests_[file];
      if (text.empty()) rest = "id,name\n";
      while (rest.size() < 40'000) {
        const std::string id = std::to_string(ids_++);
        rest += id + ",\"name\n of " + id + "\"\r\n";
      }
      const std::size_t bytes = whole ? rest.size() : 1 + random_() % rest.size();
      text += rest.substr(0, bytes);
      rest.erase(0, bytes);
      bucket.put("in/log " + std::to_string(file) + ".csv", text);
    }
  }
  std::size_t ids() const { return ids_; }

 private:
  std::mt19937_64 random_;
  std::array<std::string, 5> texts_;
  std::array<std::string, 5> rests_;  ///< What is to be appended next.
  std::size_t ids_ = 0;
};

TEST_F(CrashTest, ObjectsThatGrowIntoSqlite) {
  const std::unique_ptr<testing::TestBucket> s3 = testing::make_s3_bucket("growing");
  const std::unique_ptr<testing::TestBucket> folder =
      testing::make_folder_bucket(folder_.path() / "bucket");
  for (testing::TestBucket* bucket : {folder.get(), s3.get()}) {
    if (bucket == nullptr) continue;  // No S3 server to read from.
    const std::string name = bucket == folder.get() ? "growing" : "growing-s3";
    SCOPED_TRACE(name);
    std::vector<std::string> command = load_command(*bucket, name);
    std::erase_if(command, [](const std::string& argument) {
      return argument.starts_with("--schema=") || argument.starts_with("--settle=");
    });
    command.emplace_back("--schema=id bigint, name text");
    command.emplace_back("--on-change=append");
    GrowingFiles files(plan_.seed);
    files.grow(*bucket, false);
    CrashPlan plan = plan_;
    plan.kills = std::max(1, plan.kills / 3);
    plan.longest_life = std::chrono::milliseconds(400);
    const CrashOutcome outcome = run_with_kills(command, plan, [&] { files.grow(*bucket, false); });
    ASSERT_TRUE(outcome.failures.empty()) << outcome.failures.front();
    files.grow(*bucket, true);
    ASSERT_EQ(run_to_end(command), 0);
    const Database database(folder_.path() / (name + ".db"));
    const std::string ids = std::to_string(files.ids());
    EXPECT_EQ(database.rows("SELECT count(*), count(DISTINCT id), max(id) + 1 FROM t"),
              std::vector<std::string>{"1:" + ids +
                                       "\x01"
                                       "1:" +
                                       ids +
                                       "\x01"
                                       "1:" +
                                       ids + "\x01"});
    EXPECT_EQ(
        database.rows("SELECT count(*) FROM t WHERE name <> 'name' || char(10) || ' of ' || id"),
        std::vector<std::string>{"1:0\x01"});
    EXPECT_EQ(database.rows("SELECT _object, _record FROM t GROUP BY 1, 2 HAVING count(*) > 1"),
              std::vector<std::string>{});
    std::cout << name << ": " << outcome.kills << " kills, " << outcome.finished
              << " runs finished between them, " << ids << " rows, each once\n";
  }
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
