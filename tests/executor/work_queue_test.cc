#include "executor/work_queue.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>

#include "tests/support/manual_clock.h"

namespace leat::executor {
namespace {

using namespace std::chrono_literals;

SplitAssignment split(const std::string& key, std::int64_t modified_ms = 1) {
  return {.object = std::make_shared<const ObjectVersion>(ObjectVersion{key, "v", 1, modified_ms})};
}

TEST(WorkQueue, AKeyStaysTakenUpUntilItIsReleased) {
  testing::ManualClock clock;
  WorkQueue queue(clock, 10);
  const std::vector<ObjectVersion> page{{"a", "v", 1, 1}, {"b", "v", 1, 1}};
  std::vector<bool> taken;
  ASSERT_TRUE(queue.push(split("a"), {}));
  queue.flag_taken(page, taken);
  EXPECT_EQ(taken, (std::vector<bool>{true, false}));
  EXPECT_EQ(queue.pop({})->object->key, "a");
  queue.flag_taken(page, taken);
  EXPECT_EQ(taken, (std::vector<bool>{true, false})) << "popped, but not settled";
  queue.release("a");
  queue.flag_taken(page, taken);
  EXPECT_EQ(taken, (std::vector<bool>{false, false}));
}

TEST(WorkQueue, PushWaitsWhileFull) {
  testing::ManualClock clock;
  WorkQueue queue(clock, 1);
  ASSERT_TRUE(queue.push(split("a"), {}));
  std::jthread pusher([&] { EXPECT_TRUE(queue.push(split("b"), {})); });
  EXPECT_EQ(queue.pop({})->object->key, "a");
  EXPECT_EQ(queue.pop({})->object->key, "b");
}

TEST(WorkQueue, StopEndsAWaitForSplits) {
  testing::ManualClock clock;
  WorkQueue queue(clock, 1);
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_FALSE(queue.pop(stop.get_token()));
}

TEST(WorkQueue, DelayedSplitsComeWhenTheirTimeHasCome) {
  testing::ManualClock clock;
  WorkQueue queue(clock, 10);
  SplitAssignment later = split("later");
  later.not_before = clock.monotonic() + 10s;
  queue.push_again(std::move(later));
  ASSERT_TRUE(queue.push(split("now"), {}));
  EXPECT_EQ(queue.pending(), 2u);
  EXPECT_EQ(queue.pop({})->object->key, "now");
  EXPECT_EQ(queue.pop({})->object->key, "later");
  EXPECT_GE(clock.monotonic(), 10s);
}

TEST(WorkQueue, KnowsTheOldestObjectThatIsNotSettled) {
  testing::ManualClock clock;
  WorkQueue queue(clock, 10);
  EXPECT_EQ(queue.oldest_taken_modified_ms(), 0);
  ASSERT_TRUE(queue.push(split("a", 20), {}));
  ASSERT_TRUE(queue.push(split("b", 30), {}));
  EXPECT_EQ(queue.pop({})->object->key, "a");
  EXPECT_EQ(queue.oldest_taken_modified_ms(), 20) << "being read is not being settled";
  queue.release("a");
  EXPECT_EQ(queue.oldest_taken_modified_ms(), 30);
}

}  // namespace
}  // namespace leat::executor
