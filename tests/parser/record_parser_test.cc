// Limits, content that is no text, positions, and errors of the record parser.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "parser/records/not_text.h"
#include "parser/records/parser_state.h"
#include "tests/parser/engines.h"
#include "tests/parser/load_support.h"

namespace leat::parser {
namespace {

using namespace std::string_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

ErrorCode code_of(const Loaded& loaded) {
  return loaded.failure ? loaded.failure->code : ErrorCode{};
}

TEST(RecordParser, NamesWhatIsNoText) {
  const std::pair<std::string, const char*> cases[] = {
      {"\x1f\x8b\x08"s, "gzip"},
      {"\x28\xb5\x2f\xfd"s, "zstd"},
      {"BZh9\x31\x41\x59\x26\x53\x59"s, "bzip2"},
      {"\xfd"s
       "7zXZ\0"s,
       "xz"},
      {"\x04\x22\x4d\x18"s, "lz4"},
      {"\x02\x21\x4c\x18"s, "lz4 (legacy frames)"},
      {"\xff\x06\x00\x00sNaPpY"s, "Snappy"},
      {"PK\x03\x04"s, "zip"},
      {"PAR1\x15\x04"s, "Parquet"},
      {"ORC\n\x06\n\x04"s, "ORC"},
      {"Obj\x01\x04"s, "Avro"},
      {"\x7f"s
       "ELF"s,
       "ELF"},
      {"\x89PNG\r\n"s, "PNG"},
      {"%PDF-1.7\n"s, "PDF"},
      {"\xff\xfe"
       "a\0,\0"s,
       "UTF-16"},
      {"\xfe\xff\0a\0,"s, "UTF-16"},
      {"\xff\xfe\0\0a\0\0\0"s, "UTF-32"},
      {"\0\0\xfe\xff"s, "UTF-32"},
      {"a\0b\0c\0d\0e\0"s, "--encoding utf-16le"},
      {"\0a\0b\0c\0d\0e"s, "--encoding utf-16be"},
      {"a\1b\2c\3d\4e\5"s, "5 of its first 10 bytes are control characters"},
  };
  for (const auto& [bytes, name] : cases) {
    for (const std::vector<std::size_t>& cuts : {std::vector<std::size_t>{}, {1}, {1, 2, 3}}) {
      Fixture fixture{"x.csv", bytes};
      fixture.options.on_error = OnError::kReject;
      const Loaded loaded = load(fixture, cuts);
      EXPECT_EQ(code_of(loaded), ErrorCode::kNotText) << name;
      EXPECT_THAT(loaded.error, HasSubstr(name));
      EXPECT_EQ(loaded.end, Position{});
    }
  }
}

TEST(RecordParser, TakesTextThatBeginsLikeAnotherFormat) {
  for (const std::string text : {"PAR1,x\n", "ORC\n1\n", "BZh9,b\n", "Obj,x\n", "P\n"}) {
    EXPECT_EQ(load({"x.csv", text}).error, "") << text;
  }
}

TEST(RecordParser, JudgesTheFirst4KiBOnlyHoweverTheyArrive) {
  const std::string clean = "a\n" + std::string(kSniffBytes, 'x') + "\n";
  const std::string dirty = "a\n" + std::string(kSniffBytes / 8, '\1') + clean;
  for (const std::vector<std::size_t>& cuts :
       {std::vector<std::size_t>{}, {1}, {kSniffBytes - 1}, {kSniffBytes}, {2, kSniffBytes + 1}}) {
    EXPECT_EQ(load({"x.csv", clean + std::string(3 * kSniffBytes, '\1') + "\n"}, cuts).error, "");
    EXPECT_EQ(code_of(load({"x.csv", dirty}, cuts)), ErrorCode::kNotText);
  }
}

TEST(RecordParser, ControlCharactersOfTheDialectAreText) {
  Fixture fixture{"hive.csv",
                  "a\1b\1c\n1\1\1"
                  "3\n"};
  fixture.options.delimiter = '\1';
  EXPECT_THAT(load(fixture).rows, ElementsAre("1|\\N|3"));
}

/// Looking at the whole field again for each chunk would be 32 GiB of work: a timeout.
TEST(RecordParser, AFieldOf16MiBInSmallChunksIsFast) {
  Fixture fixture{"big.csv", "a,b\n1,\""};
  fixture.options.record_bytes_max = 20u << 20;
  // Line ends all over: each chunk could hold the record's end.
  while (fixture.bytes.size() < 16u << 20) fixture.bytes += "some text, and a line end\n";
  const std::size_t field = fixture.bytes.size() - 7;
  fixture.bytes += "\"\n2,x\n";
  std::vector<std::size_t> cuts;
  for (std::size_t cut = 4u << 10; cut < fixture.bytes.size(); cut += 4u << 10) {
    cuts.push_back(cut);
  }
  for (const char* tokenizer : {"scalar", "libcsv", "simd"}) {
    fixture.options.tokenizer = tokenizer;
    const Loaded loaded = load(fixture, cuts);
    EXPECT_EQ(loaded.error, "");
    ASSERT_THAT(loaded.rows, SizeIs(2));
    EXPECT_EQ(loaded.rows[0].size(), field + 2);
    EXPECT_EQ(loaded.rows[1], "2|x");
  }
}

TEST(RecordParser, RefusesARecordOverTheLimitWithoutBufferingItAll) {
  Fixture fixture{"big.csv", "a,b\n1,2\n3,\"" + std::string(4u << 20, 'x')};
  fixture.options.record_bytes_max = 1u << 20;
  fixture.options.on_error = OnError::kReject;
  const auto parser = make_parser(fixture);
  ASSERT_TRUE(parser->reset_for_new_split(std::make_shared<ObjectVersion>(), {}));
  constexpr std::size_t kChunkBytes = 64u << 10;
  std::size_t at = 0;
  Result<void> done;
  RowChunk chunk;
  for (; done && at < fixture.bytes.size(); at += kChunkBytes) {
    const std::string_view piece = std::string_view(fixture.bytes).substr(at, kChunkBytes);
    done = parser->parse({at, std::as_bytes(std::span(piece.data(), piece.size()))}, chunk);
    EXPECT_LE(parser->buffered_bytes(), (1u << 20) + kChunkBytes);
  }
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kRecordTooLarge);
  EXPECT_EQ(done.error().at.record, 2u);
  EXPECT_EQ(done.error().at.byte_offset, 8u);
  EXPECT_EQ(chunk.end.offset, 8u);
  EXPECT_EQ(chunk.end.record, 1u);
  EXPECT_LE(at, (1u << 20) + 2 * kChunkBytes);
}

TEST(RecordParser, AnErrorStaysUntilTheNextSplit) {
  const Fixture bad{"bad.csv", "a,b\n1,2\n3\n4,5\n"};
  const auto parser = make_parser(bad);
  const Loaded first = load_with(*parser, bad);
  EXPECT_EQ(code_of(first), ErrorCode::kFieldCount);
  RowChunk chunk;
  const Result<void> again = parser->parse({14, {}}, chunk);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().to_string(), first.error);
  EXPECT_EQ(chunk.rows, 0);
  EXPECT_EQ(chunk.end, first.end);
  EXPECT_THAT(load_with(*parser, {"good.csv", "a,b\n1,2\n"}).rows, ElementsAre("1|2"));
}

