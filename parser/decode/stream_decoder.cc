#include "parser/decode/stream_decoder.h"

#include <utility>

namespace leat::parser {
namespace {

/// More than these are thinned out. A reader that asks for states needs one or two.
constexpr std::size_t kPointsMax = 64;

std::string_view unit_name(Encoding encoding) noexcept {
  switch (encoding) {
    case Encoding::kGzip:
      return "member";
    case Encoding::kZstd:
    case Encoding::kLz4:
      return "frame";
    default:
      return "stream";
  }
}

}  // namespace

StreamDecoder::StreamDecoder(const RestartState& state, const DecoderLimits& limits)
    : encoding_(state.encoding),
      limits_(limits),
      encoded_offset_(state.encoded_offset),
      decoded_offset_(state.decoded_offset),
      unit_offset_(state.deflate ? state.deflate->member_encoded_offset : state.encoded_offset),
      between_(state.encoded_offset > 0 && !state.deflate),
      restart_every_bytes_(limits.restart_every_bytes),
      last_point_(state.decoded_offset) {
  points_.push_back({state.decoded_offset, state.encode()});
}

Result<Decoder::Progress> StreamDecoder::decode(std::span<const std::byte> in, bool in_ends,
                                                std::span<std::byte> out) {
  Progress progress;
  while (!fault_ && progress.produced < out.size() && (progress.consumed < in.size() || filled_)) {
    const auto rest = filled_ ? std::span<const std::byte>{} : in.subspan(progress.consumed);
    const auto room = out.subspan(progress.produced);
    Step step = advance(rest, room);
    progress.consumed += step.consumed;
    progress.produced += step.produced;
    encoded_offset_ += step.consumed;
    decoded_offset_ += step.produced;
    filled_ = step.produced == room.size();
    if (!step.fault) step.fault = bomb();
    if (step.unit_ended) {
      between_ = true;
      unit_offset_ = encoded_offset_;
      if (restart_point_is_due()) {
        add_restart_point({encoding_, encoded_offset_, decoded_offset_, std::nullopt});
      }
    } else if (step.consumed > 0) {
      between_ = false;
    } else if (step.produced == 0 && !rest.empty() && !step.fault) {
      step.fault = Fault{ErrorCode::kInternal, "the decoder is stuck; please report this"};
    }
    if (step.fault) fault_ = error(*step.fault);
  }
  if (!fault_ && in_ends && progress.consumed == in.size() && !filled_ && !between_) {
    fault_ = error(
        {ErrorCode::kCorrupt, "the object is cut off inside the " + unit() + "; upload it again"});
  }
  if (fault_ && progress.produced == 0) return *fault_;
  return progress;
}

std::string StreamDecoder::state_before(std::uint64_t offset) {
  while (points_.size() > 1 && points_[1].decoded_offset <= offset) points_.pop_front();
  restart_every_bytes_ = limits_.restart_every_bytes;
  return points_.front().state;
}

bool StreamDecoder::restart_point_is_due() const noexcept {
  return decoded_offset_ - last_point_ >= restart_every_bytes_;
}

void StreamDecoder::add_restart_point(const RestartState& state) {
  last_point_ = state.decoded_offset;
  if (points_.size() >= kPointsMax) {
    std::deque<RestartPoint> thinner;
    for (std::size_t i = 0; i < points_.size(); i += 2) thinner.push_back(std::move(points_[i]));
    points_ = std::move(thinner);
    restart_every_bytes_ *= 2;
  }
  std::string encoded = state.encode();
  if (!encoded.empty()) points_.push_back({state.decoded_offset, std::move(encoded)});
}

std::string StreamDecoder::unit() const {
  return std::string(unit_name(encoding_)) + " that begins at encoded byte " +
         std::to_string(unit_offset_);
}

StreamDecoder::Fault StreamDecoder::corrupt(std::string_view what) const {
  return {ErrorCode::kCorrupt,
          "the " + unit() + " is broken: " + std::string(what) + "; upload the object again"};
}

StreamDecoder::Fault StreamDecoder::not_a_unit() const {
  const std::string name(encoding_name(encoding_));
  return {ErrorCode::kCorrupt, unit_offset_ == 0
                                   ? "the object does not begin as " + name + " does"
                                   : "from encoded byte " + std::to_string(unit_offset_) +
                                         " on come bytes that are not " + name +
                                         "; upload the object without them"};
}

StreamDecoder::Fault StreamDecoder::out_of_memory() {
  return {ErrorCode::kUnsupported, "there is not enough memory to decode it"};
}

std::optional<StreamDecoder::Fault> StreamDecoder::bomb() const {
  if (limits_.ratio_max == 0 || decoded_offset_ <= limits_.ratio_from_bytes ||
      decoded_offset_ / limits_.ratio_max <= encoded_offset_) {
    return std::nullopt;
  }
  return Fault{ErrorCode::kUnsupported,
               "it decodes to more than " + std::to_string(limits_.ratio_max) +
                   " times its size; raise --max-decode-ratio if that is meant to be"};
}

Error StreamDecoder::error(const Fault& fault) const {
  return {fault.code,
          std::string(encoding_name(encoding_)) + ", near encoded byte " +
              std::to_string(encoded_offset_) + ": " + fault.what,
          {.byte_offset = decoded_offset_}};
}

}  // namespace leat::parser
