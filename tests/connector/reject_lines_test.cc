// A reject file, read again, and written anew without some of its lines.

#include "connector/reject_file/reject_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "connector/json_text.h"
#include "connector/reject_file/reject_file.h"
#include "tests/connector/chunk_builder.h"
#include "tests/support/small_disk.h"
#include "tests/support/temporary_folder.h"

namespace leat::connector {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class RejectLinesTest : public ::testing::Test {
 protected:
  void put(const std::string& text) { std::ofstream(path_, std::ios::binary) << text; }
  std::string content() const {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  testing::TemporaryFolder folder_{"leat-lines"};
  fs::path path_ = folder_.path() / "rejects.jsonl";
};

TEST_F(RejectLinesTest, TellsWhatWasWritten) {
  std::string all_bytes;
  for (int i = 0; i < 256; ++i) all_bytes.push_back(static_cast<char>(i));
  const std::vector<RejectedRow> rejects{
      {.record = 3,
       .byte_offset = 20,
       .column = "id",
       .text = "x",
       .raw = "x,\"y\"\n\r\t",
       .code = ErrorCode::kBadValue,
       .reason = "why"},
      {.record = 4, .byte_offset = 30, .raw = all_bytes, .code = ErrorCode::kRowRefused}};
  {
    auto file = RejectFile::open(path_, "p", 0);
    ChunkBuilder chunk("id int", "a", "\xff v");
    for (const RejectedRow& reject : rejects) chunk.reject(reject);
    ASSERT_TRUE(file->append("s3://b/\xfe", chunk.build()));
    ASSERT_TRUE(file->sync());
  }
  auto lines = RejectLines::open(path_);
  ASSERT_TRUE(lines);
  for (std::size_t i = 0; i < rejects.size(); ++i) {
    const auto line = lines->next().value();
    ASSERT_TRUE(line);
    EXPECT_EQ(line->number, i + 1);
    EXPECT_EQ(line->pipeline, "p");
    EXPECT_EQ(line->object, "s3://b/\xfe");
    EXPECT_EQ(line->version, "\xff v");
    EXPECT_EQ(line->reject.record, rejects[i].record);
    EXPECT_EQ(line->reject.byte_offset, rejects[i].byte_offset);
    EXPECT_EQ(line->reject.column, rejects[i].column);
    EXPECT_EQ(line->reject.text, rejects[i].text);
    EXPECT_EQ(line->reject.raw, rejects[i].raw);
    EXPECT_EQ(line->reject.code, rejects[i].code);
    EXPECT_EQ(line->reject.reason, rejects[i].reason);
  }
  EXPECT_FALSE(lines->next().value());
}

TEST_F(RejectLinesTest, Base64ComesBackAtEachLength) {
  std::string bytes;
  for (int length = 0; length < 20; ++length) {
    std::string text;
    append_base64(bytes, text);
    EXPECT_EQ(decode_base64(text), bytes) << text;
    bytes.push_back(static_cast<char>(250 - 13 * length));
  }
  for (const char* wrong : {"a", "abc", "ab=c", "a===", "====", "ab c", "abcd="}) {
    EXPECT_FALSE(decode_base64(wrong)) << wrong;
  }
}

TEST_F(RejectLinesTest, NamesALineThatIsNoReject) {
  const std::string good =
      "{\"raw\":\"x\",\"pipeline\":\"p\",\"object\":\"o\",\"version\":\"v\",\"record\":1,"
      "\"byte_offset\":0,\"more\":[1]}\n";
  for (const char* bad : {"{", "[]", "{\"pipeline\":\"p\"}", "null"}) {
    put(good + "\n" + bad + "\n");
    auto lines = RejectLines::open(path_);
    EXPECT_EQ(lines->next().value()->reject.raw, "x");
    const auto line = lines->next();
    ASSERT_FALSE(line) << bad;
    EXPECT_EQ(line.error().code, ErrorCode::kCorrupt);
    EXPECT_THAT(line.error().message, HasSubstr("Line 3 of the reject file"));
  }
  EXPECT_EQ(RejectLines::open(folder_.path() / "nowhere").error().code, ErrorCode::kNotFound);
}

TEST_F(RejectLinesTest, DropsLinesAndKeepsTheOthersByteForByte) {
  put("one\n\nthree\r\nfour\nfive without an end");
  ::chmod(path_.c_str(), 0640);
  const std::vector<std::uint64_t> numbers{1, 4};
  ASSERT_TRUE(drop_lines(path_, numbers));
  EXPECT_EQ(content(), "\nthree\r\nfive without an end");
  EXPECT_EQ(fs::status(path_).permissions(), static_cast<fs::perms>(0640));
  ASSERT_TRUE(drop_lines(path_, std::vector<std::uint64_t>{1, 2, 3}));
  EXPECT_EQ(content(), "");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_.path()), {}), 1);
}

TEST_F(RejectLinesTest, WritesAnewWhatALinkPointsTo) {
  put("one\ntwo\n");
  const fs::path link = folder_.path() / "link";
  fs::create_symlink(path_, link);
  ASSERT_TRUE(drop_lines(link, std::vector<std::uint64_t>{1}));
  EXPECT_TRUE(fs::is_symlink(link));
  EXPECT_EQ(content(), "two\n");
}

TEST_F(RejectLinesTest, LeavesTheFileAsItWasWhenTheDiskIsFull) {
  leat::test::SmallDisk disk(2);
  if (!disk.mounted()) GTEST_SKIP() << "mounting is not allowed here";
  path_ = disk.path() / "rejects.jsonl";
  const std::string text = "one\n" + std::string(100'000, 'x') + "\n";
  put(text);
  disk.fill();
  const auto dropped = drop_lines(path_, std::vector<std::uint64_t>{1});
  ASSERT_FALSE(dropped);
  EXPECT_EQ(dropped.error().code, ErrorCode::kDiskFull);
  EXPECT_EQ(content(), text);
  disk.free();
  ASSERT_TRUE(drop_lines(path_, std::vector<std::uint64_t>{1}));
  EXPECT_EQ(content(), text.substr(4));
}

}  // namespace
}  // namespace leat::connector
