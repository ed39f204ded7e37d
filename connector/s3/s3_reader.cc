#include "connector/s3/s3_reader.h"

#include <algorithm>
#include <cstring>
#include <system_error>
#include <utility>

namespace leat::connector::s3 {

S3Reader::S3Reader(S3Client& client, const ObjectVersion& object, std::uint64_t offset,
                   std::uint64_t memory_bytes_max, std::stop_token stop)
    : client_(client),
      object_(object),
      requested_(offset),
      range_bytes_max_(std::clamp(memory_bytes_max / 2, kRangeBytesMin, kRangeBytesMax)),
      range_bytes_(std::min(kFirstRangeBytes, range_bytes_max_)),
      stop_with_store_(std::move(stop), [this] { stop_.request_stop(); }) {}

S3Reader::~S3Reader() { stop_.request_stop(); }

Result<std::size_t> S3Reader::read(std::span<std::byte> out) {
  if (error_) return *error_;
  if (consumed_ == block_.length) {
    if (requested_ >= object_.size && !ahead_) return std::size_t{0};
    Result<Block> block = next_block();
    if (!block) return error_.emplace(std::move(block).error());
    block_ = *std::move(block);
    consumed_ = 0;
  }
  const std::size_t length = std::min(out.size(), block_.length - consumed_);
  std::memcpy(out.data(), block_.bytes.get() + consumed_, length);
  consumed_ += length;
  if (consumed_ == block_.length) {
    block_ = {};
    consumed_ = 0;
  }
  return length;
}

Result<S3Reader::Block> S3Reader::next_block() {
  Result<Block> block = ahead_ ? std::exchange(ahead_, std::nullopt)->get() : fetch(next_range());
  if (block && requested_ < object_.size) {
    const Range range = next_range();
    try {
      ahead_ = std::async(std::launch::async, [this, range] { return fetch(range); });
    } catch (const std::system_error&) {
      requested_ = range.begin;  // No thread to be had: fetched when it is asked for.
    }
  }
  return block;
}

Range S3Reader::next_range() {
  const Range range{requested_, std::min(object_.size, requested_ + range_bytes_)};
  requested_ = range.end;
  range_bytes_ = std::min(range_bytes_ * 2, range_bytes_max_);
  return range;
}

Result<S3Reader::Block> S3Reader::fetch(Range range) const {
  Block block{.bytes = std::make_unique_for_overwrite<std::byte[]>(range.length()),
              .length = range.length()};
  const auto read =
      client_.read_range(object_, range, {block.bytes.get(), block.length}, stop_.get_token());
  if (!read) return read.error();
  return block;
}

}  // namespace leat::connector::s3
