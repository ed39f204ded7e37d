// What a complete listing says about entries, and what forgetting leaves; restoring a whole record.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "state/ledger.h"
#include "tests/state/ledger_epochs.h"
#include "tests/support/temporary_folder.h"

namespace leat::state {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class LedgerAbsence : public ::testing::Test {
 protected:
  LedgerAbsence() { reopen(); }

  void reopen() {
    ledger_.reset();
    auto opened = Ledger::open({.dir = folder_.path()});
    ASSERT_TRUE(opened) << opened.error().to_string();
    ledger_ = *std::move(opened);
  }

  void commit(std::vector<SplitProgress> splits) {
    const std::uint64_t epoch = ledger_->epoch() + 1;
    for (SplitProgress& split : splits) split.epoch = epoch;
    const auto done = ledger_->commit({.epoch = epoch, .splits = std::move(splits)});
    ASSERT_TRUE(done) << done.error().to_string();
  }
  void finish(std::vector<std::string> keys, std::string version = "1") {
    std::vector<SplitProgress> splits;
    for (std::string& key : keys) {
      splits.push_back(progress_of(object_of(std::move(key), version), SplitState::kFinished, 5));
    }
    commit(std::move(splits));
  }

  /// Keys that are due at `now_ms` after a listing that shows these; the grace time is 100 ms.
  std::vector<std::string> due(const std::set<std::string>& shown, std::int64_t now_ms) {
    return due(shown, now_ms, ledger_->epoch());
  }
  std::vector<std::string> due(const std::set<std::string>& shown, std::int64_t now_ms,
                               std::uint64_t epoch_before) {
    std::vector<std::string> keys;
    AbsenceStep step;
    while (!step.last) {
      auto next = ledger_->note_absence(
          {.absent = [&](std::string_view key) { return !shown.contains(std::string(key)); },
           .epoch_before = epoch_before,
           .now_ms = now_ms,
           .grace_ms = 100,
           .marked_only = marked_only_},
          step.next);
      EXPECT_TRUE(next) << next.error().to_string();
      if (!next) break;
      step = *std::move(next);
      for (const ObjectVersion& object : step.due) keys.push_back(object.key);
    }
    return keys;
  }

  std::vector<std::string> scan() {
    std::vector<std::string> all;
    EXPECT_TRUE(ledger_->scan([&all](const SplitProgress& progress) {
      all.push_back(progress.object.key + " " + std::string(split_state_name(progress.state)));
      return true;
    }));
    return all;
  }

