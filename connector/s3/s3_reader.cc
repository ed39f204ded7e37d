#include "connector/s3/s3_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace leat::connector::s3 {

S3Reader::S3Reader(S3Client& client, ReadBudget& budget, ObjectVersion object, std::uint64_t offset,
                   std::stop_token stop)
    : client_(client),
      object_(std::move(object)),
      stop_(std::move(stop)),
      budget_(budget),
      asked_(offset) {}

S3Reader::~S3Reader() = default;

Result<std::size_t> S3Reader::read(std::span<std::byte> out) {
  if (error_) return *error_;
  ask_ahead();
  if (ahead_.empty()) return std::size_t{0};
  Ahead& first = ahead_.front();
  std::size_t received = first.read->received();
  if (received == consumed_) {
    Result<std::size_t> more = first.read->wait_beyond(consumed_);
    if (!more) {
      ahead_.clear();
      return error_.emplace(std::move(more).error());
    }
    received = *more;
  }
  if (!std::exchange(is_proven_, true)) ask_ahead();
  const std::size_t length = std::min(out.size(), received - consumed_);
  std::memcpy(out.data(), first.memory.data() + consumed_, length);
  consumed_ += length;
  if (consumed_ == first.read->length()) {
    budget_.give(consumed_);
    spare_ = std::move(first.memory);
    ahead_.pop_front();
    consumed_ = 0;
  }
  return length;
}

void S3Reader::ask_ahead() {
  while (asked_ < object_.size && ahead_.size() < kRangesMax && (ahead_.empty() || is_proven_)) {
    const std::uint64_t bytes = budget_.take(std::min(range_bytes_, object_.size - asked_));
    if (bytes == 0) return;
    Ahead& next = ahead_.emplace_back();
    next.memory = std::move(spare_);
    next.memory.clear();
    next.memory.resize(bytes);
    next.read = client_.read_ahead(object_, {asked_, asked_ + bytes}, next.memory.data(), stop_);
    next.read->start();
    asked_ += bytes;
    range_bytes_ = std::min(range_bytes_ * 2, kRangeBytesMax);
  }
}

}  // namespace leat::connector::s3
