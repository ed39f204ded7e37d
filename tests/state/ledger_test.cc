// What the ledger keeps, and how it judges a listed object.

#include "state/ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/state/ledger_epochs.h"
#include "tests/support/temporary_folder.h"

namespace leat::state {

void PrintTo(Match match, std::ostream* out) {
  constexpr const char* kNames[] = {"kNew",       "kActive",          "kFinished",
                                    "kChanged",   "kChangedReported", "kChangedWhileRead",
                                    "kAttention", "kReturned",        "kRetry"};
  *out << kNames[static_cast<int>(match)];
}

namespace {

using ::testing::ElementsAre;

class LedgerTest : public ::testing::Test {
 protected:
  LedgerTest() { reopen(); }

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

  // By merge-join and by look-up, before and after a reopen: always the same.
  std::vector<Match> classify(const std::vector<ObjectVersion>& page) {
    std::vector<Match> joined;
    std::vector<Match> looked_up;
    const auto join = ledger_->classify(page, true, joined);
    EXPECT_TRUE(join) << join.error().to_string();
    const auto look = ledger_->classify(page, false, looked_up);
    EXPECT_TRUE(look) << look.error().to_string();
    EXPECT_EQ(joined, looked_up);
    return joined;
  }
  Match classify(const ObjectVersion& object) { return classify(std::vector{object}).at(0); }

  std::vector<SplitProgress> scan() {
    std::vector<SplitProgress> all;
    const auto done = ledger_->scan([&all](const SplitProgress& progress) {
      all.push_back(progress);
      return true;
    });
    EXPECT_TRUE(done) << done.error().to_string();
    return all;
  }

