#include <lz4frame.h>

#include <algorithm>
#include <memory>

#include "parser/decode/stream_decoder.h"

namespace leat::parser {
namespace {

constexpr std::size_t kBlockHeaderBytes = 4;
constexpr std::size_t kFrameBeginBytes = 7;  // What the library wants to see first.

class Lz4Decoder final : public StreamDecoder {
 public:
  Lz4Decoder(const RestartState& start, const DecoderLimits& limits)
      : StreamDecoder(start, limits), context_(nullptr, &LZ4F_freeDecompressionContext) {
    LZ4F_dctx* context = nullptr;
    if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)) == 0) {
      context_.reset(context);
    }
  }

 private:
  Step advance(std::span<const std::byte> in, std::span<std::byte> out) override {
    if (!context_) return {.fault = out_of_memory()};
    // One block at a time: a call that fails does not say what it decoded before that. The library
    // asks for a block together with the next one's header.
    const std::size_t wanted =
        wanted_bytes_ > kBlockHeaderBytes ? wanted_bytes_ - kBlockHeaderBytes : wanted_bytes_;
    std::size_t consumed = std::min(in.size(), wanted);
    std::size_t produced = out.size();
    const std::size_t result =
        LZ4F_decompress(context_.get(), out.data(), &produced, in.data(), &consumed, nullptr);
    if (LZ4F_isError(result) != 0) return {.fault = fault(LZ4F_getErrorName(result))};
    wanted_bytes_ = result > 0 ? result : kFrameBeginBytes;
    // Without any byte of the next frame the library may say again that the last one is over.
    return {.consumed = consumed, .produced = produced, .unit_ended = result == 0 && consumed > 0};
  }

  Fault fault(std::string_view name) const {
    if (name == "ERROR_frameType_unknown") return not_a_unit();
    if (name == "ERROR_allocation_failed") return out_of_memory();
    if (name.starts_with("ERROR_")) name.remove_prefix(6);
    return corrupt(name);
  }

  std::unique_ptr<LZ4F_dctx, decltype(&LZ4F_freeDecompressionContext)> context_;
  std::size_t wanted_bytes_ = kFrameBeginBytes;  ///< By the library, for its next step.
};

}  // namespace

std::unique_ptr<StreamDecoder> make_lz4_decoder(const RestartState& state,
                                                const DecoderLimits& limits) {
  return std::make_unique<Lz4Decoder>(state, limits);
}

}  // namespace leat::parser
