// What the ledger keeps and forgets, against a model: random puts, overwrites, deletes, objects
// that come back, keys that arrive late, listings that are cut short, commits that are not reached.
//
// LEAT_MODEL_SEED and LEAT_MODEL_STEPS repeat one run, or make a longer one.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "leat/source.h"
#include "state/ledger.h"
#include "tests/support/manual_clock.h"
#include "tests/support/memory_store.h"
#include "tests/support/temporary_folder.h"

namespace leat {
namespace {

using namespace std::chrono_literals;
using testing::ManualClock;
using testing::MemoryStore;
using testing::TemporaryFolder;

/// The listings of a run, as the test wants them and as they were.
struct Listings {
  int pages_left = -1;  ///< Fail after so many pages; below 0: never.
  bool shuffled = false;
  std::function<void()> before_page;

  std::mutex mutex;
  int begun = 0;
  /// Of the first one.
  std::set<std::string> shown;
  bool complete = false;
  std::int64_t begun_ms = 0;
  /// Of others, which follow when an object has changed while it was read: so soon that they only
  /// take marks away.
  std::set<std::string> shown_later;
};

class WatchedStore final : public ObjectStore {
 public:
  WatchedStore(std::shared_ptr<MemoryStore::Shared> shared, Listings& listings, const Clock& clock)
      : store_(std::move(shared)), listings_(listings), clock_(clock) {}

  std::string uri() const override { return store_.uri(); }
  std::string uri_of(std::string_view key) const override { return store_.uri_of(key); }
  std::unique_ptr<ObjectLister> list(std::string_view prefix,
                                     std::string_view start_after) const override {
    // The rest of a listing that an earlier run began is no complete one.
    const int begun = start_after.empty() ? listings_.begun++ : -1;
    if (begun == 0) listings_.begun_ms = clock_.wall_ms();
    return std::make_unique<Lister>(store_.list(prefix, start_after), listings_, begun);
  }
  Result<std::unique_ptr<ObjectReader>> open(const ObjectVersion& object,
                                             std::uint64_t offset) const override {
    return store_.open(object, offset);
  }
  StoreStats stats() const noexcept override { return store_.stats(); }

 private:
  class Lister final : public ObjectLister {
   public:
    Lister(std::unique_ptr<ObjectLister> lister, Listings& listings, int begun)
        : lister_(std::move(lister)), listings_(listings), begun_(begun) {}
    Result<ListPage> next_page() override {
      if (listings_.pages_left-- == 0) return Error{ErrorCode::kUnavailable, "no more for now"};
      listings_.before_page();
      Result<ListPage> page = lister_->next_page();
      if (begun_ >= 0) {
        const std::lock_guard lock(listings_.mutex);
        for (const ObjectVersion& object : page->objects) shown_.insert(object.key);
        if (begun_ == 0) {
          listings_.shown = shown_;
          listings_.complete = page->last;
        } else if (page->last) {
          listings_.shown_later.merge(shown_);
        }
      }
      if (listings_.shuffled) std::reverse(page->objects.begin(), page->objects.end());
      return page;
    }

   private:
    std::unique_ptr<ObjectLister> lister_;
    Listings& listings_;
    const int begun_;  ///< So many were begun before it; -1: it is not of everything.
    std::set<std::string> shown_;
  };

  MemoryStore store_;
  Listings& listings_;
  const Clock& clock_;
};

/// What the ledger has to know of an object.
struct Known {
  std::optional<std::string> finished = {};  ///< The version that was.
  bool empty = true;                         ///< Nothing of it is in the table.
  /// The version of which `rows` rows are in the table, and which was gone when more were due.
  std::optional<std::string> gone = {};
  std::uint64_t rows = 0;
  /// Since when it has a mark: at the earliest, and for certain. A split that finishes while a
  /// listing goes on may be judged by it or not.
  std::optional<std::int64_t> absent_earliest_ms = {};
  std::optional<std::int64_t> absent_ms = {};
};

class ForgettingModel : public ::testing::TestWithParam<std::uint64_t> {
 protected:
  static constexpr std::int64_t kGraceMs = 100'000;

  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }

