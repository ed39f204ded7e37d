// What a position of this parser holds besides its offset, in encoded form.
//
// Layout (core's varints and length-prefixed bytes): byte of the format ('c', 'p', 't', …; see
// parser_state.cc), byte 1 (version), byte line end (LineEnd), byte stage (Stage), varint number of
// header names, then each name as length and bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "leat/parser.h"
#include "leat/result.h"
#include "parser/records/tokenizer.h"

namespace leat::parser {

struct ParserState {
  enum class Stage : std::uint8_t {
    kByPlace = 0,        ///< Rows; the object has no header.
    kHeader = 1,         ///< Rows, under `header`.
    kHeaderPending = 2,  ///< The header did not come yet.
  };
  LineEnd line_end = LineEnd::kUnknown;
  Stage stage = Stage::kByPlace;
  std::vector<std::string> header;  ///< As in the object, unescaped. kHeader only.
  Format format = Format::kCsv;

  std::string encode() const;
  ///   kCorrupt  Not what encode() of this version makes for `format`.
  static Result<ParserState> decode(std::string_view bytes, Format format = Format::kCsv);
};

}  // namespace leat::parser
