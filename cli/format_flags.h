// The flags that say how records and fields are written, and what they come to together.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "leat/parser.h"
#include "leat/result.h"

namespace leat::cli {

/// As they were typed; what is empty was not.
struct TypedFormat {
  std::string input_format;  ///< "csv", "jsonl" or "lines".
  std::string dialect;       ///< Of csv.
  std::string delimiter;
  std::string quote;
  std::string escape;
  std::string comment;
  std::vector<std::string> null_strings;
  std::optional<bool> header;
  std::uint64_t skip_lines = 0;
};

/// The dialect's options, and over them what was typed.
///   kInvalidArgument  The message names the flag: also one that the format does not have.
Result<FormatOptions> read_format(const TypedFormat& typed);

}  // namespace leat::cli
