#include "connector/s3/credentials/profile_plan.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace leat::connector::s3 {
namespace {

using Base = ProfilePlan::Base;

Error invalid(const std::string& name, const std::string& what) {
  return {.code = ErrorCode::kInvalidArgument, .message = "the profile '" + name + "' " + what};
}

Result<S3Role> role_of(const Profile& profile, const std::string& name) {
  S3Role role{.arn = property(profile, "role_arn"),
              .session_name = property(profile, "role_session_name"),
              .external_id = property(profile, "external_id")};
  if (!property(profile, "mfa_serial").empty()) {
    return Error{.code = ErrorCode::kUnsupported,
                 .message = "the profile '" + name +
                            "' asks for a code of a device (mfa_serial), which leat cannot ask "
                            "for; use aws sts assume-role, or a role without"};
  }
  const std::string duration = property(profile, "duration_seconds");
  if (!duration.empty()) {
    const char* end = duration.data() + duration.size();
    const auto [rest, failed] = std::from_chars(duration.data(), end, role.duration_s);
    if (failed != std::errc() || rest != end) {
      return invalid(name, "has a duration_seconds that is no number");
    }
  }
  return role;
}

/// Whether it holds keys; half a pair is an error.
Result<bool> has_keys(const Profile& profile, const std::string& name) {
  const bool id = !property(profile, "aws_access_key_id").empty();
  const bool secret = !property(profile, "aws_secret_access_key").empty();
  if (id != secret) {
    return invalid(name, std::string("lacks ") +
                             (id ? "aws_secret_access_key" : "aws_access_key_id") +
                             " but has the other one; add it");
  }
  return id;
}

Result<SsoOptions> sso_of(const ConfigSections& sections, const Profile& profile,
                          const std::string& name) {
  SsoOptions sso{.session = property(profile, "sso_session"),
                 .start_url = property(profile, "sso_start_url"),
                 .region = property(profile, "sso_region"),
                 .account_id = property(profile, "sso_account_id"),
                 .role_name = property(profile, "sso_role_name"),
                 .endpoint_url = {}};
  if (!sso.session.empty()) {
    if (!sso.start_url.empty() || !sso.region.empty()) {
      return invalid(name,
                     "has both sso_session and sso_region or sso_start_url; these two belong into "
                     "the section [sso-session " +
                         sso.session + "] alone");
    }
    const auto found = sections.sso_sessions.find(sso.session);
    if (found == sections.sso_sessions.end()) {
      return Error{.code = ErrorCode::kNotFound,
                   .message = "there is no section [sso-session " + sso.session +
                              "], which the profile '" + name + "' refers to"};
    }
    sso.start_url = property(found->second, "sso_start_url");
    sso.region = property(found->second, "sso_region");
  }
  if (sso.account_id.empty() && sso.role_name.empty() && !sso.session.empty()) {
    return Error{.code = ErrorCode::kUnsupported,
                 .message = "the profile '" + name +
                            "' stands for an access token, not for AWS credentials; add "
                            "sso_account_id and sso_role_name"};
  }
  for (const auto& [key, value] :
       {std::pair{"sso_account_id", &sso.account_id}, std::pair{"sso_role_name", &sso.role_name},
        std::pair{"sso_start_url", &sso.start_url}, std::pair{"sso_region", &sso.region}}) {
    if (value->empty()) return invalid(name, std::string("uses SSO but lacks ") + key);
  }
  return sso;
}

/// Credentials that `profile` holds without assuming a role of another one's.
Result<ProfilePlan> base_of(const ConfigSections& sections, const Profile& profile,
                            const std::string& name) {
  ProfilePlan plan{.base = Base::kNone, .profile = name};
  if (plan.token_file = property(profile, "web_identity_token_file"); !plan.token_file.empty()) {
    auto role = role_of(profile, name);
    if (!role) return std::move(role).error();
    if (role->arn.empty()) {
      return invalid(name, "has a web_identity_token_file, but its role_arn is missing");
    }
    plan.base = Base::kWebIdentity;
    plan.web_identity = *std::move(role);
    return plan;
  }
  const bool uses_sso = std::any_of(profile.begin(), profile.end(), [](const auto& entry) {
    return entry.first.starts_with("sso_") && entry.first != "sso_registration_scopes";
  });
  if (uses_sso) {
    auto sso = sso_of(sections, profile, name);
    if (!sso) return std::move(sso).error();
    plan.base = Base::kSso;
    plan.sso = *std::move(sso);
    return plan;
  }
  auto keys = has_keys(profile, name);
  if (!keys) return std::move(keys).error();
  if (*keys) {
    plan.base = Base::kKeys;
  } else if (plan.process = property(profile, "credential_process"); !plan.process.empty()) {
    plan.base = Base::kProcess;
  } else if (profile.contains("login_session")) {
    return Error{.code = ErrorCode::kUnsupported,
                 .message = "the profile '" + name +
                            "' takes its credentials from login_session, which this version of "
                            "leat cannot do; give keys instead, e.g. in the environment: "
                            "eval \"$(aws configure export-credentials --format env)\""};
  }
  return plan;
}

Result<Base> named_source(const std::string& source, const std::string& name) {
  if (source == "Environment") return Base::kEnvironment;
  if (source == "EcsContainer") return Base::kContainer;
  if (source == "Ec2InstanceMetadata") return Base::kInstance;
  return invalid(name, "has the credential_source '" + source +
                           "'; it must be Environment, Ec2InstanceMetadata or EcsContainer");
}

}  // namespace

