// The ledger against a model in memory: random commits, classifications, scans and reopens.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "state/ledger.h"
#include "tests/state/ledger_epochs.h"
#include "tests/support/temporary_folder.h"

namespace leat::state {
namespace {

// The rules once more, written from the contract and with nothing of the ledger's.
struct Model {
  struct Entry {
    SplitProgress progress;
    std::optional<std::string> noted;

    bool delivered() const { return progress.rows + progress.rejected > 0; }
  };
  std::map<std::string, Entry> finished;
  std::map<std::string, Entry> open;

  void apply(const SplitProgress& progress) {
    const std::string& key = progress.object.key;
    if (progress.state == SplitState::kForgotten) {
      const auto o = open.find(key);
      if (o != open.end() && o->second.progress.state == SplitState::kReading) return;
      finished.erase(key);
      open.erase(key);
      return;
    }
    if (progress.state == SplitState::kFinished) {
      open.erase(key);
      finished[key] = {progress, {}};
      return;
    }
    if (progress.state == SplitState::kChanged || progress.state == SplitState::kNoted) {
      Entry* loaded = nullptr;
      if (finished.contains(key)) loaded = &finished.at(key);
      if (open.contains(key) && open.at(key).delivered()) loaded = &open.at(key);
      const bool may_be_note =
          progress.state == SplitState::kNoted || progress.rows + progress.rejected == 0;
      if (may_be_note && loaded != nullptr &&
          loaded->progress.object.version != progress.object.version) {
        loaded->noted = progress.object.version;
        if (loaded->progress.state == SplitState::kReading) {
          loaded->progress.state = SplitState::kChanged;
          loaded->progress.epoch = progress.epoch;
        }
        return;
      }
      if (progress.state == SplitState::kNoted) return;
      if (loaded != nullptr && loaded->progress.state != SplitState::kFinished) {
        loaded->progress = progress;
        drop_empty(key);
        return;
      }
    }
    open[key] = {progress, {}};
    drop_empty(key);
  }

  // Once something of another version is loaded, an empty one is of no interest.
  void drop_empty(const std::string& key) {
    const auto f = finished.find(key);
    if (f != finished.end() && !f->second.delivered() && open.at(key).delivered()) {
      finished.erase(f);
    }
  }

  Match match(const ObjectVersion& listed) const {
    const auto o = open.find(listed.key);
    const auto f = finished.find(listed.key);
    const auto other = [&listed](const Entry& entry) {
      return entry.noted == listed.version ? Match::kChangedReported : Match::kChanged;
    };
    if (o != open.end()) {
      const Entry& entry = o->second;
      const bool same = entry.progress.object.version == listed.version;
      if (same && entry.progress.state == SplitState::kReading) return Match::kActive;
      if (same && entry.progress.state != SplitState::kGone) return Match::kAttention;
      if (same && entry.delivered()) return Match::kReturned;
      if (!same && entry.delivered()) {
        const bool met = entry.progress.state == SplitState::kChanged && !entry.noted;
        return met ? Match::kChangedWhileRead : other(entry);
      }
    }
    if (f != finished.end()) {
      if (f->second.progress.object.version == listed.version) return Match::kFinished;
      if (f->second.delivered()) return other(f->second);
      return Match::kRetry;
    }
    return o != open.end() ? Match::kRetry : Match::kNew;
  }
};

constexpr std::array kStates{SplitState::kReading,  SplitState::kFinished, SplitState::kQuarantined,
                             SplitState::kGone,     SplitState::kChanged,  SplitState::kNoted,
                             SplitState::kForgotten};

class LedgerModel : public ::testing::TestWithParam<std::uint32_t> {};

TEST_P(LedgerModel, AgreesWithTheLedger) {
  SCOPED_TRACE("seed " + std::to_string(GetParam()));
  std::mt19937 random(GetParam());
  const auto below = [&random](std::uint32_t limit) {
    return static_cast<std::uint32_t>(random() % limit);
  };
  const testing::TemporaryFolder folder("leat-model");
  const auto open = [&folder] {
    auto opened = Ledger::open({.dir = folder.path()});
    EXPECT_TRUE(opened) << opened.error().to_string();
    return *std::move(opened);
  };
  auto ledger = open();
  Model model;
  const auto random_object = [&below] {
    std::string key = "k" + std::to_string(below(400));
    if (below(8) == 0) key.push_back(static_cast<char>(below(256)));
    return object_of(std::move(key), "v" + std::to_string(below(4)));
  };

  // A step is one split committed or one object classified.
  for (int steps = 0; steps < 20'000;) {
    const std::uint32_t action = below(100);
    if (action < 50) {
      Checkpoint checkpoint{.epoch = ledger->epoch() + 1, .splits = {}};
      const std::uint32_t count = below(60);
      for (std::uint32_t i = 0; i < count; ++i) {
        SplitProgress progress = progress_of(random_object(), kStates[below(kStates.size())],
                                             below(3), below(4) == 0 ? 1 : 0);
        progress.epoch = checkpoint.epoch;
        progress.position.offset = progress.state == SplitState::kFinished ? 0 : below(1'000);
        checkpoint.splits.push_back(std::move(progress));
      }
      const auto done = ledger->commit(checkpoint);
      ASSERT_TRUE(done) << done.error().to_string();
      for (const SplitProgress& split : checkpoint.splits) model.apply(split);
      steps += static_cast<int>(count) + 1;
    } else if (action < 98) {
      std::vector<ObjectVersion> page(below(80));
      std::generate(page.begin(), page.end(), random_object);
      const bool sorted = below(2) == 0;
      if (sorted) {
        std::sort(page.begin(), page.end(),
                  [](const auto& a, const auto& b) { return a.key < b.key; });
      }
      std::vector<Match> out;
      ASSERT_TRUE(ledger->classify(page, sorted, out));
      ASSERT_EQ(out.size(), page.size());
      for (std::size_t i = 0; i < page.size(); ++i) {
        ASSERT_EQ(out[i], model.match(page[i])) << page[i].key << " " << page[i].version;
      }
      steps += static_cast<int>(page.size()) + 1;
    } else {
      const std::uint64_t epoch = ledger->epoch();
      ledger.reset();
      ledger = open();
      ASSERT_EQ(ledger->epoch(), epoch);
      ++steps;
    }
  }

  std::map<std::string, SplitProgress> finished;
  std::map<std::string, SplitProgress> others;
  ASSERT_TRUE(ledger->scan([&](const SplitProgress& progress) {
    auto& kind = progress.state == SplitState::kFinished ? finished : others;
    EXPECT_TRUE(kind.emplace(progress.object.key, progress).second) << progress.object.key;
    return true;
  }));
  const auto expect_same = [](std::map<std::string, SplitProgress>& seen,
                              const std::map<std::string, Model::Entry>& wanted) {
    ASSERT_EQ(seen.size(), wanted.size());
    for (const auto& [key, entry] : wanted) {
      ASSERT_TRUE(seen.contains(key));
      EXPECT_EQ(seen[key].error.has_value(), entry.noted.has_value());
      seen[key].error.reset();
      EXPECT_EQ(seen[key].encode(), entry.progress.encode()) << key;
    }
  };
  expect_same(finished, model.finished);
  expect_same(others, model.open);
}

INSTANTIATE_TEST_SUITE_P(Seeds, LedgerModel, ::testing::Values(1u, 20'261'120u));

}  // namespace
}  // namespace leat::state
