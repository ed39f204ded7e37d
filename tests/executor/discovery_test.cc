// How new objects are found: what each listing asks for, when it comes, and what it must not miss.

#include "executor/discovery.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "executor/listing_record.h"
#include "leat/source.h"
#include "tests/support/manual_clock.h"
#include "tests/support/memory_store.h"
#include "tests/support/temporary_folder.h"

namespace leat {
namespace {

using namespace std::chrono_literals;
using testing::ManualClock;
using testing::MemoryStore;
using testing::TemporaryFolder;
using Keys = std::vector<std::string>;

std::string key_of(int number) {
  const std::string digits = std::to_string(number);
  return "/in/" + std::string(5 - digits.size(), '0') + digits;
}

class DiscoveryTest : public ::testing::Test {
 protected:
  SourceOptions options() {
    SourceOptions options;
    options.from = "/in/**";
    options.state_dir = folder_.path() / "state";
    options.once = true;
    options.schema = *parse_schema("id bigint");
    options.memory_bytes_max = 16u << 20;
    options.threads = 1;
    options.splits_in_flight_max = 2;
    options.clock = &clock_;
    return options;
  }
  SourceOptions tail() {
    SourceOptions options = this->options();
    options.discovery = SourceOptions::Discovery::kTail;
    options.late_window_keys = 6;
    options.reconcile_interval = 1h;
    return options;
  }

  void put(int first, int count) {
    for (int i = first; i < first + count; ++i) {
      store_->put(key_of(i), "id\n" + std::to_string(i) + "\n");
    }
  }

  /// One run to its end, or to its error. @return  The keys whose rows came.
  Keys load(const SourceOptions& options, std::optional<Error>* error = nullptr) {
    std::set<std::string> keys;
    store_->listed_after.clear();
    store_->stats = {};
    auto source = Source::open(options, std::make_unique<MemoryStore>(store_));
    if (!source) {
      ADD_FAILURE() << source.error().to_string();
      return {};
    }
    while (true) {
      Result<Polled> polled = (*source)->poll(1s);
      if (!polled) {
        if (error == nullptr) ADD_FAILURE() << polled.error().to_string();
        if (error != nullptr) *error = std::move(polled).error();
        break;
      }
      if (polled->kind == Polled::Kind::kEnd) break;
      if (polled->kind == Polled::Kind::kDiscard) keys.erase(polled->discarded->key);
      if (polled->kind == Polled::Kind::kRows && polled->rows.rows > 0) {
        keys.insert(polled->rows.split->key);
      }
    }
    EXPECT_TRUE((*source)->commit((*source)->checkpoint()));
    stats_ = (*source)->stats();
    EXPECT_TRUE((*source)->close());
    return {keys.begin(), keys.end()};
  }

