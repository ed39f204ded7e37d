// PostgreSQL as the oracle: the same bytes through COPY and through the parser.
//
// Needs LEAT_TEST_POSTGRES, a libpq connection string.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "tests/parser/load_support.h"

namespace leat::parser {

using Random = std::mt19937_64;

/// What one side made of a file: rows, or why not.
struct Answer {
  std::vector<std::string> rows;
  std::string refused;
};

/// A connection to the server that the environment names; skips without one.
class PostgresOracle : public ::testing::Test {
 protected:
  PostgresOracle();
  ~PostgresOracle() override;
  void SetUp() override;

  /// COPY FROM STDIN with `options` into a table of the fixture's schema.
  Answer by_postgres(const Fixture& fixture, const std::string& options);
  /// With the fixture's own options; the file comes in three pieces.
  static Answer by_leat(const Fixture& fixture);

 private:
  struct Connection;
  void run(const std::string& sql);

  std::unique_ptr<Connection> connection_;
};

inline std::size_t below(Random& random, std::size_t limit) { return random() % limit; }

template <std::size_t N>
std::string one_of(Random& random, const char* const (&values)[N]) {
  return values[below(random, N)];
}

/// A type with values that both read alike, and one that both refuse.
struct ColumnKind {
  const char* type;
  std::string (*value)(Random&);
  const char* bad;
};

std::span<const ColumnKind> column_kinds();

}  // namespace leat::parser
