// Where a decoder can begin again: what Position::decoder_state holds, in plain form.
//
// docs/format/ledger.md is the specification of the encoded form.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "leat/result.h"
#include "parser/decode/decoder.h"

namespace leat::parser {

/// How far back deflate's matches reach.
inline constexpr std::size_t kDeflateWindowBytes = 32u << 10;

/// A place inside a gzip member: at the beginning of a deflate block, or inside of one.
struct DeflatePlace {
  std::uint64_t member_encoded_offset = 0;  ///< Of the member's first byte.
  std::uint64_t member_decoded_offset = 0;
  std::uint32_t crc = 0;       ///< CRC-32 of what the member decoded to so far.
  std::uint8_t bits_used = 0;  ///< Of the byte at encoded_offset, lowest first: 0 to 7.
  bool final_block = false;    ///< Inside a block: no other follows.
  /// Inside a block: a header that gives the same code, from its first bit, with BFINAL clear and
  /// whatever follows it in its last byte. Empty: at a block's beginning.
  std::string block_header = {};
  std::string window = {};  ///< The last decoded bytes, at most kDeflateWindowBytes.
};

struct RestartState {
  Encoding encoding = Encoding::kIdentity;
  std::uint64_t encoded_offset = 0;
  std::uint64_t decoded_offset = 0;
  /// Absent: between two members, frames or streams, or at the object's front, where nothing else
  /// is needed.
  std::optional<DeflatePlace> deflate = {};

  std::string encode() const;
  ///   kCorrupt  Not what encode() of this or an earlier version makes.
  static Result<RestartState> decode(std::string_view bytes);
};

/// kCorrupt: not a state that a decoder made.
Error restart_state_error();

}  // namespace leat::parser
