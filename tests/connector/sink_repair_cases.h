// Looking into a sink with tables, and taking rows out of it again: what holds for each of them.
//
// A Backend is made for each test. It has
//   static bool available();                       // else tests skip
//   std::unique_ptr<RowSink> make_sink() const;    // table t, which keeps rejects
//   std::string last_key() const;                  // the last key in byte order that it can hold
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "leat/sink.h"
#include "tests/connector/chunk_builder.h"

namespace leat::connector {

template <class Backend>
class SinkRepairTest : public ::testing::Test {
 protected:
  static constexpr const char* kColumns =
      "id bigint, _object text not null, _version text not null, _offset bigint not null, _record "
      "bigint not null";

  void SetUp() override {
    if (!Backend::available()) GTEST_SKIP() << "there is no server";
    backend_.emplace();
  }

  std::unique_ptr<RowSink> make_sink() const { return backend_->make_sink(); }
  std::unique_ptr<RowSink> open_sink(const std::string& pipeline = "p") {
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
  static void write(RowSink& sink, const std::string& key, int rows,
                    const std::string& version = "v1") {
    ChunkBuilder chunk(kColumns, key, version);
    for (int i = 0; i < rows; ++i) chunk.row(i, key, version, 10 * i, i + 1);
    chunk.reject({.record = static_cast<std::uint64_t>(rows) + 1,
                  .byte_offset = static_cast<std::uint64_t>(rows) * 10,
                  .text = "x",
                  .raw = std::string("x,\0y", 4),
                  .code = ErrorCode::kFieldCount,
                  .reason = "why"});
    const Result<void> written = sink.write(chunk.build());
    ASSERT_TRUE(written) << written.error().to_string();
  }

  void commit(RowSink& sink, const std::vector<ObjectVersion>& objects,
              SplitState state = SplitState::kFinished) {
    ++epoch_;
    Checkpoint checkpoint{.epoch = epoch_, .splits = {}, .token = epoch_, .parent = epoch_ - 1};
    for (const ObjectVersion& one : objects) {
      checkpoint.splits.push_back({.object = one, .state = state, .epoch = epoch_});
    }
    const auto committed = sink.commit(checkpoint);
    ASSERT_TRUE(committed) << committed.error().to_string();
  }

  std::vector<std::string> progress() const {
    std::vector<std::string> all;
    const auto reader = make_sink()->read("p").value();
    while (const auto split = reader->next_progress().value()) {
      all.push_back(split->object.key + " " + std::string(split_state_name(split->state)));
    }
    return all;
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
      EXPECT_EQ(kept->reject.raw, std::string("x,\0y", 4));
      EXPECT_EQ(kept->reject.code, ErrorCode::kFieldCount);
      all.push_back(kept->key + " " + kept->version + " " + std::to_string(kept->reject.record) +
                    "@" + std::to_string(kept->reject.byte_offset));
    }
    return all;
  }

