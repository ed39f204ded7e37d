#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <memory>

#include "parser/decode/stream_decoder.h"

namespace leat::parser {
namespace {

constexpr std::size_t kBlockHeaderBytes = 3;
constexpr std::size_t kFrameBeginBytes = 5;  // What the library wants to see first.
/// The library's own buffers beside the window.
constexpr std::uint64_t kOtherMemoryBytes = 1u << 20;

int window_log_max(const DecoderLimits& limits) {
  const ZSTD_bounds bounds = ZSTD_dParam_getBounds(ZSTD_d_windowLogMax);
  int log = bounds.lowerBound;
  while (log < bounds.upperBound &&
         (std::uint64_t{2} << log) + kOtherMemoryBytes <= limits.memory_bytes_max) {
    ++log;
  }
  return log;
}

class ZstdDecoder final : public StreamDecoder {
 public:
  ZstdDecoder(const RestartState& start, const DecoderLimits& limits)
      : StreamDecoder(start, limits),
        context_(ZSTD_createDCtx(), &ZSTD_freeDCtx),
        window_log_max_(window_log_max(limits)) {
    if (context_) ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, window_log_max_);
  }

 private:
  Step advance(std::span<const std::byte> in, std::span<std::byte> out) override {
    if (!context_) return {.fault = out_of_memory()};
    // One block at a time: a call that fails does not say what it decoded before that. The library
    // asks for a block together with the next one's header.
    const std::size_t wanted =
        wanted_bytes_ > kBlockHeaderBytes ? wanted_bytes_ - kBlockHeaderBytes : wanted_bytes_;
    ZSTD_inBuffer input{in.data(), std::min(in.size(), wanted), 0};
    ZSTD_outBuffer output{out.data(), out.size(), 0};
    const std::size_t result = ZSTD_decompressStream(context_.get(), &output, &input);
    if (ZSTD_isError(result) != 0) return {.fault = fault(ZSTD_getErrorCode(result))};
    wanted_bytes_ = result > 0 ? result : kFrameBeginBytes;
    return {.consumed = input.pos, .produced = output.pos, .unit_ended = result == 0};
  }

  Fault fault(ZSTD_ErrorCode code) const {
    switch (code) {
      case ZSTD_error_prefix_unknown:
        return not_a_unit();
      case ZSTD_error_frameParameter_windowTooLarge:
        return {ErrorCode::kUnsupported,
                "it needs a window of more than " +
                    std::to_string((std::uint64_t{1} << window_log_max_) >> 20) +
                    " MiB of memory; compress it with --long=" + std::to_string(window_log_max_) +
                    " at most"};
      case ZSTD_error_dictionary_wrong:
      case ZSTD_error_dictionary_corrupted:
        return {ErrorCode::kUnsupported,
                "it was compressed with a dictionary; compress it without one"};
      case ZSTD_error_memory_allocation:
        return out_of_memory();
      default:
        return corrupt(ZSTD_getErrorString(code));
    }
  }

  std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context_;
  int window_log_max_;
  std::size_t wanted_bytes_ = kFrameBeginBytes;  ///< By the library, for its next step.
};

}  // namespace

std::unique_ptr<StreamDecoder> make_zstd_decoder(const RestartState& state,
                                                 const DecoderLimits& limits) {
  return std::make_unique<ZstdDecoder>(state, limits);
}

}  // namespace leat::parser
