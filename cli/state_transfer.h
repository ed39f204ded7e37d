// The ledger as JSON lines, and back.
#pragma once

#include <iosfwd>
#include <string>

namespace leat::cli {

/// Prints a line of heading, one for each key of the ledger, and one that says how many these were.
/// @return  An exit code.
int export_state(const std::string& dir, std::ostream& out);

/// Makes the state folder `dir` of such lines: with all of them or not at all.
/// @return  An exit code.
int import_state(const std::string& dir, std::istream& in);

}  // namespace leat::cli
