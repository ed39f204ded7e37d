// What JSON lines mean: keys, values of each type, and what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "parser/json_lines/json_scanner.h"
#include "tests/parser/load_support.h"

namespace leat::parser {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

FormatOptions json(OnError on_error = OnError::kFail) {
  FormatOptions options;
  options.kind = Format::kJsonLines;
  options.on_error = on_error;
  return options;
}

Loaded load_json(std::string bytes, std::string schema, FormatOptions options = json()) {
  return load({"object.jsonl", std::move(bytes), std::move(options), std::move(schema)});
}

ErrorCode code_of(const Loaded& loaded) {
  return loaded.failure ? loaded.failure->code : ErrorCode{};
}

TEST(JsonLines, FindsColumnsByTheirKeysInAnyOrder) {
  const Loaded loaded = load_json(
      "{\"a\":1,\"b\":\"x\"}\n{\"b\":\"y\",\"a\":2}\n{\"z\":0,\"b\":\"z\",\"\\u0061\":3}\n",
      "a int, b text");
  EXPECT_THAT(loaded.rows, ElementsAre("1|x", "2|y", "3|z"));
  EXPECT_THAT(loaded.lineage, ElementsAre("#1@0", "#2@16", "#3@32"));
}

TEST(JsonLines, NullAndWhatIsNotThereAreNullButAnEmptyStringIsNot) {
  EXPECT_THAT(load_json("{\"a\":null}\n{}\n{\"a\":\"\",\"b\":\"NULL\"}\n", "a text, b text").rows,
              ElementsAre("\\N|\\N", "\\N|\\N", "|NULL"));
  const Loaded loaded = load_json("{\"b\":1}\n", "a int not null, b int");
  EXPECT_EQ(code_of(loaded), ErrorCode::kBadValue);
  EXPECT_THAT(loaded.error, HasSubstr("NOT NULL"));
}

TEST(JsonLines, NumbersKeepEveryDigit) {
  EXPECT_THAT(load_json("{\"i\":9223372036854775807,\"d\":12345678901234567890.123,\"t\":1.50}\n",
                        "i bigint, d numeric(38,3), t text")
                  .rows,
              ElementsAre("9223372036854775807|12345678901234567890.123|1.50"));
}

TEST(JsonLines, AStringIsReadAsTheTextOfItsType) {
  EXPECT_THAT(load_json("{\"i\":\"7\",\"d\":\"2026-11-20\",\"b\":\"yes\",\"f\":\"NaN\"}\n",
                        "i int, d date, b boolean, f double precision")
                  .rows,
              ElementsAre("7|2026-11-20|true|NaN"));
}

TEST(JsonLines, NestedValuesAreTheirJsonText) {
  EXPECT_THAT(load_json("{\"a\":{\"x\": [1, \"\\u0041\"]},\"b\":[ ],\"c\":true}\n",
                        "a text, b json, c json")
                  .rows,
              ElementsAre("{\"x\": [1, \"\\u0041\"]}|[ ]|true"));
}

TEST(JsonLines, AStringInAJsonColumnKeepsItsQuotes) {
  EXPECT_THAT(load_json("{\"a\":\"x\\n\"}\n{\"a\":\"\"}\n{\"a\":null}\n", "a json").rows,
              ElementsAre("\"x\\n\"", "\"\"", "\\N"));
}

TEST(JsonLines, StringsAreUnescaped) {
  EXPECT_THAT(
      load_json("{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20AC\\ud834\\udd1e\"}\n", "a text")
          .rows,
      ElementsAre("\"\\/\b\f\n\r\té€𝄞"));
}

TEST(JsonLines, HalfOfASurrogatePairIsABadValue) {
  const std::string bytes = "{\"a\":\"x\\ud834\",\"b\":1}\n{\"a\":\"\\udd1e\\ud834\",\"b\":2}\n";
  const Loaded loaded = load_json(bytes, "a text, b int");
  EXPECT_EQ(code_of(loaded), ErrorCode::kBadValue);
  EXPECT_EQ(loaded.failure->at.column, "a");
  EXPECT_THAT(load_json(bytes, "a text, b int", json(OnError::kNull)).rows,
              ElementsAre("\\N|1", "\\N|2"));
  EXPECT_THAT(load_json(bytes, "b int").rows, ElementsAre("1", "2"));
}

TEST(JsonLines, AValueOfAnotherTypeIsABadValueOfItsColumn) {
  for (const char* value : {"1.0", "1e0", "true", "[1]", "{}", "\"x\"", "\"\"", "9e99"}) {
    const Loaded loaded = load_json("{\"a\":" + std::string(value) + "}\n", "a int");
    EXPECT_EQ(code_of(loaded), ErrorCode::kBadValue) << value;
    EXPECT_EQ(loaded.failure->at.column, "a");
    EXPECT_EQ(loaded.failure->at.record, 1u);
  }
}

TEST(JsonLines, RejectsKeepTheRecordAsItStands) {
  const Loaded loaded = load_json("{\"a\":1}\r\n{\"a\": \"x\\n\"}\r\n{\"a\":2\r\n{\"a\":3}",
                                  "a int", json(OnError::kReject));
  EXPECT_THAT(loaded.rows, ElementsAre("1", "3"));
  ASSERT_THAT(loaded.rejects, SizeIs(2));
  EXPECT_THAT(loaded.rejects[0], HasSubstr("#2@9 a \"x\n\" [{\"a\": \"x\\n\"}] bad_value"));
  EXPECT_THAT(
      loaded.rejects[1],
      HasSubstr("[{\"a\":2] malformed_record: neither a comma nor a closing bracket (byte 7 "
                "of the record)"));
}

TEST(JsonLines, AColumnsKeyTwiceIsRefusedButNotAnotherKey) {
  EXPECT_EQ(code_of(load_json("{\"a\":1,\"a\":1}\n", "a int")), ErrorCode::kMalformedRecord);
  EXPECT_THAT(load_json("{\"a\":1,\"a\":1}\n", "a int").error,
              HasSubstr("\"a\" stands there twice"));
  EXPECT_THAT(load_json("{\"z\":1,\"z\":1,\"a\":2}\n", "a int").rows, ElementsAre("2"));
}

TEST(JsonLines, ExtraKeysAreIgnoredOrRefused) {
  FormatOptions options = json();
  EXPECT_THAT(load_json("{\"a\":1,\"z\":[}]}\n", "a int").rows, IsEmpty());
  EXPECT_THAT(load_json("{\"a\":1,\"z\":[{}]}\n", "a int").rows, ElementsAre("1"));
  options.extra_columns = ExtraColumns::kFail;
  const Loaded loaded = load_json("{\"a\":1,\"z\":2}\n", "a int", options);
  EXPECT_EQ(code_of(loaded), ErrorCode::kSchemaMismatch);
  EXPECT_THAT(loaded.error, HasSubstr("no column for the key \"z\""));
}

TEST(JsonLines, MissingKeysAreNullOrRefused) {
  FormatOptions options = json();
  options.missing_columns = MissingColumns::kFail;
  EXPECT_THAT(load_json("{\"a\":null,\"b\":1}\n", "a int, b int", options).rows,
              ElementsAre("\\N|1"));
  EXPECT_THAT(load_json("{\"a\":1}\n", "a int, b int", options).error,
              HasSubstr("lacks the key \"b\""));
}

TEST(JsonLines, ARecordWithNoneOfTheColumnsIsRefused) {
  const Loaded loaded = load_json("{\"A\":1,\"z\":2}\n", "a int");
  EXPECT_EQ(code_of(loaded), ErrorCode::kSchemaMismatch);
  EXPECT_THAT(loaded.error, HasSubstr("the first one is \"A\""));
}

TEST(JsonLines, TheFirstRecordNamesTheColumnsWhenNoneAreGiven) {
  const Loaded loaded = load_json("\n{\"a\":1,\"b c\":{\"x\":1}}\n{\"b c\":\"y\"}\n", "");
  EXPECT_EQ(loaded.schema->to_sql(), "a text, \"b c\" text");
  EXPECT_THAT(loaded.rows, ElementsAre("1|{\"x\":1}", "\\N|y"));
  EXPECT_EQ(code_of(load_json("{\"a\":1}\n{\"a\":1,\"b\":2}\n", "")), ErrorCode::kSchemaMismatch);
  FormatOptions ignoring = json();
  ignoring.extra_columns = ExtraColumns::kIgnore;
  EXPECT_THAT(load_json("{\"a\":1}\n{\"a\":2,\"b\":2}\n", "", ignoring).rows,
              ElementsAre("1", "2"));
}

TEST(JsonLines, AFirstRecordThatNamesNoColumnsIsAnErrorWhateverThePolicy) {
  for (const char* bytes : {"{}\n{\"a\":1}\n", "[1]\n", "{\"a\":1,\"a\":2}\n", "{\"\":1}\n"}) {
    const Loaded loaded = load_json(bytes, "", json(OnError::kReject));
    EXPECT_NE(loaded.error, "") << bytes;
    EXPECT_EQ(loaded.end, Position{}) << bytes;
  }
}

TEST(JsonLines, KeepTheSchemaOfTheFirstObject) {
  const Fixture first{"1.jsonl", "{\"a\":1,\"b\":2}\n", json()};
  const auto parser = make_parser(first);
  EXPECT_EQ(parser->schema(), nullptr);
  EXPECT_THAT(load_with(*parser, first).rows, ElementsAre("1|2"));
  EXPECT_THAT(load_with(*parser, {"2.jsonl", "{\"b\":3}\n"}).rows, ElementsAre("\\N|3"));
  EXPECT_THAT(load_with(*parser, {"3.jsonl", ""}).rows, IsEmpty());
}

TEST(JsonLines, SaysWhatAnArrayOfRecordsNeeds) {
  EXPECT_THAT(load_json("[\n{\"a\":1},\n{\"a\":2}\n]\n", "a int").error,
              HasSubstr("rewritten as lines"));
}

TEST(JsonLines, CompressedOrForeignObjectsAreNotText) {
  EXPECT_EQ(code_of(load_json("\x1f\x8b\x08", "a int")), ErrorCode::kNotText);
  EXPECT_EQ(code_of(load_json(std::string("\xff\xfe{\0", 4), "a int")), ErrorCode::kNotText);
}

TEST(JsonLines, DepthIsNoQuestionOfTheStack) {
  const std::string open(200'000, '[');
  const std::string close(200'000, ']');
  EXPECT_THAT(load_json("{\"z\":" + open + close + ",\"a\":1}\n", "a int").rows, ElementsAre("1"));
  EXPECT_EQ(code_of(load_json("{\"z\":" + open + ",\"a\":1}\n", "a int")),
            ErrorCode::kMalformedRecord);
}

TEST(JsonLines, ManyColumnsAreFound) {
  std::string bytes = "{";
  for (int i = 0; i < 10'000; ++i) {
    bytes += (i == 0 ? "\"c" : ",\"c") + std::to_string(i) + "\":" + std::to_string(i);
  }
  EXPECT_THAT(load_json(bytes + "}\n", "c9999 int, c7 int").rows, ElementsAre("9999|7"));
}

/// The scanner takes a text exactly if another reader of JSON does. That one refuses numbers beyond
/// the range of a double, so that large exponents are left out.
TEST(JsonScannerDifferential, AgreesWithNlohmannOnSoups) {
  constexpr std::uint64_t kSeed = 8259;
  constexpr int kTexts = 100'000;
  const std::vector<std::string> pieces = {"{",           "}",
                                           "[",           "]",
                                           ",",           ":",
                                           "\"",          "\"a\"",
                                           "\"a\":",      "1",
                                           "-",           "0",
                                           ".",           "e",
                                           "E+",          "1.5",
                                           "-0",          "true",
                                           "false",       "null",
                                           "\\",          "\\n",
                                           "\\u",         "00e9",
                                           " ",           "\t",
                                           "\"\\u0041\"", "\"é\"",
                                           "nul",         "[]",
                                           "{}",          "[1,2]",
                                           "{\"a\":1}",   "\\\"",
                                           "1e-5",        "\r",
                                           "-0.125",      "\"abcdefgh\"",
                                           "\x01"};
  std::mt19937_64 random(kSeed);
  JsonScanner scanner;
  int taken = 0;
  for (int i = 0; i < kTexts; ++i) {
    std::string text;
    for (std::size_t n = 1 + random() % 7; n != 0; --n) text += pieces[random() % pieces.size()];
    scanner.start(text);
    scanner.skip_space();
    JsonToken value;
    bool ok = scanner.take_value(value);
    if (ok) {
      scanner.skip_space();
      ok = scanner.at_end();
    }
    const bool expected = nlohmann::json::accept(text);
    ASSERT_EQ(ok, expected) << "seed " << kSeed << ", text " << i << ": " << text;
    taken += expected ? 1 : 0;
  }
  EXPECT_GT(taken, kTexts / 100);
}

TEST(JsonScannerDifferential, UnescapesAsNlohmannDoes) {
  constexpr std::uint64_t kSeed = 3629;
  const std::vector<std::string> pieces = {
      "a",       "é",       "\\n",           "\\\"",           "\\\\",
      "\\u0041", "\\u00e9", "\\u20ac",       "\\ud834\\udd1e", "\\/",
      "𝄞",       "\\u0000", "\\uDBFF\\uDFFF"};
  std::mt19937_64 random(kSeed);
  for (int i = 0; i < 2'000; ++i) {
    std::string text;
    for (std::size_t n = random() % 9; n != 0; --n) text += pieces[random() % pieces.size()];
    std::string found;
    unescape_json(text, found);
    ASSERT_EQ(found, nlohmann::json::parse('"' + text + '"').get<std::string>()) << text;
  }
}

}  // namespace
}  // namespace leat::parser
