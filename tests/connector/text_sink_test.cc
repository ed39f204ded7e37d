// Rows as CSV and as JSON lines, and what becomes of a reader that goes away.

#include "connector/stdout/text_sink.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <thread>

#include "connector/null/null_sink.h"
#include "tests/connector/chunk_builder.h"
#include "tests/support/small_disk.h"

namespace leat::connector {
namespace {

using Format = SinkOptions::Format;

// A pipe whose other end is read by a thread until it is closed.
class Reader {
 public:
  Reader() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    input_ = ends[1];
    thread_ = std::jthread([this, fd = ends[0]] {
      std::array<char, 4096> block;
      for (ssize_t n = 0; (n = ::read(fd, block.data(), block.size())) > 0;) {
        text_.append(block.data(), static_cast<std::size_t>(n));
      }
      ::close(fd);
    });
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() {
    if (input_ >= 0) ::close(input_);
  }
  int fd() const { return input_; }
  std::string all() {
    ::close(input_);
    input_ = -1;
    thread_.join();
    return text_;
  }

 private:
  int input_ = -1;
  std::string text_;
  std::jthread thread_;
};

std::string written(Format format, const std::vector<RowChunk>& chunks) {
  Reader reader;
  TextSink sink(reader.fd(), format);
  EXPECT_TRUE(sink.open("p", {}, {}));
  for (const RowChunk& chunk : chunks) EXPECT_TRUE(sink.write(chunk));
  EXPECT_TRUE(sink.commit({}));
  EXPECT_TRUE(sink.close());
  return reader.all();
}

TEST(CsvOutput, WritesTheHeaderOnceAndQuotesOnlyWhereNeeded) {
  ChunkBuilder first("id int, name text, note text");
  first.row(1, "plain", nullptr).row(2, "", "a,b").row(nullptr, "say \"hi\"", "two\nlines");
  ChunkBuilder second("id int, name text, note text");
  second.row(3, "\r", " spaces ");
  std::vector<RowChunk> chunks;
  chunks.push_back(first.build());
  chunks.push_back(second.build());
  EXPECT_EQ(written(Format::kCsv, chunks),
            "id,name,note\n"
            "1,plain,\n"
            "2,\"\",\"a,b\"\n"
            ",\"say \"\"hi\"\"\",\"two\nlines\"\n"
            "3,\"\r\", spaces \n");
}

TEST(CsvOutput, WritesEveryType) {
  ChunkBuilder chunk(
      "b bool, s int2, i int4, l int8, f real, d double precision, n numeric(10,2), t text, "
      "y bytea, da date, ti time, ts timestamp, tz timestamptz, u uuid, j json");
  chunk.row(1, -2, 3, std::numeric_limits<std::int64_t>::min(), 0.5, 0.1, -150, "t",
            std::string("\0\xff", 2), 0, 1'500'000, 0, 0, "0123456789abcdef", "{\"a\":[1,2]}");
  std::vector<RowChunk> chunks;
  chunks.push_back(chunk.build());
  EXPECT_EQ(written(Format::kCsv, chunks),
            "b,s,i,l,f,d,n,t,y,da,ti,ts,tz,u,j\n"
            "true,-2,3,-9223372036854775808,0.5,0.1,-1.50,t,\\x00ff,1970-01-01,00:00:01.5,"
            "1970-01-01 00:00:00,1970-01-01 00:00:00+00,30313233-3435-3637-3839-616263646566,"
            "\"{\"\"a\"\":[1,2]}\"\n");
}

TEST(CsvOutput, QuotesColumnNames) {
  std::vector<RowChunk> chunks;
  chunks.push_back(ChunkBuilder("\"a,b\" text, \"c\"\"d\" text").build());
  EXPECT_EQ(written(Format::kCsv, chunks), "\"a,b\",\"c\"\"d\"\n");
}

TEST(JsonOutput, WritesEveryTypeInALineThatParses) {
  ChunkBuilder chunk(
      "b bool, s int2, i int4, l int8, f real, d double precision, n numeric(10,2), t text, "
      "y bytea, da date, ti time, ts timestamp, tz timestamptz, u uuid, j json, \"q\"\"\" text");
  chunk.row(0, -2, 3, 4, 0.5, 1e23, 150, "a\"\\\n\t\x01é", std::string("\0\xff", 2), 0, 0, 0, 0,
            "0123456789abcdef", "{\"a\":\n[1,\r\n2]}", nullptr);
  std::vector<RowChunk> chunks;
  chunks.push_back(chunk.build());
  const std::string line = written(Format::kJsonl, chunks);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_NE(line.find("\"n\":1.50,"), std::string::npos) << line;
  const auto json = nlohmann::json::parse(line);
  EXPECT_EQ(json["b"], false);
  EXPECT_EQ(json["s"], -2);
  EXPECT_EQ(json["l"], 4);
  EXPECT_EQ(json["f"], 0.5);
  EXPECT_EQ(json["d"], 1e23);
  EXPECT_EQ(json["t"], "a\"\\\n\t\x01é");
  EXPECT_EQ(json["y"], "\\x00ff");
  EXPECT_EQ(json["da"], "1970-01-01");
  EXPECT_EQ(json["tz"], "1970-01-01 00:00:00+00");
  EXPECT_EQ(json["j"], nlohmann::json::parse("{\"a\":[1,2]}"));
  EXPECT_TRUE(json["q\""].is_null());
}

TEST(JsonOutput, WritesNumbersThatJsonLacksAsStrings) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  ChunkBuilder chunk("f real, d double precision");
  chunk.row(std::nan(""), kInfinity).row(-kInfinity, std::nan(""));
  std::vector<RowChunk> chunks;
  chunks.push_back(chunk.build());
  EXPECT_EQ(written(Format::kJsonl, chunks),
            "{\"f\":\"NaN\",\"d\":\"Infinity\"}\n{\"f\":\"-Infinity\",\"d\":\"NaN\"}\n");
}

TEST(TextOutput, WritesMoreThanAPipeHoldsInPieces) {
  ChunkBuilder chunk("t text");
  const std::string value(1'000, 'x');
  for (int i = 0; i < 5'000; ++i) chunk.row(value);
  std::vector<RowChunk> chunks;
  chunks.push_back(chunk.build());
  EXPECT_EQ(written(Format::kCsv, chunks).size(), 2 + 5'000u * 1'001);
}

TEST(TextOutput, WaitsForAReaderThatIsSlowerThanAPipeThatDoesNotBlock) {
  Reader reader;
  ASSERT_EQ(::fcntl(reader.fd(), F_SETFL, O_NONBLOCK), 0);
  TextSink sink(reader.fd(), Format::kCsv);
  ChunkBuilder chunk("t text");
  for (int i = 0; i < 3'000; ++i) chunk.row(std::string(1'000, 'x'));
  ASSERT_TRUE(sink.write(chunk.build()));
  ASSERT_TRUE(sink.commit({}));
  EXPECT_EQ(reader.all().size(), 2 + 3'000u * 1'001);
}

TEST(TextOutput, TellsThatTheReaderWentAwayAndRaisesNoSignal) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  ::close(ends[0]);
  TextSink sink(ends[1], Format::kCsv);
  ChunkBuilder chunk("t text");
  ASSERT_TRUE(sink.write(chunk.row("x").build()));
  for (int attempt = 0; attempt < 2; ++attempt) {
    const auto done = sink.commit({});
    if (attempt == 1) break;
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::kIo);
    EXPECT_EQ(done.error().message, "The reader of standard output went away.");
  }
  ::close(ends[1]);
}

