// The Arrow stream as a sink: where it begins and ends, and what becomes of a reader that goes
// away.

#include "connector/arrow/arrow_sink.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <string>
#include <thread>
#include <vector>

#include "tests/connector/chunk_builder.h"
#include "tests/support/arrow_ipc_reader.h"

namespace leat::connector {
namespace {

using testing::ArrowStream;
using testing::read_arrow_stream;

// A pipe whose other end is read by a thread until it is closed.
class PipeReader {
 public:
  explicit PipeReader(int flags = 0) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    if (::fcntl(ends[1], F_SETFL, flags) != 0) throw std::runtime_error("fcntl");
    input_ = ends[1];
    thread_ = std::jthread([this, fd = ends[0]] {
      std::array<char, 4096> block;
      for (ssize_t n = 0; (n = ::read(fd, block.data(), block.size())) > 0;) {
        bytes_.append(block.data(), static_cast<std::size_t>(n));
      }
      ::close(fd);
    });
  }
  PipeReader(const PipeReader&) = delete;
  PipeReader& operator=(const PipeReader&) = delete;
  ~PipeReader() {
    if (input_ >= 0) ::close(input_);
  }
  int fd() const { return input_; }
  std::string all() {
    ::close(input_);
    input_ = -1;
    thread_.join();
    return bytes_;
  }

 private:
  int input_ = -1;
  std::string bytes_;
  std::jthread thread_;
};

TEST(ArrowSink, WritesTheSchemaOnceAndABatchForEachChunkWithRows) {
  PipeReader reader;
  ArrowSink sink(reader.fd());
  EXPECT_EQ(sink.open("p", {.epoch = 7}, {})->epoch, 7U);
  ASSERT_TRUE(sink.write(ChunkBuilder("id int8").build()));
  ASSERT_TRUE(sink.write(ChunkBuilder("id int8").row(1).row(2).build()));
  ASSERT_TRUE(sink.commit({}));
  ASSERT_TRUE(sink.write(ChunkBuilder("id int8").reject({.record = 3}).build()));
  ASSERT_TRUE(sink.write(ChunkBuilder("id int8").row(3).build()));
  ASSERT_TRUE(sink.commit({}));
  ASSERT_TRUE(sink.finish(nullptr));
  ASSERT_TRUE(sink.close());
  const ArrowStream stream = read_arrow_stream(reader.all());
  EXPECT_EQ(stream.schema->to_sql(), "id bigint");
  ASSERT_EQ(stream.batches.size(), 2U);
  EXPECT_EQ(stream.batches[0].rows, 2);
  EXPECT_EQ(stream.batches[1].rows, 1);
  EXPECT_TRUE(stream.ended);
}

TEST(ArrowSink, AnEndWithoutRowsIsAStreamOfTheSchema) {
  const Schema schema = parse_schema("id int8, name text").value();
  for (const Schema* known : {&schema, static_cast<const Schema*>(nullptr)}) {
    PipeReader reader;
    ArrowSink sink(reader.fd());
    ASSERT_TRUE(sink.finish(known));
    ASSERT_TRUE(sink.close());
    const ArrowStream stream = read_arrow_stream(reader.all());
    EXPECT_EQ(*stream.schema, known != nullptr ? schema : Schema{});
    EXPECT_TRUE(stream.batches.empty());
    EXPECT_TRUE(stream.ended);
  }
}

TEST(ArrowSink, MarksNoEndWhereTheRunDidNotEndWell) {
  PipeReader reader;
  ArrowSink sink(reader.fd());
  ASSERT_TRUE(sink.write(ChunkBuilder("id int8").row(1).build()));
  ASSERT_TRUE(sink.commit({}));
  ASSERT_TRUE(sink.write(ChunkBuilder("id int8").row(2).build()));
  ASSERT_TRUE(sink.close());
  const ArrowStream stream = read_arrow_stream(reader.all());
  ASSERT_EQ(stream.batches.size(), 1U) << "what was not committed is not written";
  EXPECT_FALSE(stream.ended);
}

TEST(ArrowSink, WaitsForAReaderThatIsSlowerThanAPipeThatDoesNotBlock) {
  PipeReader reader(O_NONBLOCK);
  ArrowSink sink(reader.fd());
  ChunkBuilder chunk("t text");
  for (int i = 0; i < 3'000; ++i) chunk.row(std::string(1'000, 'x'));
  ASSERT_TRUE(sink.write(chunk.build()));
  ASSERT_TRUE(sink.finish(nullptr));
  const ArrowStream stream = read_arrow_stream(reader.all());
  ASSERT_EQ(stream.batches.size(), 1U);
  EXPECT_EQ(stream.batches[0].columns[0].values.size(), 3'000'000U);
}

TEST(ArrowSink, TellsThatTheReaderWentAwayAndRaisesNoSignal) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  ::close(ends[0]);
  ArrowSink sink(ends[1]);
  ASSERT_TRUE(sink.write(ChunkBuilder("t text").row("x").build()));
  const Result<void> done = sink.commit({});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kIo);
  EXPECT_EQ(done.error().message, "The reader of standard output went away.");
  ::close(ends[1]);
}

TEST(ArrowSink, TellsAFullDisk) {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  if (full < 0) GTEST_SKIP() << "there is no /dev/full here";
  ArrowSink sink(full);
  ASSERT_TRUE(sink.write(ChunkBuilder("t text").row("x").build()));
  EXPECT_EQ(sink.commit({}).error().code, ErrorCode::kDiskFull);
  ::close(full);
}

TEST(ArrowSink, RefusesATerminal) {
  const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (terminal < 0) GTEST_SKIP() << "there are no pseudo-terminals here";
  ArrowSink sink(terminal);
  const Result<EpochMark> opened = sink.open("p", {}, {});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kInvalidArgument);
  ::close(terminal);
}

TEST(ArrowSink, IsOpenedByItsFormatAndCannotTakeRowsBack) {
  PipeReader reader;
  auto sink = open_sink("-", {.format = SinkOptions::Format::kArrow, .output_fd = reader.fd()});
  ASSERT_TRUE(sink);
  EXPECT_FALSE((*sink)->transactional());
  EXPECT_EQ((*sink)->discard({}).error().code, ErrorCode::kUnsupported);
  ASSERT_TRUE((*sink)->finish(nullptr));
  EXPECT_TRUE(read_arrow_stream(reader.all()).ended);
}

}  // namespace
}  // namespace leat::connector
