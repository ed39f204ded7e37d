// How values stand in a file of each format.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "leat/parser.h"
#include "tests/differential/random.h"

namespace leat::differential {

/// `value` as a field of the format: in quotes or escaped where it must be, and sometimes where it
/// need not. A format that has neither gives it as it stands. Null is not a value: it is a field
/// that equals a null string.
std::string write_field(const FormatOptions& format, std::string_view value, Random& random);

/// An object of JSON, without line end. Values are strings, or stand as they are where they may.
std::string write_json(const std::vector<std::string>& keys, const std::vector<std::string>& values,
                       Random& random);

}  // namespace leat::differential
