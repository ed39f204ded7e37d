#include "leat/clock.h"

#include <gtest/gtest.h>

#include <latch>
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

TEST(SystemClock, WaitsForEverUntilStoppedFromAnotherThread) {
  bool waited = true;
  std::latch started(1);
  std::jthread waiter([&](std::stop_token stop) {
    started.count_down();
    waited = system_clock().wait(milliseconds::max(), stop);
  });
  started.wait();
  // Time in which a wait that ends on its own would do so, and answer true.
  EXPECT_TRUE(system_clock().wait(milliseconds(20), {}));
  waiter.request_stop();
  waiter.join();
  EXPECT_FALSE(waited);
}

}  // namespace
}  // namespace leat
