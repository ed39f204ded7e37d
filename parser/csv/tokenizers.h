// Tokenizers of CSV: the engines, which read the same records from the same bytes, and the one of
// dialects whose escape character works anywhere.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "leat/parser.h"
#include "parser/records/tokenizer.h"

namespace leat::parser {

/// The scalar state machine: every dialect, one byte at a time. The reference.
std::unique_ptr<Tokenizer> make_scalar_tokenizer(const FormatOptions& options);

/// libcsv in strict mode for the records it reads as leat's rules do; the scalar state machine
/// takes records that it refuses, and dialects that it does not know.
std::unique_ptr<Tokenizer> make_libcsv_tokenizer(const FormatOptions& options);

/// Finds structure 64 bytes at a time. The scalar state machine takes the records that break the
/// rule of quotes, objects of lone CRs, and dialects with comments or another escape than the
/// quote. The target is available.
std::unique_ptr<Tokenizer> make_simd_tokenizer(const FormatOptions& options, SimdTarget target);

/// Whether `options` have an escape character that works outside of quotes, too.
inline bool escapes_anywhere(const FormatOptions& options) noexcept {
  return options.kind == Format::kCsv && options.escape_anywhere && options.escape != '\0' &&
         options.escape != options.quote;
}

/// For options of which escapes_anywhere is true.
std::unique_ptr<Tokenizer> make_escaping_tokenizer(const FormatOptions& options);

/// Appends the field's text to `out`, in which the escape character takes the meaning off whatever
/// follows it.
void unescape_any_character(std::string_view text, char escape, std::string& out);

}  // namespace leat::parser
