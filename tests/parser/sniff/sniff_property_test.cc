// Generated tables: what is found is what they were generated from, and it loads without a reject.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "parser/sniff/sniffer.h"
#include "tests/parser/load_support.h"

namespace leat::parser {
namespace {

using Random = std::mt19937_64;

std::uint64_t below(Random& random, std::uint64_t bound) { return random() % bound; }

std::string format(const char* pattern, auto... values) {
  std::array<char, 128> text;
  const int size = std::snprintf(text.data(), text.size(), pattern, values...);
  return {text.data(), static_cast<std::size_t>(size)};
}

std::string date(Random& random) {
  return format("%04d-%02d-%02d", static_cast<int>(1900 + below(random, 200)),
                static_cast<int>(1 + below(random, 12)), static_cast<int>(1 + below(random, 28)));
}

std::string time(Random& random) {
  return format("%02d:%02d:%02d", static_cast<int>(below(random, 24)),
                static_cast<int>(below(random, 60)), static_cast<int>(below(random, 60)));
}

std::string digits(Random& random, std::size_t count) {
  std::string text(1, static_cast<char>('1' + below(random, 9)));
  while (text.size() < count) text += static_cast<char>('0' + below(random, 10));
  return text;
}

std::string hex(Random& random, std::size_t count) {
  std::string text;
  while (text.size() < count) text += "0123456789abcdef"[below(random, 16)];
  return text;
}

/// Words with all that has to be quoted.
std::string words(Random& random) {
  static constexpr std::array<const char*, 9> kParts = {"river", "mill ",       ",", ";", "\"",
                                                        "\n",    "caf\xc3\xa9", "'", "|"};
  std::string text = "w";
  for (std::uint64_t i = below(random, 6); i > 0; --i) text += kParts[below(random, kParts.size())];
  return text;
}

struct Kind {
  const char* type;
  std::string (*value)(Random& random, std::size_t row);
};

const std::array<Kind, 13> kKinds = {{
    {"bigint",
     [](Random& random, std::size_t) {
       return (below(random, 2) == 0 ? "" : "-") + digits(random, 1 + below(random, 18));
     }},
    {"numeric(38,0)", [](Random& random, std::size_t) { return digits(random, 25); }},
    {"numeric(18,2)",
     [](Random& random, std::size_t) {
       return digits(random, 1 + below(random, 8)) + "." + digits(random, 2);
     }},
    {"double precision",
     [](Random& random, std::size_t row) {
       return digits(random, 2) + "." + digits(random, 1 + row % 5) + (row % 7 == 0 ? "e-3" : "");
     }},
    {"boolean", [](Random& random,
                   std::size_t) { return std::string(below(random, 2) == 0 ? "true" : "False"); }},
    {"date", [](Random& random, std::size_t) { return date(random); }},
    {"time", [](Random& random, std::size_t) { return time(random); }},
    {"timestamp",
     [](Random& random, std::size_t) { return date(random) + " " + time(random) + ".25"; }},
    {"timestamptz",
     [](Random& random, std::size_t) { return date(random) + "T" + time(random) + "+02:00"; }},
    {"uuid",
     [](Random& random, std::size_t) {
       return hex(random, 8) + "-" + hex(random, 4) + "-" + hex(random, 4) + "-" + hex(random, 4) +
              "-" + hex(random, 12);
     }},
    {"json",
     [](Random& random, std::size_t row) {
       return "{\"n\": " + std::to_string(row) + ", \"t\": \"" + hex(random, 4) + "\"}";
     }},
    {"bytea", [](Random& random, std::size_t) { return "\\x" + hex(random, 8); }},
    {"text", [](Random& random, std::size_t) { return words(random); }},
}};

struct GeneratedTable {
  std::string bytes;
  std::string schema;
  FormatOptions format;
  std::size_t rows = 0;
};

std::string quoted(const std::string& text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote) out += quote;
    out += c;
  }
  return out + quote;
}

