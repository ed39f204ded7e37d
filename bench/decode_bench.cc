// Decodes one file as leat does, and throws the bytes away.
// Usage: decode_bench FILE              seconds of a whole decode, and MB/s of decoded bytes
//        decode_bench FILE FRACTION     those of a resume there, beside a whole decode
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "parser/decode/decoder.h"

namespace {

using leat::parser::DecoderLimits;
using leat::parser::OpenedDecoder;

constexpr std::size_t kBufferBytes = 1u << 20;

struct Run {
  double seconds = 0;
  std::uint64_t decoded_bytes = 0;
  std::string state;
};

[[noreturn]] void fail(const std::string& message) {
  std::fprintf(stderr, "decode_bench: %s\n", message.c_str());
  std::exit(1);
}

/// From where `opened` begins to the file's end. Keeps the newest state before `wanted_offset`.
Run decode(int file, OpenedDecoder opened, std::uint64_t wanted_offset) {
  std::vector<std::byte> in(kBufferBytes);
  std::vector<std::byte> out(kBufferBytes);
  std::span<const std::byte> rest;
  std::uint64_t offset = opened.encoded_offset;
  std::uint64_t decoded = opened.decoded_offset;
  bool ends = false;
  Run run;
  const auto begin = std::chrono::steady_clock::now();
  while (true) {
    if (rest.empty() && !ends) {
      const ssize_t size = pread(file, in.data(), in.size(), static_cast<off_t>(offset));
      if (size < 0) fail("cannot read");
      ends = size == 0;
      rest = std::span(in).first(static_cast<std::size_t>(size));
      offset += rest.size();
    }
    const auto progress = opened.decoder->decode(rest, ends, out);
    if (!progress) fail(progress.error().to_string());
    if (ends && progress->consumed == 0 && progress->produced == 0) break;
    rest = rest.subspan(progress->consumed);
    decoded += progress->produced;
    if (wanted_offset > 0)
      run.state = opened.decoder->state_before(std::min(decoded, wanted_offset));
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  run.seconds = seconds.count();
  run.decoded_bytes = decoded - opened.decoded_offset;
  return run;
}

OpenedDecoder open_at_front(int file) {
  std::byte magic[leat::parser::kEncodingMagicBytes];
  const ssize_t size = pread(file, magic, sizeof magic, 0);
  if (size < 0) fail("cannot read");
  const auto encoding =
      leat::parser::detect_encoding(std::span(magic).first(static_cast<std::size_t>(size)));
  OpenedDecoder opened = leat::parser::open_decoder(encoding, DecoderLimits{});
  if (!opened.decoder) fail("not compressed");
  return opened;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) fail("which file?");
  const int file = open(argv[1], O_RDONLY | O_CLOEXEC);
  if (file < 0) fail(std::string("cannot open ") + argv[1]);
  if (argc < 3) {
    const Run run = decode(file, open_at_front(file), 0);
    std::printf("%.3f s, %.0f MB/s\n", run.seconds,
                static_cast<double>(run.decoded_bytes) / run.seconds / 1e6);
    return 0;
  }
  const Run whole = decode(file, open_at_front(file), 0);
  const auto wanted =
      static_cast<std::uint64_t>(std::atof(argv[2]) * static_cast<double>(whole.decoded_bytes));
  const std::string state = decode(file, open_at_front(file), wanted).state;
  auto resumed = leat::parser::resume_decoder(state, DecoderLimits{});
  if (!resumed) fail(resumed.error().to_string());
  const std::uint64_t again = wanted - resumed->decoded_offset;
  const Run rest = decode(file, std::move(*resumed), 0);
  std::printf(
      "resume at %.0f %% of %.0f MB: %.3f s, %.1f %% of a whole decode; %.1f MB decoded twice, "
      "state of %zu bytes\n",
      100 * std::atof(argv[2]), static_cast<double>(whole.decoded_bytes) / 1e6, rest.seconds,
      100 * rest.seconds / whole.seconds, static_cast<double>(again) / 1e6, state.size());
}
