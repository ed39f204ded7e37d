// PostgreSQL as the oracle: the same bytes through COPY … (FORMAT csv) and through the parser give
// the same rows, or both refuse.
//
// Generated files keep to what the two dialects share: quotes only around whole fields, one kind of
// line end, no blank lines, no `\.`. Where leat differs on purpose, AnnouncedDifferences says so
// and fails when either side changes its mind. Needs LEAT_TEST_POSTGRES, a libpq connection string.
#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <cstdlib>
#include <memory>
#include <random>

#include "tests/parser/engines.h"
#include "tests/parser/load_support.h"

namespace leat::parser {
namespace {

using Random = std::mt19937_64;

constexpr std::uint64_t kSeed = 15;
constexpr int kFiles = 400;

struct Closer {
  void operator()(PGconn* connection) const noexcept { PQfinish(connection); }
  void operator()(PGresult* result) const noexcept { PQclear(result); }
};
using Connection = std::unique_ptr<PGconn, Closer>;
using Reply = std::unique_ptr<PGresult, Closer>;

/// What one side made of a file: rows, or why not.
struct Answer {
  std::vector<std::string> rows;
  std::string refused;
};

class PostgresOracle : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* where = std::getenv("LEAT_TEST_POSTGRES");
    if (where == nullptr) {
      GTEST_SKIP() << "set LEAT_TEST_POSTGRES to a connection string of a PostgreSQL 15";
    }
    connection_.reset(PQconnectdb(where));
    ASSERT_EQ(PQstatus(connection_.get()), CONNECTION_OK) << PQerrorMessage(connection_.get());
    run("SET timezone = 'UTC'; SET datestyle = 'ISO'; SET client_encoding = 'UTF8'");
    run("SET client_min_messages = warning");
  }

  Reply execute(const std::string& sql) { return Reply(PQexec(connection_.get(), sql.c_str())); }
  void run(const std::string& sql) {
    const ExecStatusType status = PQresultStatus(execute(sql).get());
    ASSERT_EQ(status, PGRES_COMMAND_OK) << sql << ": " << PQerrorMessage(connection_.get());
  }

  Answer by_postgres(const Fixture& fixture) {
    run("DROP TABLE IF EXISTS t");
    run("CREATE TEMPORARY TABLE t (" + fixture.schema + ")");
    const Reply copy = execute("COPY t FROM STDIN (FORMAT csv, HEADER true)");
    EXPECT_EQ(PQresultStatus(copy.get()), PGRES_COPY_IN);
    PQputCopyData(connection_.get(), fixture.bytes.data(), static_cast<int>(fixture.bytes.size()));
    PQputCopyEnd(connection_.get(), nullptr);
    Answer answer;
    while (const Reply reply{PQgetResult(connection_.get())}) {
      if (PQresultStatus(reply.get()) != PGRES_COMMAND_OK) {
        answer.refused = PQresultErrorMessage(reply.get());
      }
    }
    if (!answer.refused.empty()) return answer;
    const Reply table = execute("SELECT * FROM t ORDER BY ctid");
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
    return answer;
  }

  static Answer by_leat(Fixture fixture, const std::string& engine) {
    use_engine(engine, fixture.options);
    const std::size_t size = fixture.bytes.size();
    Loaded loaded = load(fixture, {size / 3, size / 2});
    return {loaded.error.empty() ? std::move(loaded.rows) : std::vector<std::string>(),
            loaded.error};
  }

  Connection connection_;
};

std::size_t below(Random& random, std::size_t limit) { return random() % limit; }

template <std::size_t N>
std::string one_of(Random& random, const char* const (&values)[N]) {
  return values[below(random, N)];
}

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

struct ColumnKind {
  const char* type;
  std::string (*value)(Random&);
  const char* bad;
};

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

/// A field that both read alike: quoted where it must be, sometimes where it need not be. Null is
/// unquoted emptiness.
std::string field(Random& random, const std::string& value) {
  const bool must = value.empty() || value.find_first_of(",\"\r\n") != std::string::npos;
  if (!must && below(random, 4) != 0) return value;
  std::string quoted = "\"";
  for (const char c : value) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

Fixture generate(Random& random) {
  Fixture fixture{"generated.csv", ""};
  const std::string line_end = below(random, 2) == 0 ? "\n" : "\r\n";
  std::vector<const ColumnKind*> kinds(2 + below(random, 5));
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    kinds[i] = &kKinds[below(random, std::size(kKinds))];
    const std::string name = "c" + std::to_string(i);
    fixture.schema += (i == 0 ? "" : ", ") + name + " " + kinds[i]->type +
                      (below(random, 5) == 0 ? " not null" : "");
    fixture.bytes += (i == 0 ? "" : ",") + field(random, name);
  }
  fixture.bytes += line_end;
  const std::size_t rows = below(random, 12);
  // One file in three holds something that both must refuse.
  const std::size_t faulty_row = below(random, 3) == 0 ? below(random, rows + 1) : SIZE_MAX;
  for (std::size_t row = 0; row < rows; ++row) {
    const std::size_t fault = row == faulty_row ? below(random, 5) : SIZE_MAX;
    const std::size_t faulty_column = below(random, kinds.size());
    const std::size_t columns = kinds.size() - (fault == 1 ? 1 : 0);
    for (std::size_t i = 0; i < columns; ++i) {
      if (i != 0) fixture.bytes += ',';
      const bool faulty = i == faulty_column;
      if (faulty && fault == 0) {
        fixture.bytes += field(random, kinds[i]->bad);
      } else if (faulty && fault == 2) {
        fixture.bytes += "\"open";
      } else if (faulty && fault == 3) {
        // An empty value, quoted: only text and bytea take it.
        fixture.bytes += "\"\"";
      } else if (columns == 1 || below(random, 24) != 0) {
        // A lone empty field would be a blank line.
        fixture.bytes += field(random, kinds[i]->value(random));
      }
    }
    if (fault == 4) fixture.bytes += ",extra";
    if (row + 1 != rows || below(random, 4) != 0) fixture.bytes += line_end;
  }
  return fixture;
}