  std::optional<Backend> backend_;
  std::uint64_t epoch_ = 0;
};
TYPED_TEST_SUITE_P(SinkRepairTest);

TYPED_TEST_P(SinkRepairTest, TellsProgressRowsAndRejectsInTheByteOrderOfKeys) {
  const std::string last = this->backend_->last_key();
  auto sink = this->open_sink();
  this->write(*sink, "b", 2);
  this->write(*sink, last, 1);
  this->write(*sink, "a/c", 3);
  this->write(*sink, "a-b", 1);
  this->write(*sink, "a-b", 1);
  this->commit(*sink,
               {this->object("b"), this->object(last), this->object("a/c"), this->object("a-b")});
  EXPECT_EQ(this->make_sink()->read("p").value()->mark(), (EpochMark{1, 1, 0}));
  EXPECT_THAT(this->progress(), testing::ElementsAre("a-b finished", "a/c finished", "b finished",
                                                     last + " finished"));
  EXPECT_THAT(this->objects_with_rows(),
              testing::ElementsAre("a-b v1 2/1", "a/c v1 3/3", "b v1 2/2", last + " v1 1/1"));
  EXPECT_THAT(this->rejects(), testing::ElementsAre("a-b v1 2@10", "a-b v1 2@10", "a/c v1 4@30",
                                                    "b v1 3@20", last + " v1 2@10"));
}

TYPED_TEST_P(SinkRepairTest, ReadsOneCommittedStateBesideAWriter) {
  auto sink = this->open_sink();
  this->write(*sink, "a", 2);
  this->commit(*sink, {this->object("a")});
  const auto reader = this->make_sink()->read("p").value();
  this->write(*sink, "b", 2);
  this->commit(*sink, {this->object("b")});
  EXPECT_EQ(reader->next_rows().value()->key, "a");
  EXPECT_FALSE(reader->next_rows().value());
  EXPECT_EQ(reader->next_progress().value()->object.key, "a");
  EXPECT_FALSE(reader->next_progress().value());
  EXPECT_EQ(reader->next_reject().value()->key, "a");
  EXPECT_FALSE(reader->next_reject().value());
  EXPECT_EQ(reader->mark().epoch, 1u);
}

TYPED_TEST_P(SinkRepairTest, ReadsMoreThanAPageOfEach) {
  auto sink = this->open_sink();
  std::vector<ObjectVersion> objects;
  for (int i = 10'000; i < 12'001; ++i) {
    this->write(*sink, std::to_string(i), 1);
    objects.push_back(this->object(std::to_string(i)));
  }
  this->commit(*sink, objects);
  EXPECT_EQ(this->progress().size(), 2'001u);
  EXPECT_EQ(this->objects_with_rows().size(), 2'001u);
  EXPECT_EQ(this->rejects().size(), 2'001u);
}

// The table is made with the first rows.
TYPED_TEST_P(SinkRepairTest, TellsOfNoRowsWhereNoneWereLoadedYet) {
  auto sink = this->open_sink();
  this->commit(*sink, {this->object("empty")});
  EXPECT_THAT(this->progress(), testing::ElementsAre("empty finished"));
  EXPECT_THAT(this->objects_with_rows(), testing::IsEmpty());
}

TYPED_TEST_P(SinkRepairTest, TellsNothingOfRowsThatNameNoObject) {
  auto sink = this->open_sink();
  ChunkBuilder chunk("id bigint, _object text, _version text, _offset bigint, _record bigint", "a");
  chunk.row(1, "a", "v1", 0, 1).row(2, nullptr, nullptr, nullptr, nullptr);
  const Result<void> written = sink->write(chunk.build());
  ASSERT_TRUE(written) << written.error().to_string();
  this->commit(*sink, {this->object("a")});
  EXPECT_THAT(this->objects_with_rows(), testing::ElementsAre("a v1 1/1"));
}

TYPED_TEST_P(SinkRepairTest, CountsByObjectWhateverTheColumnsAreCalled) {
  auto sink = this->open_sink();
  ChunkBuilder chunk(
      "key text, version text, _object text, _version text, _offset bigint, _record bigint", "a");
  chunk.row("x", "1", "a", "v1", 0, 1).row("y", "2", "a", "v1", 10, 2);
  const Result<void> written = sink->write(chunk.build());
  ASSERT_TRUE(written) << written.error().to_string();
  this->commit(*sink, {this->object("a")});
  EXPECT_THAT(this->objects_with_rows(), testing::ElementsAre("a v1 2/2"));
}

TYPED_TEST_P(SinkRepairTest, SaysThatThereIsNoRecord) {
  EXPECT_EQ(this->make_sink()->read("p").error().code, ErrorCode::kNotFound);
  this->open_sink();
  EXPECT_EQ(this->make_sink()->read("other").error().code, ErrorCode::kNotFound);
}

TYPED_TEST_P(SinkRepairTest, TakesTheRowsOfObjectsAndOfRangesOut) {
  auto sink = this->open_sink();
  this->write(*sink, "a", 5);
  this->write(*sink, "a", 2, "v2");
  this->write(*sink, "b", 5);
  this->write(*sink, "c", 5);
  this->commit(*sink, {this->object("a"), this->object("b"), this->object("c")});
  const std::vector<RowsOfObject> ranges{
      {.object = this->object("a")},
      {.object = this->object("b"), .bytes = {10, 30}},
      {.object = this->object("b"), .bytes = {40, 41}},
      {.object = this->object("not there")},
  };
  EXPECT_EQ(sink->remove_rows(ranges).value(), 8u);
  EXPECT_THAT(this->objects_with_rows(), testing::Contains("a v1 5/5"));
  this->commit(*sink, {this->object("a"), this->object("b"), this->object("not there")},
               SplitState::kRewound);
  EXPECT_THAT(this->objects_with_rows(), testing::ElementsAre("a v2 2/2", "b v1 2/2", "c v1 5/5"));
  EXPECT_THAT(this->rejects(), testing::ElementsAre("a v2 3@20", "b v1 6@50", "c v1 6@50"));
  EXPECT_THAT(this->progress(),
              testing::ElementsAre("a rewound", "b rewound", "c finished", "not there rewound"));
}

// What was read on as it grew has rows of several versions.
TYPED_TEST_P(SinkRepairTest, TakesTheRowsOfAllVersionsOutWhenAsked) {
  auto sink = this->open_sink();
  this->write(*sink, "a", 5);
  this->write(*sink, "a", 2, "v2");
  this->write(*sink, "b", 5);
  this->commit(*sink, {this->object("a"), this->object("b")});
  const std::vector<RowsOfObject> grown{{.object = this->object("a"), .any_version = true}};
  EXPECT_EQ(sink->remove_rows(grown).value(), 7u);
  this->commit(*sink, {this->object("a")}, SplitState::kRewound);
  EXPECT_THAT(this->objects_with_rows(), testing::ElementsAre("b v1 5/5"));
  EXPECT_THAT(this->rejects(), testing::ElementsAre("b v1 6@50"));
}

TYPED_TEST_P(SinkRepairTest, RowsGoAndComeInOneTransaction) {
  auto sink = this->open_sink();
  this->write(*sink, "a", 5);
  this->write(*sink, "b", 5);
  this->commit(*sink, {this->object("a"), this->object("b")});
  const std::vector<RowsOfObject> former{{.object = this->object("a")}};
  EXPECT_EQ(sink->remove_rows(former).value(), 5u);
  this->write(*sink, "a", 2, "v2");
  EXPECT_THAT(this->objects_with_rows(), testing::ElementsAre("a v1 5/5", "b v1 5/5"));
  this->commit(*sink, {this->object("a", "v2")});
  EXPECT_THAT(this->objects_with_rows(), testing::ElementsAre("a v2 2/2", "b v1 5/5"));
  EXPECT_THAT(this->rejects(), testing::ElementsAre("a v2 3@20", "b v1 6@50"));
  // What came in the same transaction goes, too.
  this->write(*sink, "c", 1);
  const std::vector<RowsOfObject> latest{{.object = this->object("c")}};
  EXPECT_EQ(sink->remove_rows(latest).value(), 1u);
  this->commit(*sink, {this->object("c")}, SplitState::kRewound);
  EXPECT_THAT(this->objects_with_rows(), testing::ElementsAre("a v2 2/2", "b v1 5/5"));
  EXPECT_THAT(this->rejects(), testing::ElementsAre("a v2 3@20", "b v1 6@50"));
  // A second one, taken back by closing.
  const std::vector<RowsOfObject> other{{.object = this->object("b")}};
  EXPECT_EQ(sink->remove_rows(other).value(), 5u);
  ASSERT_TRUE(sink->close());
  EXPECT_THAT(this->objects_with_rows(), testing::ElementsAre("a v2 2/2", "b v1 5/5"));
}

TYPED_TEST_P(SinkRepairTest, TakesRejectsOut) {
  auto sink = this->open_sink();
  this->write(*sink, "a", 1);
  this->write(*sink, "b", 1);
  this->commit(*sink, {this->object("a"), this->object("b")});
  const std::vector<KeptReject> gone{
      {.key = "b", .version = "v1", .reject = {.record = 2, .byte_offset = 10}},
      {.key = "a", .version = "v1", .reject = {.record = 2, .byte_offset = 11}}};
  ASSERT_TRUE(sink->remove_rejects(gone));
  this->commit(*sink, {this->object("a"), this->object("b")});
  EXPECT_THAT(this->rejects(), testing::ElementsAre("a v1 2@10"));
}

TYPED_TEST_P(SinkRepairTest, RollsBackAndGoesOn) {
  auto sink = this->open_sink();
  ASSERT_TRUE(sink->roll_back());
  this->write(*sink, "a", 1);
  ASSERT_TRUE(sink->roll_back());
  this->write(*sink, "b", 1);
  this->commit(*sink, {this->object("b")});
  const std::vector<RowsOfObject> rows{{.object = this->object("b")}};
  EXPECT_EQ(sink->remove_rows(rows).value(), 1u);
  ASSERT_TRUE(sink->roll_back());
  EXPECT_EQ(sink->remove_rows(rows).value(), 1u);
  ASSERT_TRUE(sink->roll_back());
  EXPECT_THAT(this->objects_with_rows(), testing::ElementsAre("b v1 1/1"));
  EXPECT_THAT(this->rejects(), testing::ElementsAre("b v1 2@10"));
}

TYPED_TEST_P(SinkRepairTest, RemovesNothingOnceItIsTakenOver) {
  auto first = this->open_sink();
  this->write(*first, "a", 1);
  this->commit(*first, {this->object("a")});
  auto second = this->open_sink();
  const std::vector<RowsOfObject> rows{{.object = this->object("a")}};
  const auto removed = first->remove_rows(rows);
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code, ErrorCode::kFenced);
  EXPECT_THAT(this->objects_with_rows(), testing::ElementsAre("a v1 1/1"));
}

TYPED_TEST_P(SinkRepairTest, RefusesToRemoveWhereRowsDoNotTellWhoseTheyAre) {
  auto sink = this->open_sink();
  const ChunkBuilder chunk("id bigint", "a");
  ASSERT_TRUE(sink->write(ChunkBuilder("id bigint", "a").row(1).build()));
  this->commit(*sink, {this->object("a")});
  const std::vector<RowsOfObject> all{{.object = this->object("a")}};
  const auto refused = sink->remove_rows(all);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("--lineage"));
  const auto counted = this->make_sink()->read("p").value()->next_rows();
  ASSERT_FALSE(counted);
  EXPECT_EQ(counted.error().code, ErrorCode::kUnsupported);
}

TYPED_TEST_P(SinkRepairTest, RefusesToRemoveWhatAnotherPipelineMayHaveLoaded) {
  auto other = this->open_sink("other bucket");
  this->write(*other, "a", 1);
  this->commit(*other, {this->object("a")});
  ASSERT_TRUE(other->close());
  auto sink = this->open_sink("p");
  this->write(*sink, "a", 1);
  this->write(*sink, "b", 1);
  this->commit(*sink, {this->object("a"), this->object("b")});
  const std::vector<RowsOfObject> own{{.object = this->object("b")}};
  EXPECT_EQ(sink->remove_rows(own).value(), 1u);
  const std::vector<RowsOfObject> shared{{.object = this->object("a")}};
  const auto refused = sink->remove_rows(shared);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("other bucket"));
}

REGISTER_TYPED_TEST_SUITE_P(SinkRepairTest, TellsProgressRowsAndRejectsInTheByteOrderOfKeys,
                            ReadsOneCommittedStateBesideAWriter, ReadsMoreThanAPageOfEach,
                            TellsOfNoRowsWhereNoneWereLoadedYet, TellsNothingOfRowsThatNameNoObject,
                            CountsByObjectWhateverTheColumnsAreCalled, SaysThatThereIsNoRecord,
                            TakesTheRowsOfObjectsAndOfRangesOut,
                            TakesTheRowsOfAllVersionsOutWhenAsked, RowsGoAndComeInOneTransaction,
                            TakesRejectsOut, RollsBackAndGoesOn, RemovesNothingOnceItIsTakenOver,
                            RefusesToRemoveWhereRowsDoNotTellWhoseTheyAre,
                            RefusesToRemoveWhatAnotherPipelineMayHaveLoaded);

}  // namespace leat::connector
