// Every decoder: cuts do not matter, a limit holds, and from each restart point comes the same
// rest.
#include <algorithm>
#include <string>

#include "parser/decode/decoder.h"
#include "tests/fuzz/choices.h"
#include "tests/fuzz/targets.h"
#include "tests/parser/decode/decode_run.h"

namespace leat::fuzz {
namespace {

constexpr std::size_t kBytesMax = 1u << 20;

parser::DecoderLimits small_limits() {
  parser::DecoderLimits limits;
  limits.ratio_from_bytes = 64u << 10;
  limits.ratio_max = 300;
  limits.memory_bytes_max = 16u << 20;
  limits.restart_every_bytes = 100;
  return limits;
}

/// Broken data may be given out up to another byte when they come in other pieces.
void require_same(const parser::Decoded& found, const parser::Decoded& whole,
                  std::string_view promise, std::string_view input) {
  const bool same_end = found.error.has_value() == whole.error.has_value();
  const std::size_t common = std::min(found.bytes.size(), whole.bytes.size());
  require(same_end && (whole.error || found.bytes.size() == whole.bytes.size()) &&
              found.bytes.compare(0, common, whole.bytes, 0, common) == 0,
          promise, input);
}

}  // namespace

void decoders(std::string_view input) {
  Choices choices(input);
  const std::size_t in_bytes = 1 + choices.byte();
  const std::size_t out_bytes = 1 + choices.byte() * 7u;
  const std::size_t wanted = std::size_t{choices.byte()} << 4;
  const std::string_view encoded = choices.rest();
  const parser::Encoding encoding = parser::detect_encoding(std::as_bytes(std::span(encoded)));
  if (encoding == parser::Encoding::kIdentity) return;
  const parser::DecoderLimits limits = small_limits();
  const auto open = [&] { return parser::open_decoder(encoding, limits).decoder; };

  const parser::Decoded whole = parser::run_decoder(*open(), encoded, {}, kBytesMax);
  if (whole.bytes.size() > kBytesMax) return;  // Cuts stop elsewhere.
  require(whole.bytes.size() <= limits.ratio_from_bytes + (64u << 10) ||
              whole.bytes.size() / limits.ratio_max <= encoded.size() + (64u << 10),
          "a bomb ends", encoded);
  // A state for the place wanted, taken from the decoder that is fed in pieces.
  const auto pieces = open();
  std::string state;
  std::size_t asked = 0;
  const parser::Decoded cut = parser::run_decoder(
      *pieces, encoded, parser::fixed_cuts(in_bytes, out_bytes), kBytesMax, [&](std::size_t bytes) {
        if (bytes <= wanted || state.empty()) {
          asked = std::min(bytes, wanted);
          state = pieces->state_before(asked);
        }
      });
  require_same(cut, whole, "cuts do not matter", encoded);
  if (state.empty()) return;
  Result<parser::OpenedDecoder> resumed = parser::resume_decoder(state, limits);
  require(resumed.has_value() && resumed->decoded_offset <= asked &&
              resumed->encoded_offset <= encoded.size(),
          "a decoder takes up its own state", encoded);
  if (cut.error) return;
  const parser::Decoded rest =
      parser::run_decoder(*resumed->decoder, encoded.substr(resumed->encoded_offset));
  require(!rest.error && rest.bytes == whole.bytes.substr(resumed->decoded_offset),
          "a restart point gives the same rest", encoded);
  // Any bytes are a state or are refused.
  if (Result<parser::OpenedDecoder> any = parser::resume_decoder(encoded, limits)) {
    static_cast<void>(parser::run_decoder(*any->decoder, encoded, {}, kBytesMax));
  }
}

}  // namespace leat::fuzz
