// Where a physical line ends: the one rule that tokenizers and line skipping share.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "parser/records/tokenizer.h"

namespace leat::parser {

/// What is known of an object's line ends before it is read.
inline LineEnd first_line_end(const FormatOptions& options) noexcept {
  // Their lines end with LF, whatever stands in front of it.
  if (options.kind == Format::kJsonLines || options.kind == Format::kLines) return LineEnd::kLf;
  return options.line_ends == LineEnds::kAny ? LineEnd::kAny : LineEnd::kUnknown;
}

inline bool is_postgres(Format format) noexcept {
  return format == Format::kPostgresCsv || format == Format::kPostgresText;
}

/// What is known of the records' line ends when the lines to skip, if any, ended with `skipped`.
inline LineEnd line_end_behind_skipped(const FormatOptions& options, LineEnd skipped) noexcept {
  // Skipped lines are none of PostgreSQL's.
  return is_postgres(options.kind) ? LineEnd::kUnknown : skipped;
}

/// What a CR or LF outside quotes means.
struct LineBreak {
  enum class Kind : std::uint8_t {
    kBreak,      ///< It ends the line.
    kData,       ///< It ends no line of this object.
    kUndecided,  ///< A CR at the end of the input: the next byte decides.
  };
  Kind kind = Kind::kBreak;
  std::size_t length = 1;           ///< Bytes of the line end.
  LineEnd line_end = LineEnd::kLf;  ///< What it makes of an object that had no line end before.
};

/// Judges the CR or LF at input[at].
inline LineBreak line_break_at(std::string_view input, std::size_t at, bool final,
                               LineEnd line_end) noexcept {
  using Kind = LineBreak::Kind;
  if (input[at] == '\n') {
    if (line_end == LineEnd::kAny) return {Kind::kBreak, 1, LineEnd::kAny};
    return {line_end == LineEnd::kCr ? Kind::kData : Kind::kBreak, 1, LineEnd::kLf};
  }
  if (line_end == LineEnd::kCr) return {Kind::kBreak, 1, LineEnd::kCr};
  if (at + 1 < input.size()) {
    const bool any = line_end == LineEnd::kAny;
    if (input[at + 1] == '\n') return {Kind::kBreak, 2, any ? LineEnd::kAny : LineEnd::kLf};
  } else if (!final) {
    return {Kind::kUndecided, 0, line_end};
  }
  if (line_end == LineEnd::kAny) return {Kind::kBreak, 1, LineEnd::kAny};
  return {line_end == LineEnd::kUnknown ? Kind::kBreak : Kind::kData, 1, LineEnd::kCr};
}

/// The end of a physical line: quotes have no meaning.
struct LineStop {
  std::size_t end = 0;   ///< Of the line's content.
  LineBreak line_break;  ///< Length 0 at the end of the object.
};

/// The end of the line that holds input[from]; nothing while it is not in the input.
inline std::optional<LineStop> find_line_stop(std::string_view input, std::size_t from, bool final,
                                              LineEnd line_end) noexcept {
  for (std::size_t at = from;; ++at) {
    at = line_end == LineEnd::kUnknown || line_end == LineEnd::kAny
             ? input.find_first_of("\r\n", at)
             : input.find(line_end == LineEnd::kCr ? '\r' : '\n', at);
    if (at == std::string_view::npos) {
      if (!final) return std::nullopt;
      return LineStop{input.size(), {LineBreak::Kind::kBreak, 0, line_end}};
    }
    const LineBreak line_break = line_break_at(input, at, final, line_end);
    if (line_break.kind == LineBreak::Kind::kUndecided) return std::nullopt;
    if (line_break.kind == LineBreak::Kind::kData) continue;
    // A search for LF alone finds that of a CRLF: its CR is no content.
    const bool crlf = line_end == LineEnd::kLf && at > from && input[at - 1] == '\r';
    return LineStop{crlf ? at - 1 : at,
                    {line_break.kind, crlf ? 2 : line_break.length, line_break.line_end}};
  }
}

}  // namespace leat::parser
