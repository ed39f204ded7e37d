#include "leat/row_chunk.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <exception>
#include <limits>
#include <new>
#include <utility>

#include "core/block_cache.h"

namespace leat {
namespace {

/// Not by an exception that unwinds: it would leave rows out where it is caught, and threads
/// waiting. The program's own handler of std::terminate learns what is wrong.
[[noreturn]] void end_without_memory() noexcept {
  try {
    throw std::bad_alloc();
  } catch (...) {
    std::terminate();
  }
}

}  // namespace

/// Memory of several buffers.
struct Buffer::Shared {
  std::atomic<std::size_t> buffers = 1;
  std::size_t capacity = 0;
};

Buffer::Buffer(Buffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)),
      shared_(std::exchange(other.shared_, nullptr)) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  Buffer taken(std::move(other));
  std::swap(data_, taken.data_);
  std::swap(size_, taken.size_);
  std::swap(capacity_, taken.capacity_);
  std::swap(shared_, taken.shared_);
  return *this;
}

Buffer::~Buffer() { release(); }

void Buffer::release() noexcept {
  if (shared_ != nullptr) {
    // What the others did with the memory comes before it is given away.
    if (shared_->buffers.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    capacity_ = shared_->capacity;
    delete shared_;
  }
  if (data_ != nullptr) BlockCache::give(data_, capacity_ + kPadding);
}

Buffer Buffer::share(std::size_t size) {
  Buffer other;
  if (data_ == nullptr) return other;
  if (shared_ == nullptr) {
    shared_ = new Shared;
    shared_->capacity = capacity_;
  }
  shared_->buffers.fetch_add(1, std::memory_order_relaxed);
  other.data_ = data_;
  other.size_ = size;
  other.capacity_ = size;  // What is behind it is not its own.
  other.shared_ = shared_;
  return other;
}

void Buffer::reserve(std::size_t capacity) {
  if (capacity <= capacity_) return;
  constexpr std::size_t kLargest = std::numeric_limits<std::size_t>::max() / 4;
  if (capacity > kLargest) end_without_memory();
  std::size_t bytes = std::max(capacity, 2 * capacity_) + kPadding;
  std::byte* const grown = BlockCache::take(bytes);
  if (grown == nullptr) end_without_memory();
  if (size_ != 0) std::memcpy(grown, data_, size_);
  release();
  data_ = grown;
  capacity_ = bytes - kPadding;
  shared_ = nullptr;
}

std::size_t RowChunk::memory_bytes() const noexcept {
  const auto held = [](const Buffer& buffer) {
    return buffer.data() == nullptr ? 0 : buffer.capacity() + Buffer::kPadding;
  };
  std::size_t total = held(record_offsets) + held(record_numbers);
  for (const Column& column : columns) {
    total += sizeof column + held(column.validity) + held(column.offsets) + held(column.values);
  }
  for (const RejectedRow& reject : rejects) {
    total += sizeof reject + reject.column.capacity() + reject.text.capacity() +
             reject.raw.capacity() + reject.reason.capacity();
  }
  for (const NulledValues& values : nulled) total += sizeof values + values.first_text.capacity();
  return total + end.parser_state.capacity() + end.decoder_state.capacity();
}

}  // namespace leat
