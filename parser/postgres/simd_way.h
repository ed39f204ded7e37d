// The SIMD tokenizer for PostgreSQL's formats: it reads blocks that mean the same to both.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "leat/parser.h"
#include "parser/records/simd/utf8_check.h"
#include "parser/records/tokenizer.h"

namespace leat::parser {

class SimdWay {
 public:
  /// `dialect`: CSV with the format's delimiter, quote and limits. The target is available.
  SimdWay(const FormatOptions& dialect, SimdTarget target);

  /// False where lines may end with anything but LF, a NUL stands somewhere, or only some records
  /// are wanted. What quotes and backslashes mean in `input` is for the caller to judge.
  bool suits(std::string_view input, std::size_t records_max, LineEnd line_end) const noexcept;

  /// Tokenizes an input that suits, blank lines as records. False: it holds something that the
  /// format's own machine has to judge, and `out` means nothing.
  bool take(std::string_view input, bool final, TokenizedBlock& out);

  void expect_fields(std::size_t fields) { tokenizer_->expect_fields(fields); }

 private:
  std::unique_ptr<Tokenizer> tokenizer_;
  CheckUtf8 check_utf8_;
  bool wanted_;
};

}  // namespace leat::parser
