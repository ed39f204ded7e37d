// Compressed bytes to plain ones, as a stream that can be taken up again in the middle.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "leat/result.h"

namespace leat::parser {

enum class Encoding : std::uint8_t { kIdentity, kGzip, kZstd, kBzip2, kXz, kLz4 };

/// "gzip", "zstd", …; "none" for kIdentity.
std::string_view encoding_name(Encoding encoding) noexcept;

/// Bytes of an object's front that detect_encoding wants to see, where the object has as many.
inline constexpr std::size_t kEncodingMagicBytes = 6;

/// The encoding that the object's first bytes say it has. Names are no proof: a .gz file may hold
/// plain text.
Encoding detect_encoding(std::span<const std::byte> front) noexcept;

struct DecoderLimits {
  /// More decoded bytes than this many for each encoded one are taken for a bomb, once more than
  /// `ratio_from_bytes` were decoded.
  std::uint64_t ratio_max = 1'100;
  std::uint64_t ratio_from_bytes = 64ull << 20;
  std::uint64_t memory_bytes_max = 256ull << 20;  ///< For the decoder's window and tables.
};

/// Decodes one object from front to back. Used by one thread at a time.
///
/// Concatenated members (gzip, bzip2, xz, lz4) and frames (zstd) are one stream. Offsets count from
/// the object's front, encoded or decoded.
class Decoder {
 public:
  virtual ~Decoder() = default;

  struct Progress {
    std::size_t consumed = 0;  ///< Of `in`.
    std::size_t produced = 0;  ///< At the front of `out`.
  };
  /// Decodes from the front of `in` into `out`, until one of the two is used up. With `in_ends` the
  /// object ends with `in`. Both zero and `in_ends`: the decoded bytes are over.
  ///   kCorrupt      Not what the encoding allows: broken, cut off, or followed by other bytes. The
  ///                 message names the encoding and the encoded offset. Bytes decoded before the
  ///                 fault have been given out by earlier calls.
  ///   kUnsupported  Valid, but above DecoderLimits: a bomb, or a window that is too large.
  virtual Result<Progress> decode(std::span<const std::byte> in, bool in_ends,
                                  std::span<std::byte> out) = 0;

  /// What a new decoder needs to go on at or before decoded byte `offset`, which is at most the
  /// number of bytes decoded and not below that of an earlier call: the newest restart point that
  /// is not behind it. Empty: there is none but the object's front.
  virtual std::string state_before(std::uint64_t offset) = 0;
};

/// A decoder, and where it begins: what lies between `decoded_offset` and the position wanted is
/// decoded again and dropped.
struct OpenedDecoder {
  std::unique_ptr<Decoder> decoder;  ///< Null for kIdentity.
  std::uint64_t encoded_offset = 0;
  std::uint64_t decoded_offset = 0;
};

/// A decoder from the object's front.
OpenedDecoder open_decoder(Encoding encoding, const DecoderLimits& limits);

/// A decoder from what state_before() gave. A state that an other build made (its library keeps
/// other structures) opens the object's front: slower, but right.
///   kCorrupt  Not what state_before() of this or an earlier version makes.
Result<OpenedDecoder> resume_decoder(std::string_view state, const DecoderLimits& limits);

}  // namespace leat::parser
