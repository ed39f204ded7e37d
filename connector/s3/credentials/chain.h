// The order in which credentials are looked for.
#pragma once

#include <memory>
#include <string>

#include "connector/s3/credentials/source.h"
#include "connector/s3/endpoint.h"
#include "connector/s3/profile_file.h"
#include "leat/object_store.h"
#include "leat/result.h"

namespace leat::connector::s3 {

/// Where the files that AWS tools share are.
struct ProfilePaths {
  std::string config;       ///< AWS_CONFIG_FILE, or $HOME/.aws/config; empty: nowhere.
  std::string credentials;  ///< AWS_SHARED_CREDENTIALS_FILE, or $HOME/.aws/credentials.
};
ProfilePaths profile_paths(const Environment& environment);

/// Missing files are empty ones.
///   kInvalidArgument  Syntax.   kIo  A file that is there but cannot be read.
Result<ConfigSections> read_profiles(const ProfilePaths& paths);

struct ChainInput {
  ProfilePaths paths;
  const ConfigSections& sections;
  std::string profile;  ///< Its name: given, or "default".
  bool ask_environment =
      true;  ///< False: the profile was asked for in the options, and means its own.
  std::string portal_endpoint_url = {};  ///< Of IAM Identity Center; empty: AWS, by region.
  AwsVariant aws = {};
};

/// Environment, profile, web identity of the environment, container, instance. Sends nothing: all
/// but the last are known by what is configured.
/// @param has_external_id  Set when a role is assumed with one.
Result<std::unique_ptr<CredentialSource>> find_source(const CredentialContext& context,
                                                      const ChainInput& input,
                                                      bool& has_external_id);

/// As find_source, for a profile alone. nullptr: it says nothing about credentials.
Result<std::unique_ptr<CredentialSource>> profile_source(const CredentialContext& context,
                                                         const ChainInput& input,
                                                         bool& has_external_id);

}  // namespace leat::connector::s3