TEST(RecordParser, AResumeAtAnErrorMeetsItAgain) {
  const Fixture bad{"bad.csv", "a,b\n1,2\n3\n4,5\n"};
  const Loaded first = load(bad);
  const Loaded again = load(bad, {}, first.end);
  EXPECT_EQ(again.error, first.error);
  EXPECT_THAT(again.rows, IsEmpty());
  EXPECT_EQ(again.end, first.end);
}

TEST(RecordParser, AFailureInTheFirstRecordBeginsTheObjectAnew) {
  for (const char* bom : {"", "\xef\xbb\xbf"}) {
    Fixture fixture{"x.csv", bom + "x,2\n3,4\n"s, {}, "a int, b int"};
    fixture.options.header = false;
    const Loaded loaded = load(fixture);
    EXPECT_EQ(code_of(loaded), ErrorCode::kBadValue);
    EXPECT_EQ(loaded.failure->at.record, 1u);
    EXPECT_EQ(loaded.end, Position{});
  }
}

TEST(RecordParser, RefusesAForeignPosition) {
  const Fixture fixture{"x.csv", "a,b\n1,2\n"};
  for (const std::string& state :
       {""s, "x"s, "c\2\1\0\0"s, "c\1\1\1\0"s, "c\1\3\0\0"s, "c\1\1\1\2\1a"s, "c\1\1\1\1\1ab"s}) {
    Position position;
    position.offset = 4;
    position.parser_state = state;
    EXPECT_EQ(code_of(load(fixture, {}, position)), ErrorCode::kCorrupt)
        << ::testing::PrintToString(state);
  }
  Position records_without_offset;
  records_without_offset.record = 3;
  EXPECT_EQ(code_of(load(fixture, {}, records_without_offset)), ErrorCode::kCorrupt);
}

