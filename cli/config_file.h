// leat.toml: the same names as the flags, turned into flags.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "leat/result.h"

namespace leat::cli {

/// Read where no other one is named.
inline constexpr const char* kDefaultConfigFile = "leat.toml";

/// Whether there is a flag of this name, dashes left out.
using IsFlag = std::function<bool(const std::string& name)>;

/// Reads a TOML file whose keys are the names of flags without the dashes: from = "s3://…",
/// once = true, null = ["", "NA"]. `given` are the flags of the command line: a key that is given
/// there is left out, so that flags outrank the file. [connection.NAME] tables are passed over.
///
/// @return  Arguments to put in front of the given ones.
///   kNotFound, kInvalidArgument  The message holds file, line and key.
Result<std::vector<std::string>> read_config_file(const std::string& path,
                                                  const std::vector<std::string>& given,
                                                  const IsFlag& is_flag);

}  // namespace leat::cli
