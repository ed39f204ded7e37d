#include "executor/turn.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace leat::executor {
namespace {

using namespace std::chrono_literals;

TEST(Turn, IsOneThreadsAtATime) {
  Turn turn;
  int turns = 0;  // Guarded by nothing but the turn: ThreadSanitizer would tell.
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&, patient = i % 2 == 0] {
        for (int taken = 0; taken < 2'000; ++taken) {
          if (patient) {
            turn.lock();
          } else if (!turn.try_lock_for(10s)) {
            return;
          }
          ++turns;
          turn.unlock();
        }
      });
    }
  }
  EXPECT_EQ(turns, 4 * 2'000);
}

TEST(Turn, PatienceEnds) {
  Turn turn;
  turn.lock();
  bool taken = true;
  std::jthread([&] { taken = turn.try_lock_for(1ms); }).join();
  EXPECT_FALSE(taken);
  turn.unlock();
  EXPECT_TRUE(turn.try_lock_for(0ms));
  turn.unlock();
}

}  // namespace
}  // namespace leat::executor
