// PostgreSQL as the oracle: the same bytes through COPY … (FORMAT csv) and through the parser give
// the same rows, or both refuse.
//
// Generated files keep to what the two dialects share: quotes only around whole fields, one kind of
// line end, no blank lines, no `\.`. Where leat differs on purpose, AnnouncedDifferences says so
// and fails when either side changes its mind.
#include <gtest/gtest.h>

#include "tests/parser/engines.h"
#include "tests/parser/postgres_support.h"

namespace leat::parser {
namespace {

constexpr std::uint64_t kSeed = 15;
constexpr int kFiles = 400;

constexpr const char* kCopyOptions = "FORMAT csv, HEADER true";

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
    kinds[i] = &column_kinds()[below(random, column_kinds().size())];
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
    Fixture fixture = generate(random);
    const Answer expected = by_postgres(fixture, kCopyOptions);
    refused += expected.refused.empty() ? 0 : 1;
    for (const std::string& engine : engines()) {
      use_engine(engine, fixture.options);
      const Answer found = by_leat(fixture);
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
    const Answer postgres = by_postgres(fixture, kCopyOptions);
    EXPECT_EQ(answer(postgres), difference.postgres) << difference.what << postgres.refused;
    const Answer leat = by_leat(fixture);
    EXPECT_EQ(answer(leat), difference.leat) << difference.what << leat.refused;
  }
}

}  // namespace
}  // namespace leat::parser
