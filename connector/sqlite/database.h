// SQLite's connection and statements with leat's errors. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "leat/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace leat::connector {

class Statement;

/// One connection to one file.
class Database {
 public:
  /// Opens the file for reading and writing, makes it when absent. In its write-ahead log mode, so
  /// that readers never wait for a load; each commit is synced before it returns.
  ///
  /// @param busy_timeout_ms  How long each call waits for other writers.
  ///   kNotFound (its folder), kPermissionDenied, kCorrupt (no SQLite file), kDiskFull, kIo,
  ///   kUnavailable
  static Result<Database> open(const std::string& path, int busy_timeout_ms);

  /// Opens a file that is there, and never writes to it.
  ///   as open()
  static Result<Database> open_to_read(const std::string& path, int busy_timeout_ms);

  /// Runs SQL text that gives no rows.
  Result<void> execute(const std::string& sql);
  Result<Statement> prepare(const std::string& sql);

  bool in_transaction() const noexcept;
  /// Rolls back what is open; what SQLite rolled back by itself is fine, too.
  void rollback() noexcept;
  std::int64_t last_insert_rowid() const noexcept;
  /// Rows changed by the last statement, triggers not counted.
  std::int64_t changes() const noexcept;
  /// Rows changed by all statements so far and by the triggers they set off.
  std::int64_t total_changes() const noexcept;

  /// The last call's failure as an error; `doing` completes "Cannot … FILE".
  ///   kUnavailable       SQLITE_BUSY, SQLITE_LOCKED. Retryable.
  ///   kBadValue          A constraint or a type that the table enforces.
  ///   kSchemaMismatch    SQL that does not fit the tables of the file.
  ///   kDiskFull, kPermissionDenied, kNotFound, kCorrupt, kIo
  Error error(std::string_view doing) const;

  sqlite3* handle() const noexcept { return handle_.get(); }

 private:
  struct Closer {
    void operator()(sqlite3* handle) const noexcept;
  };
  explicit Database(std::string path) : path_(std::move(path)) {}
  static Result<Database> connect(const std::string& path, int flags, int busy_timeout_ms);

  std::string path_;
  std::unique_ptr<sqlite3, Closer> handle_;
};

/// A prepared statement. Must not outlive its database's connection. Bound bytes are borrowed until
/// the next reset(). Parameters count from 1, columns from 0.
class Statement {
 public:
  void bind(int parameter, std::int64_t value);
  void bind_text(int parameter, std::string_view text);
  void bind_blob(int parameter, std::string_view bytes);

  /// Runs on to the next row: true when there is one, false at the end.
  ///   Database::error
  Result<bool> step(const Database& database, std::string_view doing);
  /// step() for a statement without rows, then reset().
  Result<void> run(const Database& database, std::string_view doing);
  void reset() noexcept;

  std::int64_t integer(int column) const noexcept;
  /// Bytes of a text or blob; borrowed until the next step() or reset().
  std::string_view bytes(int column) const noexcept;

  sqlite3_stmt* handle() const noexcept { return handle_.get(); }

 private:
  friend class Database;
  struct Finalizer {
    void operator()(sqlite3_stmt* handle) const noexcept;
  };
  explicit Statement(sqlite3_stmt* handle) : handle_(handle) {}

  std::unique_ptr<sqlite3_stmt, Finalizer> handle_;
};

}  // namespace leat::connector
