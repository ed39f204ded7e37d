// All that a parser made of an object, in a form that can be compared: it does not depend on how
// the rows were spread over chunks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "leat/parser.h"

namespace leat::differential {

struct Outcome {
  std::uint64_t rows = 0;
  std::vector<std::string> columns;  ///< Of each: one byte per row, 1 before a value.
  std::string lineage;               ///< Record number and byte offset of each row.
  std::vector<std::string> rejects;  ///< Every member of each, as text.
  std::string error;                 ///< With its place; empty: none.
  Position end;
  std::string inconsistency;  ///< What a chunk contradicts itself in; empty: nothing.

  /// Adds the rows and rejects of a chunk that began at `end`.
  void append(const RowChunk& chunk);
  bool operator==(const Outcome&) const = default;
};

/// What sets the two apart, as a sentence; empty when they are equal.
std::string difference(const Outcome& found, const Outcome& expected);

/// A parser of `options` and the schema (SQL; empty: from the header) that reads `engine`'s way:
/// "scalar", "libcsv", "simd_avx2"… Both must be valid.
std::unique_ptr<ByteStreamParser> make_engine_parser(FormatOptions options, std::string_view schema,
                                                     std::string_view engine);

/// Adds to `outcome` what `parser` makes of `bytes` from outcome.end on, fed in pieces that end at
/// `cuts` (ascending, absolute), at most `pieces_max` of them: with fewer than all, the object goes
/// on. `ends`, if given, takes the end of each chunk that brought the parser on.
void feed(ByteStreamParser& parser, std::string_view bytes, const std::vector<std::size_t>& cuts,
          Outcome& outcome, std::vector<Position>* ends = nullptr,
          std::size_t pieces_max = SIZE_MAX);

}  // namespace leat::differential