  /// One thing that happens to the store. The listing's thread has random numbers of its own.
  void change_store(std::mt19937_64& random) {
    ++steps_;
    const std::string key = "/in/" + std::to_string(random() % 60);
    const std::uint64_t what = random() % 10;
    if (what < 5) {
      const std::string row = random() % 8 == 0 ? "" : std::to_string(random() % 1'000) + "\n";
      store_->put(key, "id\n" + row);
      return;
    }
    const std::lock_guard lock(store_->mutex);
    const auto there = store_->objects.find(key);
    if (what < 9) {
      if (there == store_->objects.end()) return;
      removed_[key] = there->second;
      store_->objects.erase(there);
    } else if (removed_.contains(key)) {
      store_->objects[key] = removed_[key];
    }
  }

  /// A run of `once`, from its open to its end, or to where it is cut off.
  void run() {
    (void)clock_.wait(std::chrono::milliseconds(below(60'000)), {});
    Listings listings;
    run(listings);
    for (const std::string& key : listings.shown_later) {
      const auto known = known_.find(key);
      if (known == known_.end()) continue;
      known->second.absent_ms.reset();
      known->second.absent_earliest_ms.reset();
    }
  }

  void run(Listings& listings) {
    listings.shuffled = below(4) == 0;
    if (below(4) == 0) listings.pages_left = static_cast<int>(below(15));
    // Objects come, change and go while they are being listed.
    const bool restless = below(3) == 0;
    std::mt19937_64 listing_random(random_());
    listings.before_page = [this, restless, &listing_random] {
      ++steps_;
      if (restless) change_store(listing_random);
    };
    SourceOptions options;
    options.from = "/in/**";
    options.state_dir = folder_.path() / "state";
    options.once = true;
    options.schema = *parse_schema("id bigint");
    options.threads = 1;
    options.splits_in_flight_max = 2;
    options.memory_bytes_max = 16u << 20;
    options.clock = &clock_;
    options.forget_after = std::chrono::milliseconds(kGraceMs);
    Result<std::unique_ptr<Source>> opened =
        Source::open(options, std::make_unique<WatchedStore>(store_, listings, clock_));
    ASSERT_TRUE(opened) << opened.error().to_string();
    Source& source = **opened;

    before_ = known_;
    in_flight_before_ = in_flight_;
    rows_.clear();
    touched_.clear();
    std::set<std::string> due;
    bool complete = false;
    while (!complete) {
      Result<Polled> polled = source.poll(1s);
      if (!polled) {
        ASSERT_EQ(polled.error().code, ErrorCode::kUnavailable) << polled.error().to_string();
        break;
      }
      complete = polled->kind == Polled::Kind::kEnd;
      if (polled->kind == Polled::Kind::kDiscard) rows_.erase(polled->discarded->key);
      if (polled->kind == Polled::Kind::kRows) {
        rows_[polled->rows.split->key] += static_cast<std::uint64_t>(polled->rows.rows);
      }
      if (below(6) == 0) commit(source, listings);
      ASSERT_FALSE(HasFatalFailure());
    }
    if (listings.complete) due = judge(listings);
    if (below(4) == 0) return;  // Killed.
    commit(source, listings);
    ASSERT_FALSE(HasFatalFailure());
    if (!complete || restless) return;
    for (const auto& [key, object] : store_->objects) {
      ASSERT_TRUE(known_.contains(key)) << key << " was not loaded";
      ASSERT_TRUE(!known_[key].empty || known_[key].finished == object.first) << key;
      ASSERT_NE(known_[key].gone, object.first) << key << " is back, and was not gone on with";
    }
    for (const std::string& key : due) {
      ASSERT_FALSE(known_.contains(key)) << key << " was not forgotten";
    }
  }

  /// The rules of forgetting, once more. @return  What has to be forgotten now.
  std::set<std::string> judge(const Listings& listings) {
    const std::set<std::string>& shown = listings.shown;
    std::set<std::string> due;
    if (shown.empty()) return due;
    const std::int64_t now_ms = clock_.wall_ms();
    // New marks are made as often as this, over all runs.
    const bool marks = !judged_ms_ || listings.begun_ms - *judged_ms_ >= kGraceMs / 8;
    if (marks) judged_ms_ = now_ms;
    for (auto& [key, known] : known_) {
      if (shown.contains(key)) {
        known.absent_ms.reset();
        known.absent_earliest_ms.reset();
        continue;
      }
      if (!known.absent_earliest_ms) known.absent_earliest_ms = now_ms;
      if (!before_.contains(key) || touched_.contains(key) || in_flight_before_.contains(key)) {
        continue;
      }
      if (!known.absent_ms && marks) known.absent_ms = now_ms;
      if (known.absent_ms && now_ms - *known.absent_ms >= kGraceMs) due.insert(key);
    }
    return due;
  }

  void commit(Source& source, Listings& listings) {
    ++steps_;
    const Checkpoint checkpoint = source.checkpoint();
    for (const SplitProgress& split : checkpoint.splits) {
      const std::string& key = split.object.key;
      const auto it = known_.find(key);
      const bool returns = it != known_.end() && it->second.gone == split.object.version;
      const std::uint64_t resumed = in_flight_.contains(key) ? in_flight_[key]
                                    : returns                ? it->second.rows
                                                             : 0;
      if (split.state == SplitState::kForgotten) {
        ++forgotten_;
        ASSERT_TRUE(it != known_.end()) << key;
        ASSERT_TRUE(it->second.absent_earliest_ms) << key;
        ASSERT_GE(clock_.wall_ms() - *it->second.absent_earliest_ms, kGraceMs) << key;
        const std::lock_guard lock(listings.mutex);
        ASSERT_TRUE(listings.complete);
        ASSERT_FALSE(listings.shown.contains(key)) << key;
        known_.erase(it);
        continue;
      }
      touched_.insert(key);
      if (split.state == SplitState::kNoted) continue;
      if (split.state == SplitState::kChanged && it != known_.end() && !it->second.empty) {
        // One that was back, and changed while it was read.
        if (split.rows > 0) {
          it->second.gone.reset();
          in_flight_.erase(key);
        }
        continue;
      }
      // Each object once, but for one of which nothing is in the table, or that is back.
      ASSERT_TRUE(it == known_.end() || it->second.empty || returns)
          << key << " is known and comes again as " << split_state_name(split.state);
      ASSERT_EQ(split.rows, resumed + rows_[key]) << key;
      in_flight_.erase(key);
      if (split.state == SplitState::kReading) {
        in_flight_[key] = split.rows;
        rows_.erase(key);
        continue;
      }
      Known known{.finished = it != known_.end() ? it->second.finished : std::nullopt,
                  .empty = split.rows == 0};
      if (split.state == SplitState::kGone && split.rows > 0) {
        known.gone = split.object.version;
        known.rows = split.rows;
      }
      if (split.state == SplitState::kFinished) known.finished = split.object.version;
      // Of the empty version nothing is kept once another is loaded.
      if (split.state != SplitState::kFinished && !known.empty) known.finished.reset();
      known_[key] = known;
      loaded_ += split.rows;
    }
    const Result<void> committed = source.commit(checkpoint);
    ASSERT_TRUE(committed) << committed.error().to_string();
  }

  void check_ledger() {
    const auto ledger = state::Ledger::open({.dir = folder_.path() / "state", .read_only = true});
    ASSERT_TRUE(ledger) << ledger.error().to_string();
    std::map<std::string, std::string> entries;
    ASSERT_TRUE((*ledger)->scan([&](const SplitProgress& progress) {
      if (progress.state == SplitState::kFinished) {
        entries[progress.object.key] = progress.object.version;
      }
      return true;
    }));
    std::map<std::string, std::string> wanted;
    for (const auto& [key, known] : known_) {
      // Rows of another version on their way take the place of an empty one.
      if (known.finished && !(in_flight_.contains(key) && in_flight_[key] > 0)) {
        wanted[key] = *known.finished;
      }
    }
    ASSERT_EQ(entries, wanted);
  }

  const TemporaryFolder folder_{"leat-forgetting", TemporaryFolder::in_memory()};
  ManualClock clock_;
  std::mt19937_64 random_;
  std::shared_ptr<MemoryStore::Shared> store_ = std::make_shared<MemoryStore::Shared>();
  std::map<std::string, std::pair<std::string, std::string>> removed_;
  std::map<std::string, Known> known_;
  std::map<std::string, std::uint64_t> in_flight_;  ///< Rows committed of splits not yet ended.
  std::optional<std::int64_t> judged_ms_;           ///< When new marks were last made.
  // Of one run:
  std::map<std::string, Known> before_;
  std::map<std::string, std::uint64_t> in_flight_before_;
  std::map<std::string, std::uint64_t> rows_;  ///< Handed out, not committed.
  std::set<std::string> touched_;              ///< Committed.

  std::atomic<std::uint64_t> steps_ = 0;
  std::uint64_t loaded_ = 0;
  std::uint64_t forgotten_ = 0;
};

TEST_P(ForgettingModel, KeepsWhatIsListedAndForgetsWhatIsNot) {
  const char* given_seed = std::getenv("LEAT_MODEL_SEED");
  const char* given_steps = std::getenv("LEAT_MODEL_STEPS");
  const std::uint64_t seed = given_seed != nullptr ? std::stoull(given_seed) : GetParam();
  const std::uint64_t steps = given_steps != nullptr ? std::stoull(given_steps) : 5'000;
  SCOPED_TRACE("LEAT_MODEL_SEED=" + std::to_string(seed));
  random_.seed(seed);
  for (int runs = 0; steps_ < steps; ++runs) {
    for (std::uint64_t changes = below(80); changes > 0; --changes) change_store(random_);
    run();
    ASSERT_FALSE(HasFatalFailure()) << "run " << runs;
    if (runs % 16 == 0) check_ledger();
    ASSERT_FALSE(HasFatalFailure()) << "run " << runs;
  }
  check_ledger();
  EXPECT_GT(loaded_, steps / 100);
  EXPECT_GT(forgotten_, steps / 1'000);
  RecordProperty("loaded", std::to_string(loaded_));
  RecordProperty("forgotten", std::to_string(forgotten_));
}

INSTANTIATE_TEST_SUITE_P(Seeds, ForgettingModel, ::testing::Values(1u, 20'261'126u));

}  // namespace
}  // namespace leat
