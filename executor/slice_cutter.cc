#include "executor/slice_cutter.h"

#include <cstring>
#include <string_view>
#include <utility>

namespace leat::executor {

Result<std::size_t> SliceCutter::read(DecodedReader& reader, std::size_t bytes_max) {
  carried_ = buffer_.size();
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

void SliceCutter::drop(std::size_t bytes) {
  carried_ = buffer_.size() - bytes;
  if (carried_ != 0) std::memmove(buffer_.data(), buffer_.data() + bytes, carried_);
  buffer_.resize(carried_);
  offset_ += bytes;
}

void SliceCutter::put_back(std::uint64_t offset,
                           const std::vector<std::span<const std::byte>>& pieces) {
  if (guess_ == RecordEndGuess::kNearby) {
    guess_ = RecordEndGuess::kEvenQuotes;
  } else {
    guess_.reset();
  }
  Buffer uncut;
  for (const std::span<const std::byte> piece : pieces) uncut.append(piece.data(), piece.size());
  uncut.append(buffer_.data(), buffer_.size());
  buffer_ = std::move(uncut);
  carried_ = buffer_.size();
  offset_ = offset;
}

}  // namespace leat::executor
