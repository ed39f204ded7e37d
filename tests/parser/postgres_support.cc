#include "tests/parser/postgres_support.h"

#include <libpq-fe.h>

#include <cstdlib>
#include <string_view>

namespace leat::parser {
namespace {

struct Closer {
  void operator()(PGconn* connection) const noexcept { PQfinish(connection); }
  void operator()(PGresult* result) const noexcept { PQclear(result); }
};
using Reply = std::unique_ptr<PGresult, Closer>;

std::string digits(Random& random, std::size_t count_max) {
  std::string text;
  for (std::size_t n = 1 + below(random, count_max); n != 0; --n) {
    text += static_cast<char>('0' + below(random, 10));
  }
  return text;
}

std::string two(std::size_t number) {
  return {static_cast<char>('0' + number / 10), static_cast<char>('0' + number % 10)};
}

std::string date(Random& random) {
  return std::to_string(1000 + below(random, 3000)) + "-" + two(1 + below(random, 12)) + "-" +
         two(1 + below(random, 28));
}

std::string time_of_day(Random& random) {
  std::string text = two(below(random, 24)) + ":" + two(below(random, 60));
  if (below(random, 4) != 0) text += ":" + two(below(random, 60));
  if (text.size() == 8 && below(random, 2) == 0) text += "." + digits(random, 6);
  return text;
}

std::string text_value(Random& random) {
  static constexpr const char* kPieces[] = {"a",  "b c", " ", ",",  "\"",   "\n", "\r\n", "é", "€",
                                            "\\", "\\.", "'", "\t", "NULL", "\r", "𝄞",    ";", "x"};
  std::string text;
  for (std::size_t n = below(random, 6); n != 0; --n) text += one_of(random, kPieces);
  return text;
}

const ColumnKind kKinds[] = {
    {"boolean",
     [](Random& r) {
       return one_of(r, {"t", "true", "YES", "on", "1", "f", "False", "no", "0"});
     },
     "2"},
    {"smallint",
     [](Random& r) {
       return one_of(r, {"-32768", "32767", "+5", "007", "-0", "12"});
     },
     "32768"},
    {"integer", [](Random& r) { return (below(r, 2) == 0 ? "-" : "") + digits(r, 9); },
     "2147483648"},
    {"bigint",
     [](Random& r) {
       return below(r, 4) == 0 ? "-9223372036854775808"
                               : (below(r, 2) == 0 ? "+" : "-") + digits(r, 18);
     },
     "9223372036854775808"},
    {"real",
     [](Random& r) {
       return below(r, 4) == 0 ? one_of(r, {"NaN", "inf", "-Infinity", "1e38"})
                               : digits(r, 5) + "." + digits(r, 6);
     },
     "1e39"},
    {"double precision",
     [](Random& r) {
       return below(r, 5) == 0
                  ? one_of(r, {"nan", "Infinity", "-inf", "1e308", ".5", "5.", "1E5", "-0", "0.1"})
                  : "-" + digits(r, 17) + "." + digits(r, 17) + "e" + digits(r, 2);
     },
     "1e400"},
    {"numeric(12,3)",
     [](Random& r) { return (below(r, 2) == 0 ? "-" : "") + digits(r, 9) + "." + digits(r, 3); },
     "1000000000"},
    {"date", date, "2023-02-29"},
    {"time", time_of_day, "25:00"},
    {"timestamp",
     [](Random& r) { return date(r) + (below(r, 2) == 0 ? " " : "T") + time_of_day(r); },
     "2023-02-29 10:00"},
    {"timestamptz",
     [](Random& r) {
       return date(r) + " " + time_of_day(r) +
              one_of(r, {"", "Z", "+02", "-0530", "+05:45", " UTC"});
     },
     "2026-01-01 10:00+16"},
    {"text", text_value, "\xff"},
    {"bytea",
     [](Random& r) {
       return one_of(r, {"\\x", "\\x00ff", "\\xABcd", "plain", ""});
     },
     "\\xabc"},
    {"uuid",
     [](Random& r) {
       return one_of(r, {"0123456789abcdefABCDEF0123456789", "01234567-89ab-cdef-0123-456789abcdef",
                         "{01234567-89ab-cdef-0123-456789abcdef}"});
     },
     "01234567-89ab-cdef-0123-456789abcde"},
    {"json",
     [](Random& r) {
       return one_of(r, {"{\"a\": [1, null]}", "\"x\"", " 1 ", "true", "[\"é\\n\"]"});
     },
     "{a:1}"},
};

}  // namespace

std::span<const ColumnKind> column_kinds() { return kKinds; }

struct PostgresOracle::Connection {
  std::unique_ptr<PGconn, Closer> handle;
  std::string columns;  ///< Of the table t; empty: there is none.