  testing::TemporaryFolder folder_{"leat-ledger"};
  std::unique_ptr<Ledger> ledger_;
};

TEST_F(LedgerTest, IsEmptyWhenNew) {
  EXPECT_EQ(ledger_->epoch(), 0u);
  EXPECT_EQ(ledger_->epoch_token(), 0u);
  EXPECT_FALSE(ledger_->meta("pipeline"));
  EXPECT_EQ(classify(object_of("a", "1")), Match::kNew);
  EXPECT_TRUE(scan().empty());
  EXPECT_TRUE(ledger_->active()->empty());
}

TEST_F(LedgerTest, KeepsEpochRejectsLengthAndFactsOverAReopen) {
  ASSERT_TRUE(ledger_->put_meta("pipeline", "orders"));
  ASSERT_TRUE(ledger_->commit({.epoch = 3, .splits = {}, .token = 4096}));
  reopen();
  EXPECT_EQ(ledger_->epoch(), 3u);
  EXPECT_EQ(ledger_->epoch_token(), 4096u);
  EXPECT_EQ(ledger_->meta("pipeline"), "orders");
  ASSERT_TRUE(ledger_->put_meta("pipeline", ""));
  EXPECT_EQ(ledger_->meta("pipeline"), "");
}

TEST_F(LedgerTest, RefusesEpochsThatDoNotAscendAndNamesOfItsOwn) {
  commit({});
  for (const std::uint64_t epoch : {0u, 1u}) {
    const auto again = ledger_->commit({.epoch = epoch, .splits = {}});
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, ErrorCode::kInvalidArgument);
  }
  EXPECT_EQ(ledger_->put_meta(".epoch", "x").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(ledger_->put_meta("", "x").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(ledger_->epoch(), 1u);
}

TEST_F(LedgerTest, ActiveInTheSameVersionIsActive) {
  commit({progress_of(object_of("a", "1"), SplitState::kReading, 5)});
  EXPECT_EQ(classify(object_of("a", "1")), Match::kActive);
}

TEST_F(LedgerTest, ActiveInAnotherVersionIsChangedOnceRowsWereDelivered) {
  commit({progress_of(object_of("a", "1"), SplitState::kReading, 5),
          progress_of(object_of("b", "1"), SplitState::kReading, 0, 1),
          progress_of(object_of("c", "1"), SplitState::kReading, 0)});
  EXPECT_EQ(classify(object_of("a", "2")), Match::kChanged);
  EXPECT_EQ(classify(object_of("a", "1", 11)), Match::kChanged);  // Same ETag, another size.
  EXPECT_EQ(classify(object_of("b", "2")), Match::kChanged);
  EXPECT_EQ(classify(object_of("c", "2")), Match::kRetry);
}

TEST_F(LedgerTest, ModificationTimeIsNoPartOfTheVersion) {
  commit({progress_of(object_of("a", "1"), SplitState::kFinished, 5)});
  ObjectVersion touched = object_of("a", "1");
  touched.modified_ms += 1'000;
  EXPECT_EQ(classify(touched), Match::kFinished);
}

TEST_F(LedgerTest, FinishedReplacesActiveAndAttention) {
  commit({progress_of(object_of("a", "1"), SplitState::kReading, 5),
          progress_of(object_of("b", "1"), SplitState::kQuarantined, 5)});
  commit({progress_of(object_of("a", "1"), SplitState::kFinished, 9),
          progress_of(object_of("b", "1"), SplitState::kFinished, 9)});
  EXPECT_EQ(classify(object_of("a", "1")), Match::kFinished);
  EXPECT_EQ(classify(object_of("b", "1")), Match::kFinished);
  EXPECT_EQ(scan().size(), 2u);
  EXPECT_TRUE(ledger_->active()->empty());
}

TEST_F(LedgerTest, FinishedInAnotherVersionIsChangedUntilThatVersionIsNoted) {
  commit({progress_of(object_of("a", "1"), SplitState::kFinished, 5)});
  EXPECT_EQ(classify(object_of("a", "2")), Match::kChanged);
  commit({progress_of(object_of("a", "2"), SplitState::kNoted, 0)});
  EXPECT_EQ(classify(object_of("a", "2")), Match::kChangedReported);
  EXPECT_EQ(classify(object_of("a", "2", 11)), Match::kChanged);
  EXPECT_EQ(classify(object_of("a", "3")), Match::kChanged);
  EXPECT_EQ(classify(object_of("a", "1")), Match::kFinished);  // It came back.
  commit({progress_of(object_of("a", "3"), SplitState::kNoted, 0)});
  EXPECT_EQ(classify(object_of("a", "3")), Match::kChangedReported);

  const auto all = scan();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].state, SplitState::kFinished);
  EXPECT_EQ(all[0].object.version, "1");
  EXPECT_EQ(all[0].rows, 5u);
  EXPECT_EQ(all[0].epoch, 1u);
  ASSERT_TRUE(all[0].error);
  EXPECT_EQ(all[0].error->code, ErrorCode::kObjectChanged);
  EXPECT_NE(all[0].error->message.find("version 3 of 10 bytes"), std::string::npos);
}

TEST_F(LedgerTest, FinishedWithoutRowsOrRejectsIsReadAgainInAnotherVersion) {
  commit({progress_of(object_of("a", "1"), SplitState::kFinished, 0),
          progress_of(object_of("b", "1"), SplitState::kFinished, 0, 1)});
  EXPECT_EQ(classify(object_of("a", "1")), Match::kFinished);
  EXPECT_EQ(classify(object_of("a", "2")), Match::kRetry);
  EXPECT_EQ(classify(object_of("b", "2")), Match::kChanged);
}

TEST_F(LedgerTest, AnOpenEntryBesideAFinishedOneDecidesOnlyIfItDelivered) {
  commit({progress_of(object_of("a", "1"), SplitState::kFinished, 0),
          progress_of(object_of("b", "1"), SplitState::kFinished, 0)});
  commit({progress_of(object_of("a", "2"), SplitState::kQuarantined, 0),
          progress_of(object_of("b", "2"), SplitState::kQuarantined, 3)});
  EXPECT_EQ(classify(object_of("a", "1")), Match::kFinished);
  EXPECT_EQ(classify(object_of("a", "2")), Match::kAttention);
  EXPECT_EQ(classify(object_of("a", "3")), Match::kRetry);
  EXPECT_EQ(classify(object_of("b", "1")), Match::kChanged);
  EXPECT_EQ(classify(object_of("b", "2")), Match::kAttention);
  EXPECT_EQ(classify(object_of("b", "3")), Match::kChanged);
  commit({progress_of(object_of("b", "3"), SplitState::kNoted, 0)});
  EXPECT_EQ(classify(object_of("b", "3")), Match::kChangedReported);
}

TEST_F(LedgerTest, QuarantinedIsAttentionInItsVersionAndRetriedInAnotherWithoutRows) {
  SplitProgress bad = progress_of(object_of("a", "1"), SplitState::kQuarantined, 0);
  bad.position = {.offset = 100, .record = 2, .parser_state = "p", .decoder_state = "d"};
  bad.error = Error{.code = ErrorCode::kBadValue, .message = "no"};
  bad.offending = "x";
  commit({bad});
  EXPECT_EQ(classify(object_of("a", "1")), Match::kAttention);
  EXPECT_EQ(classify(object_of("a", "2")), Match::kRetry);

  const auto all = scan();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].object.key, "a");
  EXPECT_EQ(all[0].position, bad.position);
  EXPECT_EQ(all[0].error->message, "no");
  EXPECT_EQ(all[0].offending, "x");
}

