// Files for differential tests: tables of all types in all dialects, as they should be and spoilt.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tests/differential/random.h"
#include "tests/parser/load_support.h"

namespace leat::differential {

using parser::Fixture;

/// File `number` of the run `seed`: content, options and schema that together make a parser. One in
/// some thousand is larger than the pieces in which parsers take their input.
Fixture generate_file(std::uint64_t seed, std::uint64_t number);

/// `text` with a byte changed, a piece cut out, doubled or put elsewhere, or another end.
void mutate(std::string& text, const FormatOptions& dialect, Random& random);

}  // namespace leat::differential
