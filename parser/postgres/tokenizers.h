// PostgreSQL's two forms of COPY: how version 15 finds records and fields in them.
//
// Blank lines are records. A line end is what ended the first line, and nothing else: any other CR
// or LF is a fault of its record, and so are a NUL and what is not UTF-8. `\.` alone on a line ends
// the data, whatever follows (LineEnd::kNoMoreData).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "leat/parser.h"
#include "parser/records/tokenizer.h"

namespace leat::parser {

/// COPY … (FORMAT text): backslash escapes, no quotes. Of the options, delimiter and limits. The
/// target is available.
std::unique_ptr<Tokenizer> make_postgres_text_tokenizer(const FormatOptions& options,
                                                        SimdTarget target);

/// COPY … (FORMAT csv): quotes open and close anywhere in a field. The target is available.
std::unique_ptr<Tokenizer> make_postgres_csv_tokenizer(const FormatOptions& options,
                                                       SimdTarget target);

/// Appends the text of a field of COPY's text format: `\b \f \n \r \t \v`, one to three octal
/// digits, `\x` and one or two hexadecimal ones; any other character stands for itself.
void unescape_postgres_text(std::string_view text, std::string& out);

/// Appends the text of a field of COPY's CSV format that holds its quotes.
void unescape_toggled_quotes(std::string_view text, char quote, char escape, std::string& out);

}  // namespace leat::parser