TEST_F(LedgerTest, QuarantinedAfterRowsIsChangedInAnotherVersionAndKeepsItsStory) {
  SplitProgress bad = progress_of(object_of("a", "1"), SplitState::kQuarantined, 7);
  bad.error = Error{.code = ErrorCode::kBadValue, .message = "no"};
  commit({bad});
  EXPECT_EQ(classify(object_of("a", "2")), Match::kChanged);
  commit({progress_of(object_of("a", "2"), SplitState::kNoted, 0)});
  EXPECT_EQ(classify(object_of("a", "2")), Match::kChangedReported);
  EXPECT_EQ(classify(object_of("a", "3")), Match::kChanged);
  EXPECT_EQ(classify(object_of("a", "1")), Match::kAttention);
  const auto all = scan();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].state, SplitState::kQuarantined);
  EXPECT_EQ(all[0].object.version, "1");
  EXPECT_EQ(all[0].rows, 7u);
  EXPECT_EQ(all[0].error->code, ErrorCode::kBadValue);
}

TEST_F(LedgerTest, GoneIsRetriedInAnyVersionWithoutRowsAndGoneOnWithInItsOwnWithSome) {
  commit({progress_of(object_of("a", "1"), SplitState::kGone, 0),
          progress_of(object_of("b", "1"), SplitState::kGone, 2)});
  EXPECT_EQ(classify(object_of("a", "1")), Match::kRetry);
  EXPECT_EQ(classify(object_of("a", "2")), Match::kRetry);
  EXPECT_EQ(classify(object_of("b", "1")), Match::kReturned);
  EXPECT_EQ(classify(object_of("b", "2")), Match::kChanged);
}

TEST_F(LedgerTest, ActiveThatChangedBecomesAttentionAndKeepsWhatWasDelivered) {
  SplitProgress reading = progress_of(object_of("a", "1"), SplitState::kReading, 4);
  reading.position.offset = 64;
  commit({reading});
  SplitProgress changed = progress_of(object_of("a", "2"), SplitState::kNoted, 0);
  changed.error = Error{.code = ErrorCode::kObjectChanged, .message = "replaced while read"};
  commit({changed});
  EXPECT_TRUE(ledger_->active()->empty());
  EXPECT_EQ(classify(object_of("a", "2")), Match::kChangedReported);
  EXPECT_EQ(classify(object_of("a", "1")), Match::kAttention);
  EXPECT_EQ(classify(object_of("a", "3")), Match::kChanged);
  const auto all = scan();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].state, SplitState::kChanged);
  EXPECT_EQ(all[0].object.version, "1");
  EXPECT_EQ(all[0].rows, 4u);
  EXPECT_EQ(all[0].position.offset, 64u);
  EXPECT_EQ(all[0].epoch, 2u);
  EXPECT_EQ(all[0].error->message, "replaced while read");
}

TEST_F(LedgerTest, ChangedInItsOwnVersionThenReportedInTheNextOne) {
  // The reader met a replaced object before any listing showed the new version.
  commit({progress_of(object_of("a", "1"), SplitState::kReading, 4)});
  commit({progress_of(object_of("a", "1"), SplitState::kChanged, 4)});
  EXPECT_EQ(classify(object_of("a", "2")), Match::kChangedWhileRead);
  commit({progress_of(object_of("a", "2"), SplitState::kNoted, 0)});
  EXPECT_EQ(classify(object_of("a", "2")), Match::kChangedReported);
  commit({progress_of(object_of("a", "1"), SplitState::kChanged, 4)});
  EXPECT_EQ(classify(object_of("a", "2")), Match::kChangedReported);
}

