#include "leat/row_chunk.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <utility>

#include "core/block_cache.h"

namespace leat {

Buffer::Buffer(Buffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  Buffer taken(std::move(other));
  std::swap(data_, taken.data_);
  std::swap(size_, taken.size_);
  std::swap(capacity_, taken.capacity_);
  return *this;
}

Buffer::~Buffer() { release(); }

void Buffer::release() noexcept {
  if (data_ != nullptr) BlockCache::give(data_, capacity_ + kPadding);
}

void Buffer::reserve(std::size_t capacity) {
  if (capacity <= capacity_) return;
  constexpr std::size_t kLargest = std::numeric_limits<std::size_t>::max() / 4;
  if (capacity > kLargest) std::abort();
  std::size_t bytes = std::max(capacity, 2 * capacity_) + kPadding;
  std::byte* const grown = BlockCache::take(bytes);
  if (grown == nullptr) std::abort();
  if (size_ != 0) std::memcpy(grown, data_, size_);
  release();
  data_ = grown;
  capacity_ = bytes - kPadding;
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
