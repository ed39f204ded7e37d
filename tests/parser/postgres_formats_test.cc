// PostgreSQL's formats where there is no PostgreSQL to ask: rejects, messages, options.
// postgres_dialects_oracle_test.cc holds the rows to the server's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/parser/load_support.h"

namespace leat::parser {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Loaded load_as(const char* dialect, std::string bytes, const char* schema = "a text, b text",
               OnError on_error = OnError::kFail) {
  FormatOptions options = *dialect_options(dialect);
  options.on_error = on_error;
  return load({"object", std::move(bytes), std::move(options), schema});
}

TEST(PostgresCsv, QuotesOpenAndCloseAnywhere) {
  EXPECT_THAT(load_as("postgres", "a\"b,c\"d,\"x\"y\"z\"\n\"\"a,\"\"\"\"\n").rows,
              ElementsAre("ab,cd|xyz", "a|\""));
}

TEST(PostgresCsv, OnlyWhatHasNoQuotesIsNull) {
  EXPECT_THAT(load_as("postgres", ",\"\"\n\n\"\"x,\n", "a text, b text", OnError::kReject).rows,
              ElementsAre("\\N|", "x|\\N"));
}

TEST(PostgresCsv, DataEndAtTheMarker) {
  const Loaded loaded = load_as("postgres", "1,2\n\\.\n3,4\n\"open");
  EXPECT_THAT(loaded.rows, ElementsAre("1|2"));
  EXPECT_EQ(loaded.error, "");
  EXPECT_EQ(loaded.end.offset, 16u);
}

TEST(PostgresCsv, ALineEndOfAnotherKindIsAFaultOfItsRecord) {
  const Loaded loaded =
      load_as("postgres", "1,2\n3,4\r\n5,6\n", "a text, b text", OnError::kReject);
  EXPECT_THAT(loaded.rows, ElementsAre("1|2", "5|6"));
  EXPECT_THAT(loaded.rejects,
              ElementsAre(HasSubstr("[3,4\r] malformed_record: a carriage return")));
}

TEST(PostgresText, BackslashesEscape) {
  EXPECT_THAT(load_as("postgres-text", "\\N\t\\\\N\na\\tb\\\tc\td\\ne\\\nf\n").rows,
              ElementsAre("\\N|\\N", "a\tb\tc|d\ne\nf"));
  EXPECT_THAT(load_as("postgres-text", "\\101\\x42\\x4a4\t\\303\\251\\8\n").rows,
              ElementsAre("ABJ4|é8"));
}

TEST(PostgresText, TheNullStringIsWhatIsWrittenNotWhatItMeans) {
  EXPECT_THAT(load_as("postgres-text", "\\N\t\\x4e\nN\t\\\\N\n").rows,
              ElementsAre("\\N|N", "N|\\N"));
}

TEST(PostgresText, AMarkerThatIsNotAloneIsAFaultOfItsRecord) {
  const Loaded loaded =
      load_as("postgres-text", "1\t2\n3\t4\\.\n5\t6\n", "a text, b text", OnError::kReject);
  EXPECT_THAT(loaded.rows, ElementsAre("1|2", "5|6"));
  EXPECT_THAT(loaded.rejects, ElementsAre(HasSubstr("\\. that is not alone on its line")));
}

TEST(PostgresText, TypesAreReadOnceTheirTextIsUnescaped) {
  const Loaded loaded = load_as("postgres-text", "\\x31\t\\\\x0aff\n2\tx\\\\y\n", "a int, b bytea");
  EXPECT_THAT(loaded.rows, ElementsAre("1|\\x0aff", "2|\\x785c79"));
}

TEST(PostgresText, RejectsShowTheTextAndTheRecordAsItStands) {
  const Loaded loaded = load_as("postgres-text", "\\x78\t1\n", "a int, b int", OnError::kReject);
  EXPECT_THAT(loaded.rows, IsEmpty());
  EXPECT_THAT(loaded.rejects, ElementsAre(HasSubstr("#1@0 a \"x\" [\\x78\t1] bad_value")));
}

TEST(PostgresFormats, RefuseWhatIsNotUtf8AndNul) {
  for (const char* dialect : {"postgres", "postgres-text"}) {
    for (const std::string& bytes : {std::string("\xff\n"), std::string("a\0b\n", 4)}) {
      const Loaded loaded = load_as(dialect, "x\n" + bytes + "y\n", "a bytea", OnError::kReject);
      EXPECT_THAT(loaded.rows, ElementsAre("\\x78", "\\x79")) << dialect;
      EXPECT_THAT(loaded.rejects, ElementsAre(HasSubstr("malformed_record"))) << dialect;
    }
  }
}

TEST(PostgresFormats, APositionIsGoodForItsFormatOnly) {
  const Loaded text = load_as("postgres-text", "1\t2\n3\t4\n");
  Fixture fixture{"object", "1\t2\n3\t4\n5\t6\n", *dialect_options("postgres"), "a text, b text"};
  EXPECT_EQ(load(fixture, {}, text.end).failure->code, ErrorCode::kCorrupt);
  fixture.options = *dialect_options("postgres-text");
  EXPECT_THAT(load(fixture, {}, text.end).rows, ElementsAre("5|6"));
}

TEST(PostgresFormats, OptionsThatCannotBeToldApartAreRefused) {
  const auto refused = [](const char* dialect, void (*change)(FormatOptions&)) {
    FormatOptions options = *dialect_options(dialect);
    change(options);
    const Result<void> valid = options.validate();
    return valid ? std::string() : valid.error().message;
  };
  EXPECT_THAT(refused("postgres", [](FormatOptions& o) { o.quote = '\0'; }), HasSubstr("--quote"));
  EXPECT_THAT(refused("postgres", [](FormatOptions& o) { o.comment = '#'; }),
              HasSubstr("--comment"));
  EXPECT_THAT(refused("postgres-text", [](FormatOptions& o) { o.delimiter = 'n'; }),
              HasSubstr("--delimiter"));
  EXPECT_EQ(refused("postgres-text", [](FormatOptions& o) { o.delimiter = '|'; }), "");
  EXPECT_THAT(dialect_options("mysql").error().message, HasSubstr("known are default"));
}

}  // namespace
}  // namespace leat::parser
