// Arrow IPC streams, read back by a reader of its own and held against bytes that are known to be
// right.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "connector/arrow/flatbuffer_builder.h"
#include "connector/arrow/ipc_stream.h"
#include "tests/connector/chunk_builder.h"
#include "tests/support/arrow_ipc_reader.h"

namespace leat::connector {
namespace {

using testing::ArrowStream;
using testing::read_arrow_stream;
using testing::texts_of;

constexpr const char* kEveryType =
    "b bool, s int2, i int4, l int8, f real, d double precision, n numeric(10,2), t text, "
    "y bytea, da date, ti time, ts timestamp, tz timestamptz, u uuid, j json";

std::string stream_of(const Schema& schema, const std::vector<RowChunk>& chunks) {
  std::string stream;
  append_schema_message(schema, stream);
  for (const RowChunk& chunk : chunks) append_record_batch(chunk, stream);
  append_end_of_stream(stream);
  return stream;
}

std::string stream_of(const ChunkBuilder& builder) {
  std::vector<RowChunk> chunks;
  chunks.push_back(builder.build());
  const std::shared_ptr<const Schema> schema = chunks.front().schema;
  return stream_of(*schema, chunks);
}

// Sixteen bytes a line with their offset; lines of zeros are left out, and the length ends it.
std::string dump_of(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string dump;
  const auto add = [&](std::size_t value, int digits) {
    while (digits-- > 0) dump += kDigits[(value >> (4 * digits)) & 15];
  };
  for (std::size_t at = 0; at < bytes.size(); at += 16) {
    const std::string_view line = bytes.substr(at, 16);
    if (line.find_first_not_of('\0') == std::string_view::npos) continue;
    add(at, 4);
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (i % 4 == 0) dump += ' ';
      add(static_cast<unsigned char>(line[i]), 2);
    }
    dump += '\n';
  }
  add(bytes.size(), 4);
  return dump;
}

// Apache Arrow's own reader takes these bytes for
//   id: int32 not null = [1, 2], name: string = ["a", null]
TEST(ArrowIpc, WritesTheBytesThatArrowReads) {
  EXPECT_EQ(
      dump_of(stream_of(ChunkBuilder("id int not null, name text").row(1, "a").row(2, nullptr))),
      "0000 ffffffff f8000000 10000000 0c001800\n"
      "0010 04000600 08001000 0c000000 04000100\n"
      "0020 18000000 00000000 00000000 00000000\n"
      "0030 08000800 00000400 08000000 04000000\n"
      "0040 02000000 18000000 58000000 10001400\n"
      "0050 04000800 09000c00 00001000 10000000\n"
      "0060 10000000 00020000 18000000 20000000\n"
      "0070 02000000 69640000 08000900 04000800\n"
      "0080 08000000 20000000 01000000 00000000\n"
      "0090 10001400 04000800 09000c00 00001000\n"
      "00a0 10000000 10000000 01050000 18000000\n"
      "00b0 18000000 04000000 6e616d65 00000400\n"
      "00c0 04000000 06000000 00000000 00000000\n"
      "0100 ffffffff f8000000 10000000 0c001800\n"
      "0110 04000600 08001000 0c000000 04000300\n"
      "0120 1c000000 00000000 00010000 00000000\n"
      "0130 0a001400 04000c00 10000000 0c000000\n"
      "0140 02000000 00000000 0c000000 30000000\n"
      "0150 00000000 02000000 02000000 00000000\n"
      "0160 00000000 00000000 02000000 00000000\n"
      "0170 01000000 00000000 00000000 05000000\n"
      "0190 00000000 00000000 08000000 00000000\n"
      "01a0 40000000 00000000 01000000 00000000\n"
      "01b0 80000000 00000000 0c000000 00000000\n"
      "01c0 c0000000 00000000 01000000 00000000\n"
      "0200 01000000 02000000 00000000 00000000\n"
      "0240 01000000 00000000 00000000 00000000\n"
      "0280 00000000 01000000 01000000 00000000\n"
      "02c0 61000000 00000000 00000000 00000000\n"
      "0300 ffffffff 00000000\n"
      "0308");
}

TEST(ArrowIpc, RoundTripsEveryTypeWithNullsAndExtremes) {
  ChunkBuilder chunk(kEveryType);
  chunk
      .row(1, -2, 3, std::numeric_limits<std::int64_t>::min(), 0.5, 0.1, -150, "t",
           std::string("\0\xff", 2), -719'162, 86'399'999'999, -1, 253'402'300'799'999'999,
           "0123456789abcdef", "{\"a\":[1,2]}")
      .row(nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
           nullptr, nullptr, nullptr, nullptr, nullptr)
      .row(0, 32'767, -2'147'483'647, 4, std::numeric_limits<double>::infinity(), std::nan(""),
           9'999'999'999, "", "", 0, 0, 0, 0, std::string(16, '\xff'), "null");
  const RowChunk written = chunk.build();
  const ArrowStream stream = read_arrow_stream(stream_of(chunk));
  EXPECT_TRUE(stream.ended);
  EXPECT_EQ(*stream.schema, *written.schema) << stream.schema->to_sql();
  ASSERT_EQ(stream.batches.size(), 1U);
  EXPECT_EQ(texts_of(stream.batches[0]), texts_of(written));
}

// Rows of random values and nulls, in numbers around which bitmaps and paddings change.
TEST(ArrowIpc, RoundTripsBatchesOfEveryLength) {
  constexpr std::uint32_t kSeed = 20'261'120;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  std::mt19937 random(kSeed);
  const auto below = [&random](std::uint32_t bound) { return static_cast<int>(random() % bound); };
  std::vector<RowChunk> chunks;
  for (const int rows : {1, 7, 8, 9, 15, 16, 17, 63, 64, 65, 100, 511, 512, 513}) {
    ChunkBuilder chunk(kEveryType);
    for (int row = 0; row < rows; ++row) {
      const auto cell = [&](auto value) {
        return below(4) == 0 ? to_cell(nullptr) : to_cell(value);
      };
      const auto text = [&] { return std::string(static_cast<std::size_t>(below(20)), 'x'); };
      chunk.row(cell(below(2)), cell(below(30'000)), cell(below(1'000'000)), cell(below(1'000'000)),
                cell(below(1'000) / 8.0), cell(below(1'000) / 7.0), cell(below(1'000'000)),
                cell(text()), cell(text()), cell(below(20'000)), cell(below(1'000'000'000)),
                cell(below(1'000'000'000)), cell(-below(1'000'000'000)),
                cell(std::string(16, static_cast<char>(below(256)))), cell("[" + text() + "]"));
    }
    chunks.push_back(chunk.build());
  }
  const ArrowStream stream = read_arrow_stream(stream_of(*chunks.front().schema, chunks));
  ASSERT_EQ(stream.batches.size(), chunks.size());
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    EXPECT_EQ(texts_of(stream.batches[i]), texts_of(chunks[i])) << chunks[i].rows << " rows";
  }
}

TEST(ArrowIpc, KeepsNamesNullabilityAndPrecision) {
  for (const char* sql :
       {"a int not null, b int", "\"größe \"\"x\"\"\" text, \"a b\" text not null",
        "a numeric(1,0), b numeric(38,38), c numeric(38,0) not null", "u uuid not null, j json"}) {
    const Schema schema = parse_schema(sql).value();
    const ArrowStream stream = read_arrow_stream(stream_of(schema, {}));
    EXPECT_EQ(*stream.schema, schema) << stream.schema->to_sql();
    EXPECT_TRUE(stream.batches.empty());
    EXPECT_TRUE(stream.ended);
  }
}

TEST(ArrowIpc, TakesManyColumns) {
  Schema schema;
  for (int i = 0; i < 3'000; ++i) {
    schema.fields.push_back(
        {"column_" + std::to_string(i), {i % 2 == 0 ? TypeId::kUuid : TypeId::kTimestampTz}, true});
  }
  EXPECT_EQ(*read_arrow_stream(stream_of(schema, {})).schema, schema);
}

TEST(ArrowIpc, ASchemaOfNoColumnsIsValid) {
  const ArrowStream stream = read_arrow_stream(stream_of(Schema{}, {}));
  EXPECT_TRUE(stream.schema->fields.empty());
  EXPECT_TRUE(stream.ended);
}

TEST(ArrowIpc, ABatchOfNoRowsIsValidWithAndWithoutItsColumns) {
  const RowChunk with_columns = ChunkBuilder(kEveryType).build();
  RowChunk without;
  without.schema = with_columns.schema;
  std::string stream;
  append_schema_message(*with_columns.schema, stream);
  append_record_batch(with_columns, stream);
  append_record_batch(without, stream);
  const ArrowStream read = read_arrow_stream(stream);
  ASSERT_EQ(read.batches.size(), 2U);
  EXPECT_EQ(read.batches[0].rows, 0);
  EXPECT_EQ(read.batches[1].rows, 0);
  EXPECT_FALSE(read.ended) << "that is for append_end_of_stream to say";
}

// What stands behind the rows in a column's buffers is nobody's business.
TEST(ArrowIpc, WritesNoBytesBeyondTheRows) {
  RowChunk chunk = ChunkBuilder("a int8, b bool, t text").row(1, 1, "x").build();
  chunk.columns[0].values.append("secret", 6);
  chunk.columns[1].values.append("secret", 6);
  chunk.columns[2].offsets.append("secret", 6);
  chunk.columns[2].values.append("secret", 6);
  std::string stream;
  append_schema_message(*chunk.schema, stream);
  append_record_batch(chunk, stream);
  EXPECT_EQ(stream.find("secret"), std::string::npos);
  const ArrowStream read = read_arrow_stream(stream);
  EXPECT_EQ(texts_of(read.batches.at(0)).at(0), (std::vector<std::string>{"1", "true", "x"}));
}

TEST(FlatbufferBuilder, AlignsEveryMemberAndEveryVector) {
  // Strings of all lengths put what follows at all places.
  for (std::size_t length = 0; length < 9; ++length) {
    FlatbufferBuilder builder;
    const std::size_t root =
        builder.table(FlatbufferBuilder::kRoot, {{.slot = 0, .bytes = 1, .value = 1},
                                                 FlatbufferBuilder::reference(2),
                                                 {.slot = 3, .bytes = 8, .value = -2},
                                                 {.slot = 5, .bytes = 2, .value = 3},
                                                 FlatbufferBuilder::reference(6),
                                                 FlatbufferBuilder::reference(7)});
    builder.string(builder.member(root, 2), std::string(length, 's'));
    const std::vector<FlatbufferBuilder::Pair> pairs = {{1, -1}, {2, -2}};
    builder.pairs(builder.member(root, 6), pairs);
    const std::size_t inner =
        builder.table(builder.member(root, 7), {{.slot = 1, .bytes = 8, .value = 99}});
    EXPECT_NE(inner, root);
    const auto read = testing::FlatTable::root(builder.bytes());
    EXPECT_EQ(read.scalar<std::uint8_t>(0, 0), 1);
    EXPECT_FALSE(read.has(1));
    EXPECT_EQ(read.string(2), std::string(length, 's'));
    EXPECT_EQ(read.scalar<std::int64_t>(3, 0), -2);
    EXPECT_EQ(read.scalar<std::int16_t>(5, 0), 3);
    EXPECT_EQ(read.scalar<std::int16_t>(9, 42), 42) << "slots beyond the last have their default";
    ASSERT_EQ(read.pairs(6).size(), 2U);
    EXPECT_EQ(read.pairs(6)[1].second, -2);
    EXPECT_EQ(read.table(7).scalar<std::int64_t>(1, 0), 99);
  }
}

}  // namespace
}  // namespace leat::connector