TEST_F(LedgerTest, NotesNothingWhereNoOtherVersionIsLoaded) {
  commit({progress_of(object_of("a", "1"), SplitState::kFinished, 4),
          progress_of(object_of("b", "1"), SplitState::kReading, 0)});
  commit({progress_of(object_of("a", "1"), SplitState::kNoted, 0),
          progress_of(object_of("b", "2"), SplitState::kNoted, 0),
          progress_of(object_of("c", "1"), SplitState::kNoted, 0)});
  EXPECT_EQ(classify(object_of("a", "1")), Match::kFinished);
  EXPECT_EQ(classify(object_of("b", "1")), Match::kActive);
  EXPECT_EQ(classify(object_of("c", "1")), Match::kNew);
  EXPECT_EQ(scan().size(), 2u);
}

TEST_F(LedgerTest, TakesChangedInAnotherVersionForANoteAsEarlierCheckpointsHaveIt) {
  commit({progress_of(object_of("a", "1"), SplitState::kFinished, 4),
          progress_of(object_of("b", "1"), SplitState::kReading, 4)});
  commit({progress_of(object_of("a", "2"), SplitState::kChanged, 0),
          progress_of(object_of("b", "2"), SplitState::kChanged, 0)});
  EXPECT_EQ(classify(object_of("a", "1")), Match::kFinished);
  EXPECT_EQ(classify(object_of("a", "2")), Match::kChangedReported);
  EXPECT_EQ(classify(object_of("b", "1")), Match::kAttention);
  EXPECT_EQ(classify(object_of("b", "2")), Match::kChangedReported);
}

TEST_F(LedgerTest, KeepsTheRowsOfAVersionThatChangedBehindAnEmptyOne) {
  commit({progress_of(object_of("a", "1"), SplitState::kFinished, 0)});
  commit({progress_of(object_of("a", "2"), SplitState::kChanged, 4)});
  EXPECT_EQ(classify(object_of("a", "2")), Match::kAttention);
  EXPECT_EQ(classify(object_of("a", "3")), Match::kChangedWhileRead);
  const auto all = scan();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].rows, 4u);
}

TEST_F(LedgerTest, ReadingReplacesAttentionWhenASplitIsRetried) {
  commit({progress_of(object_of("a", "1"), SplitState::kQuarantined, 0)});
  commit({progress_of(object_of("a", "2"), SplitState::kReading, 3)});
  EXPECT_EQ(classify(object_of("a", "2")), Match::kActive);
  EXPECT_EQ(scan().size(), 1u);
}

TEST_F(LedgerTest, SeesEarlierSplitsOfTheSameCheckpoint) {
  commit({progress_of(object_of("a", "1"), SplitState::kReading, 3),
          progress_of(object_of("a", "1"), SplitState::kFinished, 4),
          progress_of(object_of("a", "2"), SplitState::kNoted, 0)});
  EXPECT_EQ(classify(object_of("a", "1")), Match::kFinished);
  EXPECT_EQ(classify(object_of("a", "2")), Match::kChangedReported);
  EXPECT_TRUE(ledger_->active()->empty());
}

TEST_F(LedgerTest, ScansKindsInOrderAndStopsWhenAsked) {
  commit({progress_of(object_of("f2", "1"), SplitState::kFinished, 1),
          progress_of(object_of("f1", "1"), SplitState::kFinished, 1),
          progress_of(object_of("q", "1"), SplitState::kGone, 1),
          progress_of(object_of("z", "1"), SplitState::kReading, 1)});
  std::vector<std::string> keys;
  for (const SplitProgress& progress : scan()) keys.push_back(progress.object.key);
  EXPECT_THAT(keys, ElementsAre("z", "q", "f1", "f2"));
  int visited = 0;
  ASSERT_TRUE(ledger_->scan([&visited](const SplitProgress&) { return ++visited < 2; }));
  EXPECT_EQ(visited, 2);
}

TEST_F(LedgerTest, KeysAreBytesAndNeverCollideWithMarkers) {
  const std::vector<std::string> keys = {std::string("\0", 1), "",     ".epoch",   "f",        "fa",
                                         "m.format",           "\xff", "\xff\xff", "\x7f/\x01"};
  std::vector<SplitProgress> splits;
  for (const std::string& key : keys) {
    splits.push_back(progress_of(object_of(key, "1"), SplitState::kFinished, 1));
  }
  commit(splits);
  reopen();
  for (const std::string& key : keys) EXPECT_EQ(classify(object_of(key, "1")), Match::kFinished);
  EXPECT_EQ(scan().size(), keys.size());
  EXPECT_EQ(ledger_->epoch(), 1u);
}

