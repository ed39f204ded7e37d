// The configuration files that AWS tools share: ~/.aws/config and ~/.aws/credentials.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "leat/result.h"

namespace leat::connector::s3 {

/// Property names in lower case. Values may be secrets.
using Profile = std::map<std::string, std::string>;
using Profiles = std::map<std::string, Profile>;

enum class ProfileFileKind {
  kConfig,       ///< "[profile name]", or "[default]".
  kCredentials,  ///< "[name]".
};

/// Adds what a file says to `profiles`; a property that is there already is replaced. Read the
/// credentials file last: it outranks the other.
///
/// Sections and properties with names that AWS does not allow are skipped, as every AWS tool does.
/// @param file  Its path, for messages.
///   kInvalidArgument  Syntax; the message names file and line, never the line's text: it may hold
///                     a secret.
Result<void> read_profile_file(std::string_view text, ProfileFileKind kind, std::string_view file,
                               Profiles& profiles);

}  // namespace leat::connector::s3
