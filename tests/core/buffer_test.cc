#include <gtest/gtest.h>

#include <cstring>
#include <numeric>
#include <thread>
#include <vector>

#include "leat/row_chunk.h"

namespace leat {
namespace {

TEST(Buffer, StartsWithoutMemory) {
  Buffer buffer;
  EXPECT_EQ(buffer.data(), nullptr);
  EXPECT_EQ(buffer.size(), 0U);
  buffer.append(nullptr, 0);
  buffer.resize(0);
  EXPECT_EQ(buffer.data(), nullptr);
}

TEST(Buffer, IsAlignedAndReadableBehindItsEnd) {
  for (const std::size_t size : {1, 63, 64, 65, 4095, 4096, 100'000}) {
    Buffer buffer(size);
    EXPECT_EQ(buffer.size(), size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % Buffer::kAlignment, 0U);
    // Touches all of it: what is not ours shows under a sanitizer.
    std::memset(buffer.data(), 1, buffer.capacity() + Buffer::kPadding);
    EXPECT_GE(buffer.capacity(), size);
  }
}

TEST(Buffer, KeepsItsContentWhenItGrows) {
  Buffer buffer;
  std::vector<std::int32_t> expected(100'000);
  std::iota(expected.begin(), expected.end(), 0);
  int moves = 0;
  const std::byte* before = nullptr;
  for (const std::int32_t value : expected) {
    buffer.push_back(value);
    if (buffer.data() != before) ++moves;
    before = buffer.data();
  }
  ASSERT_EQ(buffer.size(), expected.size() * sizeof(std::int32_t));
  EXPECT_EQ(std::memcmp(buffer.data(), expected.data(), buffer.size()), 0);
  EXPECT_LE(moves, 20) << "does not grow geometrically";
}

TEST(Buffer, ShrinksWithoutGivingMemoryBack) {
  Buffer buffer(1000);
  buffer.resize(10);
  EXPECT_EQ(buffer.size(), 10U);
  buffer.clear();
  EXPECT_EQ(buffer.size(), 0U);
  EXPECT_GE(buffer.capacity(), 1000U);
}

TEST(Buffer, MovesItsMemory) {
  Buffer from;
  from.append("leat", 4);
  const std::byte* memory = from.data();
  Buffer to(std::move(from));
  EXPECT_EQ(to.data(), memory);
  EXPECT_EQ(from.data(), nullptr);  // NOLINT: moved-from buffers are empty.
  Buffer other(100);
  other = std::move(to);
  EXPECT_EQ(other.data(), memory);
  EXPECT_EQ(other.size(), 4U);
  EXPECT_EQ(to.data(), nullptr);  // NOLINT
  EXPECT_EQ(to.capacity(), 0U);   // NOLINT
}

TEST(Buffer, SharesItsMemoryUntilTheLastOneIsGone) {
  Buffer first;
  first.append("leat and more", 13);
  const std::byte* const memory = first.data();
  Buffer second = first.share(4);
  Buffer third = second.share(4);
  EXPECT_EQ(second.data(), memory);
  EXPECT_EQ(second.size(), 4U);
  first = Buffer();
  second = Buffer();
  EXPECT_EQ(third.data(), memory);
  EXPECT_EQ(std::memcmp(third.data(), "leat", 4), 0);
}

TEST(Buffer, TakesACopyWhenItGrowsOutOfSharedMemory) {
  Buffer first;
  first.append("leat and more", 13);
  Buffer second = first.share(4);
  second.append(" is", 3);
  EXPECT_NE(second.data(), first.data());
  EXPECT_EQ(std::memcmp(second.data(), "leat is", 7), 0);
  EXPECT_EQ(std::memcmp(first.data(), "leat and more", 13), 0);
  // The first one may still go on behind what it shares.
  Buffer third = first.share(13);
  first.append("!", 1);
  EXPECT_EQ(std::memcmp(third.data(), "leat and more", 13), 0);
}

TEST(Buffer, SharesNothingWithoutMemory) {
  Buffer first;
  EXPECT_EQ(first.share(0).data(), nullptr);
}

TEST(Buffer, GivesSharedMemoryBackOnAnyThread) {
  for (int i = 0; i < 100; ++i) {
    Buffer first(100'000);
    std::memset(first.data(), i, first.size());
    std::thread other([i, shared = first.share(100'000)] {
      EXPECT_EQ(shared.data()[99'999], static_cast<std::byte>(i));
    });
    first = Buffer();
    other.join();
  }
}

TEST(BufferDeathTest, AbortsWhenMemoryCannotBeHad) {
  Buffer buffer;
  EXPECT_DEATH(buffer.reserve(std::size_t{1} << 63), "");
}

TEST(RowChunk, CountsTheMemoryItHolds) {
  RowChunk chunk;
  const std::size_t empty = chunk.memory_bytes();
  EXPECT_LT(empty, 200U);
  chunk.columns.resize(2);
  chunk.columns[0].values.resize(1'000'000);
  chunk.columns[1].offsets.resize(100'000);
  chunk.columns[1].validity.resize(10'000);
  chunk.record_offsets.resize(50'000);
  chunk.rejects.emplace_back().raw.assign(20'000, 'x');
  EXPECT_GE(chunk.memory_bytes(), 1'180'000U);
  // Blocks are up to an eighth larger than they have to be.
  EXPECT_LE(chunk.memory_bytes(), 1'190'000U / 8 * 9);
}

}  // namespace
}  // namespace leat
