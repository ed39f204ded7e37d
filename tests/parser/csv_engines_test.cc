// Every engine makes the same chunk of the same bytes: tables that are large enough for vectors.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/parser/engines.h"
#include "tests/parser/load_support.h"

namespace leat::parser {
namespace {

constexpr std::uint64_t kSeed = 20261121;
constexpr int kTables = 160;

using Random = std::mt19937_64;

std::size_t below(Random& random, std::size_t limit) { return random() % limit; }

template <std::size_t Count>
std::string_view one_of(Random& random, const std::string_view (&values)[Count]) {
  return values[below(random, Count)];
}

struct ColumnKind {
  const char* type;
  /// Mostly values, then what may be odd about them.
  std::string (*value)(Random& random);
  std::vector<std::string_view> odd;
};

std::string digits(Random& random, std::size_t count_max) {
  std::string text;
  for (std::size_t count = 1 + below(random, count_max); count != 0; --count) {
    text += static_cast<char>('0' + below(random, 10));
  }
  return (below(random, 4) == 0 ? "-" : "") + text;
}

std::string date(Random& random) {
  const auto two = [&](std::size_t from, std::size_t count) {
    return std::to_string(100 + from + below(random, count)).substr(1);
  };
  return "20" + two(0, 99) + "-" + two(1, 12) + "-" + two(1, 28);
}

const std::vector<ColumnKind>& column_kinds() {
  static const std::vector<ColumnKind> kinds = {
      {"smallint", [](Random& r) { return digits(r, 4); }, {"32768", "-32768", "99999"}},
      {"int", [](Random& r) { return digits(r, 9); }, {"2147483648", "-2147483648", "+7"}},
      {"int",
       [](Random& r) { return "\"" + digits(r, 9) + "\""; },
       {"\"\"", "\"7\"", "\"1\"\"2\"", "8"}},
      {"bigint", [](Random& r) { return digits(r, 19); }, {"9223372036854775808", "0x10", "1_0"}},
      {"real", [](Random& r) { return digits(r, 5) + "." + digits(r, 1).back(); }, {"1e39", "NaN"}},
      {"double precision",
       [](Random& r) {
         const std::string fraction = digits(r, 8);
         return digits(r, 9) + "." + fraction.substr(fraction.find_first_not_of('-'));
       },
       {"1e400", "-0", ".5", "5.", "1.2.3", "12345678901234567890.5", "Infinity"}},
      {"text",
       [](Random& r) { return std::string(below(r, 50), static_cast<char>('a' + below(r, 26))); },
       {"\"\"", "\"a,b\"", "\"x\"\"y\"", "\"\"\"\"", "\xc3\xa9", "\"line\nline\"", "\xff"}},
      {"text",
       [](Random& r) {
         std::string text = "\"";
         for (std::size_t i = below(r, 20); i != 0; --i) {
           text += below(r, 5) == 0 ? "\"\"" : "some, text\n";
         }
         return text + "\"";
       },
       {"", "plain", "\"\""}},
      {"date", [](Random& r) { return date(r); }, {"2023-02-29", "2024-02-29", "0000-01-01"}},
      {"timestamptz", [](Random& r) { return date(r) + "T23:59:60.5"; }, {"2024-01-01 00:00+02"}},
      {"timestamptz",
       [](Random& r) {
         constexpr std::string_view kZones[] = {"Z", "+00", "-05:30", "+12", "", "+0100", " UTC"};
         return date(r) + " 10:30:00" + (below(r, 2) == 0 ? ".25" : "") +
                std::string(one_of(r, kZones));
       },
       {"2024-01-01", "0001-01-01 00:00:00+01", "9999-12-31 23:00:00-02:00"}},
      {"time",
       [](Random& r) { return "12:" + digits(r, 1).substr(0, 1) + "5:00"; },
       {"24:00:00", "23:59:60", "12:00", "12:00:00.1234567"}},
      {"uuid",
       [](Random&) { return std::string("0f8fad5b-d9cb-469f-a165-70867728950E"); },
       {"0f8fad5bd9cb469fa16570867728950e", "{0f8fad5b-d9cb-469f-a165-70867728950e}"}},
      {"numeric(38,10)", [](Random& r) { return digits(r, 15); }, {"-0.0000000001", "1e27"}},
      {"timestamp", [](Random& r) { return date(r) + " 10:30:00"; }, {"2024-01-01T24:00", "now"}},
      {"boolean", [](Random& r) { return std::string(below(r, 2) == 0 ? "t" : "false"); }, {"2"}},
      {"numeric(12,3)", [](Random& r) { return digits(r, 7) + ".25"; }, {"1e3", "1.2345"}},
  };
  return kinds;
}

/// What may stand in a field of any column.
constexpr std::string_view kAnywhere[] = {"", "", "NULL", "\"17\"", " 1", "x", "-", "\"\"", "7"};

/// What may stand at a record's end: one field more, a faulty one, a field with a bare quote, blank
/// lines, half a line end.
constexpr std::string_view kBehindARecord[] = {",more",    ",\"x\"y", "\"", "5\" pipe",
                                               "\n\n\r\n", "\r",      ","};

Fixture generate(Random& random) {
  Fixture fixture{"generated.csv", ""};
  FormatOptions& options = fixture.options;
  options.header = false;
  options.on_error = static_cast<OnError>(below(random, 3));
  if (below(random, 3) == 0) options.null_strings = {"", "NULL", "7"};
  if (below(random, 6) == 0) options.null_strings = {};
  if (below(random, 6) == 0) options.escape = '\\';
  const char* const line_end = below(random, 4) == 0 ? "\r\n" : "\n";
  std::vector<const ColumnKind*> columns;
  for (std::size_t count = 1 + below(random, 9); count != 0; --count) {
    columns.push_back(&column_kinds()[below(random, column_kinds().size())]);
    fixture.schema += (fixture.schema.empty() ? "c" : ", c") + std::to_string(columns.size()) +
                      " " + columns.back()->type + (below(random, 6) == 0 ? " not null" : "");
  }
  // How rare an odd field is.
  const std::size_t odd_in = std::size_t{1} << (2 + below(random, 12));
  for (std::size_t rows = below(random, 400); rows != 0; --rows) {
    for (const ColumnKind* column : columns) {
      if (column != columns.front()) fixture.bytes += ',';
      if (below(random, odd_in) != 0) {
        fixture.bytes += column->value(random);
      } else if (below(random, 2) == 0) {
        fixture.bytes += one_of(random, kAnywhere);
      } else {
        fixture.bytes += column->odd[below(random, column->odd.size())];
      }
    }
    if (below(random, 8 * odd_in) == 0) fixture.bytes += one_of(random, kBehindARecord);
    fixture.bytes += line_end;
  }
  return fixture;
}

class CsvEngines : public ::testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(Engines, CsvEngines, ::testing::ValuesIn(engines()),
                         [](const auto& instance) { return instance.param; });

TEST_P(CsvEngines, GiveTheSameRowsRejectsAndErrors) {
  Random random(kSeed);
  for (int i = 0; i < kTables; ++i) {
    SCOPED_TRACE("seed " + std::to_string(kSeed) + ", table " + std::to_string(i));
    Fixture fixture = generate(random);
    std::vector<std::size_t> cuts(below(random, 4));
    for (std::size_t& cut : cuts) cut = below(random, fixture.bytes.size() + 1);
    std::sort(cuts.begin(), cuts.end());
    use_engine("scalar", fixture.options);
    const Loaded expected = load(fixture);
    use_engine(GetParam(), fixture.options);
    for (const auto& at : {std::vector<std::size_t>(), cuts}) {
      const Loaded found = load(fixture, at);
      ASSERT_EQ(found.rows, expected.rows) << fixture.schema;
      ASSERT_EQ(found.lineage, expected.lineage);
      ASSERT_EQ(found.rejects, expected.rejects);
      ASSERT_EQ(found.error, expected.error);
      ASSERT_EQ(found.end, expected.end);
    }
  }
}

}  // namespace
}  // namespace leat::parser
