// What a profile means: where its first credentials come from, and which roles are assumed with
// them, one after the other. Nothing is asked yet.
#pragma once

#include <string>
#include <vector>

#include "connector/s3/credentials/sso.h"
#include "connector/s3/profile_file.h"
#include "leat/object_store.h"
#include "leat/result.h"

namespace leat::connector::s3 {

struct ProfilePlan {
  enum class Base {
    kNone,         ///< The profile says nothing about credentials.
    kKeys,         ///< Of `profile`.
    kEnvironment,  ///< credential_source, these three.
    kContainer,
    kInstance,
    kProcess,      ///< The credential_process of `profile`.
    kWebIdentity,  ///< `web_identity`, with the token in `token_file`.
    kSso,          ///< `sso`, but for its endpoint.
  };
  Base base = Base::kNone;
  std::string profile;  ///< That the base was found in.
  std::string process = {};
  S3Role web_identity = {};
  std::string token_file = {};
  SsoOptions sso = {};
  std::vector<S3Role> roles = {};  ///< In the order in which they are assumed.
};

/// A role outranks keys beside it; in a profile that is another one's source_profile, keys outrank
/// a role. Then web identity, SSO, keys, process.
///   kInvalidArgument  Half a key pair, a role without a source or with two, a chain without end, a
///                     time that is none …
///   kNotFound         A source_profile or sso-session that does not exist.
///   kUnsupported      What this version of leat cannot do, by name.
Result<ProfilePlan> plan_profile(const ConfigSections& sections, const std::string& selected);

}  // namespace leat::connector::s3
