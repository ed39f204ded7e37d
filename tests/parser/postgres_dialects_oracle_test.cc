// PostgreSQL as the oracle of its own two formats: --dialect postgres and postgres-text.
//
// Two kinds of generated files: tables as COPY would write them, written in some of the other ways
// that it reads, now and then with a fault; and soups of the pieces that have a meaning.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/parser/postgres_support.h"

namespace leat::parser {
namespace {

constexpr std::uint64_t kSeed = 1986;
constexpr int kTables = 600;
constexpr int kSoups = 2000;

struct Dialect {
  const char* name;
  const char* copy_options;
  /// A field that means `value`. `only`: it is the only one of its record.
  std::string (*write)(Random&, const std::string& value, bool only);
  std::string null;
  std::string delimiter;
  std::vector<std::string> pieces;  ///< Of soups.
};

std::string write_csv(Random& random, const std::string& value, bool only) {
  const auto needs_quotes = [](char c) { return c == ',' || c == '"' || c == '\r' || c == '\n'; };
  const bool must = value.empty() || (only && value == "\\.") ||
                    std::any_of(value.begin(), value.end(), needs_quotes);
  if (!must && below(random, 3) != 0) return value;
  // Quotes around the whole, or around what needs them and some more.
  const bool whole = value.empty() || value == "\\." || below(random, 2) == 0;
  std::string text;
  bool inside = false;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const bool opens = whole ? i == 0 : needs_quotes(value[i]) || below(random, 4) == 0;
    // One quote right behind another would double it.
    if (!inside && opens && !text.ends_with('"')) {
      text += '"';
      inside = true;
    }
    text += value[i];
    if (value[i] == '"') text += '"';
    const bool may_close = i + 1 < value.size() && !needs_quotes(value[i + 1]) && value[i] != '"';
    if (!whole && inside && may_close && below(random, 2) == 0) {
      text += '"';
      inside = false;
    }
  }
  if (inside) text += '"';
  return value.empty() ? "\"\"" : text;
}

std::string octal(unsigned char byte) {
  return {static_cast<char>('0' + (byte >> 6)), static_cast<char>('0' + ((byte >> 3) & 7)),
          static_cast<char>('0' + (byte & 7))};
}

std::string hexadecimal(unsigned char byte) {
  constexpr char kDigits[] = "0123456789abcdef";
  return {'x', kDigits[byte >> 4], kDigits[byte & 15]};
}

std::string write_text(Random& random, const std::string& value, bool /*only*/) {
  std::string text;
  for (const char c : value) {
    const std::size_t way = below(random, 12);
    const auto byte = static_cast<unsigned char>(c);
    if (way == 0) {
      text += "\\" + octal(byte);
    } else if (way == 1) {
      text += "\\" + hexadecimal(byte);
    } else if (c == '\n') {
      text += way < 8 ? "\\n" : "\\\n";
    } else if (c == '\r') {
      text += "\\r";
    } else if (c == '\t') {
      text += way < 8 ? "\\t" : "\\\t";
    } else if (c == '\\') {
      text += "\\\\";
    } else {
      text += c;
    }
  }
  return text;
}

const Dialect kDialects[] = {
    {"postgres",
     "FORMAT csv",
     write_csv,
     "",
     ",",
     {"a", "b", ",", ",", "\"", "\"", "\"\"", "\n", "\n", "\r\n", "\r", "\\.\n", "\\.", "\\", " ",
      "é", "1"}},
    {"postgres-text",
     "FORMAT text",
     write_text,
     "\\N",
     "\t",
     // A period only behind a letter: what `\.` inside a record means, announced differences say.
     {"a", "b.c", "\t", "\t", "\n", "\n", "\r\n", "\\N", "\\\\", "\\", "\\t", "\\\n", "\\101",
      "\\x4", "\\303\\251", "\\0", "é", "1", "\\N\n"}},
};

Fixture new_fixture(const Dialect& dialect) {
  Fixture fixture{"generated", ""};
  fixture.options = *dialect_options(dialect.name);
  return fixture;
}

Fixture generate_table(const Dialect& dialect, Random& random) {
  Fixture fixture = new_fixture(dialect);
  fixture.options.header = below(random, 4) == 0;
  const char* const line_ends[] = {"\n", "\n", "\r\n", "\r"};
  const std::string line_end = one_of(random, line_ends);
  std::vector<const ColumnKind*> kinds(1 + below(random, 5));
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    kinds[i] = &column_kinds()[below(random, column_kinds().size())];
    const std::string name = "c" + std::to_string(i);
    fixture.schema += (i == 0 ? "" : ", ") + name + " " + kinds[i]->type +
                      (below(random, 5) == 0 ? " not null" : "");
    if (!fixture.options.header) continue;
    fixture.bytes += (i == 0 ? "" : dialect.delimiter) + dialect.write(random, name, false);
  }
  if (fixture.options.header) fixture.bytes += line_end;
  const std::size_t rows = below(random, 12);
  // One file in three holds something that both must refuse.
  const std::size_t faulty_row = below(random, 3) == 0 ? below(random, rows + 1) : SIZE_MAX;
  for (std::size_t row = 0; row < rows; ++row) {
    const std::size_t fault = row == faulty_row ? below(random, 5) : SIZE_MAX;
    const std::size_t faulty_column = below(random, kinds.size());
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      const bool faulty = i == faulty_column;
      if (faulty && fault == 0) continue;
      if (i != 0) fixture.bytes += dialect.delimiter;
      if (faulty && fault == 1) {
        fixture.bytes += dialect.write(random, kinds[i]->bad, true);
      } else if (faulty && fault == 2) {
        const char* const stray[] = {"\n", "\r", "\r\n"};
        fixture.bytes += "x" + one_of(random, stray);
      } else if (below(random, 24) == 0) {
        fixture.bytes += dialect.null;
      } else {
        fixture.bytes += dialect.write(random, kinds[i]->value(random), kinds.size() == 1);
      }
    }
    if (fault == 3) fixture.bytes += dialect.delimiter + "extra";
    if (fault == 4) fixture.bytes += line_end + "\\.";
    if (row + 1 != rows || below(random, 4) != 0) fixture.bytes += line_end;
  }
  const bool at_line_start = fixture.bytes.empty() || fixture.bytes.ends_with(line_end);
  if (at_line_start && below(random, 8) == 0) fixture.bytes += "\\." + line_end + "not\"read";
  return fixture;
}

