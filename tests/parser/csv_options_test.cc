// Options that few files need. format_fixtures.cc has files of them that are cut at every byte.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/parser/load_support.h"

namespace leat::parser {
namespace {

using namespace std::string_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Loaded load_csv(std::string bytes, const FormatOptions& options, const char* schema = "") {
  return load({"file.csv", std::move(bytes), options, schema});
}

std::string fault_of(const FormatOptions& options) {
  const Result<void> valid = options.validate();
  return valid ? "" : valid.error().message;
}

TEST(CsvOptions, ADelimiterOfSeveralBytesIsOneAsAWholeOnly) {
  FormatOptions options;
  options.long_delimiter = "||";
  EXPECT_THAT(load_csv("a||b\n1|2||\"x||\"\"y\"\n||3\n|||\n", options).rows,
              ElementsAre("1|2|x||\"y", "\\N|3", "\\N||"));
  options.on_error = OnError::kReject;
  EXPECT_THAT(load_csv("a||b\n\"1\"|2||3\n", options).rejects,
              ElementsAre(HasSubstr("text after a closing quote")));
}

TEST(CsvOptions, ADelimiterMayBeACharacterOfSeveralBytes) {
  FormatOptions options;
  options.long_delimiter = "\xc2\xa6";
  EXPECT_THAT(load_csv("a\xc2\xa6"
                       "b\n1\xc2\xa7\xc2\xa6"
                       "2\n",
                       options)
                  .rows,
              ElementsAre("1\xc2\xa7|2"));
}

TEST(CsvOptions, ADelimiterOfSeveralBytesHasRules) {
  FormatOptions options;
  options.long_delimiter = "|\n";
  EXPECT_THAT(fault_of(options), HasSubstr("line end"));
  options.long_delimiter = "|\"";
  EXPECT_THAT(fault_of(options), HasSubstr("--quote"));
  options.long_delimiter = "\xc2|";
  EXPECT_THAT(fault_of(options), HasSubstr("UTF-8"));
  options.long_delimiter = std::string(17, '|');
  EXPECT_THAT(fault_of(options), HasSubstr("at most 16"));
}

TEST(CsvOptions, AnyLineEndEndsARecordOutsideQuotes) {
  FormatOptions options;
  options.line_ends = LineEnds::kAny;
  EXPECT_THAT(load_csv("a,b\r1,2\n3,\"\r\"\r\n5,6", options).rows,
              ElementsAre("1|2", "3|\r", "5|6"));
}

TEST(CsvOptions, TrimTakesSpacesAndTabsOffUnquotedFieldsAndNames) {
  FormatOptions options;
  options.trim = true;
  options.null_strings = {"", "NA"};
  const Loaded loaded =
      load_csv(" a ,\tb\n 1 ,\"  q \"\n NA , x y\t\n\t, \"z\" \n", options, "a int, b text");
  EXPECT_THAT(loaded.rows, ElementsAre("1|  q ", "\\N|x y", "\\N|\"z\""));
}

TEST(CsvOptions, ShortRecordsHaveNullsWhereAsked) {
  FormatOptions options;
  options.on_error = OnError::kReject;
  EXPECT_THAT(load_csv("a,b\n1\n", options).rejects,
              ElementsAre(HasSubstr("--short-records null")));
  options.short_records = ShortRecords::kNull;
  const Loaded loaded = load_csv("a,b,c\n1\n1,2,3\n1,2,3,4\n", options, "a int, b text, c text");
  EXPECT_THAT(loaded.rows, ElementsAre("1|\\N|\\N", "1|2|3"));
  EXPECT_THAT(loaded.rejects, ElementsAre(HasSubstr("4 fields")));
}

TEST(CsvOptions, AShortRecordHasNoValueForAColumnThatIsNotNull) {
  FormatOptions options;
  options.on_error = OnError::kReject;
  options.short_records = ShortRecords::kNull;
  EXPECT_THAT(load_csv("a,b\n1\n", options, "a int, b text not null").rejects,
              ElementsAre(HasSubstr("NOT NULL")));
}

TEST(CsvOptions, LongRecordsLoseTheirRestWhereAsked) {
  FormatOptions options;
  options.on_error = OnError::kReject;
  options.long_records = LongRecords::kIgnore;
  const Loaded loaded = load_csv("a,b\n1,2,\n3,4,5,6\n7\n", options);
  EXPECT_THAT(loaded.rows, ElementsAre("1|2", "3|4"));
  EXPECT_THAT(loaded.rejects, ElementsAre(HasSubstr("1 field")));
}

TEST(CsvOptions, LongRecordsLoseAnEmptyRestWhereAsked) {
  FormatOptions options;
  options.on_error = OnError::kReject;
  options.long_records = LongRecords::kIgnoreEmpty;
  const Loaded loaded = load_csv("a,b\n1,2,\n3,4,,\n5,6\n7,8,x\n9,10,\"\"\n", options);
  EXPECT_THAT(loaded.rows, ElementsAre("1|2", "3|4", "5|6"));
  EXPECT_THAT(loaded.rejects, ElementsAre(HasSubstr("3 fields"), HasSubstr("3 fields")));
}

TEST(CsvOptions, ADelimiterBehindEachOfManyRecordsIsLeftOut) {
  FormatOptions options;
  options.on_error = OnError::kReject;
  options.long_records = LongRecords::kIgnoreEmpty;
  std::string bytes = "a,b\n";
  std::vector<std::string> expected;
  for (int i = 0; i < 20'000; ++i) {
    const std::string n = std::to_string(i);
    bytes += n + ",x" + n + (i == 15'000 ? ",full\n" : ",\n");
    if (i != 15'000) expected.push_back(n + "|x" + n);
  }
  const Loaded loaded = load_csv(bytes, options, "a bigint, b text");
  EXPECT_EQ(loaded.rows, expected);
  EXPECT_THAT(loaded.rejects, ElementsAre(HasSubstr("15000,x15000,full")));
}

TEST(CsvOptions, RaggedRecordsAmongManyRegularOnesStayInOrder) {
  FormatOptions options;
  options.short_records = ShortRecords::kNull;
  options.long_records = LongRecords::kIgnore;
  std::string bytes = "a,b,c\n";
  std::vector<std::string> expected;
  for (int i = 0; i < 5'000; ++i) {
    const std::string n = std::to_string(i);
    bytes += i % 997 == 3 ? n + "\n" : i % 991 == 5 ? n + ",x,,9\n" : n + ",x,2.5\n";
    expected.push_back(i % 997 == 3 ? n + "|\\N|\\N" : i % 991 == 5 ? n + "|x|\\N" : n + "|x|2.5");
  }
  EXPECT_EQ(load_csv(bytes, options, "a int, b text, c double precision").rows, expected);
}

TEST(CsvOptions, NumbersMayHaveADecimalCommaAndGroupsOfThousands) {
  FormatOptions options;
  options.delimiter = ';';
  options.header = false;
  options.on_error = OnError::kNull;
  options.decimal_separator = ',';
  options.thousands_separator = '.';
  EXPECT_THAT(load_csv("1,5;1.234.567;-0,25\n1.234,5;1234;1.000,10\n1.5;12.34;1234.567\n"
                       "1e3;-1.000;NaN\n,5;1.000.;1,\n",
                       options, "a double precision, b bigint, c numeric(10,2)")
                  .rows,
              ElementsAre("1.5|1234567|-0.25", "1234.5|1234|1000.10", "\\N|\\N|\\N",
                          "1000|-1000|\\N", "0.5|\\N|1.00"));
}

TEST(CsvOptions, DatesAndTimesAreReadInTheFormatThatIsSetAndNoOther) {
  FormatOptions options;
  options.header = false;
  options.on_error = OnError::kNull;
  options.date_format = "%d.%m.%Y";
  options.time_format = "%I:%M %p";
  options.timestamp_format = "%m/%d/%Y %H:%M";
  EXPECT_THAT(load_csv("1.2.2026,12:05 am,2/28/2026 7:05\n2026-02-01,13:00,2026-02-28 07:05\n",
                       options, "a date, b time, c timestamp")
                  .rows,
              ElementsAre("2026-02-01|00:05:00|2026-02-28 07:05:00", "\\N|\\N|\\N"));
}

TEST(CsvOptions, FormatsOfTimeAreForAllFormatsOfObjects) {
  FormatOptions options;
  options.kind = Format::kJsonLines;
  options.date_format = "%d/%m/%Y";
  EXPECT_THAT(load_csv("{\"a\": \"01/02/2026\"}\n", options, "a date").rows,
              ElementsAre("2026-02-01"));
}

TEST(CsvOptions, OtherFormatsRefuseWhatOnlyCsvHas) {
  FormatOptions options = *dialect_options("postgres");
  options.trim = true;
  EXPECT_THAT(fault_of(options), HasSubstr("--trim is for CSV only"));
  options = FormatOptions();
  options.kind = Format::kJsonLines;
  options.thousands_separator = ',';
  EXPECT_THAT(fault_of(options), HasSubstr("--thousands-separator is for CSV only"));
}

TEST(CsvOptions, ValuesThatMakeNoSenseAreRefusedByName) {
  FormatOptions options;
  options.encoding = "ebcdic";
  EXPECT_THAT(fault_of(options), HasSubstr("--encoding \"ebcdic\" is unknown"));
  options.encoding = "windows-1255";
  EXPECT_THAT(fault_of(options), HasSubstr("windows-1250 to -1254, windows-1256, windows-1257"));
  options.encoding = "Windows-1252";
  options.date_format = "%d.%m";
  EXPECT_THAT(fault_of(options), HasSubstr("--date-format: the format \"%d.%m\" lacks year"));
  options.date_format = "";
  options.decimal_separator = ',';
  options.thousands_separator = ',';
  EXPECT_THAT(fault_of(options), HasSubstr("same character"));
  options.thousands_separator = '\'';
  EXPECT_THAT(fault_of(options), IsEmpty());
}

TEST(CsvOptions, APositionGoesOnWithAnyLineEnd) {
  FormatOptions options;
  options.line_ends = LineEnds::kAny;
  const Fixture file{"file.csv", "a,b\r1,2\r3,4\n5,6\r", options};
  std::vector<Checkpointed> checkpoints;
  const Loaded whole = load({file.name, std::string(5000, 'x') + "\r" + file.bytes,
                             [&] {
                               FormatOptions skipping = options;
                               skipping.skip_lines = 1;
                               return skipping;
                             }()},
                            {5006, 5010, 5014}, {}, &checkpoints);
  EXPECT_THAT(whole.rows, ElementsAre("1|2", "3|4", "5|6"));
  EXPECT_THAT(checkpoints, ::testing::Not(IsEmpty()));
}

}  // namespace
}  // namespace leat::parser
