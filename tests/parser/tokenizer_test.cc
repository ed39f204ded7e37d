// The dialect's rules, one by one, for every tokenizer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/parser/engines.h"
#include "tests/parser/tokenizer_support.h"

namespace leat::parser {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

class Tokenizing : public ::testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<Tokenizer> make(const FormatOptions& options) const {
    return make_engine(GetParam(), options);
  }
  Found run(std::string_view input, bool keep_blank = false) const {
    return run_tokenizer(*make(options_), options_, input, {}, keep_blank, false);
  }
  std::vector<std::string> records(std::string_view input) const { return run(input).records; }

  FormatOptions options_;
};

testing::Matcher<std::string> carriage_return_at(int offset) {
  return testing::AllOf(StartsWith("!a carriage return outside quotes"),
                        testing::EndsWith("@" + std::to_string(offset)));
}

INSTANTIATE_TEST_SUITE_P(Engines, Tokenizing, ::testing::ValuesIn(engines()),
                         [](const auto& instance) { return instance.param; });

TEST_P(Tokenizing, EndsRecordsAtLfAndCrlfMixed) {
  EXPECT_THAT(records("a,b\n1,2\r\n3,4\n5,6\r\n"), ElementsAre("a|b", "1|2", "3|4", "5|6"));
}

TEST_P(Tokenizing, EndsRecordsAtLoneCrWhenTheFirstLineEndIsOne) {
  const Found found = run("a,b\r1,2\r");
  EXPECT_THAT(found.records, ElementsAre("a|b", "1|2"));
  EXPECT_EQ(found.line_end, LineEnd::kCr);
}

TEST_P(Tokenizing, RefusesALineFeedAmongLinesThatEndWithCr) {
  EXPECT_THAT(records("a,b\r1,\n2\r3,4\r"),
              ElementsAre("a|b", StartsWith("!a line feed outside quotes"), "3|4"));
}

TEST_P(Tokenizing, RefusesALoneCrAmongLinesThatEndWithLf) {
  EXPECT_THAT(records("a,b\n1,x\ry\n3,4\n"), ElementsAre("a|b", carriage_return_at(7), "3|4"));
  EXPECT_THAT(records("a,b\n1,2\r\r\n3,4\n"), ElementsAre("a|b", carriage_return_at(7), "3|4"));
  EXPECT_THAT(records("a,b\n\r1,2\n3,4\n"), ElementsAre("a|b", carriage_return_at(4), "3|4"));
  EXPECT_THAT(records("a,b\n1,\"2\"\r"), ElementsAre("a|b", carriage_return_at(9)));
}

TEST_P(Tokenizing, TakesALoneCrAtTheEndOfAnObjectWithoutOtherLineEnds) {
  const Found found = run("a,b\r");
  EXPECT_THAT(found.records, ElementsAre("a|b"));
  EXPECT_EQ(found.line_end, LineEnd::kCr);
}

TEST_P(Tokenizing, TakesTheLastRecordWithoutLineEnd) {
  const Found found = run("a,b\n1,2");
  EXPECT_THAT(found.records, ElementsAre("a|b", "1|2"));
  EXPECT_EQ(found.consumed, 7u);
}

TEST_P(Tokenizing, OpensAQuoteOnlyAtTheStartOfAField) {
  EXPECT_THAT(records("a,b\n5\" pipe,x\"y\"\n ,  \"x\n"),
              ElementsAre("a|b", "5\" pipe|x\"y\"", " |  \"x"));
}

TEST_P(Tokenizing, RefusesTextAfterAClosingQuote) {
  EXPECT_THAT(records("a,b\n1,\"x\"y\n3,\"4\" \n5,6\n"),
              ElementsAre("a|b", StartsWith("!text after a closing quote"),
                          StartsWith("!text after a closing quote"), "5|6"));
  EXPECT_THAT(records("a,b\n1,\"\"x\"\"\n"),
              ElementsAre("a|b", StartsWith("!text after a closing quote")));
}

TEST_P(Tokenizing, ABadRecordEndsWhereItsQuotedFieldsDo) {
  // The line `2,b"` is part of the bad record, never a record of its own.
  EXPECT_THAT(records("h\n1,\"x\"y,\"a\n2,b\"\n3\n"),
              ElementsAre("h", StartsWith("!text after a closing quote"), "3"));
}