Fixture generate_soup(const Dialect& dialect, Random& random) {
  Fixture fixture = new_fixture(dialect);
  fixture.schema = below(random, 3) == 0 ? "a text, b text" : "a text";
  for (std::size_t n = below(random, 9); n != 0; --n) {
    fixture.bytes += dialect.pieces[below(random, dialect.pieces.size())];
  }
  return fixture;
}

class PostgresDialects : public PostgresOracle {
 protected:
  /// True when both refused.
  bool compare(const Dialect& dialect, const Fixture& fixture, int number) {
    std::string options = dialect.copy_options;
    if (fixture.options.header) options += ", HEADER true";
    const Answer expected = by_postgres(fixture, options);
    const Answer found = by_leat(fixture);
    Fixture scalar = fixture;
    scalar.options.tokenizer = "scalar";
    EXPECT_EQ(by_leat(scalar).rows, found.rows);
    const std::string what = std::string(dialect.name) + ", seed " + std::to_string(kSeed) +
                             ", file " + std::to_string(number) + "\n(" + fixture.schema + ")\n" +
                             ::testing::PrintToString(fixture.bytes);
    EXPECT_EQ(found.refused.empty(), expected.refused.empty())
        << what << "\nleat: " << found.refused << "\nPostgreSQL: " << expected.refused;
    EXPECT_EQ(found.rows, expected.rows) << what;
    return !expected.refused.empty();
  }
};

TEST_F(PostgresDialects, TablesAreReadAlikeOrRefusedByBoth) {
  for (const Dialect& dialect : kDialects) {
    Random random(kSeed);
    int refused = 0;
    for (int i = 0; i < kTables; ++i) {
      refused += compare(dialect, generate_table(dialect, random), i) ? 1 : 0;
      ASSERT_FALSE(HasFailure());
    }
    EXPECT_GT(refused, kTables / 10) << dialect.name;
    EXPECT_LT(refused, kTables / 2) << dialect.name;
  }
}

TEST_F(PostgresDialects, SoupsAreReadAlikeOrRefusedByBoth) {
  for (const Dialect& dialect : kDialects) {
    Random random(kSeed);
    int refused = 0;
    for (int i = 0; i < kSoups; ++i) {
      refused += compare(dialect, generate_soup(dialect, random), i) ? 1 : 0;
      ASSERT_FALSE(HasFailure());
    }
    EXPECT_GT(refused, kSoups / 10) << dialect.name;
    EXPECT_LT(refused, kSoups * 9 / 10) << dialect.name;
  }
}

TEST_F(PostgresDialects, AnnouncedDifferences) {
  struct Difference {
    const char* what;
    const char* dialect;
    const char* schema;
    std::string bytes;
    std::vector<std::string> postgres;
    std::vector<std::string> leat;
  };
  const std::vector<std::string> refuses = {"refuses"};
  const Difference differences[] = {
      {"\\. inside a record ends the data there, or the record alone, as the source is: leat asks",
       "postgres-text",
       "a text",
       "1\n2\\.\n3\n",
       {"1", "2"},
       refuses},
      {"nothing is trimmed off a number", "postgres", "a int", " 1\n", {"1"}, refuses},
  };
  for (const Difference& difference : differences) {
    Fixture fixture{"difference", difference.bytes, *dialect_options(difference.dialect),
                    difference.schema};
    const auto answer = [&](const Answer& given) {
      return given.refused.empty() ? given.rows : refuses;
    };
    const bool text = fixture.options.kind == Format::kPostgresText;
    const Answer postgres = by_postgres(fixture, text ? "FORMAT text" : "FORMAT csv");
    EXPECT_EQ(answer(postgres), difference.postgres) << difference.what << postgres.refused;
    const Answer leat = by_leat(fixture);
    EXPECT_EQ(answer(leat), difference.leat) << difference.what << leat.refused;
  }
}

}  // namespace
}  // namespace leat::parser
