#include "connector/s3/s3_reader.h"

#include <algorithm>
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
  for (std::size_t i = 1; i < ahead_.size(); ++i) ahead_[i].range->tend();
  ask_ahead();
  if (ahead_.empty()) return std::size_t{0};
  RangeRead& first = *ahead_.front().range;
  Result<std::size_t> received = first.read(out);
  if (!received) {
    ahead_.clear();
    return error_.emplace(std::move(received).error());
  }
  if (!std::exchange(is_proven_, true)) ask_ahead();
  if (first.left() == 0) {
    if (const auto came = first.came()) window_.received(*came);
    budget_.give(ahead_.front().granted);
    spare_ = first.take_memory();
    ahead_.pop_front();
  }
  return received;
}

bool S3Reader::wants_another() const {
  if (asked_ == object_.size) return false;
  if (ahead_.empty()) return true;
  if (!is_proven_) return false;
  if (ahead_.size() < window_.ranges()) return true;
  return ahead_.size() == 1 && ahead_.back().range->to_come() <= window_.ask_before_end();
}

void S3Reader::ask_ahead() {
  while (wants_another()) {
    const bool goes_alone = !is_proven_ || window_.ranges() == 1;
    const bool on_demand = goes_alone && budget_.is_alone();
    std::uint64_t length = std::min(window_.range_bytes(on_demand), object_.size - asked_);
    const std::uint64_t memory_wanted =
        on_demand ? std::min<std::uint64_t>(length, RangeRead::kOnDemandBytes) : length;
    const std::uint64_t granted = budget_.take(memory_wanted);
    if (granted == 0) return;
    if (granted != memory_wanted) length = granted;
    Buffer memory = std::move(spare_);
    const bool suits = memory.capacity() >= granted && memory.capacity() / 2 <= granted;
    if (!suits) memory = Buffer(granted);
    ahead_.push_back({.granted = granted,
                      .range = client_.read_ahead(object_, {asked_, asked_ + length},
                                                  std::move(memory), stop_)});
    ahead_.back().range->start();
    asked_ += length;
    window_.asked(on_demand);
  }
}

}  // namespace leat::connector::s3
