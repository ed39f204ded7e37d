// [connection.NAME] in leat.toml: how to reach an S3 service, under a name.
#pragma once

#include <string>

#include "leat/object_store.h"
#include "leat/result.h"

namespace leat::cli {

/// Reads the connection `name` of a TOML file. A secret can stand in the environment instead: the
/// key secret_access_key_env names the variable.
///
///   kNotFound         No such file, or no such connection; the message names those that are there.
///   kInvalidArgument  An unknown key, a value of the wrong kind, two that contradict one another,
///                     or a variable that is not set. The message holds file, line and key, never
///                     a value that may be a secret.
Result<S3Options> read_connection(const std::string& path, const std::string& name);

}  // namespace leat::cli
