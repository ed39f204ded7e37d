#include "executor/progress_tracker.h"

#include <gtest/gtest.h>

namespace leat::executor {
namespace {

const ObjectVersion kObject{"a", "v1", 100, 1};

RowChunk chunk(std::int64_t rows, std::uint64_t end) {
  RowChunk chunk;
  chunk.rows = rows;
  chunk.end.offset = end;
  return chunk;
}

Checkpoint cut(ProgressTracker& tracker, std::uint64_t epoch) {
  return {.epoch = epoch, .splits = tracker.changes(epoch, 1)};
}

TEST(ProgressTracker, ACheckpointHoldsWhatChangedSinceTheLastCommit) {
  ProgressTracker tracker;
  EXPECT_TRUE(cut(tracker, 1).splits.empty());
  tracker.delivered(kObject, chunk(10, 50));
  Checkpoint first = cut(tracker, 1);
  ASSERT_EQ(first.splits.size(), 1u);
  EXPECT_EQ(first.splits[0].rows, 10u);
  EXPECT_EQ(first.splits[0].position.offset, 50u);
  EXPECT_EQ(first.splits[0].state, SplitState::kReading);
  EXPECT_TRUE(tracker.committed(first).empty());
  EXPECT_TRUE(cut(tracker, 2).splits.empty());
}

TEST(ProgressTracker, WhatChangesBetweenCutAndCommitComesWithTheNextCut) {
  ProgressTracker tracker;
  tracker.delivered(kObject, chunk(10, 50));
  const Checkpoint first = cut(tracker, 1);
  tracker.delivered(kObject, chunk(5, 80));
  tracker.finished(kObject);
  EXPECT_TRUE(tracker.committed(first).empty());
  const Checkpoint second = cut(tracker, 2);
  ASSERT_EQ(second.splits.size(), 1u);
  EXPECT_EQ(second.splits[0].rows, 15u);
  EXPECT_EQ(second.splits[0].state, SplitState::kFinished);
  EXPECT_EQ(tracker.committed(second), std::vector<std::string>{"a"});
  EXPECT_TRUE(cut(tracker, 3).splits.empty());
}

TEST(ProgressTracker, ACutThatWasNeverCommittedIsReplacedByALaterOne) {
  ProgressTracker tracker;
  tracker.delivered(kObject, chunk(10, 50));
  (void)cut(tracker, 1);
  tracker.delivered(kObject, chunk(5, 80));
  EXPECT_EQ(cut(tracker, 1).splits.at(0).rows, 15u);
}

TEST(ProgressTracker, RowsMayBeDurableOnceACheckpointHeldThem) {
  ProgressTracker tracker;
  EXPECT_FALSE(tracker.may_be_durable("a"));
  tracker.delivered(kObject, chunk(10, 50));
  EXPECT_FALSE(tracker.may_be_durable("a"));
  (void)cut(tracker, 1);
  EXPECT_TRUE(tracker.may_be_durable("a"));
  tracker.forget("a");
  EXPECT_FALSE(tracker.may_be_durable("a"));
}

TEST(ProgressTracker, RestoredSplitsAreNotNews) {
  ProgressTracker tracker;
  tracker.restore({.object = kObject, .rows = 7});
  EXPECT_TRUE(cut(tracker, 1).splits.empty());
  EXPECT_TRUE(tracker.may_be_durable("a"));
  tracker.delivered(kObject, chunk(3, 90));
  EXPECT_EQ(cut(tracker, 1).splits.at(0).rows, 10u);
}

TEST(ProgressTracker, AStoppedSplitKeepsWhatWasDelivered) {
  ProgressTracker tracker;
  tracker.delivered(kObject, chunk(10, 50));
  tracker.stopped(kObject, SplitState::kQuarantined, Error{ErrorCode::kBadValue, "bad"},
                  Position{.offset = 50}, "oops");
  const Checkpoint checkpoint = cut(tracker, 1);
  ASSERT_EQ(checkpoint.splits.size(), 1u);
  EXPECT_EQ(checkpoint.splits[0].state, SplitState::kQuarantined);
  EXPECT_EQ(checkpoint.splits[0].rows, 10u);
  EXPECT_EQ(checkpoint.splits[0].offending, "oops");
  EXPECT_EQ(tracker.committed(checkpoint), std::vector<std::string>{"a"});
}

TEST(ProgressTracker, ANotedVersionIsSettledWithTheCommitThatTellsOfIt) {
  ProgressTracker tracker;
  tracker.noted(kObject);
  EXPECT_EQ(tracker.settled(), 1u);
  const Checkpoint checkpoint = cut(tracker, 1);
  ASSERT_EQ(checkpoint.splits.size(), 1u);
  EXPECT_EQ(checkpoint.splits[0].state, SplitState::kNoted);
  EXPECT_EQ(tracker.committed(checkpoint), std::vector<std::string>{"a"});
  EXPECT_EQ(tracker.settled(), 0u);
}

}  // namespace
}  // namespace leat::executor
