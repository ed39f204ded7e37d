#include "tests/parser/decode/encoders.h"

#include <bzlib.h>
#include <gtest/gtest.h>
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <lz4frame.h>
#include <lzma.h>
#include <zstd.h>

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

namespace leat::parser {
namespace {

std::uint8_t* bytes_of(std::string_view text) {
  return const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(text.data()));
}

}  // namespace

std::string csv_text(std::size_t bytes, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::string text;
  text.reserve(bytes + 128);
  for (std::uint32_t row = 0; text.size() < bytes; ++row) {
    text += std::to_string(row) + ",\"name " + std::to_string(random() % 997) + "\"," +
            std::to_string(random() % 100000) + ".25,2026-11-" + std::to_string(10 + row % 20) +
            ",note " + std::to_string(random()) + "\n";
  }
  text.resize(bytes);
  return text;
}

std::string random_bytes(std::size_t bytes, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::string out(bytes, '\0');
  for (char& c : out) c = static_cast<char>(random());
  return out;
}

std::string gzip(std::string_view text, const GzipOptions& options) {
  auto stream = std::make_unique<isal_zstream>();
  isal_deflate_init(stream.get());
  std::vector<std::uint8_t> level_buffer(ISAL_DEF_LVL3_LARGE);
  stream->gzip_flag = IGZIP_GZIP;
  stream->level = static_cast<std::uint32_t>(options.fixed_code ? 0 : options.level);
  stream->level_buf = level_buffer.data();
  stream->level_buf_size = static_cast<std::uint32_t>(level_buffer.size());
  if (options.fixed_code) {
    EXPECT_EQ(isal_deflate_set_hufftables(stream.get(), nullptr, IGZIP_HUFFTABLE_STATIC), COMP_OK);
  }
  std::string out;
  std::vector<std::uint8_t> buffer(64u << 10);
  std::size_t at = 0;
  do {
    const std::size_t size = options.flush_every_bytes == 0
                                 ? text.size()
                                 : std::min(options.flush_every_bytes, text.size() - at);
    stream->next_in = bytes_of(text.substr(at));
    stream->avail_in = static_cast<std::uint32_t>(size);
    at += size;
    stream->end_of_stream = at == text.size() ? 1 : 0;
    stream->flush = options.flush_every_bytes == 0 ? NO_FLUSH : SYNC_FLUSH;
    do {
      stream->next_out = buffer.data();
      stream->avail_out = static_cast<std::uint32_t>(buffer.size());
      EXPECT_EQ(isal_deflate(stream.get()), COMP_OK);
      out.append(reinterpret_cast<const char*>(buffer.data()), buffer.size() - stream->avail_out);
    } while (stream->avail_out == 0);
  } while (at < text.size());
  EXPECT_EQ(stream->internal_state.state, ZSTATE_END);
  return out;
}

std::uint32_t crc32(std::string_view bytes) {
  return crc32_gzip_refl(0, bytes_of(bytes), bytes.size());
}

std::string little_endian_32(std::uint32_t value) {
  std::string out;
  for (int i = 0; i < 4; ++i, value >>= 8) out.push_back(static_cast<char>(value));
  return out;
}

std::string gzip_member(std::string_view deflate_stream, std::string_view text) {
  std::string out("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
  out += deflate_stream;
  out += little_endian_32(crc32(text));
  return out + little_endian_32(static_cast<std::uint32_t>(text.size()));
}

std::string deflate_stored(std::string_view text, std::size_t block_bytes) {
  std::string out;
  do {
    const std::string_view block = text.substr(0, block_bytes);
    text.remove_prefix(block.size());
    const auto size = static_cast<std::uint32_t>(block.size());
    out.push_back(text.empty() ? 1 : 0);
    out += little_endian_32(size | (~size << 16));
    out += block;
  } while (!text.empty());
  return out;
}

std::string zstd(std::string_view text, int level) {
  const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(),
                                                                     &ZSTD_freeCCtx);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, level);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
  std::string out(ZSTD_compressBound(text.size()), '\0');
  const std::size_t size =
      ZSTD_compress2(context.get(), out.data(), out.size(), text.data(), text.size());
  EXPECT_EQ(ZSTD_isError(size), 0u);
  out.resize(size);
  return out;
}

std::string bzip2(std::string_view text, int level) {
  std::string out(text.size() + text.size() / 50 + 1000, '\0');
  auto size = static_cast<unsigned>(out.size());
  EXPECT_EQ(BZ2_bzBuffToBuffCompress(out.data(), &size, reinterpret_cast<char*>(bytes_of(text)),
                                     static_cast<unsigned>(text.size()), level, 0, 0),
            BZ_OK);
  out.resize(size);
  return out;
}

std::string xz(std::string_view text, std::uint32_t preset) {
  std::string out(lzma_stream_buffer_bound(text.size()), '\0');
  std::size_t size = 0;
  EXPECT_EQ(lzma_easy_buffer_encode(preset, LZMA_CHECK_CRC64, nullptr, bytes_of(text), text.size(),
                                    bytes_of(out), &size, out.size()),
            LZMA_OK);
  out.resize(size);
  return out;
}

std::string lz4(std::string_view text, bool linked_blocks) {
  LZ4F_preferences_t preferences = LZ4F_INIT_PREFERENCES;
  preferences.frameInfo.blockSizeID = LZ4F_max64KB;
  preferences.frameInfo.blockMode = linked_blocks ? LZ4F_blockLinked : LZ4F_blockIndependent;
  preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
  preferences.frameInfo.blockChecksumFlag =
      linked_blocks ? LZ4F_noBlockChecksum : LZ4F_blockChecksumEnabled;
  std::string out(LZ4F_compressFrameBound(text.size(), &preferences), '\0');
  const std::size_t size =
      LZ4F_compressFrame(out.data(), out.size(), text.data(), text.size(), &preferences);
  EXPECT_EQ(LZ4F_isError(size), 0u);
  out.resize(size);
  return out;
}

std::string skippable_frame(std::string_view content) {
  return "\x53\x2a\x4d\x18" + little_endian_32(static_cast<std::uint32_t>(content.size())) +
         std::string(content);
}

}  // namespace leat::parser
