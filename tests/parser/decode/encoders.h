// Encoded test data, made by the libraries themselves, and by hand what they do not make.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace leat::parser {

/// CSV-like text of exactly so many bytes, the same for the same seed.
std::string csv_text(std::size_t bytes, std::uint32_t seed = 1);
/// Bytes that do not get smaller.
std::string random_bytes(std::size_t bytes, std::uint32_t seed);

struct GzipOptions {
  int level = 1;  ///< ISA-L's: 0 makes one block of everything, 1 to 3 blocks of their own.
  bool fixed_code = false;  ///< Level 0 with deflate's fixed code.
  /// A byte-aligned block boundary after so many bytes; 0: none.
  std::size_t flush_every_bytes = 0;
};
/// One member.
std::string gzip(std::string_view text, const GzipOptions& options = {});
/// A member's ten bytes of header, its deflate stream, and the trailer that belongs to `text`.
std::string gzip_member(std::string_view deflate_stream, std::string_view text);
/// A deflate stream of stored blocks of at most `block_bytes`.
std::string deflate_stored(std::string_view text, std::size_t block_bytes);
std::uint32_t crc32(std::string_view bytes);
std::string little_endian_32(std::uint32_t value);

/// One frame with checksum, one stream, …
std::string zstd(std::string_view text, int level = 3);
std::string bzip2(std::string_view text, int level = 9);
std::string xz(std::string_view text, std::uint32_t preset = 0);
std::string lz4(std::string_view text, bool linked_blocks = true);
/// zstd and lz4 skip it.
std::string skippable_frame(std::string_view content);

}  // namespace leat::parser