  const TemporaryFolder folder_{"leat-discovery", TemporaryFolder::in_memory()};
  ManualClock clock_;
  std::shared_ptr<MemoryStore::Shared> store_ = std::make_shared<MemoryStore::Shared>();
  SourceStats stats_;
};

TEST_F(DiscoveryTest, TailAsksForTheLastKeysAlone) {
  put(0, 60);
  EXPECT_EQ(load(tail()).size(), 60u);
  EXPECT_EQ(load(tail()), Keys());
  EXPECT_EQ(store_->listed_after, Keys({key_of(53)}));
  put(60, 2);
  EXPECT_EQ(load(tail()), Keys({key_of(60), key_of(61)}));
  EXPECT_LE(stats_.store.list_requests, 3u);
}

TEST_F(DiscoveryTest, AKeyWithinTheLateWindowIsFoundByTheNextPoll) {
  put(0, 60);
  (void)load(tail());
  store_->put(key_of(55) + "a", "id\n1\n");
  EXPECT_EQ(load(tail()), Keys({key_of(55) + "a"}));
}

TEST_F(DiscoveryTest, AKeyFarBehindTheFrontierIsFoundWithinTheReconcileInterval) {
  put(0, 60);
  (void)load(tail());
  store_->put(key_of(3) + "a", "id\n1\n");
  EXPECT_EQ(load(tail()), Keys());
  (void)clock_.wait(50min, {});
  EXPECT_EQ(load(tail()), Keys());
  (void)clock_.wait(10min, {});
  EXPECT_EQ(load(tail()), Keys({key_of(3) + "a"}));
  EXPECT_EQ(store_->listed_after, Keys({""}));
}

TEST_F(DiscoveryTest, TheTimeOfModificationIsNoCursor) {
  // Multipart uploads carry the time they began, and clocks have seconds: an object that appears
  // last may be the oldest one, or as old as one that was seen.
  for (const bool tails : {false, true}) {
    SourceOptions options = tails ? tail() : this->options();
    options.state_dir = folder_.path() / (tails ? "tail" : "sweep");
    store_->objects.clear();
    store_->modified_ms.clear();
    put(0, 20);
    EXPECT_EQ(load(options).size(), 20u);
    put(20, 3);
    store_->modified_ms = {
        {key_of(20), 1'600'000'000'000}, {key_of(21), 1'700'000'000'000}, {key_of(22), 0}};
    EXPECT_EQ(load(options), Keys({key_of(20), key_of(21), key_of(22)}));
  }
}

TEST_F(DiscoveryTest, AnotherPatternOrConditionListsEverything) {
  put(0, 60);
  SourceOptions narrow = tail();
  narrow.from = "/in/*[02468]";
  EXPECT_EQ(load(narrow).size(), 30u);
  EXPECT_EQ(load(tail()).size(), 30u);
}

TEST_F(DiscoveryTest, AnObjectReplacedWhileItIsReadIsFoundAgainBehindTheFrontier) {
  put(0, 60);
  (void)load(tail());
  put(60, 5);
  bool replaced = false;
  store_->before_read = [&](const std::string& key, std::uint64_t) -> std::optional<Error> {
    if (key == key_of(62) && !std::exchange(replaced, true)) store_->put(key, "id\n7\n8\n");
    return std::nullopt;
  };
  EXPECT_EQ(load(tail()).size(), 5u);
  EXPECT_EQ(stats_.objects_finished, 5u);
  EXPECT_EQ(stats_.rows, 6u);
}

TEST_F(DiscoveryTest, ASplitThatCannotBeReadHoldsTheFrontier) {
  put(0, 60);
  (void)load(tail());
  put(60, 40);
  store_->before_read = [&](const std::string& key, std::uint64_t) -> std::optional<Error> {
    if (key != key_of(61)) return std::nullopt;
    return Error{ErrorCode::kIo, "broken for now"};
  };
  std::optional<Error> error;
  EXPECT_EQ(load(tail(), &error).size(), 39u);
  ASSERT_TRUE(error);
  store_->before_read = nullptr;
  EXPECT_EQ(load(tail()), Keys({key_of(61)}));
}

TEST_F(DiscoveryTest, GoesOnWhereTheListingWasCutShortThenListsEverything) {
  put(0, 300);
  // All that a page brings is in the ledger before the next one is asked for.
  SourceOptions options = this->options();
  std::mutex mutex;
  std::condition_variable committed;
  int pages = 0;
  int pages_committed = 0;
  store_->before_list = [&]() -> std::optional<Error> {
    std::unique_lock lock(mutex);
    committed.wait(lock, [&] { return pages_committed == pages; });
    if (pages == 40) return Error{ErrorCode::kUnavailable, "the store is gone"};
    ++pages;
    (void)clock_.wait(2s, {});
    return std::nullopt;
  };
  {
    auto source = Source::open(options, std::make_unique<MemoryStore>(store_));
    ASSERT_TRUE(source);
    for (std::uint64_t finished = 0;;) {
      const Result<Polled> polled = (*source)->poll(1ms);
      if (!polled) break;
      if ((*source)->stats().objects_finished < finished + 3) continue;
      finished += 3;
      ASSERT_TRUE((*source)->commit((*source)->checkpoint()));
      const std::lock_guard lock(mutex);
      ++pages_committed;
      committed.notify_all();
    }
  }
  store_->before_list = nullptr;
  put(300, 1);
  store_->put(key_of(5) + "a", "id\n1\n");  // In the part that was listed.
  EXPECT_EQ(load(options).size(), 182u);
  ASSERT_EQ(store_->listed_after.size(), 2u);
  EXPECT_GE(store_->listed_after[0], key_of(110));
  EXPECT_EQ(store_->listed_after[1], "");
}

TEST_F(DiscoveryTest, InTheOrderOfTimesAListingThatWasCutShortBeginsAnew) {
  put(0, 300);
  SourceOptions options = this->options();
  options.order = SourceOptions::Order::kModified;
  int pages = 0;
  store_->before_list = [&]() -> std::optional<Error> {
    if (++pages > 3) return Error{ErrorCode::kUnavailable, "the store is gone"};
    (void)clock_.wait(2s, {});
    return std::nullopt;
  };
  std::optional<Error> error;
  EXPECT_TRUE(load(options, &error).empty());
  ASSERT_TRUE(error);
  store_->before_list = nullptr;
  store_->listed_after.clear();
  EXPECT_EQ(load(options).size(), 300u);
  EXPECT_EQ(store_->listed_after.front(), "") << "what was offered before is in no ledger";
}

TEST_F(DiscoveryTest, TheFirstPageFlowsWhileTheListingGoesOn) {
  put(0, 30);
  std::mutex mutex;
  std::condition_variable rows_came;
  bool came = false;
  int pages = 0;
  store_->before_list = [&]() -> std::optional<Error> {
    std::unique_lock lock(mutex);
    if (++pages == 2) rows_came.wait(lock, [&] { return came; });
    return std::nullopt;
  };
  auto source = Source::open(options(), std::make_unique<MemoryStore>(store_));
  ASSERT_TRUE(source);
  for (std::uint64_t rows = 0; rows < 30;) {
    const Result<Polled> polled = (*source)->poll(1s);
    ASSERT_TRUE(polled);
    rows = (*source)->stats().rows;
    const std::lock_guard lock(mutex);
    came = rows > 0;
    if (came) rows_came.notify_all();
  }
}

TEST_F(DiscoveryTest, AListingThatFailsEndsARunThatWasToListAgain) {
  put(0, 4);
  std::promise<void> listed_again;
  int pages = 0;
  store_->before_list = [&, wanted = listed_again.get_future().share()]() -> std::optional<Error> {
    if (++pages == 1) return {};
    wanted.wait();
    return Error{ErrorCode::kUnavailable, "out of order"};
  };
  store_->before_read = [](const std::string& key, std::uint64_t) -> std::optional<Error> {
    if (key != key_of(0)) return {};
    return Error{ErrorCode::kObjectChanged, "the object was replaced"};
  };
  SourceOptions options = this->options();
  options.splits_in_flight_max = 1;  // So rows of the second object come after the first failed.
  auto source = Source::open(options, std::make_unique<MemoryStore>(store_));
  ASSERT_TRUE(source);
  bool waits = true;
  while (true) {
    const Result<Polled> polled = (*source)->poll(10s);
    if (!polled) {
      EXPECT_EQ(polled.error().code, ErrorCode::kUnavailable);
      break;
    }
    ASSERT_EQ(polled->kind, Polled::Kind::kRows);
    if (std::exchange(waits, false)) listed_again.set_value();
  }
  EXPECT_FALSE(waits);
}

TEST_F(DiscoveryTest, ARecordIsReadAsItWasWrittenOrNotAtAll) {
  const executor::ListingRecord record{.listed = "in/**",
                                       .interrupted = false,
                                       .complete_ms = -5,
                                       .judged_ms = 1'000,
                                       .remaining = {{"", "b"}, {std::string("c\0d", 3), ""}}};
  const std::string bytes = record.encode();
  const auto read = executor::ListingRecord::decode(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->encode(), bytes);
  EXPECT_EQ(read->remaining, record.remaining);
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    EXPECT_FALSE(executor::ListingRecord::decode(bytes.substr(0, cut))) << cut;
  }
  EXPECT_FALSE(executor::ListingRecord::decode("\x03" + bytes.substr(1)));
  // Of the version before, which knew no judging.
  const auto former = executor::ListingRecord::decode(std::string("\x01\x01\x05in/**\x00\x00", 10));
  ASSERT_TRUE(former);
  EXPECT_EQ(former->listed, "in/**");
  EXPECT_EQ(former->judged_ms, 0);
}

// Keys grow, runs end anywhere, commits are reached or not: in the end each object came once.
class TailModel : public DiscoveryTest, public ::testing::WithParamInterface<std::uint64_t> {};

TEST_P(TailModel, MissesNothingOverCrashes) {
  SCOPED_TRACE("seed " + std::to_string(GetParam()));
  store_->lists_from_any_key = true;  // So listings are cut while they are under way.
  std::mt19937_64 random(GetParam());
  const auto below = [&](std::uint64_t limit) { return random() % limit; };
  std::map<std::string, int> loaded;
  int next = 0;
  for (int run = 0; run < 60; ++run) {
    const bool last = run == 59;
    const int count = static_cast<int>(below(25));
    // Some appear late, but within the window: below three keys at most that were there before.
    for (int i = 0; i < 2 && next > 3; ++i) {
      store_->put(key_of(next - 1 - static_cast<int>(below(3))) + "late" + std::to_string(run),
                  "id\n1\n");
    }
    put(next, count);
    next += count;
    (void)clock_.wait(std::chrono::milliseconds(below(3'000)), {});
    SourceOptions options = tail();
    options.late_window_keys = 20;
    options.reconcile_interval = 24h;
    std::atomic<int> pages_left = last || below(2) == 0 ? -1 : static_cast<int>(below(12));
    store_->before_list = [&]() -> std::optional<Error> {
      (void)clock_.wait(700ms, {});
      if (pages_left-- != 0) return std::nullopt;
      return Error{ErrorCode::kUnavailable, "no more for now"};
    };
    auto source = Source::open(options, std::make_unique<MemoryStore>(store_));
    ASSERT_TRUE(source) << source.error().to_string();
    std::vector<std::string> came;
    bool end = false;
    const auto commit = [&] {
      const Checkpoint checkpoint = (*source)->checkpoint();
      for (const SplitProgress& split : checkpoint.splits) {
        if (split.state == SplitState::kFinished) ++loaded[split.object.key];
      }
      ASSERT_TRUE((*source)->commit(checkpoint));
    };
    while (!end) {
      const Result<Polled> polled = (*source)->poll(1s);
      end = !polled || polled->kind == Polled::Kind::kEnd;
      if (below(5) == 0) commit();
      if (!last && below(40) == 0) break;  // Killed.
    }
    if (last) commit();
  }
  for (const auto& [key, object] : store_->objects) EXPECT_EQ(loaded[key], 1) << key;
  EXPECT_EQ(loaded.size(), store_->objects.size());
}

INSTANTIATE_TEST_SUITE_P(Seeds, TailModel, ::testing::Values(1u, 20'261'126u));

}  // namespace

namespace executor {
namespace {

using namespace std::chrono_literals;
using Keys = std::vector<std::string>;

/// Discovery alone, on the test's thread: time moves with its waits, and the test decides when it
/// has seen enough.
class PollingTest : public ::testing::Test {
 protected:
  PollingTest() {
    options_.from = "/in/**";
    options_.poll_interval = 10s;
    auto opened = state::Ledger::open({.dir = folder_.path()});
    EXPECT_TRUE(opened) << opened.error().to_string();
    ledger_ = *std::move(opened);
  }

  /// Runs until `listings` have begun. @return  When each of them began.
  std::vector<Clock::Duration> poll(std::size_t listings,
                                    const std::function<void(std::size_t)>& before_listing = {}) {
    std::stop_source stop;
    std::vector<Clock::Duration> times;
    store_->before_list = [&]() -> std::optional<Error> {
      times.push_back(clock_.monotonic());
      if (times.size() == listings) stop.request_stop();
      if (before_listing) before_listing(times.size());
      return std::nullopt;
    };
    MemoryStore store(store_);
    auto enumerator = connector::SplitEnumerator::create(store, options_.from);
    auto filter = ObjectFilter::create(options_);
    Backlog backlog(clock_, store, work_, *ledger_);
    Discovery discovery(options_, *std::move(enumerator), *std::move(filter), *ledger_, clock_,
                        work_, events_, backlog);
    woken_ = [&discovery] { discovery.relist(); };
    discovery.run({}, stop.get_token());
    return times;
  }

  const testing::TemporaryFolder folder_{"leat-polling", testing::TemporaryFolder::in_memory()};
  SourceOptions options_;
  testing::ManualClock clock_;
  std::shared_ptr<testing::MemoryStore::Shared> store_ =
      std::make_shared<testing::MemoryStore::Shared>();
  std::unique_ptr<state::Ledger> ledger_;
  WorkQueue work_{clock_, 100};
  EventQueue events_{1u << 20};
  std::function<void()> woken_;
};

using Times = std::vector<Clock::Duration>;

TEST_F(PollingTest, BacksOffWhileNothingChangesAndWakesWhenSomethingDoes) {
  const auto put_before_the_sixth = [&](std::size_t listing) {
    if (listing == 6) store_->put("/in/a", "id\n1\n");
  };
  EXPECT_EQ(poll(8, put_before_the_sixth), Times({0s, 20s, 60s, 120s, 180s, 240s, 250s, 270s}));
}

TEST_F(PollingTest, BacksOffUpToTheLongestInterval) {
  options_.poll_interval_max = 15s;
  EXPECT_EQ(poll(4), Times({0s, 15s, 30s, 45s}));
}

TEST_F(PollingTest, WakesForAnObjectThatIsToBeListedAgain) {
  const auto wake_after_the_fourth = [&](std::size_t listing) {
    if (listing == 4) woken_();
  };
  EXPECT_EQ(poll(5, wake_after_the_fourth), Times({0s, 20s, 60s, 120s, 130s}));
}

TEST_F(PollingTest, ListsWithinItsBudget) {
  options_.list_budget = {.requests = 10, .per = 1min};
  for (int i = 0; i < 12; ++i) store_->put("/in/" + std::to_string(i), "id\n1\n");
  EXPECT_EQ(poll(4), Times({0s, 6s, 12s, 18s}));
}

/// One listing, as discovery does it; what it queued.
class NarrowingTest : public ::testing::Test {
 protected:
  /// The first wait is for the next poll.
  class OnePollClock final : public Clock {
   public:
    explicit OnePollClock(std::stop_source& stop) : stop_(stop) {}
    std::int64_t wall_ms() const noexcept override { return 1'800'000'000'000; }
    Duration monotonic() const noexcept override { return 0ms; }
    bool wait(Duration, std::stop_token) const override {
      stop_.request_stop();
      return false;
    }

   private:
    std::stop_source& stop_;
  };

  NarrowingTest() {
    auto opened = state::Ledger::open({.dir = folder_.path()});
    EXPECT_TRUE(opened) << opened.error().to_string();
    ledger_ = *std::move(opened);
    options_.partitions = *parse_schema("dt date, hour integer");
  }

  std::set<std::string> list(bool has_levels) {
    store_->has_levels = has_levels;
    store_->listed_after.clear();
    store_->stats = {};
    std::stop_source stop;
    const OnePollClock clock(stop);
    WorkQueue work(clock, 10'000);
    EventQueue events(1u << 20);
    testing::MemoryStore store(store_);
    auto enumerator = connector::SplitEnumerator::create(store, options_.from);
    auto filter = ObjectFilter::create(options_);
    EXPECT_TRUE(filter) << filter.error().to_string();
    filter->narrow(enumerator->glob());
    Backlog backlog(clock, store, work, *ledger_);
    Discovery discovery(options_, *std::move(enumerator), *std::move(filter), *ledger_, clock, work,
                        events, backlog);
    discovery.run({}, stop.get_token());
    EXPECT_GT(backlog.now().last_complete_listing_ms, 0);
    std::set<std::string> queued;
    EXPECT_EQ(discovery.queued(), work.pending());
    for (std::size_t left = work.pending(); left > 0; --left) {
      EXPECT_TRUE(queued.insert(work.pop({})->object->key).second) << "queued twice";
    }
    return queued;
  }

  void put(const std::string& key) { store_->objects[key] = {"v", "id\n1\n"}; }

  const testing::TemporaryFolder folder_{"leat-narrow", testing::TemporaryFolder::in_memory()};
  SourceOptions options_;
  std::shared_ptr<testing::MemoryStore::Shared> store_ =
      std::make_shared<testing::MemoryStore::Shared>();
  std::unique_ptr<state::Ledger> ledger_;
};

TEST_F(NarrowingTest, AConditionListsOnlyTheFoldersThatFulfilIt) {
  options_.from = "in/dt=*/*.csv";
  options_.where = "dt >= 2026-11-20";
  for (int day = 10; day < 30; ++day) {
    for (int i = 0; i < 30; ++i) {
      put("in/dt=2026-11-" + std::to_string(day) + "/" + std::to_string(i) + ".csv");
    }
  }
  EXPECT_EQ(list(true).size(), 300u);
  // From the first folder that is wanted on.
  EXPECT_EQ(store_->listed_after, Keys({"in/dt=2026-11-19/\xf4\x8f\xbf\xbf"}));
  EXPECT_LE(store_->stats.list_requests, 7u + 100u);
  EXPECT_EQ(list(false).size(), 300u);
  EXPECT_EQ(store_->stats.list_requests, 200u);
}

TEST_F(NarrowingTest, AConditionOnAnInnerFolderLooksIntoTheOuterOnes) {
  options_.from = "in/dt=*/hour=*/*.csv";
  options_.where = "hour = 7 and dt between 2026-11-11 and 2026-11-12";
  for (int day = 10; day < 14; ++day) {
    for (int hour = 5; hour < 10; ++hour) {
      put("in/dt=2026-11-" + std::to_string(day) + "/hour=" + std::to_string(hour) + "/a.csv");
    }
  }
  EXPECT_EQ(list(true).size(), 2u);
  EXPECT_EQ(store_->listed_after, Keys({"in/dt=2026-11-11/hour=6/\xf4\x8f\xbf\xbf",
                                        "in/dt=2026-11-12/hour=6/\xf4\x8f\xbf\xbf"}));
}

TEST_F(NarrowingTest, AnOuterFolderDoesNotDecideWhereAnInnerOneMay) {
  options_.from = "in/**";
  options_.where = "dt = 2026-11-20";
  put("in/dt=2026-11-19/dt=2026-11-20/a");
  put("in/dt=2026-11-20/dt=2026-11-19/a");
  EXPECT_EQ(list(true), std::set<std::string>({"in/dt=2026-11-19/dt=2026-11-20/a"}));
}

TEST_F(NarrowingTest, FoldersThatThePatternRulesOutAreNotListed) {
  options_.from = "in/?0/**";
  for (int i = 0; i < 100; ++i) {
    put("in/a0/" + std::to_string(i));
    put("in/b1/" + std::to_string(i));
    put("in/c1/" + std::to_string(i));
  }
  EXPECT_EQ(list(true).size(), 100u);
  EXPECT_LT(store_->stats.list_requests, 50u);  // Of 34 pages of a0, 100 in all.
}

TEST_F(NarrowingTest, ALongListingIsDividedAndItsPartsTakeTurns) {
  options_.from = "in/**";
  for (const char* folder : {"a", "b", "c", "d"}) {
    for (int i = 100; i < 160; ++i) put("in/" + std::string(folder) + "/" + std::to_string(i));
  }
  EXPECT_EQ(list(true).size(), 240u);
  EXPECT_EQ(store_->listed_after, Keys({"", "in/a/111", "in/b/", "in/c/", "in/d/"}));
}

TEST_F(NarrowingTest, AFolderWithoutFoldersIsCutAmongItsObjects) {
  options_.from = "in/**";
  for (int i = 1'000; i < 1'300; ++i) put("in/" + std::to_string(i));
  EXPECT_EQ(list(true).size(), 300u);
  EXPECT_EQ(store_->listed_after, Keys({""}));
  EXPECT_EQ(store_->stats.list_requests, 101u) << "one of them to look for folders";
  store_->lists_from_any_key = true;
  EXPECT_EQ(list(true).size(), 300u);
  EXPECT_GE(store_->listed_after.size(), 5u);
  EXPECT_LE(store_->stats.list_requests, 101u + 101u / 8u);
}

// The same objects as a filter after a full listing takes, whatever the keys, pattern, condition.
TEST_F(NarrowingTest, TakesTheSameObjectsAsAFilterAfterAFullListing) {
  constexpr std::uint64_t kSeed = 20'261'126;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  std::mt19937_64 random(kSeed);
  const auto one_of = [&random](const std::vector<std::string>& choices) {
    return choices[random() % choices.size()];
  };
  const std::vector<std::string> folders = {"dt=2026-11-18/",
                                            "dt=2026-11-19/",
                                            "dt=2026-11-20/",
                                            "dt=2026-11-21/",
                                            "dt=2026-11-2/",
                                            "dt=today/",
                                            "DT=2026-11-20/",
                                            "d%74=2026-11-20/",
                                            "dt=/",
                                            "x/",
                                            "hour=7/",
                                            "hour=07/",
                                            "hour=8/",
                                            "hour=x/",
                                            "a-b/",
                                            "dt=__HIVE_DEFAULT_PARTITION__/",
                                            "dt/",
                                            "=/",
                                            "\xc3\xbc/"};
  store_->lists_from_any_key = true;
  std::uint64_t taken = 0;
  std::uint64_t requests = 0;
  std::uint64_t requests_of_all = 0;
  for (int round = 0; round < 150; ++round) {
    store_->objects.clear();
    for (std::uint64_t keys = 1 + random() % 120; keys > 0; --keys) {
      std::string key = "in/";
      for (std::uint64_t depth = random() % 4; depth > 0; --depth) key += one_of(folders);
      put(key + one_of({"a.csv", "b.csv", "a-b", "dt=2026-11-20", "", "zz"}));
    }
    options_.from = one_of({"in/**", "in/**/*.csv", "in/*/*.csv", "in/dt=*/*", "in/dt=*/hour=*/*",
                            "in/*/hour=*/*.csv", "in/*", "in/{dt,hour}=*/**", "in/d*/*/*",
                            "**/hour=*/a.csv", "in/dt=2026-11-2?/*.csv", "in/dt=2026-11-20/*"});
    options_.where = one_of({"", "dt >= 2026-11-20", "dt = 2026-11-19", "hour = 7", "dt is null",
                             "dt is not null and hour <> 8", "dt < 2026-11-20 and hour = 7",
                             "dt in (2026-11-18, 2026-11-21)"});
    options_.key_after = random() % 4 == 0 ? "in/" + one_of(folders) : "";
    options_.list_parallel = 1 + static_cast<std::uint32_t>(random() % 3);
    const std::set<std::string> all = list(false);
    requests_of_all += store_->stats.list_requests;
    ASSERT_EQ(list(true), all) << options_.from << " where " << options_.where << " after "
                               << options_.key_after;
    requests += store_->stats.list_requests;
    taken += all.size();
  }
  EXPECT_GT(taken, 300u);
  RecordProperty("taken", std::to_string(taken));
  RecordProperty("requests", std::to_string(requests) + " of " + std::to_string(requests_of_all));
}

}  // namespace
}  // namespace executor
}  // namespace leat
