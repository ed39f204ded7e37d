// Which delimiter, quote, escape and comment character make a table of some samples.
//
// Every dialect is tried on the front of each sample, by the tokenizer that also defines it. The
// best one has the largest share of records with the same number of fields, and cells that look
// like values rather than like records of another dialect. PostgreSQL's text format is one of them
// where its backslashes leave no doubt.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "leat/sniff.h"
#include "parser/sniff/sample.h"

namespace leat::parser {

/// Those that are tried, in the order in which they win a draw.
constexpr std::string_view kDelimiters = ",\t;|^~";

/// Samples may differ in their number of fields: columns come and go.
struct Dialect {
  FormatOptions format;  ///< As given, with what was chosen; the header is not yet judged.
  /// That most records of each sample have; 0: the sample has no good record.
  std::vector<std::size_t> fields;
  std::size_t front_bytes = 0;  ///< Of each sample: what was looked at.
  std::string evidence = {};    ///< Why it is no CSV, or may have columns; mostly empty.
  /// Below the names of some sample its bytes end within the first record, and within quotes.
  bool open_ended = false;
};

/// Blank lines, and comments where there are some, are no records here.
Dialect find_dialect(const std::vector<Sample>& samples, const FormatOptions& format,
                     const SniffedSettings& choose);

}  // namespace leat::parser
