// Which listings count for forgetting, and what becomes of a forgotten object on the whole way.

#include "executor/forgetting.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "leat/loader.h"
#include "tests/support/manual_clock.h"
#include "tests/support/sqlite_session.h"
#include "tests/support/temporary_folder.h"

namespace leat::executor {
namespace {

using testing::ManualClock;
using testing::SqliteSession;
using testing::TemporaryFolder;
using Keys = std::vector<std::string>;

TEST(KeyFilter, KnowsEveryMemberAndFewOthers) {
  KeyFilter filter(100'000, 7);
  for (int i = 0; i < 100'000; ++i) filter.add("in/" + std::to_string(i));
  int others = 0;
  for (int i = 0; i < 100'000; ++i) {
    ASSERT_TRUE(filter.may_contain("in/" + std::to_string(i)));
    others += filter.may_contain("out/" + std::to_string(i)) ? 1 : 0;
  }
  EXPECT_LT(others, 1'000);
}

TEST(KeyFilter, HasABoundAndTakesOtherKeysForMembersWithAnotherSeed) {
  EXPECT_EQ(KeyFilter(std::uint64_t{1} << 40, 0).bytes(), KeyFilter::kBytesMax);
  KeyFilter one(0, 1);
  KeyFilter two(0, 2);
  for (int i = 0; i < 200'000; ++i) {
    one.add(std::to_string(i));
    two.add(std::to_string(i));
  }
  int differ = 0;
  for (int i = 200'000; i < 210'000; ++i) {
    differ += one.may_contain(std::to_string(i)) != two.may_contain(std::to_string(i)) ? 1 : 0;
  }
  EXPECT_GT(differ, 100);
}

class ForgettingTest : public ::testing::Test {
 protected:
  ForgettingTest() {
    options_.forget_after = std::chrono::seconds(80);
    auto opened = state::Ledger::open({.dir = folder_.path()});
    EXPECT_TRUE(opened) << opened.error().to_string();
    ledger_ = *std::move(opened);
    Checkpoint checkpoint{.epoch = 1, .splits = {}};
    for (const char* key : {"a", "b", "c"}) {
      SplitProgress progress;
      progress.object = {.key = key, .version = "1", .size = 1, .modified_ms = 0};
      progress.state = SplitState::kFinished;
      progress.rows = 1;
      progress.epoch = 1;
      checkpoint.splits.push_back(std::move(progress));
    }
    EXPECT_TRUE(ledger_->commit(checkpoint));
    forgetting_.emplace(options_, *ledger_, clock_, work_, events_);
  }

  static connector::EnumeratedPage page(const Keys& keys) {
    connector::EnumeratedPage page;
    for (const std::string& key : keys) {
      page.objects.push_back({.key = key, .version = "1", .size = 1, .modified_ms = 0});
    }
    return page;
  }

  /// A complete listing, ten seconds after the last. @return  The keys that are told.
  Keys list(const connector::EnumeratedPage& page, const Keys& not_covered = {}) {
    (void)clock_.wait(std::chrono::seconds(10), {});
    return begin_and_complete(page, not_covered);
  }
  Keys begin_and_complete(const connector::EnumeratedPage& page, const Keys& not_covered = {}) {
    forgetting_->begin_listing();
    forgetting_->listed(page);
    const auto covers = [&](std::string_view key) {
      return std::find(not_covered.begin(), not_covered.end(), key) == not_covered.end();
    };
    const Result<void> done = forgetting_->complete(covers, {});
    EXPECT_TRUE(done) << done.error().to_string();
    Keys told;
    while (std::optional<Event> event = events_.pop(std::chrono::milliseconds(0))) {
      EXPECT_EQ(event->kind, Event::Kind::kForgotten);
      told.push_back(event->object->key);
      work_.release(event->object->key);
    }
    return told;
  }
  Keys list_often(const connector::EnumeratedPage& page, const Keys& not_covered = {}) {
    Keys told;
    for (int i = 0; i < 9; ++i) told = list(page, not_covered);
    return told;
  }

  const TemporaryFolder folder_{"leat-forgetting", TemporaryFolder::in_memory()};
  SourceOptions options_;
  ManualClock clock_;
  std::unique_ptr<state::Ledger> ledger_;
  WorkQueue work_{clock_, 10};
  EventQueue events_{1u << 20};
  std::optional<Forgetting> forgetting_;
};

TEST_F(ForgettingTest, TellsWhatEveryListingOfTheGraceTimeDidNotShow) {
  EXPECT_EQ(list_often(page({"b"})), Keys({"a", "c"}));
}

TEST_F(ForgettingTest, AnObjectThatIsNotSettledIsThere) {
  connector::EnumeratedPage shown = page({"b"});
  shown.unsettled_keys = {"c"};
  EXPECT_EQ(list_often(shown), Keys({"a"}));
}

TEST_F(ForgettingTest, AFolderThatCannotBeReadMakesTheListingIncomplete) {
  connector::EnumeratedPage shown = page({"b"});
  shown.unreadable = {"secret/"};
  EXPECT_EQ(list_often(shown), Keys());
  EXPECT_EQ(list(page({"b"})), Keys());
}

TEST_F(ForgettingTest, AListingOfNothingCountsForNothing) {
  EXPECT_EQ(list_often(page({})), Keys());
  EXPECT_EQ(list(page({"b"})), Keys());
}

TEST_F(ForgettingTest, AKeyThatTheListingDoesNotCoverIsKept) {
  EXPECT_EQ(list_often(page({"b"}), {"c"}), Keys({"a"}));
}

TEST_F(ForgettingTest, AnInterruptedListingCountsForNothing) {
  list_often(page({"b", "c"}));
  forgetting_->begin_listing();
  forgetting_->listed(page({"a"}));
  // No complete(): "a" has been shown, and what this listing did not come to is not absent.
  EXPECT_EQ(list(page({"b", "c"})), Keys({"a"}));
  EXPECT_EQ(list(page({"a", "b", "c"})), Keys());
  EXPECT_EQ(list(page({"b", "c"})), Keys());
}

TEST_F(ForgettingTest, AnObjectThatAnyListingShowedInBetweenIsThere) {
  list(page({"b", "c"}));
  for (int i = 0; i < 7; ++i) EXPECT_EQ(list(page({"b", "c"})), Keys());
  // Too soon for all entries to be judged, and yet it counts.
  begin_and_complete(page({"a", "b", "c"}));
  for (int i = 0; i < 8; ++i) EXPECT_EQ(list(page({"b", "c"})), Keys());
  EXPECT_EQ(list(page({"b", "c"})), Keys({"a"}));
}

TEST_F(ForgettingTest, ASplitOnItsWayIsLeftAlone) {
  work_.take("a");
  EXPECT_EQ(list_often(page({"b"})), Keys({"c"}));
  work_.release("a");
  EXPECT_EQ(list(page({"b"})), Keys({"a", "c"}));
}

/// The whole way, into SQLite.
class ForgottenObject : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_.path() / "in"); }

  void put(const std::string& name, const std::string& text) {
    std::ofstream(folder_.path() / "in" / name, std::ios::binary) << text;
  }
  void remove(const std::string& name) { std::filesystem::remove(folder_.path() / "in" / name); }

  SourceStats load(const std::string& pattern = "**", std::chrono::milliseconds forget_after = {}) {
    LoaderOptions options;
    options.source.from = (folder_.path() / "in" / pattern).string();
    options.source.state_dir = folder_.path() / "state";
    options.source.schema = *parse_schema("id bigint");
    options.source.once = true;
    options.source.store.local.settle_ms = 0;
    options.source.forget_after = forget_after;
    options.source.clock = &clock_;
    options.to = "sqlite:" + (folder_.path() / "rows.db").string();
    options.sink.table = "t";
    Result<std::unique_ptr<Loader>> loader = Loader::create(std::move(options));
    EXPECT_TRUE(loader) << loader.error().to_string();
    Result<LoadReport> report = (*loader)->run({}, {});
    EXPECT_TRUE(report) << report.error().to_string();
    return report ? report->source : SourceStats{};
  }

  std::string query(const std::string& sql) {
    return SqliteSession(folder_.path() / "rows.db").one(sql);
  }

  std::size_t ledger_entries() {
    std::size_t entries = 0;
    const auto ledger = state::Ledger::open({.dir = folder_.path() / "state", .read_only = true});
    EXPECT_TRUE(ledger) << ledger.error().to_string();
    EXPECT_TRUE((*ledger)->scan([&entries](const SplitProgress&) { return ++entries > 0; }));
    return entries;
  }

  const TemporaryFolder folder_{"leat-forgotten", TemporaryFolder::in_memory()};
  ManualClock clock_;
};

TEST_F(ForgottenObject, GoesFromLedgerAndTableRecordKeepsItsRowsAndIsNewWhenItComesBack) {
  put("a.csv", "id\n1\n");
  put("b.csv", "id\n2\n");
  load();
  remove("a.csv");
  EXPECT_EQ(load().objects_forgotten, 0u);
  EXPECT_EQ(ledger_entries(), 2u);
  EXPECT_EQ(load().objects_forgotten, 1u);
  EXPECT_EQ(ledger_entries(), 1u);
  EXPECT_EQ(query("SELECT count(*) FROM leat_split"), "1");
  EXPECT_EQ(query("SELECT count(*) FROM t"), "2");
  // The record of the table does not bring it back either.
  std::filesystem::remove_all(folder_.path() / "state");
  EXPECT_EQ(load().rows, 0u);
  EXPECT_EQ(ledger_entries(), 1u);
  put("a.csv", "id\n1\n");
  EXPECT_EQ(load().rows, 1u);
  EXPECT_EQ(query("SELECT count(*) FROM t"), "3");
}

TEST_F(ForgottenObject, IsNotOneThatANarrowerPatternLeavesOut) {
  put("a.csv", "id\n1\n");
  put("b.txt", "id\n2\n");
  load();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(load("*.csv").objects_forgotten, 0u);
  remove("b.txt");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(load("*.csv").objects_forgotten, 0u);
  EXPECT_EQ(ledger_entries(), 2u);
}

TEST_F(ForgottenObject, IsKeptForTheGraceTime) {
  put("a.csv", "id\n1\n");
  put("b.csv", "id\n2\n");
  load();
  remove("a.csv");
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(load("**", std::chrono::hours(1)).objects_forgotten, 0u);
  }
  put("a.csv", "id\n1\n");
  EXPECT_EQ(load("**", std::chrono::hours(1)).rows, 0u);
}

/// With a grace time of 80 s, so that all entries are judged every 10 s.
class JudgedOverRestarts : public ForgottenObject {
 protected:
  void SetUp() override {
    ForgottenObject::SetUp();
    put("a.csv", "id\n1\n");
    put("b.csv", "id\n2\n");
    load_at(0);
    remove("a.csv");
  }

