// What a ledger is worth after kill -9, and when the disk is full.

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "state/ledger.h"
#include "tests/state/ledger_epochs.h"
#include "tests/support/child_process.h"
#include "tests/support/small_disk.h"
#include "tests/support/temporary_folder.h"

namespace leat::state {
namespace {

void expect_epochs_whole(const Ledger& ledger, std::uint64_t epoch) {
  std::uint64_t finished = 0;
  std::uint64_t reading_rows = 0;
  ASSERT_TRUE(ledger.scan([&](const SplitProgress& progress) {
    if (progress.state == SplitState::kReading) reading_rows = progress.rows;
    if (progress.state == SplitState::kFinished) ++finished;
    return true;
  }));
  EXPECT_EQ(finished, epoch);
  EXPECT_EQ(reading_rows, epoch);
  EXPECT_EQ(ledger.epoch_token(), epoch * 10);
}

TEST(LedgerCrash, KeepsEveryReportedEpochAsAWholeAfterKill) {
  const testing::TemporaryFolder folder;
  std::uint64_t epoch = 0;
  for (const int lines : {1, 7, 40, 3}) {
    test::ChildProcess child({LEAT_LEDGER_CHILD, "commit", folder.path().string()});
    std::uint64_t reported = 0;
    for (int i = 0; i < lines; ++i) {
      const auto line = child.read_line();
      ASSERT_TRUE(line);
      reported = std::stoull(*line);
    }
    child.kill();
    while (const auto line = child.read_line()) reported = std::stoull(*line);

    const auto ledger = Ledger::open({.dir = folder.path()});
    ASSERT_TRUE(ledger) << ledger.error().to_string();
    EXPECT_GT(reported, epoch);
    epoch = (*ledger)->epoch();
    EXPECT_GE(epoch, reported);
    EXPECT_LE(epoch, reported + 1);
    expect_epochs_whole(**ledger, epoch);
  }
}

class LedgerDiskFull : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!disk_.mounted()) GTEST_SKIP() << "mounting a small tmpfs is not allowed here";
    auto opened = Ledger::open({.dir = disk_.path() / "state"});
    ASSERT_TRUE(opened) << opened.error().to_string();
    ledger_ = *std::move(opened);
  }

  test::SmallDisk disk_{24};
  std::unique_ptr<Ledger> ledger_;
};

TEST_F(LedgerDiskFull, SaysSoAndGoesOnAfterSpaceWasFreed) {
  Ledger& ledger = *ledger_;
  ASSERT_TRUE(ledger.commit(checkpoint_of(1)));

  for (std::uint64_t round = 0; round < 2; ++round) {
    disk_.fill();
    // The log may have room set aside: commit until it is used up.
    Result<void> full;
    while (full) {
      Checkpoint checkpoint = checkpoint_of(ledger.epoch() + 1);
      checkpoint.splits[1].position.parser_state.assign(1u << 20, 'x');
      full = ledger.commit(checkpoint);
    }
    EXPECT_EQ(full.error().code, ErrorCode::kDiskFull) << full.error().to_string();
    EXPECT_NE(full.error().message.find("No space is left"), std::string::npos);
    // Opening anew gives back what the log had set aside; more than the disk holds never fits.
    const std::uint64_t epoch = ledger.epoch();
    Checkpoint larger = checkpoint_of(epoch + 1);
    larger.splits[1].position.parser_state.assign(30u << 20, 'x');
    full = ledger.commit(larger);
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().code, ErrorCode::kDiskFull) << full.error().to_string();
    EXPECT_EQ(ledger.epoch(), epoch);

    disk_.free();
    const auto again = ledger.commit(checkpoint_of(epoch + 1));
    ASSERT_TRUE(again) << again.error().to_string();
    expect_epochs_whole(ledger, epoch + 1);
  }
  const std::uint64_t epoch = ledger.epoch();
  ledger_.reset();
  const auto reopened = Ledger::open({.dir = disk_.path() / "state"});
  ASSERT_TRUE(reopened);
  EXPECT_EQ((*reopened)->epoch(), epoch);
}

