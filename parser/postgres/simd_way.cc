#include "parser/postgres/simd_way.h"

#include <cstdint>

#include "parser/csv/tokenizers.h"

namespace leat::parser {

SimdWay::SimdWay(const FormatOptions& dialect, SimdTarget target)
    : tokenizer_(make_simd_tokenizer(dialect, target)),
      check_utf8_(check_utf8_of(target)),
      wanted_(dialect.tokenizer == "simd") {}

bool SimdWay::suits(std::string_view input, std::size_t records_max,
                    LineEnd line_end) const noexcept {
  return wanted_ && line_end == LineEnd::kLf && records_max == SIZE_MAX &&
         input.find('\r') == input.npos && input.find('\0') == input.npos;
}

bool SimdWay::take(std::string_view input, bool final, TokenizedBlock& out) {
  LineEnd line_end = LineEnd::kLf;
  // An error comes again from the format's own machine, which words it.
  if (!tokenizer_->tokenize(input, final, /*keep_blank=*/true, SIZE_MAX, line_end, out)) {
    return false;
  }
  if (!out.bad.empty()) return false;
  if (!out.known_utf8 && !check_utf8_(input.substr(0, out.consumed))) return false;
  out.known_utf8 = true;
  return true;
}

}  // namespace leat::parser
