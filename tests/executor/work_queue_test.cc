#include "executor/work_queue.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

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
  std::stop_source stopped;
  stopped.request_stop();
  ASSERT_TRUE(queue.push(split("a"), {}));
  EXPECT_FALSE(queue.push(split("c"), stopped.get_token())) << "there was room for a second";
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

TEST(WorkQueue, FoldersComeInTurnHoweverManySplitsAreOfOne) {
  testing::ManualClock clock;
  WorkQueue queue(clock, 16, "in/");
  for (const char* key : {"in/a/1", "in/a/x/2", "in/a/3", "in/b/1", "in/0", "in/b/2", "in/a/4"}) {
    ASSERT_TRUE(queue.push(split(key), {}));
  }
  std::vector<std::string> order;
  for (int i = 0; i < 7; ++i) order.push_back(queue.pop({})->object->key);
  EXPECT_EQ(order, (std::vector<std::string>{"in/a/1", "in/b/1", "in/0", "in/a/x/2", "in/b/2",
                                             "in/a/3", "in/a/4"}));
}

TEST(WorkQueue, AFolderTakesAQuarterOfTheRoomAtMost) {
  testing::ManualClock clock;
  WorkQueue queue(clock, 8, "");
  std::stop_source stopped;
  stopped.request_stop();
  ASSERT_TRUE(queue.push(split("a/1"), {}));
  ASSERT_TRUE(queue.push(split("a/2"), {}));
  EXPECT_FALSE(queue.push(split("a/3"), stopped.get_token()));
  ASSERT_TRUE(queue.push(split("b/1"), {})) << "another folder still has room";
  EXPECT_EQ(queue.pop({})->object->key, "a/1");
  ASSERT_TRUE(queue.push(split("a/3"), {}));
}

TEST(WorkQueue, WithoutAFolderSplitsComeAsTheyWerePushed) {
  testing::ManualClock clock;
  WorkQueue queue(clock, 3);
  for (const char* key : {"b/1", "a/2", "b/0"}) ASSERT_TRUE(queue.push(split(key), {}));
  EXPECT_EQ(queue.pop({})->object->key, "b/1");
  EXPECT_EQ(queue.pop({})->object->key, "a/2");
  EXPECT_EQ(queue.pop({})->object->key, "b/0");
}

TEST(WorkQueue, KnowsWhatIsNotSettled) {
  testing::ManualClock clock;
  WorkQueue queue(clock, 10);
  EXPECT_EQ(queue.unsettled().objects, 0u);
  EXPECT_EQ(queue.unsettled().oldest_modified_ms, 0);
  ASSERT_TRUE(queue.push(split("a", 20), {}));
  ASSERT_TRUE(queue.push(split("b", 30), {}));
  ASSERT_TRUE(queue.push(split("of no time", 0), {}));
  queue.take("only noted");
  EXPECT_EQ(queue.pop({})->object->key, "a");
  EXPECT_EQ(queue.unsettled().objects, 3u) << "being read is not being settled";
  EXPECT_EQ(queue.unsettled().bytes, 3u);
  EXPECT_EQ(queue.unsettled().oldest_modified_ms, 20);
  queue.release("a");
  EXPECT_EQ(queue.unsettled().objects, 2u);
  EXPECT_EQ(queue.unsettled().oldest_modified_ms, 30);
}

}  // namespace
}  // namespace leat::executor
