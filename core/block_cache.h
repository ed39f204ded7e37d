// Memory that buffers gave back, kept for the next ones.
//
// Chunks of rows come and go a thousand times a second. The allocator returns such blocks to the
// kernel, and a page that the kernel hands out anew costs more than to parse the bytes that fill
// it.
#pragma once

#include <cstddef>

namespace leat {

/// Blocks of the process. Each thread gets what it had itself before others', last in, first out,
/// whoever gave it back: it is still in its core's cache, and not in another's. Thread-safe.
class BlockCache {
 public:
  /// Blocks are aligned to this.
  static constexpr std::size_t kAlignment = 64;
  /// Held at most. More than that is given back to the allocator at once.
  static constexpr std::size_t kHeldBytesMax = 32u << 20;

  /// A block of at least `bytes` bytes, which becomes its size. Null when memory is exhausted.
  static std::byte* take(std::size_t& bytes) noexcept;

  /// Takes back a block, with the size that take() gave. Null is none.
  static void give(std::byte* block, std::size_t bytes) noexcept;
};

}  // namespace leat
