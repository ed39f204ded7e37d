// Drives a decoder over an encoded object, cut into pieces, with outputs of any size.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "leat/result.h"
#include "parser/decode/decoder.h"

namespace leat::parser {

struct Decoded {
  std::string bytes;
  std::optional<Error> error;
};

/// Sizes of the next input piece and the next output: at least 1.
struct Cuts {
  std::function<std::size_t()> in = [] { return std::size_t{1} << 40; };
  std::function<std::size_t()> out = [] { return std::size_t{64} << 10; };
};

inline Cuts fixed_cuts(std::size_t in, std::size_t out) {
  return {[in] { return in; }, [out] { return out; }};
}

/// Until the end, an error, or more than `bytes_max` bytes. `after_call` is told how many bytes
/// there are so far.
inline Decoded run_decoder(Decoder& decoder, std::string_view encoded, const Cuts& cuts = {},
                           std::size_t bytes_max = std::size_t{1} << 40,
                           const std::function<void(std::size_t)>& after_call = {}) {
  Decoded decoded;
  std::string out;
  std::string_view piece;
  while (decoded.bytes.size() <= bytes_max) {
    if (piece.empty()) {
      piece = encoded.substr(0, cuts.in());
      encoded.remove_prefix(piece.size());
    }
    out.resize(cuts.out());
    const auto progress = decoder.decode(std::as_bytes(std::span(piece)), encoded.empty(),
                                         std::as_writable_bytes(std::span(out)));
    if (!progress) {
      decoded.error = progress.error();
      break;
    }
    piece.remove_prefix(progress->consumed);
    decoded.bytes.append(out, 0, progress->produced);
    if (after_call) after_call(decoded.bytes.size());
    if (progress->consumed == 0 && progress->produced == 0 && encoded.empty()) break;
  }
  return decoded;
}

inline Decoded decode(Encoding encoding, std::string_view encoded, const Cuts& cuts = {},
                      const DecoderLimits& limits = {}) {
  return run_decoder(*open_decoder(encoding, limits).decoder, encoded, cuts);
}

}  // namespace leat::parser
