// What Redshift's UNLOAD writes: plain, with ESCAPE, with ADDQUOTES.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/parser/load_support.h"

namespace leat::parser {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Loaded load_unloaded(std::string bytes, char quote, char escape, const char* schema) {
  FormatOptions options = *dialect_options("redshift");
  options.quote = quote;
  options.escape = escape;
  return load({"0000_part_00", std::move(bytes), std::move(options), schema});
}

TEST(Redshift, PlainTextHasPipesAndNothingElse) {
  EXPECT_THAT(load_unloaded("1|say \"x\"|a\\b\n2||\n", '\0', '\0', "a int, b text, c text").rows,
              ElementsAre("1|say \"x\"|a\\b", "2|\\N|\\N"));
}

TEST(Redshift, EscapeTakesTheMeaningOffWhateverFollows) {
  EXPECT_THAT(
      load_unloaded("a\\|b|c\\\nd\\\r\\\ne\n\\\\|\\n\\\"\n", '\0', '\\', "a text, b text").rows,
      ElementsAre("a|b|c\nd\r\ne", "\\|n\""));
}

TEST(Redshift, AddedQuotesAreTakenOff) {
  EXPECT_THAT(
      load_unloaded("\"1\"|\"a|\\\"b\\\" \\\\\\\nc\"\n\"2\"|\"\"\n", '"', '\\', "a int, b text")
          .rows,
      ElementsAre("1|a|\"b\" \\\nc", "2|"));
}

TEST(Redshift, WithoutEscapeAQuoteInsideQuotesIsAFault) {
  EXPECT_THAT(load_unloaded("\"a\"b\"\n", '"', '"', "a text").error,
              HasSubstr("text after a closing quote"));
}

TEST(Redshift, ANullStringIsWhatIsWritten) {
  FormatOptions options = *dialect_options("redshift");
  options.escape = '\\';
  options.null_strings = {"\\N"};
  EXPECT_THAT(load({"x", "\\N|\\\\N|\n", options, "a text, b text, c text"}).rows,
              ElementsAre("\\N|\\N|"));
  EXPECT_THAT(load({"x", "\\N|x\n", options, "a int, b text"}).rows, ElementsAre("\\N|x"));
}

}  // namespace
}  // namespace leat::parser