TEST_P(Tokenizing, ABadRecordWithAnOpenQuoteIsUnterminated) {
  const Found found = run("h\n\"x\"y,\"a\n2,b\n3\n");
  EXPECT_THAT(found.records, ElementsAre("h"));
  EXPECT_EQ(found.error, "unterminated_quote");
  EXPECT_EQ(found.consumed, 2u);
}

TEST_P(Tokenizing, KeepsLineEndsInsideQuotes) {
  EXPECT_THAT(records("h,i\n\"x\ny\",\"p\r\nq\"\n\"\r\",\"\n\"\n"),
              ElementsAre("h|i", "x\ny|p\r\nq", "\r|\n"));
}

TEST_P(Tokenizing, ReadsDoubledQuotes) {
  EXPECT_THAT(records("h,i\n\"x\"\"y\",\"\"\"\"\n\"\"\"a\",\"b\"\"\"\n"),
              ElementsAre("h|i", "x\"y|\"", "\"a|b\""));
}

TEST_P(Tokenizing, TellsEmptyFromQuotedEmpty) {
  EXPECT_THAT(records("a,b,c\n,\"\",\n\"\",,\"\"\n"), ElementsAre("a|b|c", "|\"\"|", "\"\"||\"\""));
}

TEST_P(Tokenizing, SkipsBlankLinesUnlessTheyAreRecords) {
  EXPECT_THAT(records("\n\na\n\n\r\n1\n\n"), ElementsAre("a", "1"));
  EXPECT_THAT(run("a\n\n\r\n1\n\"\"\n\n", true).records, ElementsAre("a", "", "", "1", "\"\"", ""));
}

TEST_P(Tokenizing, CountsBlankLinesAsConsumed) { EXPECT_EQ(run("a\n\n\n").consumed, 4u); }

TEST_P(Tokenizing, ReportsAnUnterminatedQuoteAtItsRecord) {
  const Found found = run("a,b\n1,2\n3,\"x\n4,5\n");
  EXPECT_THAT(found.records, ElementsAre("a|b", "1|2"));
  EXPECT_EQ(found.error, "unterminated_quote");
  EXPECT_EQ(found.consumed, 8u);
}

TEST_P(Tokenizing, LeavesWhatIsNotDecided) {
  TokenizedBlock block;
  const auto tokenizer = make(options_);
  for (const std::string_view tail : {"1,2", "1,\"2", "1,\"2\"", "1,2\r", "1,\"2\"\r", "1,"}) {
    LineEnd line_end = LineEnd::kUnknown;
    const std::string input = "a,b\n" + std::string(tail);
    ASSERT_TRUE(tokenizer->tokenize(input, false, false, SIZE_MAX, line_end, block)) << tail;
    block.spell_out();
    EXPECT_EQ(block.consumed, 4u) << tail;
    EXPECT_THAT(block.record_begin, SizeIs(1)) << tail;
    EXPECT_THAT(block.first_field, ElementsAre(0, 2)) << tail;
    EXPECT_THAT(block.fields, SizeIs(2)) << tail;
  }
}

TEST_P(Tokenizing, LeavesACrAtTheEndOfTheInputUndecided) {
  TokenizedBlock block;
  LineEnd line_end = LineEnd::kUnknown;
  ASSERT_TRUE(make(options_)->tokenize("a,b\r", false, false, SIZE_MAX, line_end, block));
  EXPECT_EQ(block.consumed, 0u);
  EXPECT_EQ(line_end, LineEnd::kUnknown);
}

TEST_P(Tokenizing, StopsAfterAsManyRecordsAsAskedFor) {
  TokenizedBlock block;
  LineEnd line_end = LineEnd::kUnknown;
  ASSERT_TRUE(make(options_)->tokenize("\na,b\n\n1,2\n", false, false, 1, line_end, block));
  EXPECT_EQ(block.consumed, 5u);
  EXPECT_THAT(block.record_begin, ElementsAre(1));
  EXPECT_THAT(block.record_end, ElementsAre(4));
}