  /// @return  Whether an object was forgotten.
  bool load_at(int seconds, const std::string& pattern = "**", int forget_after = 80) {
    (void)clock_.wait(std::chrono::seconds(seconds - at_), {});
    at_ = seconds;
    return load(pattern, std::chrono::seconds(forget_after)).objects_forgotten > 0;
  }

  int at_ = 0;
};

TEST_F(JudgedOverRestarts, AStartBeforeTheIntervalIsOverReadsNoEntriesAndTheNextOneDoes) {
  load_at(5);   // Makes no mark.
  load_at(10);  // Makes one.
  EXPECT_FALSE(load_at(85));
  EXPECT_FALSE(load_at(89));
  // Not yet time to judge all again, but time for what is marked.
  EXPECT_TRUE(load_at(90));
  EXPECT_EQ(ledger_entries(), 1u);
}

TEST_F(JudgedOverRestarts, WhatAnyStartFindsThereIsKept) {
  load_at(10);
  put("a.csv", "id\n1\n");
  load_at(12);
  remove("a.csv");
  load_at(20);
  EXPECT_FALSE(load_at(95));
  EXPECT_TRUE(load_at(100));
}

TEST_F(JudgedOverRestarts, AnotherPatternIsJudgedAnew) {
  load_at(3, "*.csv");
  EXPECT_TRUE(load_at(83, "*.csv"));
}

TEST_F(JudgedOverRestarts, AShorterGraceTimeIsJudgedAnew) {
  load_at(2, "**", 8);
  EXPECT_TRUE(load_at(10, "**", 8));
}

TEST_F(JudgedOverRestarts, AClockThatWasSetBackIsJudgedAnew) {
  load_at(-5);
  EXPECT_TRUE(load_at(75));
}

TEST_F(ForgottenObject, ARecordOfManySplitsIsTakenOverInParts) {
  put("a.csv", "id\n1\n");
  load();
  // The same record under twelve thousand other names: more than is taken over at once.
  SqliteSession(folder_.path() / "rows.db")
      .rows(
          "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000) "
          "INSERT INTO leat_split SELECT pipeline, CAST(key || i AS BLOB), epoch, progress "
          "FROM leat_split, n");
  std::filesystem::remove_all(folder_.path() / "state");
  EXPECT_EQ(load("**", std::chrono::hours(1)).rows, 0u);
  EXPECT_EQ(ledger_entries(), 12'001u);
}

}  // namespace
}  // namespace leat::executor
