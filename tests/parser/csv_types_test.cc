// Every type end to end, under every policy.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/parser/engines.h"
#include "tests/parser/load_support.h"

namespace leat::parser {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

struct TypeCase {
  const char* type;
  const char* good;       ///< As it stands in the object.
  const char* canonical;  ///< As it is printed.
  const char* bad;
};

const TypeCase kTypes[] = {
    {"boolean", "yes", "true", "perhaps"},
    {"smallint", "-32768", "-32768", "32768"},
    {"integer", "+7", "7", "0x10"},
    {"bigint", "9223372036854775807", "9223372036854775807", "9223372036854775808"},
    {"real", "0.1", "0.1", "1e400"},
    {"double precision", "-1.5e3", "-1500", "1_000"},
    {"numeric(5,2)", "12.50", "12.50", "1234.5"},
    {"date", "2024-02-29", "2024-02-29", "2023-02-29"},
    {"time", "12:30:00.5", "12:30:00.5", "25:00"},
    {"timestamp", "2026-11-20T10:30:00", "2026-11-20 10:30:00", "2026-11-20 10:30:00Z"},
    {"timestamptz", "2026-11-20 12:30:00+02:00", "2026-11-20 10:30:00+00", "noon"},
    {"text", "\"a \"\"b\"\", c\"", "a \"b\", c", "\xff"},
    {"bytea", "\\x00ff", "\\x00ff", "\\xabc"},
    {"uuid", "00000000-0000-0000-0000-0000000000aB", "00000000-0000-0000-0000-0000000000ab", "x"},
    {"json", "\"{\"\"a\"\":[1,2]}\"", "{\"a\":[1,2]}", "{a}"},
};

class CsvTypes : public ::testing::TestWithParam<TypeCase> {
 protected:
  Fixture fixture(OnError policy, const char* constraint) const {
    const TypeCase& c = GetParam();
    // Enough rows for bits to cross bytes.
    std::string bytes = "n,v\n";
    for (int i = 1; i <= 11; ++i) {
      const char* value = i == 4 ? c.bad : i == 7 ? "" : c.good;
      bytes += std::to_string(i) + "," + value + "\n";
    }
    Fixture made{"types.csv", bytes};
    made.options.on_error = policy;
    made.schema = std::string("n int, v ") + c.type + constraint;
    return made;
  }
  std::vector<std::string> rows(const std::vector<int>& numbers,
                                const std::vector<int>& nulls) const {
    std::vector<std::string> out;
    for (const int i : numbers) {
      const bool null = std::find(nulls.begin(), nulls.end(), i) != nulls.end();
      out.push_back(std::to_string(i) + "|" + (null ? "\\N" : GetParam().canonical));
    }
    return out;
  }
};

INSTANTIATE_TEST_SUITE_P(All, CsvTypes, ::testing::ValuesIn(kTypes), [](const auto& instance) {
  std::string name = instance.param.type;
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return name;
});

TEST_P(CsvTypes, FailStopsInFrontOfTheRecord) {
  const Loaded loaded = load(fixture(OnError::kFail, ""));
  EXPECT_EQ(loaded.rows, rows({1, 2, 3}, {}));
  ASSERT_TRUE(loaded.failure);
  EXPECT_EQ(loaded.failure->code, ErrorCode::kBadValue);
  EXPECT_EQ(loaded.failure->at.record, 4u);
  EXPECT_EQ(loaded.failure->at.column, "v");
  EXPECT_EQ(loaded.failure->at.byte_offset, loaded.end.offset);
  EXPECT_EQ(loaded.end.record, 3u);
  EXPECT_THAT(loaded.error, HasSubstr("--on-error reject"));
}

TEST_P(CsvTypes, RejectSetsTheRecordAside) {
  const Loaded loaded = load(fixture(OnError::kReject, ""));
  EXPECT_EQ(loaded.rows, rows({1, 2, 3, 5, 6, 7, 8, 9, 10, 11}, {7}));
  ASSERT_THAT(loaded.rejects, SizeIs(1));
  EXPECT_THAT(loaded.rejects[0], HasSubstr(std::string("v \"") + GetParam().bad + "\" [4,"));
  EXPECT_THAT(loaded.rejects[0], HasSubstr("bad_value"));
}

TEST_P(CsvTypes, NullReadsTheValueAsNull) {
  const Loaded loaded = load(fixture(OnError::kNull, ""));
  EXPECT_EQ(loaded.rows, rows({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, {4, 7}));
  EXPECT_THAT(loaded.rejects, IsEmpty());
}

TEST_P(CsvTypes, ANotNullColumnRejectsBadValuesAndNulls) {
  for (const OnError policy : {OnError::kReject, OnError::kNull}) {
    const Loaded loaded = load(fixture(policy, " not null"));
    EXPECT_EQ(loaded.rows, rows({1, 2, 3, 5, 6, 8, 9, 10, 11}, {}));
    ASSERT_THAT(loaded.rejects, SizeIs(2));
    EXPECT_THAT(loaded.rejects[1], HasSubstr("NOT NULL"));
  }
}

TEST(CsvValues, AQuotedEmptyFieldIsEmptyTextAndNoNumber) {
  Fixture fixture{"q.csv", "t,n\n\"\",1\n,\n\"\",\"\"\n", {}, "t text, n int"};
  fixture.options.on_error = OnError::kReject;
  const Loaded loaded = load(fixture);
  EXPECT_THAT(loaded.rows, ElementsAre("|1", "\\N|\\N"));
  EXPECT_THAT(loaded.rejects, SizeIs(1));
}

TEST(CsvValues, NullStringsMatchUnquotedFieldsOnly) {
  for (const std::string& engine : engines()) {
    Fixture fixture{"n.csv", "a,b\nNA,\"NA\"\n,NAN\n"};
    fixture.options.null_strings = {"NA"};
    use_engine(engine, fixture.options);
    EXPECT_THAT(load(fixture).rows, ElementsAre("\\N|NA", "|NAN"));
  }
}

TEST(CsvValues, NothingIsNullWithoutNullStrings) {
  for (const std::string& engine : engines()) {
    Fixture fixture{"n.csv", "a,b\n,\"\"\n"};
    fixture.options.null_strings = {};
    use_engine(engine, fixture.options);
    EXPECT_THAT(load(fixture).rows, ElementsAre("|"));
  }
}

TEST(CsvValues, HalvesOfASequenceInTwoFieldsAreNoUtf8) {
  for (const std::string& engine : engines()) {
    Fixture fixture{"u.csv", "a,b\n\xc3,\xa9\n\xc3\xa9,x\n"};
    use_engine(engine, fixture.options);
    fixture.options.on_error = OnError::kReject;
    const Loaded loaded = load(fixture);
    EXPECT_THAT(loaded.rows, ElementsAre("\xc3\xa9|x"));
    EXPECT_THAT(loaded.rejects, ElementsAre(HasSubstr("#1@4 a \"\xc3\"")));
  }
}

TEST(CsvValues, OneRejectNamesTheFirstFaultyColumnOfTheSchema) {
  Fixture fixture{"r.csv", "b,a\nx,y\n", {}, "a int, b int"};
  fixture.options.on_error = OnError::kReject;
  EXPECT_THAT(load(fixture).rejects,
              ElementsAre(HasSubstr("#1@4 a \"y\" [x,y] bad_value: \"y\" does not fit integer: ")));
}

TEST(CsvValues, RejectsOfEveryKindStayInOrder) {
  Fixture fixture{
      "r.csv", "a,b\n1,x\n1\n1,\"2\"3\n1,2\n\"1\",\"2\n2\"\n1,2,3\n", {}, "a int, b int"};
  fixture.options.on_error = OnError::kReject;
  const Loaded loaded = load(fixture);
  EXPECT_THAT(loaded.lineage, ElementsAre("#4@17"));
  EXPECT_THAT(
      loaded.rejects,
      ElementsAre(HasSubstr("#1@4 b \"x\" [1,x] bad_value"),
                  HasSubstr("#2@8  \"\" [1] field_count: the record has 1 field, the header "
                            "has 2"),
                  HasSubstr("#3@10  \"\" [1,\"2\"3] malformed_record: text after a closing "
                            "quote"),
                  HasSubstr("#5@21 b \"2\n2\" [\"1\",\"2\n2\"] bad_value"),
                  HasSubstr("#6@31  \"\" [1,2,3] field_count")));
}

TEST(CsvValues, ALongTextIsCutInARejectButNotItsRecord) {
  const std::string text(5000, 'x');
  Fixture fixture{"r.csv", "a\n" + text + "\n", {}, "a int"};
  fixture.options.on_error = OnError::kReject;
  RowChunk chunk;
  const auto parser = make_parser(fixture);
  ASSERT_TRUE(parser->reset_for_new_split(std::make_shared<ObjectVersion>(), {}));
  ASSERT_TRUE(parser->parse({0, std::as_bytes(std::span(fixture.bytes))}, chunk));
  std::vector<RejectedRow> rejects = std::move(chunk.rejects);
  ASSERT_TRUE(parser->finish(chunk));
  for (RejectedRow& reject : chunk.rejects) rejects.push_back(std::move(reject));
  ASSERT_THAT(rejects, SizeIs(1));
  EXPECT_EQ(rejects[0].text.size(), 1024u);
  EXPECT_EQ(rejects[0].raw, text);
  EXPECT_LT(rejects[0].reason.size(), 200u);
}

/// Rejects anywhere among blocks of 64 KiB leave exactly the other rows, in all kinds of columns.
TEST(CsvValues, CompactionKeepsTheOtherRowsAsTheyWere) {
  std::mt19937_64 random(7);
  Fixture fixture{"c.csv",
                  "n,flag,word,half\n",
                  {},
                  "n bigint, flag boolean, word text not null, half numeric(6,1)"};
  fixture.options.on_error = OnError::kReject;
  std::vector<std::string> expected;
  for (int i = 0; i < 20'000; ++i) {
    const std::string word(random() % 12, static_cast<char>('a' + i % 26));
    const bool bad = random() % 7 == 0;
    const bool null = random() % 5 == 0;
    const bool flag = random() % 2 == 0;
    fixture.bytes += std::to_string(i) + "," +
                     (null   ? ""
                      : flag ? "t"
                             : "f") +
                     ",\"" + word + "\"," +
                     (bad    ? "?"
                      : null ? ""
                             : std::to_string(i) + ".5") +
                     "\n";
    if (bad) continue;
    expected.push_back(std::to_string(i) + "|" +
                       (null   ? "\\N"
                        : flag ? "true"
                               : "false") +
                       "|" + word + "|" + (null ? "\\N" : std::to_string(i) + ".5"));
  }
  const Loaded loaded = load(fixture, {100'000, 250'000});
  EXPECT_EQ(loaded.rows, expected);
  EXPECT_EQ(loaded.rows.size() + loaded.rejects.size(), 20'000u);
  EXPECT_EQ(loaded.end.record, 20'000u);
}

}  // namespace
}  // namespace leat::parser
