// What a ledger is worth after the power went, and with an end of its log missing.

#include <gtest/gtest.h>
#include <rocksdb/env.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "state/ledger.h"
#include "tests/state/ledger_epochs.h"
#include "tests/state/power_loss.h"
#include "tests/support/temporary_folder.h"

namespace leat::state {
namespace {

namespace fs = std::filesystem;

using Entries = std::map<std::string, std::string>;

Entries entries_of(const Ledger& ledger) {
  Entries entries;
  const auto scanned = ledger.scan([&entries](const SplitProgress& progress) {
    const std::string state(split_state_name(progress.state));
    EXPECT_TRUE(entries.emplace(progress.object.key + " " + state, progress.encode()).second);
    return true;
  });
  EXPECT_TRUE(scanned) << scanned.error().to_string();
  return entries;
}

/// Splits that move on or end, some large enough to fill files of the database.
Checkpoint random_epoch(std::uint64_t epoch, std::mt19937_64& random, bool large) {
  Checkpoint checkpoint{.epoch = epoch, .splits = {}, .token = epoch * 10};
  std::map<std::string, SplitProgress> splits;
  for (std::uint64_t count = random() % 20; count > 0; --count) {
    const std::string key = "k" + std::to_string(random() % 200);
    SplitProgress split =
        progress_of(object_of(key, "v"),
                    random() % 3 == 0 ? SplitState::kReading : SplitState::kFinished, epoch);
    split.epoch = epoch;
    if (split.state == SplitState::kReading) {
      split.position.parser_state.assign(large ? random() % 400'000 : 100, 'x');
    }
    splits.insert_or_assign(key, std::move(split));
  }
  for (auto& [key, split] : splits) checkpoint.splits.push_back(std::move(split));
  return checkpoint;
}

/// What the entries are after the epoch, in so far as this test makes them.
void apply(const Checkpoint& checkpoint, Entries& finished, Entries& open) {
  for (const SplitProgress& split : checkpoint.splits) {
    if (split.state == SplitState::kFinished) {
      open.erase(split.object.key);
      finished[split.object.key] = split.encode();
    } else {
      open[split.object.key] = split.encode();
    }
  }
}

class LedgerPowerLoss : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(LedgerPowerLoss, LeavesEachEpochAsAWholeAndEveryOneThatWasReported) {
  const char* given = std::getenv("LEAT_POWER_SEED");
  const std::uint64_t seed = given != nullptr ? std::stoull(given) : GetParam();
  SCOPED_TRACE("LEAT_POWER_SEED=" + std::to_string(seed));
  const int rounds = given != nullptr ? 400 : 20;
  std::mt19937_64 random(seed);
  const testing::TemporaryFolder folder("leat-power", testing::TemporaryFolder::in_memory());
  const auto system = std::make_shared<test::PowerLossFileSystem>();
  const std::unique_ptr<rocksdb::Env> env = rocksdb::NewCompositeEnv(system);

  // One state for each epoch that may be the last one.
  std::uint64_t epoch = 0;
  Entries finished;
  Entries open;
  int reported = 0;
  for (int round = 0; round < rounds; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    system->cut_power_after(random() % 300);
    Checkpoint last{};
    auto opened = Ledger::open({.dir = folder.path(), .env = env.get()});
    if (opened) {
      Ledger& ledger = **opened;
      ASSERT_GE(ledger.epoch(), epoch);
      const bool large = random() % 3 == 0;
      while (system->power_is_on()) {
        last = random_epoch(epoch + 1, random, large);
        if (!ledger.commit(last)) break;
        apply(last, finished, open);
        ++epoch;
        ++reported;
        last = {};
        (void)ledger.note_absence({.absent = [](std::string_view) { return true; },
                                   .epoch_before = epoch,
                                   .now_ms = static_cast<std::int64_t>(epoch),
                                   .grace_ms = 1'000'000},
                                  {});
      }
      opened->reset();
    }
    system->lose_what_was_not_synced(random);

    const auto again = Ledger::open({.dir = folder.path(), .env = env.get()});
    ASSERT_TRUE(again) << again.error().to_string();
    if ((*again)->epoch() != epoch) {
      // The last write may have come through without having been reported.
      ASSERT_EQ((*again)->epoch(), epoch + 1);
      ASSERT_EQ(last.epoch, epoch + 1);
      apply(last, finished, open);
      ++epoch;
    }
    ASSERT_EQ((*again)->epoch_token(), epoch * 10);
    Entries seen_finished;
    Entries seen_open;
    ASSERT_TRUE((*again)->scan([&](const SplitProgress& progress) {
      auto& seen = progress.state == SplitState::kFinished ? seen_finished : seen_open;
      seen[progress.object.key] = progress.encode();
      return true;
    }));
    ASSERT_EQ(seen_finished, finished);
    ASSERT_EQ(seen_open, open);
  }
  EXPECT_GT(reported, rounds);
}

INSTANTIATE_TEST_SUITE_P(Seeds, LedgerPowerLoss, ::testing::Values(1u, 20'261'126u));

TEST(LedgerLogEnd, CutAnywhereLeavesWholeEpochs) {
  const testing::TemporaryFolder folder("leat-log-end", testing::TemporaryFolder::in_memory());
  const fs::path dir = folder.path() / "state";
  std::vector<Entries> states;
  {
    std::mt19937_64 random(5);
    const auto ledger = Ledger::open({.dir = dir});
    ASSERT_TRUE(ledger) << ledger.error().to_string();
    states.push_back(entries_of(**ledger));
    for (std::uint64_t epoch = 1; epoch <= 200; ++epoch) {
      ASSERT_TRUE((*ledger)->commit(random_epoch(epoch, random, /*large=*/false)));
      states.push_back(entries_of(**ledger));
    }
  }
  fs::path log;
  for (const auto& file : fs::directory_iterator(dir)) {
    if (file.path().extension() == ".log" && (log.empty() || file.path() > log)) log = file.path();
  }
  const std::uint64_t bytes = fs::file_size(log);
  ASSERT_GT(bytes, 64u << 10);
  std::uint64_t epochs_lost = 0;
  for (std::uint64_t cut = 0; cut <= 64u << 10; cut += 512) {
    SCOPED_TRACE(std::to_string(cut) + " bytes off the log");
    const fs::path copy = folder.path() / "copy";
    fs::remove_all(copy);
    fs::copy(dir, copy);
    fs::resize_file(copy / log.filename(), bytes - cut);
    const auto ledger = Ledger::open({.dir = copy});
    ASSERT_TRUE(ledger) << ledger.error().to_string();
    const std::uint64_t epoch = (*ledger)->epoch();
    ASSERT_LT(epoch, states.size());
    EXPECT_EQ((*ledger)->epoch_token(), epoch * 10);
    EXPECT_EQ(entries_of(**ledger), states[epoch]);
    EXPECT_GE(200 - epoch, epochs_lost);
    epochs_lost = 200 - epoch;
  }
  EXPECT_GT(epochs_lost, 5u);
}

}  // namespace
}  // namespace leat::state
