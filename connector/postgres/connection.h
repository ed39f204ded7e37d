// One connection to PostgreSQL, with leat's errors. One thread at a time, but for abort().
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "leat/result.h"

struct pg_conn;
struct pg_result;

namespace leat::connector {

/// In what pieces the bytes of a COPY are sent.
inline constexpr std::size_t kSendBytes = 64u << 10;

/// What PostgreSQL said of a statement that failed.
struct PgFailure {
  std::string sqlstate = {};  ///< Empty: the connection itself failed.
  std::string message = {};   ///< Its primary message.
  std::string detail = {};
  std::string context = {};
  std::string column = {};
};

/// The answer to a statement. Columns and rows count from 0; texts live as long as it does.
class PgAnswer {
 public:
  explicit PgAnswer(pg_result* result) : result_(result) {}

  int rows() const noexcept;
  bool is_null(int row, int column) const noexcept;
  /// The value as it came: text, or bytes where binary results were asked for.
  std::string_view text(int row, int column) const noexcept;
  /// A bigint or other whole number in text form; 0 for null.
  std::int64_t integer(int row, int column) const noexcept;
  /// How many rows were changed.
  std::int64_t changed() const noexcept;
  std::string_view command() const noexcept;

 private:
  struct Clearer {
    void operator()(pg_result* result) const noexcept;
  };
  std::unique_ptr<pg_result, Clearer> result_;
};

/// The OID of the type text.
/// @see PostgreSQL's src/include/catalog/pg_type.dat.
inline constexpr std::uint32_t kPgTextOid = 25;

/// A statement's parameter: text, or bytes in PostgreSQL's binary form.
struct PgParameter {
  std::string_view value;
  std::uint32_t type = 0;  ///< Its OID; 0: PostgreSQL infers it.
  bool binary = false;
};

struct PgSessionOptions {
  std::string uri = {};  ///< postgresql://…; "postgresql:": all from the environment.
  std::string application_name = {};       ///< What pg_stat_activity shows.
  std::uint32_t statement_timeout_ms = 0;  ///< 0: as the server has it.
  std::uint32_t lock_timeout_ms = 0;       ///< 0: as the server has it.
};

/// Whether libpq can read the URI, and no part of a password can be taken for something else.
///   kInvalidArgument  The message repeats nothing of the URI.
Result<void> check_postgres_uri(std::string_view uri);

class PgConnection {
 public:
  /// Connects; waits 10 s at most unless the URI says otherwise. Times out on a dead network within
  /// about half a minute. Its transactions are durable when they are answered.
  ///   kPermissionDenied  Password, pg_hba.conf, no right to connect.
  ///   kNotFound          No such database.
  ///   kUnavailable       Not reachable, starting up, too many clients. Retryable.
  static Result<PgConnection> open(const PgSessionOptions& options);

  /// Begins a transaction with the options' settings, which hold for it alone: behind a pooler, the
  /// next one may run on another session. Then runs `statements`; the answer is the last one's.
  Result<PgAnswer> begin(const std::string& statements = {});
  /// Runs one or more statements without parameters; the answer is the last one's.
  Result<PgAnswer> run(const std::string& sql);
  /// Runs one statement with parameters.
  Result<PgAnswer> run(const std::string& sql, std::initializer_list<PgParameter> parameters);
  /// Runs one statement whose rows come with binary values.
  Result<PgAnswer> fetch(const std::string& sql);
  /// Runs a SELECT whose rows are visited one by one, with binary results.
  template <class Visit>
  Result<void> visit(const std::string& sql, std::initializer_list<PgParameter> parameters,
                     Visit&& each) {
    if (auto sent = begin_visit(sql, parameters); !sent) return sent;
    while (true) {
      Result<PgAnswer> row = next_row();
      if (!row) return std::move(row).error();
      if (row->rows() == 0) return {};
      if (Result<void> done = each(*row); !done) {
        (void)drain();
        return done;
      }
    }
  }

  /// Runs statements of which the last is COPY … FROM STDIN, and leaves it open.
  Result<void> begin_copy(const std::string& sql);
  Result<void> send_copy(std::string_view bytes);
  Result<void> end_copy();

  /// Sends COMMIT; finish_commit waits for the answer.
  Result<void> send_commit();
  ///   kUnavailable  Also: whether it was committed is not known.
  Result<void> finish_commit();

  /// Whether text columns of the database can hold every character.
  bool holds_unicode() const noexcept;
  /// `text` as an SQL literal.
  std::string literal(std::string_view text) const;
  /// Of the last call that failed.
  const PgFailure& failure() const noexcept { return failure_; }
  /// False once the server, or the way to it, is gone.
  bool alive() const noexcept;

  /// From any thread: a call that waits for the server fails soon, and so do all others.
  void abort() noexcept;

 private:
  struct Closer {
    void operator()(pg_conn* handle) const noexcept;
  };
  PgConnection() = default;
  Result<void> begin_visit(const std::string& sql, std::initializer_list<PgParameter> parameters);
  Result<PgAnswer> next_row();
  Result<PgAnswer> last_answer();
  Result<void> drain();
  Error error_of(const pg_result* result);
  Error lost();
  Error why_not_connected();

  std::unique_ptr<pg_conn, Closer> handle_;
  std::string password_;  ///< Taken out of every message.
  std::string settings_;  ///< A statement that makes those of the transaction.
  PgFailure failure_;
  int socket_ = -1;
};

/// The failure in words: what PostgreSQL said, with its SQLSTATE and detail.
std::string pg_message(const PgFailure& failure);
/// What a statement's failure is for leat: code, message and whether to try again.
Error pg_error(const PgFailure& failure);

/// An SQLSTATE that says that a row, and not the table or the server, is at fault.
bool is_row_error(std::string_view sqlstate) noexcept;
/// One that says that the server, another of its users, or the way leat writes is at fault,
/// whatever it was doing. Other errors may be of either.
bool is_server_error(std::string_view sqlstate) noexcept;

/// A one-dimensional array of bytea in PostgreSQL's binary form.
class PgByteaArray {
 public:
  void append(std::string_view element);
  PgParameter parameter();

 private:
  std::string elements_;
  std::string encoded_;
  std::uint32_t count_ = 0;
};

}  // namespace leat::connector
