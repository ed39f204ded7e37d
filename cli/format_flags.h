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
  std::string line_end;  ///< "first" or "any".
  bool trim = false;
  std::string short_records;  ///< "fail" or "null".
  std::string long_records;   ///< "fail", "ignore" or "ignore-empty".
  std::string decimal_separator;
  std::string thousands_separator;
  std::string date_format;
  std::string time_format;
  std::string timestamp_format;
  std::string encoding;
};

/// The dialect's options, and over them what was typed.
///   kInvalidArgument  The message names the flag: also one that the format does not have.
Result<FormatOptions> read_format(const TypedFormat& typed);

}  // namespace leat::cli
