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

/// What the files hold, by kind of section.
struct ConfigSections {
  Profiles profiles = {};
  Profiles sso_sessions = {};  ///< "[sso-session name]", config file only.
  Profiles services = {};      ///< "[services name]", config file only; see sub_property.
};

enum class ProfileFileKind {
  kConfig,       ///< "[profile name]", or "[default]"; and the other kinds of section.
  kCredentials,  ///< "[name]".
};

/// Adds what a file says to `sections`; a property that is there already is replaced. Read the
/// credentials file last: it outranks the other.
///
/// Sections and properties with names that AWS does not allow are skipped, as every AWS tool does.
/// @param file  Its path, for messages.
///   kInvalidArgument  Syntax; the message names file and line, never the line's text: it may hold
///                     a secret.
Result<void> read_profile_file(std::string_view text, ProfileFileKind kind, std::string_view file,
                               ConfigSections& sections);

/// Value of a property; empty: there is none.
std::string property(const Profile& profile, const std::string& name);

/// Value of `name` among the properties that stand indented below `group`; empty: there is none.
std::string sub_property(const Profile& profile, const std::string& group, std::string_view name);

}  // namespace leat::connector::s3
