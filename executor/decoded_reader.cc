#include "executor/decoded_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "parser/decode/text_decoder.h"

namespace leat::executor {
namespace {

/// Encoded bytes read at a time.
constexpr std::size_t kEncodedBytes = 256u << 10;

}  // namespace

DecodedReader::DecodedReader(const ObjectStore& store, const Clock& clock,
                             const ObjectVersion& object, const Position& from,
                             std::optional<std::uint64_t> end,
                             connector::SplitReaderOptions options, std::string encoding,
                             const parser::DecoderLimits& limits, std::stop_token stop)
    : store_(store),
      clock_(clock),
      object_(object),
      options_(std::move(options)),
      encoding_(std::move(encoding)),
      limits_(limits),
      stop_(std::move(stop)),
      state_(from.decoder_state),
      offset_(from.offset),
      end_(end) {}

/// At its front an object's first bytes say how it is encoded; behind it the position does.
Result<void> DecodedReader::open() {
  parser::OpenedDecoder opened{nullptr, offset_, offset_};
  if (!state_.empty()) {
    Result<parser::OpenedDecoder> resumed = parser::resume_decoder(state_, limits_);
    if (!resumed) return std::move(resumed).error();
    opened = std::move(*resumed);
  }
  reader_.emplace(store_, clock_, object_, opened.encoded_offset, options_, stop_);
  if (offset_ == 0) return open_front();
  decoder_ = std::move(opened.decoder);
  // From the restart point to the position: decoded once more and dropped.
  Buffer dropped;
  for (std::uint64_t left = offset_ - opened.decoded_offset; left != 0;) {
    dropped.resize(static_cast<std::size_t>(std::min<std::uint64_t>(left, kEncodedBytes)));
    Result<std::size_t> bytes = decode({dropped.data(), dropped.size()});
    if (!bytes) return std::move(bytes).error();
    if (*bytes == 0) {
      return Error{ErrorCode::kCorrupt, "the object ends before the position to go on from"};
    }
    left -= *bytes;
  }
  return {};
}

/// What compresses the object its first bytes say, and what its text is encoded in the first ones
/// that come out.
Result<void> DecodedReader::open_front() {
  if (Result<void> filled = refill(); !filled) return filled;
  decoder_ =
      parser::open_decoder(parser::detect_encoding({encoded_.data(), encoded_.size()}), limits_)
          .decoder;
  const auto* const plain = reinterpret_cast<const char*>(encoded_.data());
  std::string_view front(plain, std::min(encoded_.size(), parser::kByteOrderMarkBytes));
  if (decoder_ != nullptr) {
    while (front_.size() < parser::kByteOrderMarkBytes) {
      std::byte byte{};
      Result<std::size_t> bytes = decode({&byte, 1});
      if (!bytes) {
        failure_ = std::move(bytes).error();
        break;
      }
      if (failure_ || *bytes == 0) break;
      front_ += static_cast<char>(byte);
    }
    front = front_;
  }
  std::string text = parser::choose_text_encoding(encoding_, front);
  if (text.empty()) return {};
  transcoded_ = true;
  // A failure so far comes again, behind what is decoded in front of it.
  failure_.reset();
  decoder_ = parser::make_text_decoder(std::move(text), std::move(decoder_), std::move(front_));
  front_.clear();
  return {};
}

Result<std::size_t> DecodedReader::read(std::span<std::byte> out) {
  if (!reader_) {
    if (Result<void> opened = open(); !opened) failure_ = std::move(opened).error();
  }
  // One byte more is read at the end, and not given out: reading it shows whether this is still the
  // version that was begun.
  std::byte beyond{};
  const bool at_end = end_ && offset_ >= *end_;
  if (at_end) {
    out = {&beyond, 1};
  } else if (end_) {
    out = out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), *end_ - offset_)));
  }
  std::size_t filled = std::min(out.size(), front_.size());
  std::memcpy(out.data(), front_.data(), filled);
  front_.erase(0, filled);
  while (filled < out.size() && !failure_) {
    Result<std::size_t> bytes =
        decoder_ == nullptr ? copy(out.subspan(filled)) : decode(out.subspan(filled));
    if (!bytes) {
      failure_ = std::move(bytes).error();
      break;
    }
    if (*bytes == 0) break;
    filled += *bytes;
  }
  if (filled == 0 && failure_) return *failure_;
  if (at_end) return std::size_t{0};
  offset_ += filled;
  return filled;
}

std::shared_ptr<const ObjectReader> DecodedReader::anywhere() const {
  if (!reader_ || decoder_ != nullptr || end_ || failure_) return nullptr;
  return reader_->anywhere();
}

void DecodedReader::seek(std::uint64_t offset) {
  if (offset == offset_) return;
  encoded_used_ = encoded_.size();  // They were read to judge the encoding by.
  failure_.reset();                 // It comes again.
  offset_ = offset;
  reader_->seek(offset);
}

/// Plain bytes: first those that were read to judge the encoding by.
Result<std::size_t> DecodedReader::copy(std::span<std::byte> out) {
  const std::size_t judged = std::min(out.size(), encoded_.size() - encoded_used_);
  if (judged == 0) return reader_->read(out);
  std::memcpy(out.data(), encoded_.data() + encoded_used_, judged);
  encoded_used_ += judged;
  return judged;
}

/// @return  0: the decoded bytes are over.
Result<std::size_t> DecodedReader::decode(std::span<std::byte> out) {
  while (true) {
    if (encoded_used_ == encoded_.size() && !encoded_ends_) {
      if (Result<void> filled = refill(); !filled) return std::move(filled).error();
    }
    Result<parser::Decoder::Progress> progress = decoder_->decode(
        {encoded_.data() + encoded_used_, encoded_.size() - encoded_used_}, encoded_ends_, out);
    if (!progress) {
      Error error = std::move(progress).error();
      error.code = ErrorCode::kBadEncoding;
      error.at.byte_offset = offset_;
      return error;
    }
    encoded_used_ += progress->consumed;
    if (progress->produced != 0) return progress->produced;
    if (encoded_ends_ && progress->consumed == 0) return std::size_t{0};
  }
}

Result<void> DecodedReader::refill() {
  encoded_.resize(kEncodedBytes);
  encoded_used_ = 0;
  Result<std::size_t> bytes = reader_->read({encoded_.data(), encoded_.size()});
  if (!bytes) {
    encoded_.resize(0);
    return std::move(bytes).error();
  }
  encoded_ends_ = *bytes < encoded_.size();
  encoded_.resize(*bytes);
  return {};
}

std::string DecodedReader::state_before(std::uint64_t offset) {
  return decoder_ == nullptr ? std::string() : decoder_->state_before(offset);
}

}  // namespace leat::executor
