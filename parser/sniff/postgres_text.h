// Whether samples are written as PostgreSQL's text format has it, which is MySQL's, too: tabs
// between fields, \N for null, backslashes in front of what would mean something else.
#pragma once

#include <string>
#include <vector>

#include "leat/parser.h"
#include "parser/sniff/sample.h"

namespace leat::parser {

/// Looks for backslashes in all of the samples that only a writer of this format puts there (COPY,
/// SELECT … INTO OUTFILE), and for anything that it would have written in another way: a backslash
/// in front of some other character, columns in quotes, paths of Windows. `format` is of kind
/// kPostgresText.
///
/// @return  The evidence, in one sentence; empty: there is none, or not without a doubt.
std::string postgres_text_evidence(const std::vector<Sample>& samples, const FormatOptions& format);

}  // namespace leat::parser
