#include "executor/event_queue.h"

#include <gtest/gtest.h>

#include <thread>
#include <utility>

namespace leat::executor {
namespace {

using namespace std::chrono_literals;

Event rows_of(std::size_t bytes) {
  Event event;
  event.kind = Event::Kind::kRows;
  event.chunk.record_offsets.resize(bytes);
  return event;
}

TEST(EventQueue, KeepsTheOrder) {
  EventQueue queue(1 << 20);
  for (std::uint64_t i = 0; i < 5; ++i) {
    Event event;
    event.end.offset = i;
    ASSERT_TRUE(queue.push(std::move(event), {}));
  }
  for (std::uint64_t i = 0; i < 5; ++i) EXPECT_EQ(queue.pop(1s)->end.offset, i);
  EXPECT_FALSE(queue.pop(0ms));
}

TEST(EventQueue, ProducersWaitUntilTheChunkHandedOutIsDoneWith) {
  EventQueue queue(10'000);
  std::stop_source stopped;
  stopped.request_stop();
  ASSERT_TRUE(queue.push(rows_of(8'000), {}));
  EXPECT_FALSE(queue.push(rows_of(8'000), stopped.get_token())) << "there was room for a second";
  std::jthread producer([&](std::stop_token) { ASSERT_TRUE(queue.push(rows_of(8'000), {})); });
  ASSERT_TRUE(queue.pop(10s));
  EXPECT_FALSE(queue.push(rows_of(8'000), stopped.get_token())) << "the first is still worked on";
  // The first chunk is still on the account; only this pop says that it was worked off.
  ASSERT_TRUE(queue.pop(10s));
}

TEST(EventQueue, LetsInOneChunkThatIsLargerThanTheLimit) {
  EventQueue queue(100);
  EXPECT_TRUE(queue.push(rows_of(8'000), {}));
  EXPECT_TRUE(queue.pop(10s));
}

TEST(EventQueue, StopEndsAWaitForRoom) {
  EventQueue queue(100);
  ASSERT_TRUE(queue.push(rows_of(8'000), {}));
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_FALSE(queue.push(rows_of(8'000), stop.get_token()));
}

TEST(EventQueue, SmallEventsWithRowsAndWithoutAreBoundedByTheirNumber) {
  EventQueue queue(10 * EventQueue::kEventBytesMin);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(queue.push(i % 2 == 0 ? Event{} : rows_of(8), {}));
  std::stop_source stopped;
  stopped.request_stop();
  EXPECT_FALSE(queue.push(Event{}, stopped.get_token())) << "there was room for an eleventh";
  ASSERT_TRUE(queue.pop(0ms));
  EXPECT_FALSE(queue.push(Event{}, stopped.get_token())) << "the first is still worked on";
  ASSERT_TRUE(queue.pop(0ms));
  EXPECT_TRUE(queue.push(Event{}, {}));
}

TEST(EventQueue, AConsumerThatWaitsForMoreTakesAnEventOfWhichThereIsNoOther) {
  EventQueue queue(1 << 20);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(queue.push(Event{}, {}));
    ASSERT_TRUE(queue.pop(10s));
    std::jthread producer([&] { ASSERT_TRUE(queue.push(Event{}, {})); });
    ASSERT_TRUE(queue.pop(10s));
  }
}

TEST(EventQueue, AProducerWithoutRoomWakesAConsumerThatWaitsForMore) {
  // The first chunk of two leaves the queue less than half full, and there is no room for the next.
  EventQueue queue(100'000);
  ASSERT_TRUE(queue.push(rows_of(8), {}));
  std::jthread producer([&](std::stop_token) {
    for (int i = 0; i < 100; ++i)
      ASSERT_TRUE(queue.push(rows_of(i % 2 == 0 ? 40'000 : 70'000), {}));
  });
  for (int i = 0; i < 101; ++i) ASSERT_TRUE(queue.pop(10s)) << i;
}

}  // namespace
}  // namespace leat::executor
