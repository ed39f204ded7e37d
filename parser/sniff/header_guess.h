// Whether the first record of each sample holds names or values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "parser/sniff/dialect.h"
#include "parser/sniff/sample.h"

namespace leat::parser {

struct HeaderGuess {
  bool header = true;
  std::uint64_t titles = 0;  ///< Lines in front of it that hold neither names nor values.
  std::string evidence;      ///< One sentence.
};

/// Judges by the records in the first dialect.front_bytes of each sample. Without evidence there is
/// a header in CSV, and none in PostgreSQL's formats. `choose`: without, the answer is
/// dialect.format.header, and titles are looked for no further.
HeaderGuess guess_header(const std::vector<Sample>& samples, const Dialect& dialect, bool choose);

}  // namespace leat::parser
