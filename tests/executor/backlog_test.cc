#include "executor/backlog.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "leat/source.h"
#include "tests/support/manual_clock.h"
#include "tests/support/memory_store.h"
#include "tests/support/temporary_folder.h"

namespace leat::executor {
namespace {

using namespace std::chrono_literals;
using testing::ManualClock;
using testing::MemoryStore;

constexpr std::int64_t kMinute = 60'000;

TEST(RequestMeter, IsAnAverageOfAtLeastAMinuteAndAtMostTen) {
  RequestMeter rate;
  EXPECT_EQ(rate.per_minute(0, 0), 0);
  rate.note(0, 0);
  EXPECT_DOUBLE_EQ(rate.per_minute(5'000, 3), 3) << "the first minute is not extrapolated";
  for (std::int64_t minute = 1; minute <= 30; ++minute) {
    rate.note(minute * kMinute, static_cast<std::uint64_t>(minute) * 6);
  }
  EXPECT_DOUBLE_EQ(rate.per_minute(30 * kMinute, 180), 6);
  EXPECT_DOUBLE_EQ(rate.per_minute(35 * kMinute, 180), 3) << "nothing for half of the window";
  EXPECT_DOUBLE_EQ(rate.per_minute(60 * kMinute, 180), 0);
}

TEST(RequestMeter, ABurstOfListingsCountsOnceAndGoes) {
  RequestMeter rate;
  rate.note(0, 0);
  for (std::int64_t i = 0; i <= 600; ++i) rate.note(i * 10, static_cast<std::uint64_t>(i) * 10);
  EXPECT_DOUBLE_EQ(rate.per_minute(10 * kMinute, 6'000), 600);
  EXPECT_DOUBLE_EQ(rate.per_minute(21 * kMinute, 6'000), 0);
}

TEST(BacklogState, IsDecodedAsItWasEncoded) {
  const BacklogState state{.at_ms = 1'800'000'000'001,
                           .objects = 12,
                           .bytes = 1ull << 50,
                           .oldest_modified_ms = -5,
                           .last_complete_listing_ms = 1'799'999'999'000,
                           .listing = true,
                           .list_requests = 77,
                           .list_requests_per_minute = 6.25};
  const auto back = BacklogState::decode(state.encode());
  ASSERT_TRUE(back);
  EXPECT_EQ(back->encode(), state.encode());
  EXPECT_EQ(back->bytes, 1ull << 50);
  EXPECT_TRUE(back->listing);
  EXPECT_DOUBLE_EQ(back->list_requests_per_minute, 6.25);
  EXPECT_FALSE(BacklogState::decode(""));
  EXPECT_FALSE(BacklogState::decode("at_ms=5 objects=many"));
}

class BacklogTest : public ::testing::Test {
 protected:
  std::unique_ptr<state::Ledger> open_ledger() {
    return *state::Ledger::open({.dir = folder_.path() / "state"});
  }
  void queue(const std::string& key, std::uint64_t bytes, std::int64_t modified_ms) {
    ASSERT_TRUE(work_.push({.object = std::make_shared<const ObjectVersion>(
                                ObjectVersion{key, "v", bytes, modified_ms})},
                           {}));
  }
  static std::optional<BacklogState> kept(const state::Ledger& ledger) {
    return BacklogState::decode(ledger.meta(Backlog::kFact).value_or(""));
  }

  testing::TemporaryFolder folder_{"leat-backlog"};
  ManualClock clock_;
  std::shared_ptr<MemoryStore::Shared> shared_ = std::make_shared<MemoryStore::Shared>();
  MemoryStore store_{shared_};
  WorkQueue work_{clock_, 100};
};

TEST_F(BacklogTest, TellsWhatIsPendingAndWhenAllWasListed) {
  const auto ledger = open_ledger();
  Backlog backlog(clock_, store_, work_, *ledger);
  EXPECT_EQ(backlog.now().last_complete_listing_ms, 0);
  backlog.listing_begins();
  queue("a", 100, 50);
  queue("b", 20, 40);
  shared_->stats.list_requests = 2;
  EXPECT_TRUE(backlog.now().listing);
  EXPECT_EQ(backlog.now().objects, 2u);
  EXPECT_EQ(backlog.now().bytes, 120u);
  EXPECT_EQ(backlog.now().oldest_modified_ms, 40);
  (void)clock_.wait(3s, {});
  backlog.listing_ended(true);
  EXPECT_FALSE(backlog.now().listing);
  EXPECT_EQ(backlog.now().last_complete_listing_ms, clock_.wall_ms());
  EXPECT_DOUBLE_EQ(backlog.now().list_requests_per_minute, 2);
  const std::int64_t all_listed_ms = clock_.wall_ms();
  (void)clock_.wait(3s, {});
  backlog.listing_begins();
  backlog.listing_ended(false);
  EXPECT_EQ(backlog.now().last_complete_listing_ms, all_listed_ms) << "a part is not all";
  work_.release("b");
  EXPECT_EQ(backlog.now().objects, 1u);
  EXPECT_EQ(shared_->stats.list_requests, 2u) << "looking at it lists nothing";
}

TEST_F(BacklogTest, IsKeptInTheLedgerAtTheEndOfAListingAndEveryTenSecondsOfALongOne) {
  const auto ledger = open_ledger();
  Backlog backlog(clock_, store_, work_, *ledger);
  backlog.listing_begins();
  backlog.page_listed();
  ASSERT_TRUE(kept(*ledger));
  EXPECT_EQ(kept(*ledger)->objects, 0u);
  queue("a", 100, 50);
  (void)clock_.wait(9s, {});
  backlog.page_listed();
  EXPECT_EQ(kept(*ledger)->objects, 0u) << "too early";
  (void)clock_.wait(1s, {});
  backlog.page_listed();
  EXPECT_EQ(kept(*ledger)->objects, 1u);
  EXPECT_TRUE(kept(*ledger)->listing);
  backlog.listing_ended(true);
  EXPECT_FALSE(kept(*ledger)->listing);
}

TEST_F(BacklogTest, ALaterRunKnowsWhenAllWasListedLast) {
  std::int64_t listed_ms = 0;
  {
    const auto ledger = open_ledger();
    Backlog backlog(clock_, store_, work_, *ledger);
    backlog.listing_begins();
    backlog.listing_ended(true);
    listed_ms = backlog.now().last_complete_listing_ms;
  }
  const auto ledger = open_ledger();
  (void)clock_.wait(1h, {});
  Backlog backlog(clock_, store_, work_, *ledger);
  backlog.listing_begins();
  backlog.page_listed();
  EXPECT_EQ(kept(*ledger)->last_complete_listing_ms, listed_ms);
}

// The whole source: what it says of itself, with a clock that the test moves.
TEST_F(BacklogTest, ASourceTellsItsBacklog) {
  shared_->put("in/a.csv", "id\n1\n");
  shared_->put("in/b.csv", "id\n2\n3\n");
  SourceOptions options;
  options.from = "s3://memory/in/**";
  options.state_dir = folder_.path() / "state";
  options.schema = *parse_schema("id bigint");
  options.once = true;
  options.clock = &clock_;
  auto source = *Source::open(options, std::make_unique<MemoryStore>(shared_));
  while ((*source->poll(10s)).kind != Polled::Kind::kEnd) {
  }
  SourceStats stats = source->stats();
  EXPECT_EQ(stats.bytes_pending, 12u) << "delivered, and not committed";
  EXPECT_EQ(stats.oldest_pending_modified_ms, 1'700'000'000'000);
  EXPECT_FALSE(stats.listing);
  EXPECT_EQ(stats.last_complete_listing_ms, clock_.wall_ms());
  EXPECT_DOUBLE_EQ(stats.list_requests_per_minute, 1);
  ASSERT_TRUE(source->commit(source->checkpoint()));
  stats = source->stats();
  EXPECT_EQ(stats.bytes_pending, 0u);
  EXPECT_EQ(stats.oldest_pending_modified_ms, 0);
  ASSERT_TRUE(source->close());
  const auto left = kept(*open_ledger());
  ASSERT_TRUE(left);
  EXPECT_EQ(left->objects, 0u) << "noted at the end, too";
  EXPECT_EQ(left->list_requests, 1u);
}

}  // namespace
}  // namespace leat::executor
