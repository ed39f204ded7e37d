// Looking into an SQLite sink, and taking rows out of it again.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "connector/sqlite/sqlite_sink.h"
#include "tests/connector/chunk_builder.h"
#include "tests/connector/temporary_folder.h"

namespace leat::connector {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kColumns =
    "id bigint, _object text not null, _version text not null, _offset bigint not null, _record "
    "bigint not null";

class SqliteRepairTest : public ::testing::Test {
 protected:
  std::unique_ptr<SqliteSink> make_sink() const {
    return std::make_unique<SqliteSink>(
        SqliteSinkOptions{.path = (folder_.path() / "rows.db").string(),
                          .table = "t",
                          .keep_rejects = true,
                          .busy_timeout_ms = 0});
  }
  std::unique_ptr<SqliteSink> open_sink(const std::string& pipeline = "p") {
    auto sink = make_sink();
    const auto mark = sink->open(pipeline, {}, [](const SplitProgress&) { return Result<void>(); });
    EXPECT_TRUE(mark) << mark.error().to_string();
    if (mark) epoch_ = mark->epoch;
    return sink;
  }

  static ObjectVersion object(const std::string& key, const std::string& version = "v1") {
    return {.key = key, .version = version, .size = 1'000, .modified_ms = 5};
  }

  /// Records 1 to `rows`, ten bytes apart, and a reject behind them.
  void write(SqliteSink& sink, const std::string& key, int rows,
             const std::string& version = "v1") {
    ChunkBuilder chunk(kColumns, key, version);
    for (int i = 0; i < rows; ++i) chunk.row(i, key, version, 10 * i, i + 1);
    chunk.reject({.record = static_cast<std::uint64_t>(rows) + 1,
                  .byte_offset = static_cast<std::uint64_t>(rows) * 10,
                  .text = "x",
                  .raw = "x,y",
                  .code = ErrorCode::kFieldCount,
                  .reason = "why"});
    ASSERT_TRUE(sink.write(chunk.build()));
  }

  void commit(SqliteSink& sink, const std::vector<ObjectVersion>& objects,
              SplitState state = SplitState::kFinished) {
    ++epoch_;
    Checkpoint checkpoint{.epoch = epoch_, .splits = {}, .token = epoch_, .parent = epoch_ - 1};
    for (const ObjectVersion& one : objects) {
      checkpoint.splits.push_back({.object = one, .state = state, .epoch = epoch_});
    }
    const auto committed = sink.commit(checkpoint);
    ASSERT_TRUE(committed) << committed.error().to_string();
  }

  std::vector<std::string> objects_with_rows() const {
    std::vector<std::string> all;
    const auto reader = make_sink()->read("p").value();
    while (const auto rows = reader->next_rows().value()) {
      all.push_back(rows->key + " " + rows->version + " " + std::to_string(rows->rows) + "/" +
                    std::to_string(rows->records));
    }
    return all;
  }
  std::vector<std::string> rejects() const {
    std::vector<std::string> all;
    const auto reader = make_sink()->read("p").value();
    while (const auto kept = reader->next_reject().value()) {
      all.push_back(kept->key + " " + kept->version + " " + std::to_string(kept->reject.record) +
                    "@" + std::to_string(kept->reject.byte_offset) + " " + kept->reject.raw + " " +
                    std::string(error_code_name(kept->reject.code)));
    }
    return all;
  }

  TemporaryFolder folder_{"leat-repair"};
  std::uint64_t epoch_ = 0;
};

TEST_F(SqliteRepairTest, TellsProgressRowsAndRejectsInTheByteOrderOfKeys) {
  auto sink = open_sink();
  write(*sink, "b", 2);
  write(*sink, "\xff", 1);
  write(*sink, "a/c", 3);
  write(*sink, "a-b", 1);
  write(*sink, "a-b", 1);
  commit(*sink, {object("b"), object("\xff"), object("a/c"), object("a-b")});
  const auto reader = make_sink()->read("p").value();
  EXPECT_EQ(reader->mark(), (EpochMark{1, 1, 0}));
  std::vector<std::string> keys;
  while (const auto progress = reader->next_progress().value())
    keys.push_back(progress->object.key);
  EXPECT_THAT(keys, ElementsAre("a-b", "a/c", "b", "\xff"));
  EXPECT_THAT(objects_with_rows(),
              ElementsAre("a-b v1 2/1", "a/c v1 3/3", "b v1 2/2", "\xff v1 1/1"));
  EXPECT_THAT(rejects(), ElementsAre("a-b v1 2@10 x,y field_count", "a-b v1 2@10 x,y field_count",
                                     "a/c v1 4@30 x,y field_count", "b v1 3@20 x,y field_count",
                                     "\xff v1 2@10 x,y field_count"));
}

TEST_F(SqliteRepairTest, ReadsOneCommittedStateBesideAWriter) {
  auto sink = open_sink();
  write(*sink, "a", 2);
  commit(*sink, {object("a")});
  const auto reader = make_sink()->read("p").value();
  write(*sink, "b", 2);
  commit(*sink, {object("b")});
  EXPECT_EQ(reader->next_rows().value()->key, "a");
  EXPECT_FALSE(reader->next_rows().value());
  EXPECT_EQ(reader->next_progress().value()->object.key, "a");
  EXPECT_FALSE(reader->next_progress().value());
}

TEST_F(SqliteRepairTest, SaysThatThereIsNoRecord) {
  EXPECT_EQ(make_sink()->read("p").error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "rows.db"));
  open_sink();
  EXPECT_EQ(make_sink()->read("other").error().code, ErrorCode::kNotFound);
}

TEST_F(SqliteRepairTest, TakesTheRowsOfObjectsAndOfRangesOut) {
  auto sink = open_sink();
  write(*sink, "a", 5);
  write(*sink, "a", 2, "v2");
  write(*sink, "b", 5);
  write(*sink, "c", 5);
  commit(*sink, {object("a"), object("b"), object("c")});
  const std::vector<RowsOfObject> ranges{{.object = object("a")},
                                         {.object = object("b"), .bytes = {10, 30}}};
  EXPECT_EQ(sink->remove_rows(ranges).value(), 7u);
  EXPECT_THAT(objects_with_rows(), testing::Contains("a v1 5/5"));
  commit(*sink, {object("a")}, SplitState::kRewound);
  EXPECT_THAT(objects_with_rows(), ElementsAre("a v2 2/2", "b v1 3/3", "c v1 5/5"));
  EXPECT_THAT(rejects(), ElementsAre("a v2 3@20 x,y field_count", "b v1 6@50 x,y field_count",
                                     "c v1 6@50 x,y field_count"));
}

TEST_F(SqliteRepairTest, TakesRejectsOut) {
  auto sink = open_sink();
  write(*sink, "a", 1);
  write(*sink, "b", 1);
  commit(*sink, {object("a"), object("b")});
  const std::vector<KeptReject> gone{
      {.key = "b", .version = "v1", .reject = {.record = 2, .byte_offset = 10}}};
  ASSERT_TRUE(sink->remove_rejects(gone));
  commit(*sink, {object("b")});
  EXPECT_THAT(rejects(), ElementsAre("a v1 2@10 x,y field_count"));
}

TEST_F(SqliteRepairTest, RollsBackAndGoesOn) {
  auto sink = open_sink();
  write(*sink, "a", 1);
  ASSERT_TRUE(sink->roll_back());
  write(*sink, "b", 1);
  commit(*sink, {object("b")});
  EXPECT_THAT(objects_with_rows(), ElementsAre("b v1 1/1"));
}

TEST_F(SqliteRepairTest, RefusesToRemoveWhereRowsDoNotTellWhoseTheyAre) {
  auto sink = open_sink();
  ASSERT_TRUE(sink->write(ChunkBuilder("id bigint").row(1).build()));
  commit(*sink, {object("a")});
  const std::vector<RowsOfObject> all{{.object = object("a")}};
  const auto refused = sink->remove_rows(all);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(refused.error().message, HasSubstr("--lineage"));
}

TEST_F(SqliteRepairTest, RefusesToRemoveWhatAnotherPipelineMayHaveLoaded) {
  auto other = open_sink("other bucket");
  write(*other, "a", 1);
  commit(*other, {object("a")});
  ASSERT_TRUE(other->close());
  auto sink = open_sink("p");
  write(*sink, "a", 1);
  write(*sink, "b", 1);
  commit(*sink, {object("a"), object("b")});
  const std::vector<RowsOfObject> own{{.object = object("b")}};
  EXPECT_EQ(sink->remove_rows(own).value(), 1u);
  const std::vector<RowsOfObject> shared{{.object = object("a")}};
  const auto refused = sink->remove_rows(shared);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("other bucket"));
}

}  // namespace
}  // namespace leat::connector
