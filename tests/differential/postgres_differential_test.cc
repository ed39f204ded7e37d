// Generated files through PostgreSQL 15 and through leat: the same rows, or both refuse.
//
// CSV keeps to what both read alike (docs/csv.md says where they differ on purpose); PostgreSQL's
// own two formats are mutated at will. LEAT_DIFFERENTIAL_FILES, _SEED and _FIRST as for the other
// differential test. Needs LEAT_TEST_POSTGRES, a libpq connection string.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "tests/differential/generate.h"
#include "tests/differential/random.h"
#include "tests/differential/values.h"
#include "tests/differential/write.h"
#include "tests/parser/engines.h"
#include "tests/parser/postgres_support.h"

namespace leat::differential {
namespace {

/// So many files in a row have one schema: tables are dear.
constexpr std::uint64_t kFilesOfASchema = 32;

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::stoull(text) : otherwise;
}

/// A value that both take for the same, or both refuse; `odd` ones are more likely refused.
std::string shared_value(const DataType& type, bool odd, Random& random) {
  std::string value;
  switch (type.id) {
    case TypeId::kBool:
      if (odd) return std::string(random.one_of({"2", "y", "oN", "OFF", "n", "00", "yess", ""}));
      break;
    case TypeId::kInt16:
    case TypeId::kInt32:
    case TypeId::kInt64:
      // PostgreSQL takes spaces around numbers.
      do {
        value = odd ? odd_value(type, random) : usual_value(type, random);
      } while (value.find(' ') != value.npos);
      return value;
    case TypeId::kFloat32:
    case TypeId::kFloat64:
      // What is too small for its type is zero to leat, as to strtod; PostgreSQL refuses it.
      if (odd && type.id == TypeId::kFloat64 && random.one_in(4)) {
        return std::string(random.one_of({"4.9e-324", "2.2250738585072011e-308"}));
      }
      if (odd) {
        return std::string(random.one_of({"NaN",
                                          "nan",
                                          "-nan",
                                          "inf",
                                          "-Infinity",
                                          ".5",
                                          "5.",
                                          ".",
                                          "-0",
                                          "1e400",
                                          "-1e400",
                                          "1e",
                                          "1e+",
                                          "1.2.3",
                                          "16777217",
                                          "9007199254740993",
                                          "1e22",
                                          "1e23",
                                          "8.5",
                                          "1.7976931348623157e308",
                                          "3.4028235e38",
                                          "3.4028236e38",
                                          "0.00000005960464477"}));
      }
      if (random.one_in(4)) {
        return random.digits(random.between(1, 18)) + "." + random.digits(random.between(1, 20)) +
               "e" + random.digits(1);
      }
      break;
    case TypeId::kDecimal:
      if (odd)
        return std::string(random.one_of({"-0", "5.", "1..2", "1e38", "+", "Infinity", "x"}));
      break;
    case TypeId::kDate:
      if (odd) {
        return std::to_string(10'000 + random.below(10'000)).substr(1) + "-" +
               std::to_string(100 + random.below(14)).substr(1) + "-" +
               std::to_string(128 + random.below(5)).substr(1);
      }
      break;
    case TypeId::kTime:
      if (odd)
        return std::string(random.one_of({"25:00", "10:60", "10:30:61", "00:00:60", "23:59"}));
      return time_text(random, 6);
    case TypeId::kTimestamp:
    case TypeId::kTimestampTz:
      if (odd) {
        return date_text(random, 1000, 4000) +
               std::string(random.one_of({"t10:30", " 24:00", " 24:00:00", " 24:01", " 23:59:60",
                                          " 23:59:60.5", "T22:59:60.25", " 25:00", "", "x"}));
      }
      break;
    case TypeId::kBytes:
      // In other texts backslashes begin octal numbers.
      if (!odd) return "\\x" + std::string(random.one_of({"", "00", "00ff", "ABcd", "5c78"}));
      return std::string(random.one_of({"\\xa", "\\xgg", "plain", "", "\xc3\xa9"}));
    case TypeId::kUuid:
      if (odd) return "g1234567-89ab-cdef-0123-456789abcdef";
      break;
    case TypeId::kJson:
      if (odd)
        return std::string(random.one_of({"{a:1}", "[1,]", "nul", "\"\n\"", "01", "1 2", ""}));
      break;
    case TypeId::kText:
      // PostgreSQL has no NUL, and ends at `\.` on a line of its own even inside quotes.
      do {
        value = odd ? odd_value(type, random) : usual_value(type, random);
      } while (value.find('\0') != value.npos || value.find("\\.") != value.npos);
      return value;
  }
  return usual_value(type, random);
}

struct SharedFile {
  Fixture file;
  std::string copy_options;
};

std::string sql_text(char c) {
  return "E'" + std::string(c == '\'' || c == '\\' ? "\\" : "") + c + "'";
}

/// Types of text only: what a field holds is the matter, not what it is worth.
std::vector<DataType> generate_types(bool texts_only, Random& random) {
  std::vector<DataType> types(random.between(1, 6));
  for (DataType& type : types) {
    if (!texts_only) type = type_of(random);
  }
  return types;
}

