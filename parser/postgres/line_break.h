// Where a line ends for PostgreSQL 15: its first line end decides, and no other is taken.
#pragma once

#include <cstddef>
#include <string_view>

#include "parser/records/line_break.h"

namespace leat::parser {

inline constexpr std::string_view kStrayCarriageReturn =
    "a carriage return that is no line end of this object, which PostgreSQL refuses";
inline constexpr std::string_view kStrayLineFeed =
    "a line feed that is no line end of this object, which PostgreSQL refuses";
inline constexpr std::string_view kNulByte = "a NUL byte, which PostgreSQL's text cannot hold";

/// Judges the CR or LF at input[at], which is neither quoted nor escaped.
inline LineBreak postgres_line_break_at(std::string_view input, std::size_t at, bool final,
                                        LineEnd line_end) noexcept {
  using Kind = LineBreak::Kind;
  const bool unknown = line_end == LineEnd::kUnknown;
  if (input[at] == '\n') {
    return {unknown || line_end == LineEnd::kLf ? Kind::kBreak : Kind::kData, 1, LineEnd::kLf};
  }
  if (line_end == LineEnd::kCr) return {Kind::kBreak, 1, LineEnd::kCr};
  if (line_end == LineEnd::kLf) return {Kind::kData, 1, line_end};
  if (at + 1 == input.size() && !final) return {Kind::kUndecided, 0, line_end};
  if (at + 1 < input.size() && input[at + 1] == '\n') return {Kind::kBreak, 2, LineEnd::kCrLf};
  return {unknown ? Kind::kBreak : Kind::kData, 1, LineEnd::kCr};
}

/// Judges the end-of-data marker whose `\.` ends at input[at].
///   kBreak      A line end follows: it is the marker.
///   kData       It is not.
///   kUndecided  The input ends too early to say.
inline LineBreak::Kind end_of_data_at(std::string_view input, std::size_t at, bool final,
                                      LineEnd line_end) noexcept {
  using Kind = LineBreak::Kind;
  if (at >= input.size()) return final ? Kind::kData : Kind::kUndecided;
  if (input[at] != '\n' && input[at] != '\r') return Kind::kData;
  return postgres_line_break_at(input, at, final, line_end).kind;
}

/// True when the end-of-data marker may be among `records`. Behind it nothing is data, which only
/// the parser that has met it knows: such bytes cannot be parsed apart.
inline bool may_hold_end_of_data(std::string_view records) noexcept {
  if (records.starts_with("\\.")) return true;
  for (std::size_t at = 1; (at = records.find("\\.", at)) != records.npos; ++at) {
    if (records[at - 1] == '\n' || records[at - 1] == '\r') return true;
  }
  return false;
}

}  // namespace leat::parser
