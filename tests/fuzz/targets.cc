#include "tests/fuzz/targets.h"

#include <cstdio>
#include <cstdlib>

namespace leat::fuzz {

void require(bool holds, std::string_view promise, std::string_view input) {
  if (holds) return;
  std::fprintf(stderr, "broken: %.*s\ninput: ", static_cast<int>(promise.size()), promise.data());
  for (const char c : input) {
    const auto byte = static_cast<unsigned>(static_cast<unsigned char>(c));
    if (byte >= 0x20 && byte < 0x7f && c != '\\') {
      std::fputc(c, stderr);
    } else {
      std::fprintf(stderr, "\\x%02x", byte);
    }
  }
  std::fputc('\n', stderr);
  std::abort();
}

std::span<const Target> targets() {
  static constexpr Target kTargets[] = {
      {"column_kernels", column_kernels},
      {"csv_parser", csv_parser},
      {"csv_tokenizer", csv_tokenizer},
      {"dates", dates},
      {"decoders", decoders},
      {"glob", glob},
      {"json_lines", json_lines},
      {"lines", lines},
      {"list_xml", list_xml},
      {"numbers", numbers},
      {"postgres_formats", postgres_formats},
      {"progress", progress},
      {"schema", schema},
      {"sniffer", sniffer},
      {"texts", texts},
  };
  return kTargets;
}

}  // namespace leat::fuzz