SharedFile generate_shared_file(std::uint64_t seed, std::uint64_t number) {
  Random of_schema(seed, ~(number / kFilesOfASchema));
  Random random(seed ^ 0x5bf03635, number);
  SharedFile shared;
  Fixture& fixture = shared.file;
  fixture.name = "file" + std::to_string(number);
  FormatOptions& format = fixture.options;
  const bool of_postgres = of_schema.one_in(2);
  const std::vector<DataType> types = generate_types(of_postgres, of_schema);
  for (std::size_t i = 0; i < types.size(); ++i) {
    fixture.schema += (i == 0 ? "c" : ", c") + std::to_string(i) + " " + types[i].to_sql() +
                      (of_schema.one_in(6) ? " not null" : "");
  }
  if (of_postgres) format = *dialect_options(random.one_in(2) ? "postgres" : "postgres-text");
  const bool is_text = format.kind == Format::kPostgresText;
  format.header = random.one_in(2);
  if (random.one_in(3)) format.delimiter = random.character_of(";|\t");
  if (!is_text && random.one_in(8)) format.quote = format.escape = '\'';
  if (!is_text && random.one_in(8)) format.escape = '\\';
  if (random.one_in(6)) format.null_strings = {"NULL"};

  shared.copy_options = std::string("FORMAT ") + (is_text ? "text" : "csv") + ", DELIMITER " +
                        sql_text(format.delimiter) + ", NULL E'" +
                        (format.null_strings[0] == "\\N" ? "\\\\N" : format.null_strings[0]) + "'" +
                        (format.header ? ", HEADER true" : "");
  if (!is_text) {
    shared.copy_options +=
        ", QUOTE " + sql_text(format.quote) + ", ESCAPE " + sql_text(format.escape);
  }

  const std::string line_end(random.one_of({"\n", "\n", "\r\n", "\r"}));
  const std::string& null = format.null_strings[0];
  for (std::size_t i = 0; format.header && i < types.size(); ++i) {
    if (i != 0) fixture.bytes += format.delimiter;
    fixture.bytes += "c" + std::to_string(i);
    if (i + 1 == types.size()) fixture.bytes += line_end;
  }
  const std::string header = std::move(fixture.bytes);
  fixture.bytes.clear();
  const std::size_t rows = random.below(12);
  const std::size_t odd_in = random.one_in(3) ? 8 : 150;
  const std::size_t faulty_row = random.one_in(4) ? random.below(rows + 1) : rows;
  for (std::size_t row = 0; row < rows; ++row) {
    const std::size_t fault = row == faulty_row ? random.below(5) : 5;
    const std::size_t begin = fixture.bytes.size();
    for (std::size_t i = 0; i < types.size(); ++i) {
      // An empty line, which leat's own dialect skips, is not what is meant.
      const bool is_empty = fixture.bytes.size() == begin && !of_postgres;
      if (fault == 0 && i + 1 == types.size() && i != 0 && !is_empty) break;
      if (i != 0) fixture.bytes += format.delimiter;
      fixture.bytes +=
          random.one_in(16)
              ? null
              : write_field(format, shared_value(types[i], random.one_in(odd_in), random), random);
    }
    if (fault == 1) fixture.bytes += format.delimiter;
    // A stray line end of another kind than the file's; CRLF and LF mixed are leat's own. Text
    // behind a closing quote is too.
    const bool is_quoted = format.quote != '\0' && fixture.bytes.ends_with(format.quote);
    if (fault == 2 && (of_postgres || !is_quoted))
      fixture.bytes += line_end == "\r" ? "x\nx" : "x\rx";
    if (row + 1 != rows || !random.one_in(4)) fixture.bytes += line_end;
  }
  if (of_postgres && random.one_in(3)) {
    for (std::size_t times = random.between(1, 2); times != 0; --times) {
      mutate(fixture.bytes, format, random);
    }
  }
  // A byte order mark in front, and names that differ from the columns', are leat's matter alone.
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (!of_postgres && header.empty() && fixture.bytes.starts_with(kByteOrderMark)) {
    fixture.bytes.replace(0, kByteOrderMark.size(), "bom");
  }
  fixture.bytes.insert(0, header);
  return shared;
}

class PostgresDifferential : public parser::PostgresOracle {};

TEST_F(PostgresDifferential, GivesTheSameRowsOrRefusesToo) {
  const std::uint64_t seed = number_from_environment("LEAT_DIFFERENTIAL_SEED", 20261120);
  const std::uint64_t first = number_from_environment("LEAT_DIFFERENTIAL_FIRST", 0);
  const std::uint64_t files = number_from_environment("LEAT_DIFFERENTIAL_FILES", 2'000);
  const std::vector<std::string> engines = parser::engines();
  std::uint64_t refused = 0;
  for (std::uint64_t number = first; number < first + files; ++number) {
    SharedFile shared = generate_shared_file(seed, number);
    const parser::Answer expected = by_postgres(shared.file, shared.copy_options);
    refused += expected.refused.empty() ? 0 : 1;
    parser::use_engine(engines[number % engines.size()], shared.file.options);
    const parser::Answer found = by_leat(shared.file);
    ASSERT_TRUE(found.refused.empty() == expected.refused.empty() && found.rows == expected.rows)
        << "repeat: scripts/differential --repeat " << seed << " " << number << "\n("
        << shared.file.schema << ") " << shared.copy_options << "\n"
        << ::testing::PrintToString(shared.file.bytes) << "\nPostgreSQL: "
        << (expected.refused.empty() ? ::testing::PrintToString(expected.rows) : expected.refused)
        << "\nleat: "
        << (found.refused.empty() ? ::testing::PrintToString(found.rows) : found.refused);
  }
  std::cout << "seed " << seed << ", " << files << " files from " << first << " on, " << refused
            << " refused by both\n";
  if (files < 100) return;
  EXPECT_GT(refused, files / 20);
  EXPECT_LT(refused, files * 3 / 4);
}

}  // namespace
}  // namespace leat::differential
