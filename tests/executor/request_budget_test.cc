#include "executor/request_budget.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "tests/support/manual_clock.h"

namespace leat::executor {
namespace {

using namespace std::chrono_literals;
using testing::ManualClock;

TEST(RequestBudget, ATenthComesAtOnceAndTheRestAtTheRate) {
  const ManualClock clock;
  RequestBudget budget({.requests = 100, .per = 1min}, clock);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(budget.take({}));
  EXPECT_EQ(clock.monotonic(), 0ms);
  for (int i = 1; i <= 100; ++i) {
    EXPECT_TRUE(budget.take({}));
    EXPECT_EQ(clock.monotonic(), i * 600ms);
  }
}

TEST(RequestBudget, APauseFillsItUpToATenthAndNoFurther) {
  const ManualClock clock;
  RequestBudget budget({.requests = 20, .per = 1s}, clock);
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(budget.take({}));
  (void)clock.wait(1h, {});
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(budget.take({}));
  EXPECT_EQ(clock.monotonic(), 1h);
  EXPECT_TRUE(budget.take({}));
  EXPECT_EQ(clock.monotonic(), 1h + 50ms);
}

TEST(RequestBudget, WithoutALimitNobodyWaits) {
  const ManualClock clock;
  RequestBudget budget({}, clock);
  for (int i = 0; i < 1'000; ++i) EXPECT_TRUE(budget.take({}));
  EXPECT_EQ(clock.monotonic(), 0ms);
}

TEST(RequestBudget, AStopEndsTheWait) {
  const ManualClock clock;
  RequestBudget budget({.requests = 1, .per = 1h}, clock);
  std::stop_source stop;
  EXPECT_TRUE(budget.take(stop.get_token()));
  stop.request_stop();
  EXPECT_FALSE(budget.take(stop.get_token()));
}

// Time stands still for them, so that only what was promised counts.
TEST(RequestBudget, ThreadsShareIt) {
  class StandingClock final : public Clock {
   public:
    std::int64_t wall_ms() const noexcept override { return 0; }
    Duration monotonic() const noexcept override { return 0ms; }
    bool wait(Duration duration, std::stop_token) const override {
      const std::lock_guard lock(mutex);
      waits.push_back(duration);
      return true;
    }
    mutable std::mutex mutex;
    mutable std::vector<Duration> waits;
  } const clock;
  RequestBudget budget({.requests = 10, .per = 1s}, clock);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int j = 0; j < 25; ++j) EXPECT_TRUE(budget.take({}));
      });
    }
  }
  ASSERT_EQ(clock.waits.size(), 99u);
  EXPECT_EQ(*std::max_element(clock.waits.begin(), clock.waits.end()), 9'900ms);
}

}  // namespace
}  // namespace leat::executor