  Reply execute(const std::string& sql) const { return Reply(PQexec(handle.get(), sql.c_str())); }
};

PostgresOracle::PostgresOracle() = default;
PostgresOracle::~PostgresOracle() = default;

void PostgresOracle::SetUp() {
  const char* where = std::getenv("LEAT_TEST_POSTGRES");
  if (where == nullptr) {
    GTEST_SKIP() << "set LEAT_TEST_POSTGRES to a connection string of a PostgreSQL 15";
  }
  connection_ = std::make_unique<Connection>();
  connection_->handle.reset(PQconnectdb(where));
  PGconn* const handle = connection_->handle.get();
  ASSERT_EQ(PQstatus(handle), CONNECTION_OK) << PQerrorMessage(handle);
  run("SET timezone = 'UTC'; SET datestyle = 'ISO'; SET client_encoding = 'UTF8'");
  run("SET client_min_messages = warning; SET synchronous_commit = off");
}

void PostgresOracle::run(const std::string& sql) {
  const ExecStatusType status = PQresultStatus(connection_->execute(sql).get());
  ASSERT_EQ(status, PGRES_COMMAND_OK) << sql << ": " << PQerrorMessage(connection_->handle.get());
}

Answer PostgresOracle::by_postgres(const Fixture& fixture, const std::string& options) {
  PGconn* const handle = connection_->handle.get();
  // A table is dear to make: the next file of the same schema finds it empty.
  if (connection_->columns != fixture.schema) {
    run("DROP TABLE IF EXISTS t");
    run("CREATE TEMPORARY TABLE t (" + fixture.schema + ") ON COMMIT DELETE ROWS");
    connection_->columns = fixture.schema;
  }
  run("BEGIN");
  const Reply copy = connection_->execute("COPY t FROM STDIN (" + options + ")");
  EXPECT_EQ(PQresultStatus(copy.get()), PGRES_COPY_IN) << PQerrorMessage(handle);
  PQputCopyData(handle, fixture.bytes.data(), static_cast<int>(fixture.bytes.size()));
  PQputCopyEnd(handle, nullptr);
  Answer answer;
  while (const Reply reply{PQgetResult(handle)}) {
    if (PQresultStatus(reply.get()) != PGRES_COMMAND_OK) {
      answer.refused = PQresultErrorMessage(reply.get());
    }
  }
  if (!answer.refused.empty()) {
    run("ROLLBACK");
    return answer;
  }
  const Reply table = connection_->execute("SELECT * FROM t ORDER BY ctid");
  const int columns = PQnfields(table.get());
  for (int row = 0; row < PQntuples(table.get()); ++row) {
    std::string text;
    for (int column = 0; column < columns; ++column) {
      if (column != 0) text += '|';
      const std::string_view value = PQgetvalue(table.get(), row, column);
      constexpr Oid kBoolOid = 16;
      if (PQgetisnull(table.get(), row, column) != 0) {
        text += "\\N";
      } else if (PQftype(table.get(), column) == kBoolOid) {
        text += value == "t" ? "true" : "false";
      } else {
        text += value;
      }
    }
    answer.rows.push_back(std::move(text));
  }
  run("COMMIT");
  return answer;
}

Answer PostgresOracle::by_leat(const Fixture& fixture) {
  const std::size_t size = fixture.bytes.size();
  Loaded loaded = load(fixture, {size / 3, size / 2});
  return {loaded.error.empty() ? std::move(loaded.rows) : std::vector<std::string>(), loaded.error};
}

}  // namespace leat::parser
