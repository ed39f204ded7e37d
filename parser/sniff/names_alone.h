// Names of several columns above records that none of them fit, which looks like a table of one
// column: each line of that is one field, with a delimiter that stands nowhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "leat/parser.h"
#include "parser/sniff/dialect.h"
#include "parser/sniff/sample.h"

namespace leat::parser {

/// The dialect, `one_column` but for its delimiter, under which the first record of each sample is
/// names, and what stands below them in vain: a quote swallows it, or it is a single record of
/// several fields, but not as many. Or under which each sample, which is a single line, is a record
/// whose quote is never closed; then no sample has fields. nullopt: there is none.
std::optional<Dialect> find_names_alone(const std::vector<Sample>& samples,
                                        const FormatOptions& one_column);

/// The same for each sample by itself, under `format`: its fields, as in a Dialect; nullopt: it is
/// no such sample.
std::vector<std::optional<std::size_t>> fields_of_names_alone(const std::vector<Sample>& samples,
                                                              const FormatOptions& format,
                                                              const FormatOptions& one_column);

/// What a delimiter would make of the first of so many records, where it divides too few to be
/// taken for one; empty: no quote that is not closed, and no names above a few records.
std::string first_records_otherwise(const std::vector<Sample>& samples,
                                    const FormatOptions& one_column, std::uint64_t records);

}  // namespace leat::parser
