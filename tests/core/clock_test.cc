#include "leat/clock.h"

#include <gtest/gtest.h>

#include <thread>

namespace leat {
namespace {

using std::chrono::milliseconds;

TEST(SystemClock, TellsUnixTimeInMilliseconds) {
  EXPECT_GT(system_clock().wall_ms(), 1'700'000'000'000);
  EXPECT_LT(system_clock().wall_ms(), 100'000'000'000'000);
}

TEST(SystemClock, WaitsForTheDuration) {
  const auto begin = system_clock().monotonic();
  EXPECT_TRUE(system_clock().wait(milliseconds(20), {}));
  EXPECT_GE(system_clock().monotonic() - begin, milliseconds(19));
}

TEST(SystemClock, DoesNotWaitForNothing) {
  EXPECT_TRUE(system_clock().wait(milliseconds(0), {}));
  EXPECT_TRUE(system_clock().wait(milliseconds(-5), {}));
}

TEST(SystemClock, DoesNotWaitOnceStopped) {
  std::stop_source source;
  source.request_stop();
  EXPECT_FALSE(system_clock().wait(milliseconds::max(), source.get_token()));
}

TEST(SystemClock, WakesUpWhenStoppedFromAnotherThread) {
  bool waited = true;
  {
    std::jthread waiter([&waited](std::stop_token stop) {
      waited = system_clock().wait(milliseconds::max(), stop);
    });
  }  // Requests the stop, and joins.
  EXPECT_FALSE(waited);
}

}  // namespace
}  // namespace leat
