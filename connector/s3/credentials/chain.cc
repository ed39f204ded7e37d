#include "connector/s3/credentials/chain.h"

#include <openssl/crypto.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

#include "connector/s3/credentials/container.h"
#include "connector/s3/credentials/instance.h"
#include "connector/s3/credentials/process.h"
#include "connector/s3/credentials/profile_plan.h"
#include "connector/s3/credentials/sts.h"

namespace leat::connector::s3 {
namespace {

using Source = std::unique_ptr<CredentialSource>;

struct CloseFile {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};

Result<void> read_file(const std::string& path, ProfileFileKind kind, ConfigSections& sections) {
  if (path.empty()) return {};
  errno = 0;
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "rbe"));
  if (file == nullptr && (errno == ENOENT || errno == ENOTDIR)) return {};
  std::string text;
  std::array<char, 4096> buffer;
  while (file != nullptr) {
    const std::size_t length = std::fread(buffer.data(), 1, buffer.size(), file.get());
    if (length == 0) break;
    text.append(buffer.data(), length);
  }
  if (file == nullptr || std::ferror(file.get()) != 0) {
    return Error{.code = ErrorCode::kIo,
                 .message = "cannot read " + path + ": " + std::generic_category().message(errno) +
                            "; correct it, or set AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE"};
  }
  Result<void> read = read_profile_file(text, kind, path, sections);
  OPENSSL_cleanse(text.data(), text.size());
  OPENSSL_cleanse(buffer.data(), buffer.size());
  return read;
}

/// Keys of a profile. Other tools renew temporary ones in its file: it is read anew each time.
class ProfileKeysSource final : public CredentialSource {
 public:
  ProfileKeysSource(ProfilePaths paths, std::string name)
      : paths_(std::move(paths)), name_(std::move(name)) {}

  Result<FetchedCredentials> fetch() override {
    auto sections = read_profiles(paths_);
    if (!sections) return std::move(sections).error();
    const Profile& profile = sections->profiles[name_];
    FetchedCredentials fetched{
        .credentials = {.access_key_id = property(profile, "aws_access_key_id"),
                        .secret_access_key = Secret(property(profile, "aws_secret_access_key")),
                        .session_token = Secret(property(profile, "aws_session_token"))},
        .expires_ms = std::nullopt};
    if (fetched.credentials.access_key_id.empty() ||
        fetched.credentials.secret_access_key.empty()) {
      return Error{.code = ErrorCode::kPermissionDenied,
                   .message = description() + " no longer holds a pair of keys"};
    }
    return fetched;
  }
  std::string description() const override { return "the keys of the profile '" + name_ + "'"; }

 private:
  const ProfilePaths paths_;
  const std::string name_;
};

/// AWS_ACCESS_KEY_ID and its companions. nullptr: not set.
Result<Source> environment_source(const Environment& environment) {
  S3Credentials credentials{
      .access_key_id = variable(environment, "AWS_ACCESS_KEY_ID"),
      .secret_access_key = Secret(variable(environment, "AWS_SECRET_ACCESS_KEY")),
      .session_token = Secret(variable(environment, "AWS_SESSION_TOKEN"))};
  if (credentials.access_key_id.empty() != credentials.secret_access_key.empty()) {
    return Error{.code = ErrorCode::kInvalidArgument,
                 .message =
                     "only one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set; set both or "
                     "none"};
  }
  if (credentials.access_key_id.empty()) return Source();
  return static_source(std::move(credentials), "the environment (AWS_ACCESS_KEY_ID)");
}

/// AWS_WEB_IDENTITY_TOKEN_FILE and its companions, as EKS sets them. nullptr: not set.
Result<Source> environment_web_identity(const CredentialContext& context) {
  std::string file = variable(context.environment, "AWS_WEB_IDENTITY_TOKEN_FILE");
  if (file.empty()) return Source();
  S3Role role{.arn = variable(context.environment, "AWS_ROLE_ARN"),
              .session_name = variable(context.environment, "AWS_ROLE_SESSION_NAME")};
  if (role.arn.empty()) {
    return Error{
        .code = ErrorCode::kInvalidArgument,
        .message = "AWS_WEB_IDENTITY_TOKEN_FILE is set, but AWS_ROLE_ARN is not; set both"};
  }
  return web_identity_source(context, std::move(role), std::move(file));
}

std::string portal_url(const ChainInput& input, const std::string& region) {
  if (!input.portal_endpoint_url.empty()) return input.portal_endpoint_url;
  return aws_endpoint("portal.sso", region, input.aws).origin();
}

