#include "executor/slice_cutter.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

namespace leat::executor {
namespace {

/// How much is looked at, at most, to guess where a record ends in bytes that are still to be read.
constexpr std::size_t kEndBytesMax = 32u << 10;

}  // namespace

Result<std::size_t> SliceCutter::read(DecodedReader& reader, std::size_t bytes_max) {
  carried_ = buffer_.size();
  reader.seek(offset_ + carried_);
  buffer_.resize(carried_ + bytes_max);
  Result<std::size_t> bytes = reader.read({buffer_.data() + carried_, bytes_max});
  buffer_.resize(carried_ + (bytes ? *bytes : 0));
  return bytes;
}

ByteChunk SliceCutter::chunk(std::size_t from) const noexcept {
  return {offset_ + from, {buffer_.data() + from, buffer_.size() - from}};
}

std::optional<SliceCutter::Cut> SliceCutter::cut(const ByteStreamParser& parser,
                                                 std::size_t bytes_max) {
  const std::string_view front =
      std::string_view(reinterpret_cast<const char*>(buffer_.data()), buffer_.size())
          .substr(0, bytes_max);
  const std::size_t whole =
      guess_ ? parser.likely_whole_records(front, *guess_) : parser.whole_records(front);
  if (whole == 0) return std::nullopt;
  const std::size_t rest = buffer_.size() - whole;
  std::optional<Cut> result(Cut{.offset = offset_, .bytes = {}});
  // The smaller part is copied.
  if (rest <= whole) {
    Buffer other;
    other.append(buffer_.data() + whole, rest);
    buffer_.resize(whole);
    result->bytes = std::exchange(buffer_, std::move(other));
  } else {
    result->bytes.append(buffer_.data(), whole);
    std::memmove(buffer_.data(), buffer_.data() + whole, rest);
    buffer_.resize(rest);
  }
  offset_ += whole;
  carried_ = rest;
  return result;
}

std::optional<SliceCutter::UnreadCut> SliceCutter::cut_unread(const DecodedReader& reader,
                                                              const ByteStreamParser& parser,
                                                              std::size_t bytes_max,
                                                              std::uint64_t size) {
  // The read that reaches the end verifies that the object is still the same.
  if (guess_ != RecordEndGuess::kNearby || offset_ + bytes_max >= size) return std::nullopt;
  std::shared_ptr<const ObjectReader> source = reader.anywhere();
  if (source == nullptr) return std::nullopt;
  end_bytes_.resize(std::min(bytes_max / 2, kEndBytesMax));
  const std::uint64_t end_offset = offset_ + bytes_max - end_bytes_.size();
  const Result<std::size_t> bytes =
      source->read_at(end_offset, {end_bytes_.data(), end_bytes_.size()});
  if (!bytes || *bytes != end_bytes_.size()) return std::nullopt;
  const std::size_t whole = parser.likely_whole_records(
      {reinterpret_cast<const char*>(end_bytes_.data()), end_bytes_.size()}, *guess_);
  if (whole == 0) return std::nullopt;
  UnreadCut cut{.offset = offset_,
                .bytes = static_cast<std::size_t>(end_offset + whole - offset_),
                .source = std::move(source)};
  offset_ += cut.bytes;
  carried_ = 0;
  buffer_.clear();
  return cut;
}

void SliceCutter::drop(std::size_t bytes) {
  carried_ = buffer_.size() - bytes;
  if (carried_ != 0) std::memmove(buffer_.data(), buffer_.data() + bytes, carried_);
  buffer_.resize(carried_);
  offset_ += bytes;
}

void SliceCutter::put_back(std::uint64_t offset,
                           const std::vector<std::span<const std::byte>>& pieces) {
  Buffer uncut;
  for (const std::span<const std::byte> piece : pieces) uncut.append(piece.data(), piece.size());
  uncut.append(buffer_.data(), buffer_.size());
  buffer_ = std::move(uncut);
  carried_ = buffer_.size();
  offset_ = offset;
}

void SliceCutter::go_back(std::uint64_t offset) {
  buffer_.clear();
  carried_ = 0;
  offset_ = offset;
}

void SliceCutter::note_wrong_guess() {
  if (guess_ == RecordEndGuess::kNearby) {
    guess_ = RecordEndGuess::kEvenQuotes;
  } else {
    guess_.reset();
  }
}

}  // namespace leat::executor
