// The reject file: its lines, and what is cut off after a crash.

#include "connector/reject_file/reject_file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "connector/json_text.h"
#include "tests/connector/chunk_builder.h"
#include "tests/support/small_disk.h"
#include "tests/support/temporary_folder.h"

namespace leat::connector {
namespace {

namespace fs = std::filesystem;

std::string content(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

RowChunk chunk_with(RejectedRow reject) {
  return ChunkBuilder("id int").reject(std::move(reject)).build();
}

RejectedRow some_reject(std::uint64_t record = 3) {
  return {.record = record,
          .byte_offset = 20,
          .column = "id",
          .text = "x",
          .raw = "x,\"y\"",
          .code = ErrorCode::kBadValue,
          .reason = "\"x\" is no integer."};
}

TEST(RejectFile, WritesALineForEachReject) {
  const testing::TemporaryFolder folder;
  const fs::path path = folder.path() / "rejects.jsonl";
  auto file = RejectFile::open(path, "p", 0);
  ASSERT_TRUE(file);
  RejectedRow whole = some_reject(4);
  whole.column.clear();
  ASSERT_TRUE(file->append("s3://b/a.csv", chunk_with(some_reject())));
  ASSERT_TRUE(file->append("s3://b/a.csv", chunk_with(whole)));
  ASSERT_TRUE(file->sync());
  const std::string text = content(path);
  const std::string first = text.substr(0, text.find('\n'));
  EXPECT_EQ(first,
            "{\"pipeline\":\"p\",\"epoch\":1,\"object\":\"s3://b/"
            "a.csv\",\"version\":\"v1\",\"record\":3,\"byte_offset\":20,"
            "\"column\":\"id\",\"text\":\"x\",\"raw\":\"x,\\\"y\\\"\",\"code\":\"bad_value\","
            "\"reason\":\"\\\"x\\\" is no integer.\"}");
  const auto second = nlohmann::json::parse(text.substr(first.size()));
  EXPECT_EQ(second["record"], 4);
  EXPECT_FALSE(second.contains("column"));
}

TEST(RejectFile, KeepsBytesThatAreNoTextInBase64) {
  const testing::TemporaryFolder folder;
  const fs::path path = folder.path() / "rejects.jsonl";
  auto file = RejectFile::open(path, "p", 0);
  RejectedRow reject = some_reject();
  reject.raw = std::string("\xff\x00\x01z", 4);
  reject.text = "\xc3";
  ASSERT_TRUE(file->append("b\xff", chunk_with(reject)));
  ASSERT_TRUE(file->sync());
  const auto json = nlohmann::json::parse(content(path));
  EXPECT_EQ(json["raw_base64"], "/wABeg==");
  EXPECT_EQ(json["text_base64"], "ww==");
  EXPECT_EQ(json["object_base64"], "Yv8=");
  EXPECT_FALSE(json.contains("raw"));
}

TEST(RejectFile, CutsOffWhatWasNeverCommitted) {
  const testing::TemporaryFolder folder;
  const fs::path path = folder.path() / "rejects.jsonl";
  std::string committed;
  {
    auto file = RejectFile::open(path, "p", 0);
    ASSERT_TRUE(file->append("o", chunk_with(some_reject(1))));
    ASSERT_TRUE(file->sync());
    committed = content(path);
    file->committed(1);
    ASSERT_TRUE(file->append("o", chunk_with(some_reject(2))));
    ASSERT_TRUE(file->append("o", chunk_with(some_reject(3))));
    ASSERT_TRUE(file->sync());
  }
  const std::string all = content(path);
  // Wherever a crash cut the lines of the second epoch, all of them go.
  for (std::size_t length = committed.size(); length <= all.size(); ++length) {
    std::ofstream(path, std::ios::binary) << all.substr(0, length);
    ASSERT_TRUE(RejectFile::open(path, "p", 1));
    ASSERT_EQ(content(path), committed) << length;
  }
  std::ofstream(path, std::ios::binary) << all;
  ASSERT_TRUE(RejectFile::open(path, "p", 2));
  EXPECT_EQ(content(path), all) << "both are committed";
}

TEST(RejectFile, CutsAllOfAnEpochThatWasTheFirst) {
  const testing::TemporaryFolder folder;
  const fs::path path = folder.path() / "rejects.jsonl";
  {
    auto file = RejectFile::open(path, "p", 0);
    ASSERT_TRUE(file->append("o", chunk_with(some_reject(1))));
    ASSERT_TRUE(file->sync());
  }
  ASSERT_TRUE(RejectFile::open(path, "p", 0));
  EXPECT_EQ(content(path), "");
}

TEST(RejectFile, NeverCutsTheLinesOfOthers) {
  const testing::TemporaryFolder folder;
  const fs::path path = folder.path() / "rejects.jsonl";
  {
    auto file = RejectFile::open(path, "p", 0);
    ASSERT_TRUE(file->append("o", chunk_with(some_reject(1))));
    ASSERT_TRUE(file->sync());
  }
  const std::string mine = content(path);
  for (const std::string other :
       {"somebody else's first line\nand second\n", "{\"pipeline\":\"q\",\"epoch\":1,\"a\":1}\n",
        "{\"pipeline\":\"p\",\"epoch\":12,\"a\":1}\n", "no line end"}) {
    std::ofstream(path) << mine << other;
    auto file = RejectFile::open(path, "p", 0);
    ASSERT_TRUE(file);
    EXPECT_EQ(content(path), mine + other);
    std::ofstream(path) << other << mine;
    file = RejectFile::open(path, "another pipeline", 0);
    EXPECT_EQ(content(path), other + mine);
  }
}

TEST(RejectFile, ServesOneLoaderAtATime) {
  const testing::TemporaryFolder folder;
  const fs::path path = folder.path() / "rejects.jsonl";
  auto first = RejectFile::open(path, "p", 0);
  ASSERT_TRUE(first);
  const auto second = RejectFile::open(path, "q", 0);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kAlreadyOpen);
}

TEST(RejectFile, CanBeMoved) {
  const testing::TemporaryFolder folder;
  auto first = RejectFile::open(folder.path() / "a", "p", 0);
  RejectFile second = *std::move(first);
  ASSERT_TRUE(second.append("o", chunk_with(some_reject())));
  auto third = RejectFile::open(folder.path() / "b", "p", 0);
  second = *std::move(third);
  ASSERT_TRUE(second.sync());
  EXPECT_EQ(content(folder.path() / "b"), "");
}

TEST(RejectFile, TellsWhereItCannotBe) {
  const testing::TemporaryFolder folder;
  EXPECT_EQ(RejectFile::open(folder.path() / "no" / "such", "p", 0).error().code,
            ErrorCode::kNotFound);
  EXPECT_EQ(RejectFile::open(folder.path(), "p", 0).error().code, ErrorCode::kIo);
}

TEST(RejectFile, GoesOnAfterAFullDiskWithoutHalfALine) {
  test::SmallDisk disk(1);
  if (!disk.mounted()) GTEST_SKIP() << "mounting a small tmpfs is not allowed here";
  const fs::path path = disk.path() / "rejects.jsonl";
  auto file = RejectFile::open(path, "p", 0);
  disk.fill();
  RejectedRow reject = some_reject();
  reject.raw.assign(10'000, 'x');
  ASSERT_TRUE(file->append("o", chunk_with(reject)));
  const auto full = file->sync();
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, ErrorCode::kDiskFull);
  EXPECT_EQ(fs::file_size(path), 0u);
  disk.free();
  ASSERT_TRUE(file->sync());
  EXPECT_EQ(nlohmann::json::parse(content(path))["raw"], reject.raw);
}

TEST(JsonText, TellsUtf8FromOtherBytes) {
  for (const char* text : {"", "plain", "é€𐍈", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(is_utf8(text)) << text;
  }
  for (const char* bytes :
       {"\x80", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
        "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xe2\x82", "\xff"}) {
    EXPECT_FALSE(is_utf8(bytes));
  }
}

TEST(JsonText, EncodesBase64) {
  const std::vector<std::pair<std::string, std::string>> pairs = {
      {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}};
  for (const auto& [bytes, text] : pairs) {
    std::string out;
    append_base64(bytes, out);
    EXPECT_EQ(out, text);
  }
}

}  // namespace
}  // namespace leat::connector
