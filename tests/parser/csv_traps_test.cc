// The trap files: what leat makes of each. docs/csv.md says why, and what others make of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "tests/parser/engines.h"
#include "tests/parser/load_support.h"

namespace leat::parser {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

using Rows = std::vector<std::string>;

struct Trap {
  const char* file;
  Rows rows;
  /// The start of each reject: `#record@offset`, and its code.
  std::vector<std::pair<std::string, std::string>> rejects = {};
  ErrorCode error = {};
};

const std::vector<Trap>& traps() {
  static const Rows last = {"4|5|6"};
  static const Rows both = {"1|2|3", "4|5|6"};
  static const std::vector<Trap> all = {
      {"01_bom.csv", {"1|2|3"}},
      {"02_crlf.csv", both},
      {"03_cr_only.csv", both},
      {"04_mixed_eol.csv", {"1|2|3", "4|5|6", "7|8|9"}},
      {"05_quote_in_unquoted.csv", {"1|x\"y|3", "4|5|6"}},
      {"06_text_after_close.csv", last, {{"#1@6", "malformed_record"}}},
      {"07_space_before_quote.csv", last, {{"#1@6", "field_count"}}},
      {"07b_space_before_quote_nocomma.csv", {"1| \"x\" |3", "4|5|6"}},
      {"08_empty_vs_qempty.csv", {"1|\\N|", "\\N|5|6", "|5|6"}},
      {"09_backslash_dot.csv", both, {{"#2@12", "field_count"}}},
      {"09b_backslash_dot_1col.csv", {"1", "\\.", "4"}},
      {"10_trailing_delim.csv", {}, {{"#1@6", "field_count"}, {"#2@13", "field_count"}}},
      {"11_short_row.csv", last, {{"#1@6", "field_count"}}},
      {"12_long_row.csv", last, {{"#1@6", "field_count"}}},
      {"13_blank_lines.csv", both},
      {"13b_blank_1col.csv", {"1", "\\N", "3"}},
      {"14_nul.csv", {std::string("1|x\0y|3", 7), "4|5|6"}},
      {"15_bad_utf8.csv", last, {{"#1@6", "bad_value"}}},
      {"16_unterminated_eof.csv", {"1|2|3"}, {}, ErrorCode::kUnterminatedQuote},
      {"17_no_final_nl.csv", both},
      {"18_quoted_nl.csv", {"1|x\ny|3", "4|p\r\nq|6"}},
      {"19_space_line.csv", both, {{"#2@12", "field_count"}}},
      {"23_bare_cr_in_field.csv", last, {{"#1@6", "malformed_record"}}},
      {"24_doubled_unquoted.csv", last, {{"#1@6", "malformed_record"}}},
      {"25_escaped_quote.csv", {"1|x\"y|3", "4|\"|6"}},
      {"26_backslash_escape.csv", last, {{"#1@6", "malformed_record"}}},
      {"27_header_only.csv", {}},
      {"28_empty_file.csv", {}},
      {"29_ws_around.csv", {" 1 | x |3", "4|5|6"}},
      {"30_crlf_in_lf_last_field.csv", both},
      {"31_comment.csv", {"1|2|3"}, {{"#1@6", "field_count"}}},
      {"40_gz_members.csv.gz", {}, {}, ErrorCode::kNotText},
      {"41_gz_trailing_garbage.csv.gz", {}, {}, ErrorCode::kNotText},
  };
  return all;
}

std::string traps_folder() {
  const std::string folder = test_data_folder("LEAT_TRAPS_DIR", "csv-traps");
  return folder.empty() ? folder : folder + "/files/";
}

class CsvTraps : public ::testing::TestWithParam<std::tuple<Trap, std::string>> {
 protected:
  void SetUp() override {
    if (traps_folder().empty()) {
      GTEST_SKIP() << "the trap files are not here: set LEAT_TRAPS_DIR to their folder";
    }
  }
  Fixture fixture(const char* file) const {
    Fixture fixture{file, read_file(traps_folder() + file)};
    fixture.options.on_error = OnError::kReject;
    use_engine(std::get<1>(GetParam()), fixture.options);
    return fixture;
  }
};

std::string trap_name(const ::testing::TestParamInfo<CsvTraps::ParamType>& instance) {
  std::string name = std::get<0>(instance.param).file;
  std::replace(name.begin(), name.end(), '.', '_');
  return "T" + name + "_" + std::get<1>(instance.param);
}

INSTANTIATE_TEST_SUITE_P(Files, CsvTraps,
                         ::testing::Combine(::testing::ValuesIn(traps()),
                                            ::testing::ValuesIn(engines())),
                         trap_name);

TEST_P(CsvTraps, GivesTheRowsOfTheDialect) {
  const Trap& trap = std::get<0>(GetParam());
  const Loaded loaded = load(fixture(trap.file));
  EXPECT_EQ(loaded.rows, trap.rows);
  EXPECT_EQ(loaded.failure ? loaded.failure->code : ErrorCode{}, trap.error) << loaded.error;
  ASSERT_EQ(loaded.rejects.size(), trap.rejects.size()) << ::testing::PrintToString(loaded.rejects);
  for (std::size_t i = 0; i < trap.rejects.size(); ++i) {
    EXPECT_THAT(loaded.rejects[i], StartsWith(trap.rejects[i].first + " "));
    EXPECT_THAT(loaded.rejects[i], HasSubstr("] " + trap.rejects[i].second + ": "));
  }
}

class CsvTrapsOnce : public CsvTraps {};

INSTANTIATE_TEST_SUITE_P(Files, CsvTrapsOnce,
                         ::testing::Combine(::testing::Values(Trap{"all", {}}),
                                            ::testing::ValuesIn(engines())),
                         trap_name);

TEST_P(CsvTrapsOnce, NoFileIsLeftOut) {
  std::set<std::string> known;
  for (const Trap& trap : traps()) known.insert(trap.file);
  for (const auto& entry : std::filesystem::directory_iterator(traps_folder())) {
    EXPECT_TRUE(known.contains(entry.path().filename().string())) << entry.path();
  }
}

TEST_P(CsvTrapsOnce, ACommentIsSkippedWhenAskedFor) {
  Fixture comment = fixture("31_comment.csv");
  comment.options.comment = '#';
  const Loaded loaded = load(comment);
  EXPECT_THAT(loaded.rows, ElementsAre("1|2|3"));
  EXPECT_THAT(loaded.rejects, IsEmpty());
}

TEST_P(CsvTrapsOnce, ABackslashEscapesWhenAskedFor) {
  Fixture escaped = fixture("26_backslash_escape.csv");
  escaped.options.escape = '\\';
  EXPECT_THAT(load(escaped).rows, ElementsAre("1|x\"y|3", "4|5|6"));
}

TEST_P(CsvTrapsOnce, AnUnterminatedQuoteNamesItsRecord) {
  const Loaded loaded = load(fixture("16_unterminated_eof.csv"));
  ASSERT_TRUE(loaded.failure);
  EXPECT_EQ(loaded.failure->at.object, "16_unterminated_eof.csv");
  EXPECT_EQ(loaded.failure->at.record, 2u);
  EXPECT_EQ(loaded.failure->at.byte_offset, 12u);
  EXPECT_EQ(loaded.end.offset, 12u);
  EXPECT_EQ(loaded.end.record, 1u);
}

TEST_P(CsvTrapsOnce, GzipIsNamed) {
  EXPECT_THAT(load(fixture("40_gz_members.csv.gz")).error,
              AllOf(HasSubstr("gzip"), HasSubstr("decompress it before it is uploaded")));
}

TEST_P(CsvTrapsOnce, BytesThatAreNoUtf8AreReadAsBytea) {
  Fixture bytes = fixture("15_bad_utf8.csv");
  bytes.schema = "a bigint, b bytea, c bigint";
  EXPECT_THAT(load(bytes).rows, ElementsAre("1|\\xfffe|3", "4|\\x35|6"));
}

}  // namespace
}  // namespace leat::parser