  const testing::TemporaryFolder folder_;
  std::unique_ptr<Ledger> ledger_;
  bool marked_only_ = false;
};

TEST_F(LedgerAbsence, IsDueOnlyAfterTheGraceTimeAndASecondListing) {
  finish({"a", "b", "c"});
  EXPECT_THAT(due({"a", "c"}, 1'000), IsEmpty());
  EXPECT_THAT(due({"a", "c"}, 1'099), IsEmpty());
  EXPECT_THAT(due({"a", "c"}, 1'100), ElementsAre("b"));
  // Nothing is forgotten by being due.
  EXPECT_THAT(due({"a", "c"}, 1'200), ElementsAre("b"));
  EXPECT_THAT(scan(), ElementsAre("a finished", "b finished", "c finished"));
}

TEST_F(LedgerAbsence, OnlyWhatIsMarkedIsJudgedWhereThatIsAskedFor) {
  finish({"a", "b", "c", "d"});
  EXPECT_FALSE(*ledger_->any_marked());
  marked_only_ = true;
  EXPECT_THAT(due({"d"}, 1'000), IsEmpty());
  EXPECT_FALSE(*ledger_->any_marked());
  marked_only_ = false;
  EXPECT_THAT(due({"c", "d"}, 1'000), IsEmpty());
  EXPECT_TRUE(*ledger_->any_marked());
  marked_only_ = true;
  EXPECT_THAT(due({"b"}, 1'050), IsEmpty());
  finish({"d"}, "2");
  EXPECT_THAT(due({}, 1'100), ElementsAre("a"));
  EXPECT_THAT(due({}, 9'000), ElementsAre("a"));
  // Of an entry that was written since, the mark begins anew; of one that is gone it goes.
  finish({"a"}, "2");
  EXPECT_THAT(due({}, 9'050), IsEmpty());
  EXPECT_THAT(due({}, 9'150), ElementsAre("a"));
  EXPECT_THAT(due({"a"}, 9'150), IsEmpty());
  EXPECT_FALSE(*ledger_->any_marked());
}

TEST_F(LedgerAbsence, WhatBeganAnewHasNoMarkAndNoRecordOfTheListing) {
  finish({"a"});
  EXPECT_THAT(due({}, 1'000), IsEmpty());
  ASSERT_TRUE(ledger_->put_listing("far"));
  commit({progress_of(object_of("b", "1"), SplitState::kRewound, 0)});
  EXPECT_EQ(ledger_->listing(), std::nullopt);
  ASSERT_TRUE(ledger_->put_listing("far"));
  ASSERT_TRUE(ledger_->start_anew());
  EXPECT_EQ(ledger_->listing(), std::nullopt);
  EXPECT_FALSE(*ledger_->any_marked());
  reopen();
  EXPECT_EQ(ledger_->listing(), std::nullopt);
}

TEST_F(LedgerAbsence, OutlivesAReopen) {
  finish({"a"});
  EXPECT_THAT(due({}, 1'000), IsEmpty());
  reopen();
  EXPECT_THAT(due({}, 1'100), ElementsAre("a"));
}

TEST_F(LedgerAbsence, BeginsAnewWhenTheObjectWasShownInBetween) {
  finish({"a"});
  EXPECT_THAT(due({}, 1'000), IsEmpty());
  EXPECT_THAT(due({"a"}, 1'050), IsEmpty());
  EXPECT_THAT(due({}, 1'100), IsEmpty());
  EXPECT_THAT(due({}, 1'200), ElementsAre("a"));
}

TEST_F(LedgerAbsence, BeginsAnewWhenTheEntryWasWrittenInBetween) {
  finish({"a"});
  EXPECT_THAT(due({}, 1'000), IsEmpty());
  finish({"a"}, "2");
  EXPECT_THAT(due({}, 1'100), IsEmpty());
  EXPECT_THAT(due({}, 1'200), ElementsAre("a"));
}

TEST_F(LedgerAbsence, BeginsAnewAfterAClockThatWasAhead) {
  finish({"a"});
  EXPECT_THAT(due({}, 9'000'000), IsEmpty());
  EXPECT_THAT(due({}, 1'000), IsEmpty());
  EXPECT_THAT(due({}, 1'100), ElementsAre("a"));
}

TEST_F(LedgerAbsence, LeavesWhatWasWrittenWhileTheListingWentOn) {
  finish({"a"});
  const std::uint64_t before = ledger_->epoch();
  finish({"b"});
  EXPECT_THAT(due({}, 1'000, before), IsEmpty());
  EXPECT_THAT(due({}, 1'100, before), ElementsAre("a"));
}

TEST_F(LedgerAbsence, LeavesWhatIsInFlight) {
  commit({progress_of(object_of("a", "1"), SplitState::kFinished, 0),
          progress_of(object_of("b", "1"), SplitState::kFinished, 0)});
  commit({progress_of(object_of("a", "2"), SplitState::kReading, 0)});
  EXPECT_THAT(due({}, 1'000), IsEmpty());
  EXPECT_THAT(due({}, 1'100), ElementsAre("b"));
}

TEST_F(LedgerAbsence, CountsObjectsThatNeedAttentionToo) {
  commit({progress_of(object_of("bad", "1"), SplitState::kQuarantined, 3),
          progress_of(object_of("gone", "1"), SplitState::kGone, 0)});
  EXPECT_THAT(due({}, 1'000), IsEmpty());
  EXPECT_THAT(due({}, 1'100), ElementsAre("bad", "gone"));
}

TEST_F(LedgerAbsence, GoesOnWhereItStopped) {
  std::vector<std::string> keys;
  for (int i = 0; i < 2'500; ++i) keys.push_back(std::to_string(10'000 + i));
  finish(keys);
  EXPECT_THAT(due({}, 1'000), IsEmpty());
  EXPECT_EQ(due({}, 1'100), keys);
}

TEST_F(LedgerAbsence, ForgettingMakesAnObjectNewAndLeavesNoMark) {
  commit({progress_of(object_of("a", "1"), SplitState::kFinished, 1),
          progress_of(object_of("b", "1"), SplitState::kQuarantined, 1),
          progress_of(object_of("c", "1"), SplitState::kReading, 1)});
  EXPECT_THAT(due({}, 1'000), IsEmpty());
  commit({progress_of(object_of("a", "1"), SplitState::kForgotten, 0),
          progress_of(object_of("b", "1"), SplitState::kForgotten, 0),
          progress_of(object_of("c", "1"), SplitState::kForgotten, 0),
          progress_of(object_of("d", "1"), SplitState::kForgotten, 0)});
  EXPECT_THAT(scan(), ElementsAre("c reading"));
  std::vector<Match> out;
  const std::vector<ObjectVersion> page = {object_of("a", "1"), object_of("b", "1")};
  ASSERT_TRUE(ledger_->classify(page, true, out));
  EXPECT_THAT(out, ElementsAre(Match::kNew, Match::kNew));
  finish({"a", "b"});
  EXPECT_THAT(due({}, 1'100), IsEmpty());
}

// Every byte, the longest keys of S3 and of Linux, and a prefix that is an object as well.
TEST_F(LedgerAbsence, TakesEveryKey) {
  std::set<std::string> keys = {
      "a", "a/", "a/b", "a//b", std::string(1'024, 'k'), std::string(4'096, '\xff')};
  for (int byte = 0; byte < 256; ++byte) {
    keys.insert("k" + std::string(1, static_cast<char>(byte)));
    keys.insert(std::string(1, static_cast<char>(byte)));
  }
  finish({keys.begin(), keys.end()});
  std::vector<ObjectVersion> page;
  for (const std::string& key : keys) page.push_back(object_of(key, "1"));
  for (const bool sorted : {true, false}) {
    std::vector<Match> out;
    ASSERT_TRUE(ledger_->classify(page, sorted, out));
    EXPECT_THAT(out, ::testing::Each(Match::kFinished));
  }
  EXPECT_EQ(scan().size(), keys.size());
  EXPECT_THAT(due({"a"}, 1'000), IsEmpty());
  std::set<std::string> rest = keys;
  rest.erase("a");
  EXPECT_EQ(due({"a"}, 1'100), std::vector<std::string>(rest.begin(), rest.end()));
}

TEST_F(LedgerAbsence, AnEmptyObjectStandsOnceWhenAnotherVersionIsLoaded) {
  commit({progress_of(object_of("a", "1"), SplitState::kFinished, 0)});
  commit({progress_of(object_of("a", "2"), SplitState::kReading, 3)});
  EXPECT_THAT(scan(), ElementsAre("a reading"));
  commit({progress_of(object_of("a", "2"), SplitState::kQuarantined, 3)});
  EXPECT_THAT(scan(), ElementsAre("a quarantined"));
}

TEST_F(LedgerAbsence, ARecordIsRestoredInPartsAndCountsWhenItIsComplete) {
  const std::vector<SplitProgress> first = {
      progress_of(object_of("a", "1"), SplitState::kFinished, 1)};
  const std::vector<SplitProgress> second = {
      progress_of(object_of("b", "1"), SplitState::kReading, 1)};
  ASSERT_TRUE(ledger_->restore(first));
  ASSERT_TRUE(ledger_->restore(second));
  EXPECT_EQ(ledger_->epoch(), 0u);
  ASSERT_TRUE(ledger_->commit({.epoch = 7, .splits = {}, .token = 70}));
  reopen();
  EXPECT_EQ(ledger_->epoch(), 7u);
  EXPECT_EQ(ledger_->epoch_token(), 70u);
  EXPECT_THAT(scan(), ElementsAre("b reading", "a finished"));
  EXPECT_EQ(ledger_->restore(first).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(LedgerAbsence, ARecordThatWasNotRestoredToItsEndIsDropped) {
  ASSERT_TRUE(ledger_->put_meta("pipeline", "p"));
  const std::vector<SplitProgress> part = {
      progress_of(object_of("a", "1"), SplitState::kFinished, 1),
      progress_of(object_of("b", "1"), SplitState::kQuarantined, 1)};
  ASSERT_TRUE(ledger_->restore(part));
  reopen();
  EXPECT_THAT(scan(), IsEmpty());
  EXPECT_EQ(ledger_->meta("pipeline"), "p");
  ASSERT_TRUE(ledger_->restore(part));
  ASSERT_TRUE(ledger_->commit({.epoch = 1, .splits = {}}));
  reopen();
  EXPECT_THAT(scan(), ElementsAre("b quarantined", "a finished"));
}

}  // namespace
}  // namespace leat::state
