// Which type a column of texts gets.
#include "parser/sniff/column_values.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace leat::parser {
namespace {

ColumnValues column_of(const std::vector<std::string>& texts) {
  ColumnValues values;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    values.add(texts[i], false, [i] { return SniffedMisfit{"object", i + 1, 10 * i, {}}; });
  }
  return values;
}

struct Case {
  std::vector<std::string> texts;
  const char* type;
};

class SniffedType : public ::testing::TestWithParam<Case> {};

TEST_P(SniffedType, IsTheNarrowestThatAllValuesFitAndNoneLosesBy) {
  const Case& given = GetParam();
  EXPECT_EQ(column_of(given.texts).type().to_sql(), given.type)
      << ::testing::PrintToString(given.texts);
}

INSTANTIATE_TEST_SUITE_P(
    Numbers, SniffedType,
    ::testing::Values(
        Case{{"1", "-20", "0"}, "bigint"}, Case{{"9223372036854775807"}, "bigint"},
        Case{{"1", "9223372036854775808"}, "numeric(38,0)"},
        Case{{"1", std::string(38, '9')}, "numeric(38,0)"},
        Case{{"1", "1" + std::string(38, '0')}, "text"}, Case{{"01234", "12345"}, "text"},
        Case{{"-007"}, "text"}, Case{{"00"}, "text"}, Case{{"00.5"}, "text"},
        Case{{"+4930901820"}, "text"}, Case{{"+1.5"}, "text"},
        Case{{"1", "12.5"}, "double precision"}, Case{{"1.5", "2.25"}, "double precision"},
        Case{{"12.50", "3.00", "-0.99"}, "numeric(18,2)"},
        Case{{"12.500", "3.000"}, "numeric(18,3)"}, Case{{"12.5", "3.0"}, "double precision"},
        Case{{"12.50000", "3.00000"}, "double precision"}, Case{{"12.50", "3"}, "double precision"},
        Case{{"12345678901234567.50", "3.00"}, "numeric(38,2)"},
        Case{{"0.10000000000000001"}, "double precision"},
        Case{{"0.123456789012345678", "17.5"}, "numeric(38,18)"},
        Case{{"0.000000000000000000012", "3.5"}, "double precision"},
        Case{{"1e5", "2.5"}, "double precision"}, Case{{"NaN", "1.5"}, "double precision"},
        Case{{"inf", "-Infinity", "2"}, "double precision"}, Case{{"NaN", "nan"}, "text"},
        Case{{"1e400"}, "text"}, Case{{"0x10"}, "text"}, Case{{"1_000"}, "text"},
        Case{{" 1"}, "text"}, Case{{"1,5"}, "text"}));

INSTANTIATE_TEST_SUITE_P(Booleans, SniffedType,
                         ::testing::Values(Case{{"true", "FALSE"}, "boolean"},
                                           Case{{"true"}, "boolean"},
                                           Case{{"t", "f", "t"}, "boolean"},
                                           Case{{"f", "f"}, "text"}, Case{{"T", "F"}, "text"},
                                           Case{{"yes", "no"}, "text"}, Case{{"0", "1"}, "bigint"},
                                           Case{{"true", "1"}, "text"}));

INSTANTIATE_TEST_SUITE_P(
    DatesAndTimes, SniffedType,
    ::testing::Values(Case{{"2026-11-20", "2024-02-29"}, "date"}, Case{{"2023-02-29"}, "text"},
                      Case{{"20.11.2026"}, "text"}, Case{{"20261120"}, "bigint"},
                      Case{{"10:30", "23:59:59.5"}, "time"}, Case{{"25:00"}, "text"},
                      Case{{"2026-11-20 10:30:00", "2026-11-20T10:30"}, "timestamp"},
                      Case{{"2026-11-20", "2026-11-20 10:30:00"}, "timestamp"},
                      Case{{"2026-11-20T10:30:00Z"}, "timestamptz"},
                      Case{{"2026-11-20 10:30:00+02", "2026-11-20 10:30:00"}, "timestamptz"},
                      Case{{"2026-11-20", "10:30"}, "text"}));

