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

/// The numbers are persisted: never renumber.
enum class Encoding : std::uint8_t {
  kIdentity = 0,
  kGzip = 1,
  kZstd = 2,
  kBzip2 = 3,
  kXz = 4,
  kLz4 = 5,
};

/// "gzip", "zstd", …; "none" for kIdentity.
std::string_view encoding_name(Encoding encoding) noexcept;

/// Bytes of an object's front that detect_encoding wants to see, where the object has as many.
inline constexpr std::size_t kEncodingMagicBytes = 10;

/// The encoding that the object's first bytes say it has. Names are no proof: a .gz file may hold
/// plain text.
Encoding detect_encoding(std::span<const std::byte> front) noexcept;

struct DecoderLimits {
  /// More decoded bytes than this many for each encoded one are taken for a bomb, once more than
  /// `ratio_from_bytes` were decoded; 0: nothing is. What gzip can reach at most (1,032), so that
  /// no encoding can do more harm than that.
  std::uint64_t ratio_max = 1'100;
  std::uint64_t ratio_from_bytes = 64ull << 20;
  /// For the decoder's window and tables: zstd and xz let the object choose their size. The others
  /// need less than 16 MiB in any case.
  std::uint64_t memory_bytes_max = 256ull << 20;
  /// Decoded bytes from one restart point to the next, where the encoding has any: what a resume
  /// decodes twice at most, against the cost of finding and keeping the point.
  std::uint64_t restart_every_bytes = 32ull << 20;
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
  ///
  /// `out` is not empty. A decoder that has returned an error returns it again.
  ///   kCorrupt      Not what the encoding allows: broken, cut off, or followed by other bytes. The
  ///                 message names the encoding and the encoded offset; at.byte_offset is the
  ///                 decoded one. Bytes decoded before the fault have been given out by earlier
  ///                 calls.
  ///   kUnsupported  Valid, but above DecoderLimits: a bomb, or a window that is too large; or it
  ///                 needs what this build has not (a dictionary, an unknown filter).
  virtual Result<Progress> decode(std::span<const std::byte> in, bool in_ends,
                                  std::span<std::byte> out) = 0;

  /// What a new decoder needs to go on at or before decoded byte `offset`, which is at most the
  /// number of bytes decoded and not below that of an earlier call: the newest restart point that
  /// is not behind it, at worst the place this decoder was opened at. Never empty.
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

/// A decoder from what state_before() gave. docs/format/ledger.md
/// says what the state holds, which no library's structures are part of.
///   kCorrupt  Not what state_before() of this or an earlier version makes.
Result<OpenedDecoder> resume_decoder(std::string_view state, const DecoderLimits& limits);

}  // namespace leat::parser