TEST(TextOutput, TellsAFullDisk) {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  if (full < 0) GTEST_SKIP() << "there is no /dev/full here";
  TextSink sink(full, Format::kJsonl);
  ChunkBuilder chunk("t text");
  ASSERT_TRUE(sink.write(chunk.row("x").build()));
  EXPECT_EQ(sink.commit({}).error().code, ErrorCode::kDiskFull);
  ::close(full);
}

TEST(TextOutput, OnADiskThatWasFullForAWhileNoRowIsCutInTwo) {
  test::SmallDisk disk(1);
  if (!disk.mounted()) GTEST_SKIP() << "mounting is not allowed here";
  const std::string file = (disk.path() / "out").string();
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  ASSERT_GE(fd, 0);
  TextSink sink(fd, Format::kCsv);
  ChunkBuilder chunk("id bigint, t text");
  for (int i = 0; i < 300'000; ++i) chunk.row(i, "text");
  const RowChunk rows = chunk.build();
  Result<void> written = sink.write(rows);
  if (written) written = sink.commit({});
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::kDiskFull);
  ASSERT_TRUE(sink.close());
  ASSERT_TRUE(disk.resize(16));
  ASSERT_TRUE(sink.write(rows)) << "the same epoch once more";
  ASSERT_TRUE(sink.commit({}));
  ::close(fd);
  std::ifstream in(file);
  std::string line;
  ASSERT_TRUE(std::getline(in, line));
  EXPECT_EQ(line, "id,t");
  std::set<int> ids;
  while (std::getline(in, line)) {
    const int id = std::stoi(line);
    ASSERT_EQ(line, std::to_string(id) + ",text");
    ids.insert(id);
  }
  EXPECT_EQ(ids.size(), 300'000u) << "some twice, none torn, none missing";
}

TEST(TextOutput, IsNotTransactionalAndCannotTakeRowsBack) {
  TextSink sink(1, Format::kCsv);
  EXPECT_FALSE(sink.transactional());
  EXPECT_EQ(sink.open("p", {.epoch = 7}, {})->epoch, 7u);
  EXPECT_EQ(sink.discard({}).error().code, ErrorCode::kUnsupported);
}

TEST(NullSink, CountsAndKeepsNothing) {
  NullSink sink;
  EXPECT_FALSE(sink.transactional());
  EXPECT_EQ(sink.open("p", {.epoch = 3}, {})->epoch, 3u);
  ChunkBuilder chunk("id int");
  chunk.row(1).row(2).reject({.record = 3});
  EXPECT_TRUE(sink.write(chunk.build()));
  EXPECT_TRUE(sink.discard(*chunk.split()));
  EXPECT_TRUE(sink.commit({}));
  EXPECT_TRUE(sink.close());
  EXPECT_EQ(sink.rows(), 2u);
  EXPECT_EQ(sink.rejects(), 1u);
}

}  // namespace
}  // namespace leat::connector
