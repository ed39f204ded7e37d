#include "core/block_cache.h"

#include <array>
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

/// Written into the front of a block that is held.
struct Held {
  Held* next;
};

using Lists = std::array<Held*, kClasses>;

struct State {
  std::mutex mutex;
  Lists lists = {};
  std::size_t held_bytes = 0;
};

/// Never destroyed: buffers may outlive any other static object.
State& state() noexcept {
  alignas(State) static std::byte place[sizeof(State)];
  static State* const kState = new (place) State;
  return *kState;
}

bool is_kept(std::size_t bytes) noexcept { return kEnabled && bytes <= kLargestBytes; }

void free_all(const Lists& lists) noexcept {
  for (Held* block : lists) {
    while (block != nullptr) std::free(std::exchange(block, block->next));
  }
}

}  // namespace

std::byte* BlockCache::take(std::size_t& bytes) noexcept {
  if (is_kept(bytes)) {
    const std::size_t index = class_of(bytes);
    bytes = bytes_of_class(index);
    State& cache = state();
    const std::lock_guard lock(cache.mutex);
    if (Held*& first = cache.lists[index]; first != nullptr) {
      cache.held_bytes -= bytes;
      return reinterpret_cast<std::byte*>(std::exchange(first, first->next));
    }
  }
  bytes = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  return static_cast<std::byte*>(std::aligned_alloc(kAlignment, bytes));
}

void BlockCache::give(std::byte* block, std::size_t bytes) noexcept {
  if (block == nullptr || !is_kept(bytes)) return std::free(block);
  Lists stale = {};
  {
    State& cache = state();
    const std::lock_guard lock(cache.mutex);
    if (cache.held_bytes + bytes > kHeldBytesMax) {
      // Sizes that nobody asks for any more must not fill it for ever.
      std::swap(stale, cache.lists);
      cache.held_bytes = 0;
    }
    Held*& first = cache.lists[class_of(bytes)];
    first = new (block) Held{first};
    cache.held_bytes += bytes;
  }
  free_all(stale);
}

}  // namespace leat
