#include "core/block_cache.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <semaphore>
#include <thread>
#include <utility>
#include <vector>

namespace leat {
namespace {

TEST(BlockCache, GivesAlignedBlocksThatAreLargeEnoughAndNotMuchLarger) {
  for (std::size_t wanted = 1; wanted < (20u << 20); wanted = wanted * 21 / 20 + 1) {
    std::size_t bytes = wanted;
    std::byte* const block = BlockCache::take(bytes);
    ASSERT_NE(block, nullptr);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % BlockCache::kAlignment, 0U);
    EXPECT_GE(bytes, wanted);
    if (wanted > (16u << 10)) {
      EXPECT_LE(bytes, wanted + wanted / 8 + BlockCache::kAlignment);
    }
    std::memset(block, 1, bytes);  // Shows under a sanitizer when it is smaller.
    BlockCache::give(block, bytes);
  }
}

TEST(BlockCache, TakesNoBlockTwice) {
  std::vector<std::pair<std::byte*, std::size_t>> blocks;
  for (int round = 0; round < 3; ++round) {
    for (unsigned char i = 0; i < 50; ++i) {
      std::size_t bytes = 20'000;
      blocks.emplace_back(BlockCache::take(bytes), bytes);
      std::memset(blocks.back().first, i, bytes);
    }
    for (unsigned char i = 0; i < 50; ++i) {
      EXPECT_EQ(blocks[i].first[0], std::byte{i});
      EXPECT_EQ(blocks[i].first[blocks[i].second - 1], std::byte{i});
      BlockCache::give(blocks[i].first, blocks[i].second);
    }
    blocks.clear();
  }
}

TEST(BlockCache, TakesBackMoreThanItHolds) {
  std::vector<std::byte*> blocks;
  std::size_t bytes = 1u << 20;
  for (std::size_t taken = 0; taken < 3 * BlockCache::kHeldBytesMax; taken += bytes) {
    blocks.push_back(BlockCache::take(bytes));
  }
  for (std::byte* block : blocks) BlockCache::give(block, bytes);
}

#ifndef __SANITIZE_ADDRESS__  // Where no block is held.
TEST(BlockCache, GivesAThreadTheBlockThatItHadWhoeverGaveItBack) {
  std::size_t bytes = 30'000;
  std::byte* const ours = BlockCache::take(bytes);
  std::byte* theirs = nullptr;
  std::byte* again = nullptr;
  std::binary_semaphore taken(0);
  std::binary_semaphore given(0);
  std::thread other([&] {
    theirs = BlockCache::take(bytes);
    taken.release();
    given.acquire();
    again = BlockCache::take(bytes);
  });
  taken.acquire();
  BlockCache::give(theirs, bytes);
  BlockCache::give(ours, bytes);
  given.release();
  other.join();
  EXPECT_EQ(again, theirs);
  EXPECT_EQ(BlockCache::take(bytes), ours);
  BlockCache::give(theirs, bytes);
  EXPECT_EQ(BlockCache::take(bytes), theirs) << "another thread's, where there is no other";
  BlockCache::give(ours, bytes);
  BlockCache::give(theirs, bytes);
}
#endif

TEST(BlockCache, ServesThreadsAtTheSameTime) {
  std::vector<std::thread> threads;
  for (unsigned char id = 1; id <= 4; ++id) {
    threads.emplace_back([id] {
      for (std::size_t i = 0; i < 2000; ++i) {
        std::size_t bytes = 16'384 + i % 7 * 5000;
        std::byte* const block = BlockCache::take(bytes);
        std::memset(block, id, bytes);
        EXPECT_EQ(block[i % bytes], std::byte{id});
        BlockCache::give(block, bytes);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace leat