TEST_F(LedgerTest, JoinsPagesWithLongAndShortGaps) {
  std::vector<SplitProgress> splits;
  std::vector<ObjectVersion> page;
  std::vector<Match> expected;
  const auto key = [](int i) { return "k" + std::to_string(10'000 + i); };
  for (int i = 0; i < 3'000; ++i) {
    if (i % 3 != 0) splits.push_back(progress_of(object_of(key(i), "1"), SplitState::kFinished, 1));
    // The listing shows a few of them, then hundreds, then none for a long while.
    if (i % 100 < 5 || (i > 1'000 && i < 1'400) || i == 2'999) {
      page.push_back(object_of(key(i), "1"));
      expected.push_back(i % 3 != 0 ? Match::kFinished : Match::kNew);
    }
  }
  page.push_back(object_of("z", "1"));
  expected.push_back(Match::kNew);
  commit(splits);
  EXPECT_EQ(classify(page), expected);
}

TEST_F(LedgerTest, APageThatIsNotSortedIsStillClassifiedRight) {
  commit({progress_of(object_of("a", "1"), SplitState::kFinished, 1),
          progress_of(object_of("b", "1"), SplitState::kFinished, 1),
          progress_of(object_of("c", "1"), SplitState::kFinished, 1)});
  EXPECT_THAT(classify({object_of("c", "1"), object_of("a", "1"), object_of("b", "1"),
                        object_of("b", "1"), object_of("a", "1")}),
              ::testing::Each(Match::kFinished));
}

TEST_F(LedgerTest, AnEmptyPageIsFine) {
  EXPECT_TRUE(classify(std::vector<ObjectVersion>{}).empty());
}

TEST_F(LedgerTest, ClassifiesAndScansWhileAnotherThreadCommits) {
  std::jthread reader([this](const std::stop_token& stop) {
    std::vector<Match> out;
    const std::vector<ObjectVersion> page = {object_of("finished/1", "v"),
                                             object_of("reading", "v")};
    while (!stop.stop_requested()) {
      ASSERT_TRUE(ledger_->classify(page, true, out));
      // One snapshot: the two are committed together.
      ASSERT_EQ(out[0] == Match::kFinished, out[1] == Match::kActive);
      ASSERT_TRUE(ledger_->scan([](const SplitProgress&) { return true; }));
      (void)ledger_->epoch();
      (void)ledger_->meta("fact");
    }
  });
  for (std::uint64_t epoch = 1; epoch <= 50; ++epoch) {
    ASSERT_TRUE(ledger_->commit(checkpoint_of(epoch)));
    ASSERT_TRUE(ledger_->put_meta("fact", std::to_string(epoch)));
  }
}

// So many keys that they are sorted first: each is judged as in a page of its own.
TEST_F(LedgerTest, ManyKeysInNoOrderAreJudgedAsInOrder) {
  std::vector<SplitProgress> splits;
  for (int i = 0; i < 900; ++i) {
    splits.push_back({.object = object_of(std::to_string(i * 7), "1"),
                      .state = static_cast<SplitState>(1 + i % 5),
                      .rows = static_cast<std::uint64_t>(i % 3)});
  }
  commit(std::move(splits));
  std::vector<ObjectVersion> page;
  for (int i = 0; i < 16'400; ++i) {
    page.push_back(object_of(std::to_string(i), i % 2 == 0 ? "1" : "2"));
  }
  std::shuffle(page.begin(), page.end(), std::mt19937(5));
  std::vector<Match> at_once;
  ASSERT_TRUE(ledger_->classify(page, false, at_once));
  ASSERT_EQ(at_once.size(), page.size());
  std::set<Match> seen;
  for (std::size_t from = 0; from < page.size(); from += 100) {
    const std::vector<ObjectVersion> part(page.begin() + static_cast<std::ptrdiff_t>(from),
                                          page.begin() + static_cast<std::ptrdiff_t>(from + 100));
    std::vector<Match> one_by_one;
    ASSERT_TRUE(ledger_->classify(part, false, one_by_one));
    for (std::size_t i = 0; i < part.size(); ++i) {
      ASSERT_EQ(at_once[from + i], one_by_one[i]) << part[i].key;
      seen.insert(one_by_one[i]);
    }
  }
  EXPECT_EQ(seen.size(), 8u) << "all but what was reported before";
}

}  // namespace
}  // namespace leat::state
