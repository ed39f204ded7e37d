#include "parser/decode/restart_state.h"

#include <zstd.h>

#include <memory>

#include "core/wire.h"

namespace leat::parser {
namespace {

constexpr char kVersion = 1;

enum class Place : std::uint8_t { kBetween = 0, kBlockBegin = 1, kInsideBlock = 2 };

constexpr int kWindowLevel = 1;               // The window is small and written often.
constexpr std::size_t kBlockHeaderMax = 512;  // Deflate's longest has fewer than 300.

/// A zstd frame with checksum: a window with a flipped bit would only show at the member's end.
/// Empty when there is no memory for it; then there is no such restart point.
std::string pack_window(std::string_view window) {
  const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(),
                                                                     &ZSTD_freeCCtx);
  if (!context) return {};
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, kWindowLevel);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
  std::string packed(ZSTD_compressBound(window.size()), '\0');
  const std::size_t size =
      ZSTD_compress2(context.get(), packed.data(), packed.size(), window.data(), window.size());
  packed.resize(ZSTD_isError(size) != 0 ? 0 : size);
  return packed;
}

std::optional<std::string> unpack_window(std::string_view packed) {
  std::string window(kDeflateWindowBytes, '\0');
  const std::size_t size =
      ZSTD_decompress(window.data(), window.size(), packed.data(), packed.size());
  if (packed.empty() || ZSTD_isError(size) != 0) return std::nullopt;
  window.resize(size);
  return window;
}

DeflatePlace read_place(core::WireReader& reader, Place place, std::uint64_t decoded_offset) {
  DeflatePlace deflate;
  deflate.member_encoded_offset = reader.varint();
  deflate.member_decoded_offset = reader.varint();
  const std::uint64_t crc = reader.varint();
  deflate.crc = static_cast<std::uint32_t>(crc);
  deflate.bits_used = reader.byte();
  std::optional<std::string> window = unpack_window(reader.bytes());
  if (crc != deflate.crc || deflate.bits_used > 7 || !window ||
      deflate.member_decoded_offset > decoded_offset ||
      window->size() > decoded_offset - deflate.member_decoded_offset) {
    reader.fail();
    return deflate;
  }
  deflate.window = *std::move(window);
  if (place == Place::kInsideBlock) {
    const std::uint8_t final_block = reader.byte();
    deflate.final_block = final_block == 1;
    deflate.block_header = reader.bytes();
    if (final_block > 1 || deflate.block_header.empty() ||
        deflate.block_header.size() > kBlockHeaderMax) {
      reader.fail();
    }
  }
  return deflate;
}

}  // namespace

Error restart_state_error() {
  return {ErrorCode::kCorrupt,
          "the position's decoder state was not made by this or an earlier version; `leat rewind` "
          "the object to read it from its start"};
}

std::string RestartState::encode() const {
  Place place = Place::kBetween;
  if (deflate) place = deflate->block_header.empty() ? Place::kBlockBegin : Place::kInsideBlock;
  std::string out = {kVersion, static_cast<char>(encoding), static_cast<char>(place)};
  core::append_varint(encoded_offset, out);
  core::append_varint(decoded_offset, out);
  if (!deflate) return out;
  core::append_varint(deflate->member_encoded_offset, out);
  core::append_varint(deflate->member_decoded_offset, out);
  core::append_varint(deflate->crc, out);
  out.push_back(static_cast<char>(deflate->bits_used));
  const std::string packed = pack_window(deflate->window);
  if (packed.empty()) return {};
  core::append_bytes(packed, out);
  if (place == Place::kInsideBlock) {
    out.push_back(deflate->final_block ? 1 : 0);
    core::append_bytes(deflate->block_header, out);
  }
  return out;
}

Result<RestartState> RestartState::decode(std::string_view bytes) {
  core::WireReader reader(bytes);
  if (reader.byte() != kVersion) return restart_state_error();
  RestartState state;
  const std::uint8_t encoding = reader.byte();
  const std::uint8_t place = reader.byte();
  state.encoding = static_cast<Encoding>(encoding);
  state.encoded_offset = reader.varint();
  state.decoded_offset = reader.varint();
  if (encoding < static_cast<std::uint8_t>(Encoding::kGzip) ||
      encoding > static_cast<std::uint8_t>(Encoding::kLz4) ||
      place > static_cast<std::uint8_t>(Place::kInsideBlock) ||
      (state.encoded_offset == 0 && (state.decoded_offset != 0 || place != 0))) {
    return restart_state_error();
  }
  if (static_cast<Place>(place) != Place::kBetween) {
    if (state.encoding != Encoding::kGzip) return restart_state_error();
    state.deflate = read_place(reader, static_cast<Place>(place), state.decoded_offset);
    if (state.deflate->member_encoded_offset >= state.encoded_offset) return restart_state_error();
  }
  if (!reader.complete()) return restart_state_error();
  return state;
}

}  // namespace leat::parser
