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
  // A range that failed does not wait for its turn: it would stop all that come after it.
  for (std::size_t i = 1; i < ahead_.size(); ++i) ahead_[i].read->tend();
  ask_ahead();
  if (ahead_.empty()) return std::size_t{0};
  Ahead& first = ahead_.front();
  RangeRead::Arrival arrival{.received = first.read->received(), .lent = 0};
  if (arrival.received == consumed_) {
    Result<RangeRead::Arrival> more = first.read->wait_beyond(consumed_, out);
    if (!more) {
      ahead_.clear();
      return error_.emplace(std::move(more).error());
    }
    arrival = *more;
  }
  if (!std::exchange(is_proven_, true)) ask_ahead();
  std::size_t length = arrival.lent;
  if (length == 0) {
    length = std::min(out.size(), arrival.received - consumed_);
    std::memcpy(out.data(), first.memory.data() + consumed_, length);
  }
  consumed_ += length;
  if (consumed_ == first.read->length()) {
    if (const auto came = first.read->came()) window_.received(*came);
    budget_.give(consumed_);
    spare_ = std::move(first.memory);
    ahead_.pop_front();
    consumed_ = 0;
  }
  return length;
}

bool S3Reader::wants_another() const {
  if (asked_ == object_.size) return false;
  if (ahead_.empty()) return true;
  if (!is_proven_) return false;
  if (ahead_.size() < window_.ranges()) return true;
  const RangeRead& last = *ahead_.back().read;
  return ahead_.size() == 1 && last.length() - last.received() <= window_.ask_before_end();
}

void S3Reader::ask_ahead() {
  while (wants_another()) {
    const std::uint64_t bytes =
        budget_.take(std::min(window_.range_bytes(), object_.size - asked_));
    if (bytes == 0) return;
    Ahead& next = ahead_.emplace_back();
    next.memory = std::move(spare_);
    next.memory.clear();
    next.memory.resize(bytes);
    next.read = client_.read_ahead(object_, {asked_, asked_ + bytes}, next.memory.data(), stop_);
    next.read->start();
    asked_ += bytes;
    window_.asked();
  }
}

}  // namespace leat::connector::s3