INSTANTIATE_TEST_SUITE_P(
    Others, SniffedType,
    ::testing::Values(Case{{"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"}, "uuid"},
                      Case{{"a0eebc999c0b4ef8bb6d6bb9bd380a11"}, "text"},
                      Case{{"{\"a\": 1}", "[1, 2]"}, "json"}, Case{{"{\"a\": 1}", "x"}, "text"},
                      Case{{"{1,2}"}, "text"}, Case{{"\"a\""}, "text"},
                      Case{{"\\x00ff", "\\x"}, "bytea"}, Case{{"\\x00ff", "plain"}, "text"},
                      Case{{"caf\xc3\xa9"}, "text"}, Case{{"caf\xe9", "plain"}, "bytea"},
                      Case{{"caf\xe9", "\\xyz"}, "text"}, Case{{}, "text"}, Case{{""}, "text"}));

TEST(ColumnValues, NullsSpeakAgainstNoType) {
  ColumnValues values = column_of({"1", "2"});
  values.add_null();
  EXPECT_EQ(values.type().to_sql(), "bigint");
  EXPECT_EQ(values.values(), 2u);
  EXPECT_EQ(values.nulls(), 1u);
  EXPECT_FALSE(values.near());
}

TEST(ColumnValues, NamesTheFirstValueThatSpeaksAgainstANarrowerType) {
  std::vector<std::string> texts(10'000, "12");
  texts[1233] = "12.5";
  texts[5000] = "13.5";
  const std::optional<NearType> near = column_of(texts).near();
  ASSERT_TRUE(near);
  EXPECT_EQ(near->type.to_sql(), "bigint");
  EXPECT_EQ(near->fits, 9'998u);
  EXPECT_EQ(near->first.object, "object");
  EXPECT_EQ(near->first.record, 1234u);
  EXPECT_EQ(near->first.byte_offset, 12'330u);
  EXPECT_EQ(near->first.text, "12.5");
  EXPECT_FALSE(near->one_text);
}

TEST(ColumnValues, RecognisesATextThatMayMeanNull) {
  std::vector<std::string> texts;
  for (int i = 0; i < 1'000; ++i) texts.emplace_back(i % 3 == 0 ? "NA" : "2026-11-20");
  const std::optional<NearType> near = column_of(texts).near();
  ASSERT_TRUE(near);
  EXPECT_EQ(near->type.to_sql(), "date");
  EXPECT_TRUE(near->one_text);
  EXPECT_FALSE(near->quoted_empty);
  EXPECT_EQ(near->first.text, "NA");
}

TEST(ColumnValues, TellsQuotedEmptyFieldsFromNulls) {
  ColumnValues values = column_of({"1", "2", "3"});
  values.add("", true, [] { return SniffedMisfit{"object", 4, 40, {}}; });
  EXPECT_EQ(values.type().to_sql(), "text");
  ASSERT_TRUE(values.near());
  EXPECT_TRUE(values.near()->quoted_empty);
}

TEST(ColumnValues, SaysNothingOfTypesThatManyValuesDoNotFit) {
  std::vector<std::string> texts;
  for (int i = 0; i < 1'000; ++i) texts.push_back(i % 2 == 0 ? "1" : "w" + std::to_string(i));
  EXPECT_FALSE(column_of(texts).near());
}

TEST(ColumnValues, OfABytesColumnTellsWhatIsNotUtf8) {
  const std::optional<NearType> near = column_of({"a", "b", "c", "d", "e", "caf\xe9"}).near();
  ASSERT_TRUE(near);
  EXPECT_EQ(near->type.to_sql(), "text");
  EXPECT_EQ(near->first.record, 6u);
}

}  // namespace
}  // namespace leat::parser
