// Credentials and settings, from where every AWS tool takes them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "leat/object_store.h"
#include "leat/result.h"

namespace leat::connector::s3 {

/// Hands out credentials that sign. Thread-safe.
///
/// Those that refresh themselves (roles, web identity, containers, instance metadata) stand behind
/// this same interface: current() is asked before each attempt, so it must be cheap.
class CredentialsProvider {
 public:
  virtual ~CredentialsProvider() = default;
  ///   kUnavailable  They cannot be had at this moment. Retryable.
  virtual Result<std::shared_ptr<const S3Credentials>> current() = 0;
  /// The service refused `refused` as expired.
  /// @return  Whether current() now hands out others, so that it is worth trying again.
  virtual bool renew(const S3Credentials& refused) = 0;
};

/// Always the same.
std::unique_ptr<CredentialsProvider> static_credentials(S3Credentials credentials);

/// Value of an environment variable; nullopt when it is not set. Injected for tests.
using Environment = std::function<std::optional<std::string>(const char* name)>;
Environment process_environment();

/// S3Options with all that they left open filled in.
struct S3Settings {
  std::string endpoint_url;  ///< Empty: AWS, by region.
  std::string region;
  std::string ca_bundle;                             ///< Empty: the system's.
  std::shared_ptr<CredentialsProvider> credentials;  ///< nullptr: requests are not signed.
};

/// Order of credentials: options, environment (unless the options name a profile), profile.
/// Order of region, endpoint and CA bundle: options, environment, profile.
///
/// Files: AWS_CONFIG_FILE or $HOME/.aws/config, and AWS_SHARED_CREDENTIALS_FILE or
/// $HOME/.aws/credentials. A missing file is an empty one. Profiles are read again when the service
/// says that their session token has expired.
///   kInvalidArgument   Half of a key pair, or a file's syntax.
///   kNotFound          The profile that was named.
///   kPermissionDenied  No credentials anywhere, and not no_sign_request; the message says where
///                      they were looked for.
///   kUnsupported       They come from a role, a process, SSO, a container …: named.
///   kIo                A file that is there but cannot be read.
Result<S3Settings> resolve_settings(const S3Options& options, const Environment& environment);

}  // namespace leat::connector::s3
