// After-actions in the ledger: in with their split's epoch, out when done.

#include "state/outbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "state/ledger.h"
#include "tests/support/temporary_folder.h"

namespace leat::state {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class OutboxTest : public ::testing::Test {
 protected:
  std::unique_ptr<Ledger> open() {
    return Ledger::open({.dir = folder_.path() / "st", .read_only = false}).value();
  }
  static ObjectVersion object(const std::string& key, const std::string& version = "v1") {
    return {.key = key, .version = version, .size = 10, .modified_ms = -5};
  }
  static OutboxEntry entry(const ObjectVersion& of) {
    return {.object = of, .action = {.kind = AfterAction::Kind::kMove, .name = "done/" + of.key}};
  }
  static void commit(Ledger& ledger, const ObjectVersion& of, SplitState state,
                     std::vector<OutboxEntry> outbox = {}) {
    Checkpoint checkpoint{.epoch = ledger.epoch() + 1};
    checkpoint.splits.push_back({.object = of, .state = state});
    ASSERT_TRUE(ledger.commit(checkpoint, outbox));
  }
  static std::vector<std::string> due(const Ledger& ledger, const std::string& after = "") {
    std::vector<std::string> keys;
    const std::vector<OutboxEntry> entries = ledger.outbox(after, 100).value();
    for (const OutboxEntry& one : entries) {
      keys.push_back(one.object.key + " " + one.object.version + " " +
                     std::to_string(one.attempts));
    }
    return keys;
  }

  testing::TemporaryFolder folder_{"leat-outbox"};
};

TEST_F(OutboxTest, EntriesAreDecodedAsTheyWereEncoded) {
  OutboxEntry one = entry(object("k"));
  one.attempts = 300;
  one.updated_ms = -1;
  one.error = std::string("a\0b", 3);
  const OutboxEntry back = OutboxEntry::decode("k", one.encode()).value();
  EXPECT_TRUE(back.object.same_version(one.object));
  EXPECT_EQ(back.object.modified_ms, -5);
  EXPECT_EQ(back.action, one.action);
  EXPECT_EQ(back.attempts, 300u);
  EXPECT_EQ(back.updated_ms, -1);
  EXPECT_EQ(back.error, one.error);
}

TEST_F(OutboxTest, BytesThatAreNoEntryAreRefused) {
  const std::string bytes = entry(object("k")).encode();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(OutboxEntry::decode("k", bytes.substr(0, size)).error().code, ErrorCode::kCorrupt);
  }
  EXPECT_FALSE(OutboxEntry::decode("k", bytes + "x"));
}

TEST_F(OutboxTest, SurvivesReopeningAndGoesWhenDone) {
  auto ledger = open();
  commit(*ledger, object("a"), SplitState::kFinished, {entry(object("a"))});
  commit(*ledger, object("b"), SplitState::kFinished, {entry(object("b"))});
  ledger.reset();
  ledger = open();
  EXPECT_THAT(due(*ledger), ElementsAre("a v1 0", "b v1 0"));
  EXPECT_THAT(due(*ledger, "a"), ElementsAre("b v1 0"));
  EXPECT_THAT(due(*ledger, "aa"), ElementsAre("b v1 0"));
  OutboxEntry tried = entry(object("a"));
  tried.attempts = 1;
  ASSERT_TRUE(ledger->settle_outbox(tried, false));
  ASSERT_TRUE(ledger->settle_outbox(entry(object("b")), true));
  EXPECT_THAT(due(*ledger), ElementsAre("a v1 1"));
}

TEST_F(OutboxTest, ALaterVersionsEntryIsNotSettledByAnEarlierOnes) {
  auto ledger = open();
  commit(*ledger, object("a"), SplitState::kFinished, {entry(object("a"))});
  commit(*ledger, object("a", "v2"), SplitState::kFinished, {entry(object("a", "v2"))});
  ASSERT_TRUE(ledger->settle_outbox(entry(object("a")), true));
  EXPECT_THAT(due(*ledger), ElementsAre("a v2 0"));
}

TEST_F(OutboxTest, WhatIsForgottenIsLeftWhereItIs) {
  auto ledger = open();
  commit(*ledger, object("a"), SplitState::kFinished, {entry(object("a"))});
  EXPECT_EQ(ledger->find("a").value().size(), 1u);
  commit(*ledger, object("a"), SplitState::kRewound);
  EXPECT_THAT(due(*ledger), IsEmpty());
  EXPECT_THAT(ledger->find("a").value(), IsEmpty());
  std::vector<Match> matches;
  const std::vector<ObjectVersion> page{object("a")};
  ASSERT_TRUE(ledger->classify(page, true, matches));
  EXPECT_THAT(matches, ElementsAre(Match::kNew));
}

// A ledger that another record takes the place of: its after-actions may be about versions that the
// record has not.
TEST_F(OutboxTest, OnlyWhatIsFinishedInItsVersionOutlivesALedgerMadeAnew) {
  auto ledger = open();
  commit(*ledger, object("a"), SplitState::kFinished, {entry(object("a"))});
  commit(*ledger, object("b"), SplitState::kFinished, {entry(object("b"))});
  commit(*ledger, object("c"), SplitState::kFinished, {entry(object("c"))});
  ASSERT_TRUE(ledger->start_anew());
  EXPECT_EQ(ledger->epoch(), 0u);
  EXPECT_THAT(ledger->find("a").value(), IsEmpty());
  ledger.reset();
  ledger = open();
  EXPECT_EQ(ledger->epoch(), 0u) << "also after a crash";
  EXPECT_THAT(due(*ledger), ElementsAre("a v1 0", "b v1 0", "c v1 0"));
  const std::vector<SplitProgress> record{
      {.object = object("a"), .state = SplitState::kFinished},
      {.object = object("b", "v2"), .state = SplitState::kFinished},
      {.object = object("c"), .state = SplitState::kReading}};
  ASSERT_TRUE(ledger->restore(record));
  ASSERT_TRUE(ledger->drop_unfounded_outbox());
  EXPECT_THAT(due(*ledger), ElementsAre("a v1 0"));
}

}  // namespace
}  // namespace leat::state
