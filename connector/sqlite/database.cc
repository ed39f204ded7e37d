#include "connector/sqlite/database.h"

#include <errno.h>
#include <sqlite3.h>

#include <utility>

namespace leat::connector {
namespace {

// An extended result code holds the primary one in its low byte.
ErrorCode error_code_of(int result, int system_errno) {
  switch (result & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorCode::kUnavailable;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
      return ErrorCode::kBadValue;
    case SQLITE_ERROR:
    case SQLITE_SCHEMA:
      return ErrorCode::kSchemaMismatch;
    case SQLITE_FULL:
      return ErrorCode::kDiskFull;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return ErrorCode::kPermissionDenied;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorCode::kCorrupt;
    case SQLITE_CANTOPEN:
      if (system_errno == ENOENT || system_errno == ENOTDIR) return ErrorCode::kNotFound;
      if (system_errno == EACCES || system_errno == EPERM || system_errno == EROFS) {
        return ErrorCode::kPermissionDenied;
      }
      [[fallthrough]];
    default:
      // Also the log's and the lock file's own failures, which come as SQLITE_IOERR.
      return system_errno == ENOSPC || system_errno == EDQUOT ? ErrorCode::kDiskFull
                                                              : ErrorCode::kIo;
  }
}

std::string_view advice(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUnavailable:
      return " Another process is writing to it; SQLite allows one writer at a time. Try again "
             "when it is done.";
    case ErrorCode::kDiskFull:
      return " Free some space; nothing was half-written.";
    case ErrorCode::kPermissionDenied:
      return " leat needs to write the file and to make files in its folder.";
    case ErrorCode::kNotFound:
      return " Is its folder there?";
    default:
      return "";
  }
}

}  // namespace

void Database::Closer::operator()(sqlite3* handle) const noexcept { sqlite3_close_v2(handle); }

void Statement::Finalizer::operator()(sqlite3_stmt* handle) const noexcept {
  sqlite3_finalize(handle);
}

Result<Database> Database::connect(const std::string& path, int flags, int busy_timeout_ms) {
  Database database(path);
  // SQLite may be built to read "file:" as the start of a URI; here it is the name of a file.
  const std::string name = path.starts_with("file:") ? "./" + path : path;
  sqlite3* handle = nullptr;
  const int result = sqlite3_open_v2(name.c_str(), &handle,
                                     flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  database.handle_.reset(handle);
  if (handle == nullptr) return Error{ErrorCode::kIo, "Cannot open " + path + ": no memory."};
  if (result != SQLITE_OK) return database.error("open");
  sqlite3_busy_timeout(handle, busy_timeout_ms);
  return database;
}

Result<Database> Database::open_to_read(const std::string& path, int busy_timeout_ms) {
  return connect(path, SQLITE_OPEN_READONLY, busy_timeout_ms);
}

Result<Database> Database::open(const std::string& path, int busy_timeout_ms) {
  auto database = connect(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, busy_timeout_ms);
  if (!database) return database;
  // FULL: in write-ahead log mode NORMAL would leave the last commits to the operating system, and
  // the ledger could be ahead of the rows after a power failure.
  for (const char* pragma :
       {"PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL",
        "PRAGMA journal_size_limit = 67108864", "PRAGMA cache_size = -16384"}) {
    if (auto done = database->execute(pragma); !done) return std::move(done).error();
  }
  return database;
}

Result<void> Database::execute(const std::string& sql) {
  if (sqlite3_exec(handle(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    return error("use");
  }
  return {};
}

Result<Statement> Database::prepare(const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(handle(), sql.data(), static_cast<int>(sql.size()),
                         SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK) {
    return error("use");
  }
  return Statement(statement);
}

bool Database::in_transaction() const noexcept { return sqlite3_get_autocommit(handle()) == 0; }

void Database::rollback() noexcept {
  if (in_transaction()) sqlite3_exec(handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

std::int64_t Database::last_insert_rowid() const noexcept {
  return sqlite3_last_insert_rowid(handle());
}

std::int64_t Database::changes() const noexcept { return sqlite3_changes64(handle()); }

std::int64_t Database::total_changes() const noexcept { return sqlite3_total_changes64(handle()); }

Error Database::error(std::string_view doing) const {
  const int result = sqlite3_extended_errcode(handle());
  const ErrorCode code = error_code_of(result, sqlite3_system_errno(handle()));
  return {.code = code,
          .message = "Cannot " + std::string(doing) + " " + path_ + ": " +
                     sqlite3_errmsg(handle()) + "." + std::string(advice(code)),
          .at = {},
          .retryable = code == ErrorCode::kUnavailable};
}

void Statement::bind(int parameter, std::int64_t value) {
  sqlite3_bind_int64(handle(), parameter, value);
}

void Statement::bind_text(int parameter, std::string_view text) {
  sqlite3_bind_text64(handle(), parameter, text.data() == nullptr ? "" : text.data(), text.size(),
                      SQLITE_STATIC, SQLITE_UTF8);
}

void Statement::bind_blob(int parameter, std::string_view bytes) {
  sqlite3_bind_blob64(handle(), parameter, bytes.data() == nullptr ? "" : bytes.data(),
                      bytes.size(), SQLITE_STATIC);
}

Result<bool> Statement::step(const Database& database, std::string_view doing) {
  const int result = sqlite3_step(handle());
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  return database.error(doing);
}

Result<void> Statement::run(const Database& database, std::string_view doing) {
  auto stepped = step(database, doing);
  reset();
  if (!stepped) return std::move(stepped).error();
  return {};
}

void Statement::reset() noexcept { sqlite3_reset(handle()); }

std::int64_t Statement::integer(int column) const noexcept {
  return sqlite3_column_int64(handle(), column);
}

std::string_view Statement::bytes(int column) const noexcept {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(handle(), column));
  const int size = sqlite3_column_bytes(handle(), column);
  return data == nullptr ? std::string_view()
                         : std::string_view(data, static_cast<std::size_t>(size));
}

}  // namespace leat::connector
