// A database of a test's own in the PostgreSQL server that the tests were given.
//
// Needs LEAT_TEST_POSTGRES, a libpq connection string; tests skip without it.
#pragma once

#include <libpq-fe.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

namespace leat::test {

/// A connection of the test's own. Each row of a result is one string, its columns joined by '|'.
class PostgresSession {
 public:
  explicit PostgresSession(const std::string& connection)
      : handle_(PQconnectdb(connection.c_str())) {
    if (PQstatus(handle_) != CONNECTION_OK) throw std::runtime_error(PQerrorMessage(handle_));
    PQsetNoticeProcessor(
        handle_, [](void*, const char*) {}, nullptr);
  }
  PostgresSession(const PostgresSession&) = delete;
  PostgresSession& operator=(const PostgresSession&) = delete;
  ~PostgresSession() { PQfinish(handle_); }

  std::vector<std::string> rows(const std::string& sql) {
    PGresult* const result = PQexec(handle_, sql.c_str());
    const ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
      const std::string message = PQerrorMessage(handle_);
      PQclear(result);
      throw std::runtime_error(message + " in " + sql);
    }
    std::vector<std::string> rows;
    for (int row = 0; row < PQntuples(result); ++row) {
      std::string text;
      for (int column = 0; column < PQnfields(result); ++column) {
        text += column == 0 ? "" : "|";
        text += PQgetisnull(result, row, column) != 0 ? "NULL" : PQgetvalue(result, row, column);
      }
      rows.push_back(std::move(text));
    }
    PQclear(result);
    return rows;
  }
  std::string one(const std::string& sql) {
    const auto all = rows(sql);
    return all.size() == 1 ? all[0] : std::to_string(all.size()) + " rows";
  }
  void run(const std::string& sql) { (void)rows(sql); }

 private:
  PGconn* handle_;
};

class PostgresDatabase {
 public:
  static bool available() { return std::getenv("LEAT_TEST_POSTGRES") != nullptr; }

  explicit PostgresDatabase(const std::string& kind)
      : server_(std::getenv("LEAT_TEST_POSTGRES")),
        name_("leat_" + kind + "_" + std::to_string(::getpid())) {
    PostgresSession session(server_);
    session.run("DROP DATABASE IF EXISTS " + name_ + " WITH (FORCE)");
    session.run("CREATE DATABASE " + name_);
  }
  PostgresDatabase(const PostgresDatabase&) = delete;
  PostgresDatabase& operator=(const PostgresDatabase&) = delete;
  ~PostgresDatabase() {
    try {
      PostgresSession(server_).run("DROP DATABASE IF EXISTS " + name_ + " WITH (FORCE)");
    } catch (const std::exception&) {  // The server goes with the tests.
    }
  }

  const std::string& name() const { return name_; }
  std::string connection() const { return server_ + " dbname=" + name_; }
  /// As --to takes it, with more of libpq's options.
  std::string uri(const std::string& more = "") const {
    std::string uri = "postgresql://?";
    for (const char c : connection()) uri.push_back(c == ' ' ? '&' : c);
    return uri + (more.empty() ? "" : "&" + more);
  }

 private:
  std::string server_;
  std::string name_;
};

}  // namespace leat::test