Result<Source> base_source(const CredentialContext& context, const ChainInput& input,
                           ProfilePlan& plan) {
  using Base = ProfilePlan::Base;
  const std::string owner = "the profile '" + plan.profile + "'";
  switch (plan.base) {
    case Base::kNone:
      return Source();
    case Base::kKeys:
      return Source(std::make_unique<ProfileKeysSource>(input.paths, plan.profile));
    case Base::kEnvironment: {
      auto source = environment_source(context.environment);
      if (source && *source == nullptr) {
        return Error{.code = ErrorCode::kPermissionDenied,
                     .message = owner +
                                " takes its credentials from the environment, but "
                                "AWS_ACCESS_KEY_ID is not set"};
      }
      return source;
    }
    case Base::kContainer:
      return container_source(context);
    case Base::kInstance: {
      auto options =
          instance_options(context.environment, input.sections.profiles.at(input.profile));
      if (!options) return std::move(options).error();
      return instance_source(context, *std::move(options), {});
    }
    case Base::kProcess:
      return process_source(context, owner, std::move(plan.process));
    case Base::kWebIdentity:
      return web_identity_source(context, std::move(plan.web_identity), std::move(plan.token_file));
    case Base::kSso:
      plan.sso.endpoint_url = portal_url(input, plan.sso.region);
      return sso_source(context, std::move(plan.sso));
  }
  return Source();
}

}  // namespace

ProfilePaths profile_paths(const Environment& environment) {
  const std::string home = variable(environment, "HOME");
  ProfilePaths paths{.config = variable(environment, "AWS_CONFIG_FILE"),
                     .credentials = variable(environment, "AWS_SHARED_CREDENTIALS_FILE")};
  if (paths.config.empty() && !home.empty()) paths.config = home + "/.aws/config";
  if (paths.credentials.empty() && !home.empty()) paths.credentials = home + "/.aws/credentials";
  return paths;
}

Result<ConfigSections> read_profiles(const ProfilePaths& paths) {
  ConfigSections sections;
  for (const auto& [path, kind] : {std::pair{&paths.config, ProfileFileKind::kConfig},
                                   std::pair{&paths.credentials, ProfileFileKind::kCredentials}}) {
    if (auto read = read_file(*path, kind, sections); !read) return std::move(read).error();
  }
  return sections;
}

Result<Source> profile_source(const CredentialContext& context, const ChainInput& input,
                              bool& has_external_id) {
  if (!input.sections.profiles.contains(input.profile)) return Source();
  auto plan = plan_profile(input.sections, input.profile);
  if (!plan) return std::move(plan).error();
  auto source = base_source(context, input, *plan);
  if (!source || *source == nullptr) return source;
  for (S3Role& role : plan->roles) {
    has_external_id = has_external_id || !role.external_id.empty();
    Source base = *std::move(source);
    source = assume_role_source(context, std::move(role), std::move(base));
  }
  return source;
}

Result<Source> find_source(const CredentialContext& context, const ChainInput& input,
                           bool& has_external_id) {
  if (input.ask_environment) {
    auto source = environment_source(context.environment);
    if (!source || *source != nullptr) return source;
  }
  auto of_profile = profile_source(context, input, has_external_id);
  if (!of_profile || *of_profile != nullptr) return of_profile;
  auto web_identity = environment_web_identity(context);
  if (!web_identity || *web_identity != nullptr) return web_identity;
  if (has_container(context.environment)) return container_source(context);

  const auto profile = input.sections.profiles.find(input.profile);
  auto options = instance_options(
      context.environment, profile == input.sections.profiles.end() ? Profile() : profile->second);
  if (!options) return std::move(options).error();
  const std::string looked_in =
      "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, not in the profile '" + input.profile +
      "' of " + input.paths.config + " and " + input.paths.credentials +
      ", not in AWS_WEB_IDENTITY_TOKEN_FILE or AWS_CONTAINER_CREDENTIALS_FULL_URI";
  if (!options->enabled) {
    return Error{.code = ErrorCode::kPermissionDenied,
                 .message = "no AWS credentials found: not in " + looked_in +
                            ", and AWS_EC2_METADATA_DISABLED is set; set one of them, or ask for "
                            "unsigned requests (--no-sign-request) if the bucket is public"};
  }
  return instance_source(context, *std::move(options), looked_in);
}

}  // namespace leat::connector::s3
