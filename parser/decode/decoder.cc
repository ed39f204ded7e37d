#include "parser/decode/decoder.h"

#include <algorithm>
#include <cstring>

#include "parser/decode/restart_state.h"
#include "parser/decode/stream_decoder.h"
#include "parser/decode/text_decoder.h"

namespace leat::parser {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kGzipMagic = "\x1f\x8b"sv;
constexpr std::string_view kZstdMagic = "\x28\xb5\x2f\xfd"sv;
constexpr std::string_view kXzMagic = "\xfd\x37\x7a\x58\x5a\0"sv;
constexpr std::string_view kLz4Magic = "\x04\x22\x4d\x18"sv;
/// After its first byte, 0x50 to 0x5f. Both zstd and lz4 have such frames; pzstd begins with one.
constexpr std::string_view kSkippableMagic = "\x2a\x4d\x18"sv;

/// After "BZh" and a level: a block, or the end of an empty stream.
constexpr std::string_view kBzip2Block = "\x31\x41\x59\x26\x53\x59"sv;
constexpr std::string_view kBzip2End = "\x17\x72\x45\x38\x50\x90"sv;

bool is_bzip2(std::string_view front) noexcept {
  return front.size() >= 10 && front.starts_with("BZh") && front[3] >= '1' && front[3] <= '9' &&
         (front.substr(4).starts_with(kBzip2Block) || front.substr(4).starts_with(kBzip2End));
}

/// `state` may be that of the object's front. Null when it is no place of its encoding.
std::unique_ptr<StreamDecoder> make_decoder(const RestartState& state,
                                            const DecoderLimits& limits) {
  switch (state.encoding) {
    case Encoding::kGzip:
      return make_gzip_decoder(state, limits);
    case Encoding::kZstd:
      return make_zstd_decoder(state, limits);
    case Encoding::kBzip2:
      return make_bzip2_decoder(state, limits);
    case Encoding::kXz:
      return make_xz_decoder(state, limits);
    case Encoding::kLz4:
      return make_lz4_decoder(state, limits);
    case Encoding::kIdentity:
      break;
  }
  return nullptr;
}

}  // namespace

std::string_view encoding_name(Encoding encoding) noexcept {
  switch (encoding) {
    case Encoding::kIdentity:
      return "none";
    case Encoding::kGzip:
      return "gzip";
    case Encoding::kZstd:
      return "zstd";
    case Encoding::kBzip2:
      return "bzip2";
    case Encoding::kXz:
      return "xz";
    case Encoding::kLz4:
      return "lz4";
  }
  return "unknown";
}

Encoding detect_encoding(std::span<const std::byte> front) noexcept {
  const std::string_view text(reinterpret_cast<const char*>(front.data()), front.size());
  if (text.starts_with(kGzipMagic)) return Encoding::kGzip;
  if (text.starts_with(kZstdMagic)) return Encoding::kZstd;
  if (text.starts_with(kXzMagic)) return Encoding::kXz;
  if (text.starts_with(kLz4Magic)) return Encoding::kLz4;
  if (text.size() >= 4 && (text[0] & 0xf0) == 0x50 && text.substr(1).starts_with(kSkippableMagic)) {
    return Encoding::kZstd;
  }
  return is_bzip2(text) ? Encoding::kBzip2 : Encoding::kIdentity;
}

OpenedDecoder open_decoder(Encoding encoding, const DecoderLimits& limits) {
  return {make_decoder({.encoding = encoding}, limits)};
}

Result<OpenedDecoder> resume_decoder(std::string_view state, const DecoderLimits& limits) {
  if (is_text_state(state)) return resume_text_decoder(state, limits);
  Result<RestartState> start = RestartState::decode(state);
  if (!start) return std::move(start).error();
  OpenedDecoder opened{make_decoder(*start, limits), start->encoded_offset, start->decoded_offset};
  if (!opened.decoder) return restart_state_error();
  return opened;
}

}  // namespace leat::parser