TEST(RecordParser, RefusesAPositionOfTheOtherHeaderOption) {
  const Fixture with_header{"x.csv", "a,b\n1,2\n", {}, "a int, b int"};
  Fixture by_place = with_header;
  by_place.options.header = false;
  const Position position = load(with_header).end;
  EXPECT_EQ(code_of(load(by_place, {}, position)), ErrorCode::kCorrupt);
}

TEST(RecordParser, RefusesBytesThatDoNotFollow) {
  const Fixture fixture{"x.csv", "a,b\n1,2\n"};
  const auto parser = make_parser(fixture);
  ASSERT_TRUE(parser->reset_for_new_split(std::make_shared<ObjectVersion>(), {}));
  RowChunk chunk;
  const Result<void> done = parser->parse({1, {}}, chunk);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kInternal);
}

TEST(RecordParser, TheEndOfAnObjectIsAPosition) {
  const Fixture fixture{"x.csv", "a,b\n1,2"};
  const Loaded loaded = load(fixture);
  EXPECT_EQ(loaded.end.offset, 7u);
  const Loaded rest = load(fixture, {}, loaded.end);
  EXPECT_EQ(rest.error, "");
  EXPECT_THAT(rest.rows, IsEmpty());
  EXPECT_EQ(rest.end, loaded.end);
}

TEST(RecordParser, AResumedParserTakesTheSchemaFromItsPosition) {
  const Fixture fixture{"x.csv", "a,b\n1,2\n"};
  const Loaded rest = load(fixture, {}, load(fixture).end);
  ASSERT_NE(rest.schema, nullptr);
  EXPECT_EQ(rest.schema->to_sql(), "a text, b text");
}

TEST(RecordParser, ErrorsNameTheirPlaceAndWhatToDo) {
  const Loaded loaded = load({"in/x.csv", "id,b\n1,2\n\"x\n\x01y\",2\n", {}, "id bigint, b int"});
  EXPECT_THAT(loaded.error,
              AllOf(HasSubstr("\"x\\x0a\\x01y\" does not fit bigint: "),
                    HasSubstr("--on-error reject"), HasSubstr("in/x.csv"), HasSubstr("record 2"),
                    HasSubstr("byte 9"), HasSubstr("column id"), HasSubstr("bad_value")));
}

TEST(RecordParser, NeedsAHeaderOrASchema) {
  FormatOptions options;
  options.header = false;
  const auto parser = make_parser(options, nullptr);
  ASSERT_FALSE(parser);
  EXPECT_EQ(parser.error().code, ErrorCode::kInvalidArgument);
}

TEST(ParserState, SurvivesItsEncoding) {
  const ParserState state{LineEnd::kCr, ParserState::Stage::kHeader, {"a", "", "\xff,\"b\n"}};
  const Result<ParserState> back = ParserState::decode(state.encode());
  ASSERT_TRUE(back);
  EXPECT_EQ(back->line_end, state.line_end);
  EXPECT_EQ(back->stage, state.stage);
  EXPECT_EQ(back->header, state.header);
}