Result<ProfilePlan> plan_profile(const ConfigSections& sections, const std::string& selected) {
  std::vector<S3Role> roles;  // The last one is assumed first.
  std::vector<std::string> visited;
  const auto finish = [&](Result<ProfilePlan> plan) -> Result<ProfilePlan> {
    if (!plan) return plan;
    if (plan->base == Base::kNone && !roles.empty()) {
      return invalid(plan->profile, "holds no credentials, though '" + visited[visited.size() - 2] +
                                        "' names it as its source_profile");
    }
    plan->roles.assign(roles.rbegin(), roles.rend());
    return plan;
  };
  std::string name = selected;
  while (true) {
    const auto found = sections.profiles.find(name);
    if (found == sections.profiles.end()) {
      return Error{
          .code = ErrorCode::kNotFound,
          .message = "there is no profile '" + name + "'" +
                     (visited.empty() ? "" : ", the source_profile of '" + visited.back() + "'")};
    }
    const Profile& profile = found->second;
    const bool is_source = !visited.empty();
    if (std::find(visited.begin(), visited.end(), name) != visited.end()) {
      return invalid(selected, "leads back to '" + name +
                                   "' by its source_profile: the chain of roles has no end");
    }
    visited.push_back(name);
    if (is_source) {
      auto keys = has_keys(profile, name);
      if (!keys) return std::move(keys).error();
      if (*keys) return finish(ProfilePlan{.base = Base::kKeys, .profile = name});
    }
    const std::string source_profile = property(profile, "source_profile");
    const std::string source = property(profile, "credential_source");
    const bool web_identity = !property(profile, "web_identity_token_file").empty();
    if (property(profile, "role_arn").empty() || web_identity) {
      return finish(base_of(sections, profile, name));
    }
    auto role = role_of(profile, name);
    if (!role) return std::move(role).error();
    if (source_profile.empty() == source.empty()) {
      return invalid(name, source.empty() ? "has a role_arn, but neither source_profile nor "
                                            "credential_source to assume it with"
                                          : "has both source_profile and credential_source; it "
                                            "must have one of them");
    }
    roles.push_back(*std::move(role));
    if (!source.empty()) {
      auto base = named_source(source, name);
      if (!base) return std::move(base).error();
      return finish(ProfilePlan{.base = *base, .profile = name});
    }
    if (source_profile == name) return finish(base_of(sections, profile, name));
    name = source_profile;
  }
}

}  // namespace leat::connector::s3
