#include "connector/s3/credentials.h"

#include <openssl/crypto.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <system_error>
#include <utility>

#include "connector/s3/profile_file.h"

namespace leat {

// All of the capacity: a text that was moved from, or cut short, leaves its bytes behind.
Secret::~Secret() { OPENSSL_cleanse(text_.data(), text_.capacity()); }

}  // namespace leat

namespace leat::connector::s3 {
namespace {

// What a profile may hold in place of keys, in the order in which AWS tools would take it.
constexpr std::array kUnsupportedKeys = {
    "role_arn",           "credential_source", "source_profile", "web_identity_token_file",
    "credential_process", "sso_session",       "sso_start_url",  "sso_account_id",
    "login_session"};
constexpr std::array kUnsupportedVariables = {"AWS_WEB_IDENTITY_TOKEN_FILE",
                                              "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                                              "AWS_CONTAINER_CREDENTIALS_FULL_URI"};

class StaticCredentials final : public CredentialsProvider {
 public:
  explicit StaticCredentials(S3Credentials credentials)
      : credentials_(std::make_shared<const S3Credentials>(std::move(credentials))) {}
  Result<std::shared_ptr<const S3Credentials>> current() override { return credentials_; }
  bool renew(const S3Credentials&) override { return false; }

 private:
  const std::shared_ptr<const S3Credentials> credentials_;
};

/// Blank values count as not set, as in the AWS tools.
std::string variable(const Environment& environment, const char* name) {
  const std::string value = environment(name).value_or("");
  const std::size_t first = value.find_first_not_of(" \t\r\n");
  if (first == value.npos) return {};
  return value.substr(first, value.find_last_not_of(" \t\r\n") - first + 1);
}

Error unsupported(const std::string& where, std::string_view key) {
  return Error{.code = ErrorCode::kUnsupported,
               .message = where + " takes its credentials from " + std::string(key) +
                          ", which this version of leat cannot do; give keys instead, e.g. in the "
                          "environment: eval \"$(aws configure export-credentials --format env)\""};
}

struct ProfileFiles {
  std::string config;
  std::string credentials;
};

ProfileFiles profile_files(const Environment& environment) {
  const std::string home = variable(environment, "HOME");
  ProfileFiles files{.config = variable(environment, "AWS_CONFIG_FILE"),
                     .credentials = variable(environment, "AWS_SHARED_CREDENTIALS_FILE")};
  if (files.config.empty() && !home.empty()) files.config = home + "/.aws/config";
  if (files.credentials.empty() && !home.empty()) files.credentials = home + "/.aws/credentials";
  return files;
}

struct CloseFile {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};

Result<void> read_file(const std::string& path, ProfileFileKind kind, Profiles& profiles) {
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
  Result<void> read = read_profile_file(text, kind, path, profiles);
  OPENSSL_cleanse(text.data(), text.size());
  OPENSSL_cleanse(buffer.data(), buffer.size());
  return read;
}

/// The profile of that name; nullopt: there is none.
Result<std::optional<Profile>> read_profile(const ProfileFiles& files, const std::string& name) {
  Profiles profiles;
  if (auto read = read_file(files.config, ProfileFileKind::kConfig, profiles); !read) {
    return std::move(read).error();
  }
  if (auto read = read_file(files.credentials, ProfileFileKind::kCredentials, profiles); !read) {
    return std::move(read).error();
  }
  const auto found = profiles.find(name);
  if (found == profiles.end()) return std::optional<Profile>();
  return std::optional<Profile>(std::move(found->second));
}

std::string property(const Profile& profile, const std::string& name) {
  const auto found = profile.find(name);
  return found == profile.end() ? std::string() : found->second;
}

/// nullopt: the profile holds none.
Result<std::optional<S3Credentials>> profile_credentials(const Profile& profile,
                                                         const std::string& name) {
  const std::string where = "the profile '" + name + "'";
  // A role outranks keys beside it: those would be the ones to assume it with.
  if (profile.contains("role_arn")) return unsupported(where, "role_arn");
  S3Credentials credentials{.access_key_id = property(profile, "aws_access_key_id"),
                            .secret_access_key = Secret(property(profile, "aws_secret_access_key")),
                            .session_token = Secret(property(profile, "aws_session_token"))};
  if (credentials.access_key_id.empty() != credentials.secret_access_key.empty()) {
    return Error{.code = ErrorCode::kInvalidArgument,
                 .message = where +
                            " holds only one of aws_access_key_id and "
                            "aws_secret_access_key; add the other"};
  }
  if (!credentials.access_key_id.empty()) return std::optional(std::move(credentials));
  for (const char* key : kUnsupportedKeys) {
    if (profile.contains(key)) return unsupported(where, key);
  }
  return std::optional<S3Credentials>();
}

/// Keys of a profile. Other tools renew temporary ones in its file: so it is read again when the
/// service calls them expired.
class ProfileCredentials final : public CredentialsProvider {
 public:
  ProfileCredentials(S3Credentials credentials, ProfileFiles files, std::string name)
      : credentials_(std::make_shared<const S3Credentials>(std::move(credentials))),
        files_(std::move(files)),
        name_(std::move(name)) {}

  Result<std::shared_ptr<const S3Credentials>> current() override {
    const std::lock_guard lock(mutex_);
    return credentials_;
  }

  bool renew(const S3Credentials& refused) override {
    const std::lock_guard lock(mutex_);
    const auto differs = [&](const S3Credentials& other) {
      return other.access_key_id != refused.access_key_id ||
             other.session_token.reveal() != refused.session_token.reveal();
    };
    if (differs(*credentials_)) return true;  // Another thread was faster.
    auto profile = read_profile(files_, name_);
    if (!profile || !*profile) return false;
    auto read = profile_credentials(**profile, name_);
    if (!read || !*read || !differs(**read)) return false;
    credentials_ = std::make_shared<const S3Credentials>(**std::move(read));
    return true;
  }

 private:
  std::mutex mutex_;
  std::shared_ptr<const S3Credentials> credentials_;
  const ProfileFiles files_;
  const std::string name_;
};

Result<std::shared_ptr<CredentialsProvider>> find_credentials(const S3Options& options,
                                                              const Environment& environment,
                                                              const ProfileFiles& files,
                                                              const std::string& profile_name,
                                                              const Profile& profile) {
  using Provider = std::shared_ptr<CredentialsProvider>;
  if (options.no_sign_request) return Provider();
  if (options.credentials) {
    if (options.credentials->access_key_id.empty() ||
        options.credentials->secret_access_key.empty()) {
      return Error{.code = ErrorCode::kInvalidArgument,
                   .message = "the credentials given lack the access key or the secret access key"};
    }
    return Provider(static_credentials(*options.credentials));
  }
  // A profile that was asked for by name means its keys, not those lying about.
  if (options.profile.empty()) {
    S3Credentials credentials{
        .access_key_id = variable(environment, "AWS_ACCESS_KEY_ID"),
        .secret_access_key = Secret(variable(environment, "AWS_SECRET_ACCESS_KEY")),
        .session_token = Secret(variable(environment, "AWS_SESSION_TOKEN"))};
    if (credentials.access_key_id.empty() != credentials.secret_access_key.empty()) {
      return Error{.code = ErrorCode::kInvalidArgument,
                   .message =
                       "only one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set; set "
                       "both or none"};
    }
    if (!credentials.access_key_id.empty()) {
      return Provider(static_credentials(std::move(credentials)));
    }
  }
  auto found = profile_credentials(profile, profile_name);
  if (!found) return std::move(found).error();
  if (*found) {
    return Provider(std::make_shared<ProfileCredentials>(**std::move(found), files, profile_name));
  }
  for (const char* name : kUnsupportedVariables) {
    if (!variable(environment, name).empty()) return unsupported("the environment", name);
  }
  return Error{.code = ErrorCode::kPermissionDenied,
               .message =
                   "no AWS credentials found: not in AWS_ACCESS_KEY_ID and "
                   "AWS_SECRET_ACCESS_KEY, and not in the profile '" +
                   profile_name + "' of " + files.config + " and " + files.credentials +
                   "; set one of them, or ask for unsigned requests (--no-sign-request) if "
                   "the bucket is public"};
}

}  // namespace

std::unique_ptr<CredentialsProvider> static_credentials(S3Credentials credentials) {
  return std::make_unique<StaticCredentials>(std::move(credentials));
}

Environment process_environment() {
  return [](const char* name) -> std::optional<std::string> {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody sets it.
    if (value == nullptr) return std::nullopt;
    return value;
  };
}

Result<S3Settings> resolve_settings(const S3Options& options, const Environment& environment) {
  const ProfileFiles files = profile_files(environment);
  std::string profile_name = options.profile;
  if (profile_name.empty()) profile_name = variable(environment, "AWS_PROFILE");
  const bool profile_named = !profile_name.empty();
  if (!profile_named) profile_name = "default";

  auto profile = read_profile(files, profile_name);
  if (!profile) return std::move(profile).error();
  if (profile_named && !*profile) {
    return Error{.code = ErrorCode::kNotFound,
                 .message = "there is no profile '" + profile_name + "' in " + files.config +
                            " or " + files.credentials + "; correct its name, or add it"};
  }
  const Profile& properties = profile->has_value() ? **profile : *(*profile = Profile());

  const auto first_of = [](std::initializer_list<std::string> candidates) {
    for (const std::string& candidate : candidates) {
      if (!candidate.empty()) return candidate;
    }
    return std::string();
  };
  S3Settings settings;
  settings.region = first_of({options.region, variable(environment, "AWS_REGION"),
                              variable(environment, "AWS_DEFAULT_REGION"),
                              property(properties, "region"), "us-east-1"});
  settings.endpoint_url =
      first_of({options.endpoint_url, variable(environment, "AWS_ENDPOINT_URL_S3"),
                variable(environment, "AWS_ENDPOINT_URL"), property(properties, "endpoint_url")});
  settings.ca_bundle = first_of({options.ca_bundle, variable(environment, "AWS_CA_BUNDLE"),
                                 property(properties, "ca_bundle")});
  auto credentials = find_credentials(options, environment, files, profile_name, properties);
  if (!credentials) return std::move(credentials).error();
  settings.credentials = *std::move(credentials);
  return settings;
}

}  // namespace leat::connector::s3