TEST_F(PostgresOracle, ReadsTheSameRowsOrRefusesToo) {
  Random random(kSeed);
  int refused = 0;
  for (int i = 0; i < kFiles; ++i) {
    const Fixture fixture = generate(random);
    const Answer expected = by_postgres(fixture);
    refused += expected.refused.empty() ? 0 : 1;
    for (const std::string& engine : engines()) {
      const Answer found = by_leat(fixture, engine);
      ASSERT_EQ(found.refused.empty(), expected.refused.empty())
          << "seed " << kSeed << ", file " << i << "\n(" << fixture.schema << ")\n"
          << fixture.bytes << "\nleat: " << found.refused << "\nPostgreSQL: " << expected.refused;
      ASSERT_EQ(found.rows, expected.rows)
          << "seed " << kSeed << ", file " << i << "\n(" << fixture.schema << ")\n"
          << fixture.bytes;
    }
  }
  EXPECT_GT(refused, kFiles / 10);
  EXPECT_LT(refused, kFiles / 2);
}

/// Where leat answers otherwise, and why. An answer is the rows, or "refuses".
struct Difference {
  const char* what;
  const char* schema;
  std::string bytes;
  std::vector<std::string> postgres;
  std::vector<std::string> leat;
};

const std::vector<std::string> kRefuses = {"refuses"};

TEST_F(PostgresOracle, AnnouncedDifferences) {
  const Difference differences[] = {
      {"a quote inside a field is a character: PostgreSQL lets it open and close quoting",
       "a text",
       "a\nx\"y\"z\n",
       {"xyz"},
       {"x\"y\"z"}},
      {"text after a closing quote is most often a quote that was not doubled",
       "a text",
       "a\n\"x\"y\n",
       {"xy"},
       kRefuses},
      {"blank lines hold no record, unless records have one field",
       "a text, b text",
       "a,b\n1,2\n\n3,4\n",
       kRefuses,
       {"1|2", "3|4"}},
      {"\\. is data like any other", "a text", "a\n1\n\\.\n2\n", {"1"}, {"1", "\\.", "2"}},
      {"LF and CRLF may be mixed", "a text", "a\n1\r\n2\n", kRefuses, {"1", "2"}},
      {"NUL is a character of text",
       "a text",
       std::string("a\nx\0y\n", 6),
       kRefuses,
       {std::string("x\0y", 3)}},
      {"a BOM is no part of the first name",
       "a text",
       "\xef\xbb\xbf"
       "a\n1\n",
       {"1"},
       {"1"}},
      {"columns are matched by name, not by place", "a int, b int", "b,a\n1,2\n", {"1|2"}, {"2|1"}},
      {"nothing is trimmed off a number", "a int", "a\n 1\n", {"1"}, kRefuses},
      {"nothing is rounded away", "a numeric(4,1)", "a\n1.25\n", {"1.3"}, kRefuses},
      {"a float too small for its type is zero, as strtod has it",
       "a double precision",
       "a\n1e-400\n",
       kRefuses,
       {"0"}},
      {"the words of booleans are whole words", "a boolean", "a\ntru\n", {"true"}, kRefuses},
      {"dates have one form", "a date", "a\nNov 20 2026\n", {"2026-11-20"}, kRefuses},
      {"dates are days of the calendar", "a date", "a\ninfinity\n", {"infinity"}, kRefuses},
      {"24:00 is a time of the next day", "a time", "a\n24:00\n", {"24:00:00"}, kRefuses},
      {"an offset is not dropped silently",
       "a timestamp",
       "a\n2026-11-20 10:00+02\n",
       {"2026-11-20 10:00:00"},
       kRefuses},
      {"backslashes in bytea are bytes, but for \\x",
       "a bytea",
       "a\n\\101\n",
       {"\\x41"},
       {"\\x5c313031"}},
  };
  for (const Difference& difference : differences) {
    const Fixture fixture{"difference.csv", difference.bytes, {}, difference.schema};
    const auto answer = [](const Answer& given) {
      return given.refused.empty() ? given.rows : kRefuses;
    };
    const Answer postgres = by_postgres(fixture);
    EXPECT_EQ(answer(postgres), difference.postgres) << difference.what << postgres.refused;
    const Answer leat = by_leat(fixture, "libcsv");
    EXPECT_EQ(answer(leat), difference.leat) << difference.what << leat.refused;
  }
}

}  // namespace
}  // namespace leat::parser