TEST(FormatOptions, RefusesCharactersThatCannotBeToldApart) {
  EXPECT_TRUE(FormatOptions().validate());
  const auto refuses = [](void (*change)(FormatOptions&), const char* named) {
    FormatOptions options;
    change(options);
    const Result<void> valid = options.validate();
    ASSERT_FALSE(valid) << named;
    EXPECT_EQ(valid.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(valid.error().message, HasSubstr(named));
  };
  refuses([](FormatOptions& o) { o.delimiter = '\n'; }, "--delimiter");
  refuses([](FormatOptions& o) { o.delimiter = '\0'; }, "--delimiter");
  refuses([](FormatOptions& o) { o.delimiter = '\xa7'; }, "--delimiter");
  refuses([](FormatOptions& o) { o.delimiter = '"'; }, "--quote and --delimiter");
  refuses([](FormatOptions& o) { o.quote = '\r'; }, "--quote");
  refuses([](FormatOptions& o) { o.escape = ','; }, "--escape and --delimiter");
  refuses([](FormatOptions& o) { o.escape = '\0'; }, "--escape");
  refuses([](FormatOptions& o) { o.comment = ','; }, "--comment and --delimiter");
  refuses([](FormatOptions& o) { o.comment = '"'; }, "--comment and --quote");
  refuses([](FormatOptions& o) { o.record_bytes_max = 0; }, "--max-record-bytes");
  refuses([](FormatOptions& o) { o.record_bytes_max = (1u << 30) + 1; }, "--max-record-bytes");
  refuses([](FormatOptions& o) { o.fields_max = 0; }, "--max-fields");
  refuses([](FormatOptions& o) { o.tokenizer = "fast"; }, "--tokenizer");
}

TEST(FormatOptions, SimdTargetsAreKnownByName) {
  for (const char* engine : {"scalar", "libcsv", "simd"}) {
    FormatOptions options;
    options.tokenizer = engine;
    options.simd = "portable";
    EXPECT_TRUE(make_parser(options, nullptr));
    options.simd = "mmx";
    const auto refused = make_parser(options, nullptr);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(refused.error().message, HasSubstr("the option simd names \"mmx\""));
    EXPECT_THAT(refused.error().message, HasSubstr("can run portable"));
  }
}

TEST(FormatOptions, TheEnvironmentChoosesTheSimdTargetThatNoOptionNames) {
  ASSERT_EQ(setenv("LEAT_SIMD", "sse9", 1), 0);
  const auto refused = leat::make_parser({}, nullptr);
  FormatOptions named;
  named.simd = "portable";
  EXPECT_TRUE(make_parser(named, nullptr));
  ASSERT_EQ(setenv("LEAT_SIMD", "portable", 1), 0);
  EXPECT_TRUE(leat::make_parser({}, nullptr));
  ASSERT_EQ(unsetenv("LEAT_SIMD"), 0);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("LEAT_SIMD names \"sse9\""));
}

TEST(FormatOptions, TakesWhatDoesNotMatterWithoutQuoting) {
  FormatOptions options;
  options.quote = '\0';
  options.escape = '\0';
  EXPECT_TRUE(options.validate());
}

TEST(RecordParser, SparseRecordsOfManyColumnsTakeNoMoreMemoryThanTheyMay) {
  constexpr int kColumns = 1'000;
  Fixture fixture{.name = "sparse", .bytes = {}, .options = {}, .schema = {}};
  for (int i = 0; i < kColumns; ++i) fixture.bytes += (i == 0 ? "c" : ",c") + std::to_string(i);
  fixture.bytes += "\n";
  for (int i = 0; i < 20'000; ++i) fixture.bytes += "1\n";
  fixture.options.short_records = ShortRecords::kNull;
  const auto parser = make_parser(fixture);
  constexpr std::size_t kBytesMax = 1u << 20;
  parser->limit_rows(kBytesMax);
  ASSERT_TRUE(parser->reset_for_new_split(std::make_shared<const ObjectVersion>(), {}));
  RowChunk rows;
  ASSERT_TRUE(parser->parse({0, std::as_bytes(std::span(fixture.bytes))}, rows));
  std::int64_t all = rows.rows;
  std::size_t most = rows.memory_bytes();
  while (parser->has_more()) {
    ASSERT_TRUE(parser->parse({fixture.bytes.size(), {}}, rows));
    all += rows.rows;
    most = std::max(most, rows.memory_bytes());
  }
  EXPECT_EQ(all, 20'000);
  EXPECT_LT(most, 3 * kBytesMax);
}

}  // namespace
}  // namespace leat::parser
