// What a test sees in, and does to, an SQLite file beside leat.
#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>
#include <string>
#include <vector>

namespace leat::testing {

/// A connection of the test's own. A statement that fails is a failure of the test.
class SqliteSession {
 public:
  /// @param busy_timeout_ms  How long a statement waits for other writers.
  explicit SqliteSession(const std::filesystem::path& path, int busy_timeout_ms = 10'000) {
    EXPECT_EQ(sqlite3_open(path.c_str(), &handle_), SQLITE_OK);
    sqlite3_busy_timeout(handle_, busy_timeout_ms);
  }
  SqliteSession(const SqliteSession&) = delete;
  SqliteSession& operator=(const SqliteSession&) = delete;
  ~SqliteSession() { sqlite3_close(handle_); }

  /// Each row of the result is one string, its columns joined by '|'; null is "NULL".
  std::vector<std::string> rows(const std::string& sql) {
    std::vector<std::string> rows;
    const auto add = [](void* to, int columns, char** values, char**) {
      std::string row;
      for (int i = 0; i < columns; ++i) {
        row += std::string(i == 0 ? "" : "|") + (values[i] == nullptr ? "NULL" : values[i]);
      }
      static_cast<std::vector<std::string>*>(to)->push_back(row);
      return 0;
    };
    EXPECT_EQ(sqlite3_exec(handle_, sql.c_str(), add, &rows, nullptr), SQLITE_OK)
        << sqlite3_errmsg(handle_) << " in " << sql;
    return rows;
  }
  /// The only row; how many there are where it is not the only one.
  std::string one(const std::string& sql) {
    const auto all = rows(sql);
    return all.size() == 1 ? all[0] : std::to_string(all.size()) + " rows";
  }
  /// The rows as lines.
  std::string lines(const std::string& sql) {
    std::string text;
    for (const std::string& row : rows(sql)) text += row + "\n";
    return text;
  }

 private:
  sqlite3* handle_ = nullptr;
};

}  // namespace leat::testing
