#include "connector/split_reader.h"

#include <algorithm>
#include <utility>

namespace leat::connector {

SplitReader::SplitReader(const ObjectStore& store, const Clock& clock, ObjectVersion object,
                         std::uint64_t offset, SplitReaderOptions options, std::stop_token stop)
    : store_(store),
      clock_(clock),
      object_(std::move(object)),
      options_(std::move(options)),
      stop_(std::move(stop)),
      offset_(offset) {}

Result<std::size_t> SplitReader::read(std::span<std::byte> out) {
  std::size_t filled = 0;
  while (filled < out.size()) {
    Result<std::size_t> bytes = read_some(out.subspan(filled));
    if (!bytes) return bytes;
    if (Result<void> fits = check_length(*bytes); !fits) return std::move(fits).error();
    if (*bytes == 0) break;
    filled += *bytes;
    offset_ += *bytes;
  }
  return filled;
}

/// A store that takes a lost connection for the end would lose rows.
Result<void> SplitReader::check_length(std::size_t bytes) const {
  if (bytes == 0 ? offset_ == object_.size : bytes <= object_.size - offset_) return {};
  return Error{.code = ErrorCode::kIo,
               .message = "the object ends " + std::string(bytes == 0 ? "at" : "behind") +
                          " byte " + std::to_string(bytes == 0 ? offset_ : object_.size) +
                          " although its size is listed as " + std::to_string(object_.size) +
                          ": its store does not read what it lists"};
}

std::shared_ptr<const ObjectReader> SplitReader::anywhere() const {
  if (reader_ == nullptr || !reader_->reads_anywhere() || stop_.stop_requested()) return nullptr;
  return reader_;
}

void SplitReader::seek(std::uint64_t offset) {
  if (offset == offset_) return;
  offset_ = offset;
  if (reader_ != nullptr && !reader_->reads_anywhere()) reader_.reset();
}

Result<std::size_t> SplitReader::read_some(std::span<std::byte> out) {
  while (true) {
    if (stop_.stop_requested()) return Error{ErrorCode::kCancelled, "reading was stopped"};
    Result<std::size_t> bytes = std::size_t{0};
    if (reader_ == nullptr) {
      Result<std::unique_ptr<ObjectReader>> opened = store_.open(object_, offset_);
      if (opened) {
        reader_ = std::move(*opened);
      } else {
        bytes = std::move(opened).error();
      }
    }
    if (reader_ != nullptr) {
      bytes = reader_->reads_anywhere() ? reader_->read_at(offset_, out) : reader_->read(out);
    }
    if (bytes) {
      failures_ = 0;
      return bytes;
    }
    reader_.reset();
    ++failures_;
    if (!bytes.error().retryable || failures_ >= options_.attempts_max) return bytes;
    if (options_.on_retry) options_.on_retry(bytes.error());
    const auto doubled = options_.first_pause * (1u << std::min(failures_ - 1, 16u));
    if (!clock_.wait(std::min(doubled, options_.longest_pause), stop_)) {
      return Error{ErrorCode::kCancelled, "reading was stopped"};
    }
  }
}

}  // namespace leat::connector
