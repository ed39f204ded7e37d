#include <lzma.h>

#include <algorithm>
#include <memory>

#include "parser/decode/stream_decoder.h"

namespace leat::parser {
namespace {

constexpr std::size_t kPaddingUnitBytes = 4;

class XzDecoder final : public StreamDecoder {
 public:
  XzDecoder(const RestartState& start, const DecoderLimits& limits)
      : StreamDecoder(start, limits), at_front_(start.encoded_offset == 0) {}
  ~XzDecoder() override { lzma_end(&stream_); }
  XzDecoder(const XzDecoder&) = delete;
  XzDecoder& operator=(const XzDecoder&) = delete;

 private:
  Step advance(std::span<const std::byte> in, std::span<std::byte> out) override {
    if (!in_stream_) {
      if (in.empty()) return {};
      if (!at_front_ && in[0] == std::byte{0}) return skip_padding(in);
      if (padding_bytes_ % kPaddingUnitBytes != 0) return {.fault = not_a_unit()};
      // Takes over what the last stream has allocated.
      if (lzma_stream_decoder(&stream_, limits().memory_bytes_max, LZMA_TELL_UNSUPPORTED_CHECK) !=
          LZMA_OK) {
        return {.fault = out_of_memory()};
      }
      in_stream_ = true;
      at_front_ = false;
    }
    stream_.next_in = reinterpret_cast<const std::uint8_t*>(in.data());
    stream_.avail_in = in.size();
    stream_.next_out = reinterpret_cast<std::uint8_t*>(out.data());
    stream_.avail_out = out.size();
    const lzma_ret result = lzma_code(&stream_, LZMA_RUN);
    Step step{.consumed = in.size() - stream_.avail_in,
              .produced = out.size() - stream_.avail_out,
              .unit_ended = result == LZMA_STREAM_END};
    if (result == LZMA_STREAM_END) {
      in_stream_ = false;
      padding_bytes_ = 0;
    } else if (result != LZMA_OK && result != LZMA_BUF_ERROR) {  // The latter: nothing to do.
      step.fault = fault(result);
    }
    return step;
  }

  /// Zeros after a stream, in fours.
  Step skip_padding(std::span<const std::byte> in) {
    const auto is_zero = [](std::byte b) { return b == std::byte{0}; };
    const auto end = std::find_if_not(in.begin(), in.end(), is_zero);
    const auto zeros = static_cast<std::size_t>(end - in.begin());
    padding_bytes_ = (padding_bytes_ + zeros) % kPaddingUnitBytes;
    return {.consumed = zeros, .unit_ended = padding_bytes_ == 0};
  }

  Fault fault(lzma_ret code) const {
    switch (code) {
      case LZMA_FORMAT_ERROR:
        return not_a_unit();
      case LZMA_MEMLIMIT_ERROR:
        return {ErrorCode::kUnsupported,
                "it needs " + std::to_string(lzma_memusage(&stream_) >> 20) +
                    " MiB of memory, and " + std::to_string(limits().memory_bytes_max >> 20) +
                    " are allowed; compress it at a lower level"};
      case LZMA_MEM_ERROR:
        return out_of_memory();
      case LZMA_OPTIONS_ERROR:
        return {ErrorCode::kUnsupported,
                "it uses a filter that this build does not know; compress it without"};
      case LZMA_UNSUPPORTED_CHECK:
        return {ErrorCode::kUnsupported,
                "it uses a checksum that this build does not know; compress it with --check=crc64"};
      default:
        return corrupt("its data are damaged, or do not match their checksum");
    }
  }

  lzma_stream stream_ = LZMA_STREAM_INIT;
  bool at_front_;
  bool in_stream_ = false;
  std::size_t padding_bytes_ = 0;  ///< Since the last stream, modulo kPaddingUnitBytes.
};

}  // namespace

std::unique_ptr<StreamDecoder> make_xz_decoder(const RestartState& state,
                                               const DecoderLimits& limits) {
  return std::make_unique<XzDecoder>(state, limits);
}

}  // namespace leat::parser