TEST_F(LedgerDiskFull, FailsCleanlyHoweverOftenItIsTriedOnAFullDisk) {
  Ledger& ledger = *ledger_;
  int failures = 0;
  for (int attempt = 0; attempt < 60; ++attempt) {
    // Filled anew each time, so that opening anew meets a full disk at every one of its files.
    disk_.fill();
    Checkpoint checkpoint = checkpoint_of(ledger.epoch() + 1);
    checkpoint.splits[1].position.parser_state.assign(1u << 20, 'x');
    if (const auto done = ledger.commit(checkpoint); !done) {
      ++failures;
      ASSERT_EQ(done.error().code, ErrorCode::kDiskFull) << done.error().to_string();
    }
    std::vector<Match> out;
    const std::vector<ObjectVersion> page = {object_of("finished/1", "v")};
    if (const auto done = ledger.classify(page, true, out); done && ledger.epoch() > 0) {
      EXPECT_EQ(out[0], Match::kFinished);
    }
  }
  EXPECT_GT(failures, 20);
  disk_.free();
  const auto again = ledger.commit(checkpoint_of(ledger.epoch() + 1));
  ASSERT_TRUE(again) << again.error().to_string();
  expect_epochs_whole(ledger, ledger.epoch());
}

// A loader that finds nothing has nothing to commit.
TEST_F(LedgerDiskFull, IsReadAgainAfterSpaceWasFreedWithoutACommit) {
  Ledger& ledger = *ledger_;
  ASSERT_TRUE(ledger.commit(checkpoint_of(1)));
  const std::vector<ObjectVersion> page = {object_of("finished/1", "v")};
  std::vector<Match> out;
  const std::string listing(1u << 20, 'x');
  Result<void> read;
  for (int attempt = 0; attempt < 100 && read; ++attempt) {
    disk_.fill();
    (void)ledger.put_listing(listing);
    read = ledger.classify(page, true, out);
  }
  ASSERT_FALSE(read) << "the disk was not full enough to keep it from being opened again";
  EXPECT_EQ(read.error().code, ErrorCode::kDiskFull) << read.error().to_string();

  disk_.free();
  read = ledger.classify(page, true, out);
  ASSERT_TRUE(read) << read.error().to_string();
  EXPECT_EQ(out[0], Match::kFinished);
}

TEST_F(LedgerDiskFull, AnAfterActionThatCouldNotBeSettledIsSettledOnceThereIsSpace) {
  Ledger& ledger = *ledger_;
  OutboxEntry entry;
  entry.object = object_of("finished/1", "v");
  entry.action.kind = AfterAction::Kind::kDelete;
  ASSERT_TRUE(ledger.commit(checkpoint_of(1), std::vector{entry}));
  // Errors of some length use up what the log has set aside.
  entry.error = std::string(1u << 20, 'x');
  Result<void> settled;
  for (int attempt = 0; attempt < 100 && settled; ++attempt) {
    disk_.fill();
    settled = ledger.settle_outbox(entry, /*done=*/false);
  }
  ASSERT_FALSE(settled);
  EXPECT_EQ(settled.error().code, ErrorCode::kDiskFull) << settled.error().to_string();

  disk_.free();
  settled = ledger.settle_outbox(entry, /*done=*/true);
  ASSERT_TRUE(settled) << settled.error().to_string();
  const auto left = ledger.outbox({}, 10);
  ASSERT_TRUE(left) << left.error().to_string();
  EXPECT_TRUE(left->empty());
}

TEST(LedgerOnAFullDisk, CannotBeMade) {
  test::SmallDisk disk(1);
  if (!disk.mounted()) GTEST_SKIP() << "mounting a small tmpfs is not allowed here";
  disk.fill();
  const auto opened = Ledger::open({.dir = disk.path() / "state"});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kDiskFull) << opened.error().to_string();
}

}  // namespace
}  // namespace leat::state
