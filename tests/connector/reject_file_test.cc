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
#include "tests/connector/temporary_folder.h"
#include "tests/support/small_disk.h"

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
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "rejects.jsonl";
  auto file = RejectFile::open(path, std::nullopt);
  ASSERT_TRUE(file);
  RejectedRow whole = some_reject(4);
  whole.column.clear();
  ASSERT_TRUE(file->append("s3://b/a.csv", chunk_with(some_reject())));
  ASSERT_TRUE(file->append("s3://b/a.csv", chunk_with(whole)));
  const auto length = file->sync();
  ASSERT_TRUE(length);
  const std::string text = content(path);
  EXPECT_EQ(*length, text.size());
  const std::string first = text.substr(0, text.find('\n'));
  EXPECT_EQ(first,
            "{\"object\":\"s3://b/a.csv\",\"version\":\"v1\",\"record\":3,\"byte_offset\":20,"
            "\"column\":\"id\",\"text\":\"x\",\"raw\":\"x,\\\"y\\\"\",\"code\":\"bad_value\","
            "\"reason\":\"\\\"x\\\" is no integer.\"}");
  const auto second = nlohmann::json::parse(text.substr(first.size()));
  EXPECT_EQ(second["record"], 4);
  EXPECT_FALSE(second.contains("column"));
}

TEST(RejectFile, KeepsBytesThatAreNoTextInBase64) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "rejects.jsonl";
  auto file = RejectFile::open(path, std::nullopt);
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
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "rejects.jsonl";
  std::uint64_t committed = 0;
  {
    auto file = RejectFile::open(path, std::nullopt);
    ASSERT_TRUE(file->append("o", chunk_with(some_reject(1))));
    committed = *file->sync();
    ASSERT_TRUE(file->append("o", chunk_with(some_reject(2))));
    ASSERT_TRUE(file->sync());
  }
  auto file = RejectFile::open(path, committed);
  EXPECT_EQ(fs::file_size(path), committed);
  ASSERT_TRUE(file->append("o", chunk_with(some_reject(2))));
  EXPECT_EQ(*file->sync(), 2 * committed);
}

TEST(RejectFile, KeepsTheRestOfAHalfLineAway) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "rejects.jsonl";
  std::ofstream(path) << "{\"a\":1}\n{\"b\"";
  ASSERT_TRUE(RejectFile::open(path, 8));
  EXPECT_EQ(content(path), "{\"a\":1}\n");
}

TEST(RejectFile, CutsAllOfAnEpochThatWasTheFirst) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "rejects.jsonl";
  std::ofstream(path) << "{\"a\":1}\n";
  ASSERT_TRUE(RejectFile::open(path, 0));
  EXPECT_EQ(content(path), "");
}

TEST(RejectFile, NeverCutsAnotherFile) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "rejects.jsonl";
  const std::string other = "somebody else's first line\nand second\n";
  for (const std::optional<std::uint64_t> committed :
       {std::optional<std::uint64_t>(), {3}, {5'000}}) {
    std::ofstream(path) << other;
    auto file = RejectFile::open(path, committed);
    ASSERT_TRUE(file);
    EXPECT_EQ(content(path), other);
    EXPECT_EQ(*file->sync(), other.size());
    ASSERT_TRUE(file->append("o", chunk_with(some_reject())));
    const auto length = file->sync();
    EXPECT_EQ(*length, fs::file_size(path));
    EXPECT_EQ(content(path).substr(0, other.size()), other);
  }
}

TEST(RejectFile, CanBeMoved) {
  const TemporaryFolder folder;
  auto first = RejectFile::open(folder.path() / "a", std::nullopt);
  RejectFile second = *std::move(first);
  ASSERT_TRUE(second.append("o", chunk_with(some_reject())));
  auto third = RejectFile::open(folder.path() / "b", std::nullopt);
  second = *std::move(third);
  EXPECT_EQ(*second.sync(), 0u);
}

TEST(RejectFile, TellsWhereItCannotBe) {
  const TemporaryFolder folder;
  EXPECT_EQ(RejectFile::open(folder.path() / "no" / "such", std::nullopt).error().code,
            ErrorCode::kNotFound);
  EXPECT_EQ(RejectFile::open(folder.path(), std::nullopt).error().code, ErrorCode::kIo);
}

TEST(RejectFile, GoesOnAfterAFullDiskWithoutHalfALine) {
  test::SmallDisk disk(1);
  if (!disk.mounted()) GTEST_SKIP() << "mounting a small tmpfs is not allowed here";
  const fs::path path = disk.path() / "rejects.jsonl";
  auto file = RejectFile::open(path, std::nullopt);
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