GeneratedTable generate(Random& random) {
  GeneratedTable table;
  table.format.delimiter = ",;\t|"[below(random, 4)];
  table.format.header = below(random, 4) != 0;
  const char* const line_end = below(random, 2) == 0 ? "\n" : "\r\n";
  const bool quotes_all = below(random, 4) == 0;
  // Without a header only a value with a type shows that the first record is none.
  std::vector<const Kind*> kinds = {&kKinds[0]};
  for (std::uint64_t i = 1 + below(random, 11); i > 0; --i) {
    kinds.push_back(&kKinds[below(random, kKinds.size())]);
  }
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    const std::string name = table.format.header
                                 ? "c" + std::to_string(i) + "_" + hex(random, 3) + "x"
                                 : "column" + std::to_string(i + 1);
    table.schema += (i == 0 ? "" : ", ") + name + " " + kinds[i]->type;
    if (!table.format.header) continue;
    if (i != 0) table.bytes += table.format.delimiter;
    table.bytes += name;
  }
  if (table.format.header) table.bytes += line_end;
  if (below(random, 5) == 0) table.bytes = "\xef\xbb\xbf" + table.bytes;
  table.rows = 20 + below(random, 100);
  for (std::size_t row = 0; row < table.rows; ++row) {
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      if (i != 0) table.bytes += table.format.delimiter;
      // The first rows have values: a column of nulls says nothing.
      if (row > 10 && i != 0 && below(random, 5) == 0) continue;
      const std::string value = kinds[i]->value(random, row);
      const bool must = value.find_first_of(",;\t|\"\r\n") != std::string::npos;
      table.bytes += must || quotes_all ? quoted(value, '"') : value;
    }
    if (row + 1 != table.rows || below(random, 2) == 0) table.bytes += line_end;
  }
  return table;
}

TEST(SniffProperty, FindsWhatTablesWereGeneratedFromAndLoadsThem) {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    Random random(seed);
    const GeneratedTable table = generate(random);
    const auto report = sniff_samples({{"generated", table.bytes, true}}, {}, {});
    ASSERT_TRUE(report) << "seed " << seed << ": " << report.error().to_string();
    ASSERT_EQ(report->schema.to_sql(), table.schema) << "seed " << seed << "\n" << table.bytes;
    ASSERT_EQ(report->format.delimiter, table.format.delimiter) << "seed " << seed;
    ASSERT_EQ(report->format.header, table.format.header) << "seed " << seed;
    ASSERT_EQ(report->records, table.rows) << "seed " << seed;
    ASSERT_EQ(report->records_misfit, 0u) << "seed " << seed;
    const Loaded loaded = load({"generated", table.bytes, report->format, report->schema.to_sql()});
    ASSERT_EQ(loaded.error, "") << "seed " << seed;
    ASSERT_EQ(loaded.rows.size(), table.rows) << "seed " << seed;
  }
}

/// Bytes of any kind: an answer or an error, and what is found is a schema that loads.
TEST(SniffProperty, WhatIsFoundInAnyBytesLoadsWithoutABadValue) {
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    Random random(seed);
    std::string bytes;
    const std::uint64_t size = 1 + below(random, 400);
    while (bytes.size() < size) bytes += ",;\"'\n\r\\#12ax. -\t\xe9"[below(random, 18)];
    const auto report = sniff_samples({{"bytes", bytes, true}}, {}, {});
    if (!report || report->schema.fields.empty()) continue;
    if (!report->names_fault.empty()) continue;  // By place: a quoted header may take other lines.
    FormatOptions format = report->format;
    format.on_error = OnError::kReject;
    const Loaded loaded = load({"bytes", bytes, format, report->schema.to_sql()});
    if (loaded.failure) continue;  // An open quote at the end, whatever the types.
    EXPECT_EQ(loaded.rows.size(), report->records - report->records_misfit)
        << "seed " << seed << "\n"
        << ::testing::PrintToString(bytes);
  }
}

}  // namespace
}  // namespace leat::parser
