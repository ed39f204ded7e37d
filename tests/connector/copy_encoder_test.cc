// Rows in COPY's binary format, against a writer that goes value by value; PostgreSQL itself judges
// the format in the sink's tests.
#include "connector/postgres/copy_encoder.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "tests/connector/chunk_builder.h"

namespace leat::connector {
namespace {

constexpr std::int64_t kDaysTo2000 = 10'957;
constexpr std::int64_t kUsTo2000 = kDaysTo2000 * 86'400'000'000;

/// `width` bytes, most significant first.
std::string big_endian(std::uint64_t bits, int width) {
  std::string bytes;
  for (int i = width - 1; i >= 0; --i) bytes.push_back(static_cast<char>(bits >> (8 * i)));
  return bytes;
}

std::string integer(std::int64_t value, int width) {
  return big_endian(static_cast<std::uint64_t>(value), width);
}

/// Of hundredths: two digits of the fraction in a group of their own.
std::string numeric(std::int64_t hundredths) {
  const bool negative = hundredths < 0;
  std::int64_t whole = (negative ? -hundredths : hundredths) / 100;
  const std::int64_t fraction = (negative ? -hundredths : hundredths) % 100 * 100;
  std::vector<std::int64_t> groups;
  for (; whole != 0; whole /= 10'000) groups.insert(groups.begin(), whole % 10'000);
  std::int64_t weight = static_cast<std::int64_t>(groups.size()) - 1;
  groups.push_back(fraction);
  while (!groups.empty() && groups.back() == 0) groups.pop_back();
  while (!groups.empty() && groups.front() == 0) {
    groups.erase(groups.begin());
    --weight;
  }
  std::string bytes = integer(static_cast<std::int64_t>(groups.size()), 2);
  bytes += integer(groups.empty() ? 0 : weight, 2);
  bytes += big_endian(negative && !groups.empty() ? 0x4000 : 0, 2) + integer(2, 2);
  for (const std::int64_t group : groups) bytes += integer(group, 2);
  return bytes;
}

struct FormCase {
  const char* type;
  CopyForm form;
  std::int64_t range;  ///< Values lie in [-range, range].
  std::string (*bytes)(std::int64_t value);
};

const FormCase kNumbers[] = {
    {"boolean", CopyForm::kBool, 1, [](std::int64_t v) { return integer(v != 0 ? 1 : 0, 1); }},
    {"smallint", CopyForm::kInt2, 30'000, [](std::int64_t v) { return integer(v, 2); }},
    {"smallint", CopyForm::kInt8, 30'000, [](std::int64_t v) { return integer(v, 8); }},
    {"integer", CopyForm::kInt4, 1 << 30, [](std::int64_t v) { return integer(v, 4); }},
    {"bigint", CopyForm::kInt8, 1LL << 60, [](std::int64_t v) { return integer(v, 8); }},
    {"integer", CopyForm::kFloat8, 1 << 30,
     [](std::int64_t v) {
       return big_endian(std::bit_cast<std::uint64_t>(static_cast<double>(v)), 8);
     }},
    {"double precision", CopyForm::kFloat8, 1 << 30,
     [](std::int64_t v) {
       return big_endian(std::bit_cast<std::uint64_t>(static_cast<double>(v)), 8);
     }},
    {"real", CopyForm::kFloat4, 1 << 20,
     [](std::int64_t v) {
       return big_endian(std::bit_cast<std::uint32_t>(static_cast<float>(v)), 4);
     }},
    {"numeric(18,2)", CopyForm::kNumeric, 1LL << 56, numeric},
    {"numeric(18,2)", CopyForm::kNumeric, 1LL << 42, numeric},
    {"numeric(18,2)", CopyForm::kNumeric, 20'000, numeric},
    {"numeric(18,2)", CopyForm::kNumeric, 100, numeric},
    {"bigint", CopyForm::kNumeric, 1LL << 50,
     [](std::int64_t v) {
       std::string bytes = numeric(v * 100);
       return bytes.replace(6, 2, integer(0, 2));  // Without a scale.
     }},
    {"smallint", CopyForm::kNumeric, 30'000,
     [](std::int64_t v) {
       std::string bytes = numeric(v * 100);
       return bytes.replace(6, 2, integer(0, 2));
     }},
    {"bigint", CopyForm::kText, 1LL << 60, [](std::int64_t v) { return std::to_string(v); }},
    {"date", CopyForm::kDate, 100'000, [](std::int64_t v) { return integer(v - kDaysTo2000, 4); }},
    {"date", CopyForm::kTimestampOfDate, 100'000,
     [](std::int64_t v) { return integer((v - kDaysTo2000) * 86'400'000'000, 8); }},
    {"timestamp", CopyForm::kTimestamp, 1LL << 50,
     [](std::int64_t v) { return integer(v - kUsTo2000, 8); }},
};

struct TextCase {
  const char* type;
  CopyForm form;
  const char* before;
};

const TextCase kTexts[] = {{"text", CopyForm::kBytes, ""},
                           {"json", CopyForm::kJsonb, "\x01"},
                           {"text", CopyForm::kText, ""}};

std::string field(const std::string& bytes) {
  return integer(static_cast<std::int64_t>(bytes.size()), 4) + bytes;
}

class CopyEncoder : public testing::Test {
 protected:
  std::int64_t up_to(std::int64_t most) {
    return std::uniform_int_distribution<std::int64_t>(0, most)(random_);
  }

  /// A value, in the chunk and as it has to be written.
  void add_number(const FormCase& form, std::vector<Cell>& cells, std::string& row) {
    const std::int64_t value = up_to(2 * form.range) - form.range;
    const bool real =
        std::string_view(form.type) == "real" || std::string_view(form.type) == "double precision";
    cells.push_back(real ? Cell(static_cast<double>(value)) : Cell(value));
    row += field(form.bytes(value));
  }

  void add_text(const TextCase& form, std::vector<Cell>& cells, std::string& row) {
    std::string text(static_cast<std::size_t>(up_to(3) == 0 ? up_to(700) : up_to(20)), ' ');
    for (char& c : text) c = static_cast<char>('a' + up_to(25));
    row += field(form.before + text);
    cells.emplace_back(std::move(text));
  }

  std::mt19937_64 random_{7};
};

TEST_F(CopyEncoder, WritesEachFormAtItsPlace) {
  for (const bool with_nulls : {false, true}) {
    std::string sql;
    std::vector<CopyColumn> columns;
    const auto add_column = [&](const char* type, CopyForm form) {
      sql += (sql.empty() ? "c" : ", c") + std::to_string(columns.size()) + " " + type;
      columns.push_back({parse_schema(std::string("c ") + type).value().fields[0].type, form});
    };
    // Twice, so that each kind of column stands behind and before each; text comes last.
    for (int time = 0; time < 2; ++time) {
      for (const FormCase& form : kNumbers) add_column(form.type, form.form);
      for (const TextCase& form : kTexts) add_column(form.type, form.form);
    }
    ChunkBuilder builder(sql);
    std::vector<std::string> expected;
    for (int i = 0; i < 1'000; ++i) {
      std::vector<Cell> cells;
      std::string row = integer(static_cast<std::int64_t>(columns.size()), 2);
      const auto add = [&](const auto& forms, auto add_value) {
        for (const auto& form : forms) {
          if (with_nulls && up_to(3) == 0) {
            cells.emplace_back(nullptr);
            row += integer(-1, 4);
          } else {
            add_value(form);
          }
        }
      };
      for (int time = 0; time < 2; ++time) {
        add(kNumbers, [&](const FormCase& form) { add_number(form, cells, row); });
        add(kTexts, [&](const TextCase& form) { add_text(form, cells, row); });
      }
      builder.cells(std::move(cells));
      expected.push_back(std::move(row));
    }
    const RowChunk chunk = builder.build();
    for (const auto& [first, last] :
         {std::pair{0, 1'000}, {3, 4}, {100, 900}, {999, 1'000}, {5, 5}}) {
      Buffer out;
      out.push_back('x');
      append_copy_rows(chunk, columns, first, last, out);
      std::string wanted = "x";
      for (int row = first; row < last; ++row) wanted += expected[static_cast<std::size_t>(row)];
      EXPECT_TRUE(std::string(out.as<char>(), out.size()) == wanted)
          << "rows " << first << " to " << last << (with_nulls ? ", with nulls" : "");
    }
  }
}

TEST_F(CopyEncoder, WritesColumnsOfEmptyTextAndOfNulls) {
  const RowChunk chunk = ChunkBuilder("a text, b text, c numeric(9,2), d text")
                             .row("", nullptr, nullptr, "a text of more than 16 bytes")
                             .row("", nullptr, nullptr, "")
                             .build();
  Buffer out;
  const DataType text{.id = TypeId::kText};
  append_copy_rows(chunk,
                   {{text, CopyForm::kBytes},
                    {text, CopyForm::kBytes},
                    {chunk.schema->fields[2].type, CopyForm::kNumeric},
                    {text, CopyForm::kBytes}},
                   0, 2, out);
  const std::string begin = integer(4, 2) + field("") + integer(-1, 4) + integer(-1, 4);
  EXPECT_EQ(std::string(out.as<char>(), out.size()),
            begin + field("a text of more than 16 bytes") + begin + field(""));
}

TEST_F(CopyEncoder, WritesTextWhatItMayHold) {
  const RowChunk chunk = ChunkBuilder("a text, b bigint, c text")
                             .row("tab\tline\nreturn\rback\\slash", 7, "")
                             .row(nullptr, nullptr, "\\.")
                             .row("\\N", 8, "\\")
                             .build();
  std::vector<CopyColumn> columns;
  for (const Field& column : chunk.schema->fields) {
    columns.push_back({column.type, CopyForm::kServerText});
  }
  Buffer out;
  append_copy_text_rows(chunk, columns, 0, 2, out);
  append_copy_text_rows(chunk, columns, 2, 3, out);
  EXPECT_EQ(std::string(out.as<char>(), out.size()),
            "tab\\tline\\nreturn\\rback\\\\slash\t7\t\n"
            "\\N\t\\N\t\\\\.\n"
            "\\\\N\t8\t\\\\\n");
}

TEST_F(CopyEncoder, WritesUuidsAsTheirBytes) {
  const std::string uuid = "0123456789abcdef";
  const RowChunk chunk = ChunkBuilder("u uuid").row(uuid).row(nullptr).build();
  Buffer out;
  append_copy_rows(chunk, {{{.id = TypeId::kUuid}, CopyForm::kUuid}}, 0, 2, out);
  EXPECT_EQ(std::string(out.as<char>(), out.size()),
            integer(1, 2) + field(uuid) + integer(1, 2) + integer(-1, 4));
}

}  // namespace
}  // namespace leat::connector
