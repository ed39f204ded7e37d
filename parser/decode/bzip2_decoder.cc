#include <bzlib.h>

#include <algorithm>
#include <memory>

#include "parser/decode/stream_decoder.h"

namespace leat::parser {
namespace {

constexpr std::size_t kCallBytesMax = 1u << 30;  // The library counts in 32 bits.

class Bzip2Decoder final : public StreamDecoder {
 public:
  using StreamDecoder::StreamDecoder;
  ~Bzip2Decoder() override { end_stream(); }
  Bzip2Decoder(const Bzip2Decoder&) = delete;
  Bzip2Decoder& operator=(const Bzip2Decoder&) = delete;

 private:
  Step advance(std::span<const std::byte> in, std::span<std::byte> out) override {
    if (!in_stream_) {
      if (in.empty()) return {};
      stream_ = {};
      if (BZ2_bzDecompressInit(&stream_, 0, 0) != BZ_OK) return {.fault = out_of_memory()};
      in_stream_ = true;
    }
    in = in.first(std::min(in.size(), kCallBytesMax));
    out = out.first(std::min(out.size(), kCallBytesMax));
    // The library reads through this pointer only.
    stream_.next_in = const_cast<char*>(reinterpret_cast<const char*>(in.data()));
    stream_.avail_in = static_cast<unsigned>(in.size());
    stream_.next_out = reinterpret_cast<char*>(out.data());
    stream_.avail_out = static_cast<unsigned>(out.size());
    const int result = BZ2_bzDecompress(&stream_);
    Step step{.consumed = in.size() - stream_.avail_in,
              .produced = out.size() - stream_.avail_out,
              .unit_ended = result == BZ_STREAM_END};
    if (result == BZ_STREAM_END) {
      end_stream();
    } else if (result != BZ_OK) {
      step.fault = fault(result);
    }
    return step;
  }

  Fault fault(int code) const {
    switch (code) {
      case BZ_DATA_ERROR_MAGIC:
        return not_a_unit();
      case BZ_MEM_ERROR:
        return out_of_memory();
      default:
        return corrupt("a block is damaged, or does not match its checksum");
    }
  }

  void end_stream() {
    if (in_stream_) BZ2_bzDecompressEnd(&stream_);
    in_stream_ = false;
  }

  bz_stream stream_ = {};
  bool in_stream_ = false;
};

}  // namespace

std::unique_ptr<StreamDecoder> make_bzip2_decoder(const RestartState& state,
                                                  const DecoderLimits& limits) {
  return std::make_unique<Bzip2Decoder>(state, limits);
}

}  // namespace leat::parser
