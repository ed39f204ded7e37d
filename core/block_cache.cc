#include "core/block_cache.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdlib>
#include <mutex>
#include <new>
#include <utility>

namespace leat {
namespace {

// Under AddressSanitizer a block that was given back must not be touched.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kEnabled = false;
#else
constexpr bool kEnabled = true;
#endif

/// Smaller ones are made as large; larger ones are too much to hold.
constexpr std::size_t kSmallestBytes = 512;
constexpr std::size_t kLargestBytes = 8u << 20;

/// Sizes in classes, eight for each power of two: no block is an eighth larger than it has to be.
constexpr unsigned kSteps = 8;

constexpr std::size_t bytes_of_class(std::size_t index) {
  return (kSmallestBytes / kSteps * (kSteps + index % kSteps)) << (index / kSteps);
}

constexpr std::size_t class_of(std::size_t bytes) {
  if (bytes <= kSmallestBytes) return 0;
  const auto power = static_cast<std::size_t>(std::bit_width((bytes - 1) / kSmallestBytes)) - 1;
  const std::size_t step = kSmallestBytes / kSteps << power;
  return power * kSteps + (bytes + step - 1) / step - kSteps;
}

constexpr std::size_t kClasses = class_of(kLargestBytes) + 1;

static_assert(bytes_of_class(kClasses - 1) == kLargestBytes);
static_assert(class_of(bytes_of_class(5)) == 5 && class_of(bytes_of_class(5) + 1) == 6);
static_assert(class_of(bytes_of_class(7) + 1) == 8 && class_of(bytes_of_class(8)) == 8);

/// In front of each block, whoever has it.
struct alignas(BlockCache::kAlignment) Front {
  Front* next;        ///< While it is held.
  std::size_t shelf;  ///< Of the thread that took it last, and wrote to it.
};

/// Blocks that one thread, or a few, had last.
struct Shelf {
  std::mutex mutex;
  std::array<Front*, kClasses> lists = {};
};

constexpr std::size_t kShelves = 16;

struct State {
  std::array<Shelf, kShelves> shelves;
  std::atomic<std::size_t> threads = 0;
  std::atomic<std::size_t> held_bytes = 0;
};

/// Never destroyed: buffers may outlive any other static object.
State& state() noexcept {
  alignas(State) static std::byte place[sizeof(State)];
  static State& only = *new (place) State;
  return only;
}

std::size_t shelf_of_this_thread() noexcept {
  thread_local const std::size_t shelf = state().threads.fetch_add(1) % kShelves;
  return shelf;
}

bool is_kept(std::size_t bytes) noexcept { return kEnabled && bytes <= kLargestBytes; }

Front* pop(Shelf& shelf, std::size_t index) noexcept {
  const std::lock_guard lock(shelf.mutex);
  Front*& first = shelf.lists[index];
  return first != nullptr ? std::exchange(first, first->next) : nullptr;
}

void free_all() noexcept {
  for (Shelf& shelf : state().shelves) {
    std::array<Front*, kClasses> stale = {};
    {
      const std::lock_guard lock(shelf.mutex);
      std::swap(stale, shelf.lists);
    }
    for (std::size_t index = 0; index < kClasses; ++index) {
      for (Front* block = stale[index]; block != nullptr;) {
        state().held_bytes -= bytes_of_class(index);
        std::free(std::exchange(block, block->next));
      }
    }
  }
}

}  // namespace

std::byte* BlockCache::take(std::size_t& bytes) noexcept {
  const std::size_t own = shelf_of_this_thread();
  Front* front = nullptr;
  if (is_kept(bytes)) {
    State& cache = state();
    const std::size_t index = class_of(bytes);
    bytes = bytes_of_class(index);
    front = pop(cache.shelves[own], index);
    const std::size_t used = std::min(kShelves, cache.threads.load(std::memory_order_relaxed));
    for (std::size_t i = 0; front == nullptr && i < used; ++i) front = pop(cache.shelves[i], index);
    if (front != nullptr) cache.held_bytes -= bytes;
  }
  if (front == nullptr) {
    bytes = (bytes + kAlignment - 1) / kAlignment * kAlignment;
    void* const memory = std::aligned_alloc(kAlignment, sizeof(Front) + bytes);
    if (memory == nullptr) return nullptr;
    front = new (memory) Front;
  }
  front->shelf = own;
  return reinterpret_cast<std::byte*>(front + 1);
}

void BlockCache::give(std::byte* block, std::size_t bytes) noexcept {
  if (block == nullptr) return;
  Front* const front = reinterpret_cast<Front*>(block) - 1;
  if (!is_kept(bytes)) return std::free(front);
  State& cache = state();
  // Sizes that nobody asks for any more must not fill it for ever.
  if (cache.held_bytes.fetch_add(bytes) + bytes > kHeldBytesMax) free_all();
  Shelf& shelf = cache.shelves[front->shelf];
  const std::lock_guard lock(shelf.mutex);
  Front*& first = shelf.lists[class_of(bytes)];
  front->next = std::exchange(first, front);
}

}  // namespace leat