TEST_P(Tokenizing, RefusesARecordOverTheLimitAndTakesOneThatFillsIt) {
  options_.record_bytes_max = 8;
  EXPECT_THAT(records("h\n1234,678\n"), ElementsAre("h", "1234|678"));
  EXPECT_THAT(records("h\n1234,678\r\n"), ElementsAre("h", "1234|678"));
  EXPECT_THAT(records("h\n1234,678"), ElementsAre("h", "1234|678"));
  for (const std::string_view input :
       {"h\n1234,6789\n", "h\n1234,6789\r\n", "h\n1234,6789", "h\n\"234,6789\"\n", "h\n\"234,6789",
        "h\n1234,678\rx\n", "h\n\"1\"34,6789\n"}) {
    const Found found = run(input);
    EXPECT_EQ(found.error, "record_too_large") << input;
    EXPECT_THAT(found.records, ElementsAre("h")) << input;
    EXPECT_EQ(found.consumed, 2u) << input;
  }
}

TEST_P(Tokenizing, RefusesAnIncompleteRecordAsSoonAsItIsTooLong) {
  options_.record_bytes_max = 8;
  TokenizedBlock block;
  LineEnd line_end = LineEnd::kLf;
  const auto tokenizer = make(options_);
  EXPECT_TRUE(tokenizer->tokenize("12345678\r", false, false, SIZE_MAX, line_end, block));
  EXPECT_FALSE(tokenizer->tokenize("1234567890", false, false, SIZE_MAX, line_end, block));
}

TEST_P(Tokenizing, RefusesMoreFieldsThanTheLimit) {
  options_.fields_max = 3;
  EXPECT_THAT(records("h\n1,2,3\n"), ElementsAre("h", "1|2|3"));
  for (const std::string_view input : {"h\n1,2,3,4\n", "h\n1,2,3,", "h\n1,\"2\"x,3,4\n"}) {
    const Found found = run(input);
    EXPECT_EQ(found.error, "record_too_large") << input;
    EXPECT_THAT(found.records, ElementsAre("h")) << input;
  }
}

TEST_P(Tokenizing, KeepsSpacesNulAndBytesAboveAscii) {
  EXPECT_THAT(records(std::string_view("h,i\n a , \t\nx\0y,\xff\xfe\n", 17)),
              ElementsAre("h|i", " a | \t", std::string_view("x\0y|\xff\xfe", 6)));
}

TEST_P(Tokenizing, ReadsAnEscapeOtherThanTheQuote) {
  options_.escape = '\\';
  EXPECT_THAT(records("h,i\n\"x\\\"y\",\"\\\\\"\n\"a\\n\",\\\"\n"),
              ElementsAre("h|i", "x\"y|\\", "a\\n|\\\""));
  EXPECT_THAT(records("h\n\"x\"\"y\"\n"),
              ElementsAre("h", StartsWith("!text after a closing quote")));
}

TEST_P(Tokenizing, SkipsComments) {
  options_.comment = '#';
  EXPECT_THAT(records("#x \"y\nh,i\n# a, \"b\r\n1,#2\n#end"), ElementsAre("h|i", "1|#2"));
}

TEST_P(Tokenizing, TakesQuotesAsTextWithoutQuoting) {
  options_.quote = '\0';
  EXPECT_THAT(records("h,i\n\"x,y\"\n"), ElementsAre("h|i", "\"x|y\""));
}

TEST_P(Tokenizing, SplitsAtOtherDelimiters) {
  options_.delimiter = '\t';
  EXPECT_THAT(records("h\ti\n \t\"a\tb\"\n"), ElementsAre("h|i", " |a\tb"));
}

TEST_P(Tokenizing, FindsNothingInNothing) {
  EXPECT_THAT(records(""), IsEmpty());
  EXPECT_THAT(records("\n\r\n"), IsEmpty());
}

TEST(Unescape, RemovesEscapesInFrontOfQuotesAndEscapesOnly) {
  const auto unescaped = [](std::string_view text, char quote, char escape) {
    std::string out;
    unescape(text, quote, escape, out);
    return out;
  };
  EXPECT_EQ(unescaped("\"\"x\"\"\"\"y\"\"", '"', '"'), "\"x\"\"y\"");
  EXPECT_EQ(unescaped("\\\"\\\\\\n\\", '"', '\\'), "\"\\\\n\\");
}

}  // namespace
}  // namespace leat::parser
