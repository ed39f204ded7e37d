// Credentials and settings, from where every AWS tool takes them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "connector/s3/credentials/source.h"
#include "connector/s3/endpoint.h"
#include "connector/s3/http.h"
#include "leat/clock.h"
#include "leat/object_store.h"
#include "leat/result.h"

namespace leat::connector::s3 {

/// Hands out credentials that sign. Thread-safe.
class CredentialsProvider {
 public:
  virtual ~CredentialsProvider() = default;
  /// Asked before each attempt. Mostly answers at once; when credentials have to be got or renewed
  /// it blocks, and asks over the network.
  ///   kUnavailable  They cannot be had at this moment. Retryable.
  ///   kPermissionDenied, … See CredentialSource::fetch.
  virtual Result<std::shared_ptr<const S3Credentials>> current() = 0;
  /// The service refused `refused` as expired.
  /// @return  Whether current() now hands out others, so that it is worth trying again.
  ///   Errors of CredentialSource::fetch.
  virtual Result<bool> renew(const S3Credentials& refused) = 0;
  /// Unix time at which the current ones end; nullopt: no end is known.
  virtual std::optional<std::int64_t> expires_ms() { return std::nullopt; }
  /// Where they come from. For people; never holds a secret.
  virtual std::string description() const { return "the credentials given"; }
};

/// Always the same.
std::unique_ptr<CredentialsProvider> static_credentials(S3Credentials credentials);

Environment process_environment();

/// S3Options with all that they left open filled in.
struct S3Settings {
  std::string endpoint_url;  ///< Empty: AWS, by region.
  std::string region;
  std::string ca_bundle;                             ///< Empty: the system's.
  AwsVariant aws;                                    ///< Which endpoints of AWS.
  std::shared_ptr<CredentialsProvider> credentials;  ///< nullptr: requests are not signed.
  CredentialContext context;     ///< That credentials are got with: whom to ask who they are.
  bool has_external_id = false;  ///< A role is assumed with one.
};

struct SettingsInput {
  Environment environment = process_environment();
  const Clock* clock = nullptr;  ///< nullptr: system_clock(). Must outlive the settings.
  std::stop_token stop = {};     ///< Ends requests for credentials.
  /// Carries requests for credentials. nullptr: HTTP, with the CA bundle of the settings.
  std::shared_ptr<HttpTransport> transport = nullptr;
  bool without_external_id = false;  ///< To see whether a role can be assumed without it.
};

/// Order of credentials: options, environment (unless the options name a profile), profile, web
/// identity of the environment, container, instance. Order of region, endpoint and CA bundle:
/// options, environment, profile. Sends nothing: the first request that needs credentials does.
///
/// Files: AWS_CONFIG_FILE or $HOME/.aws/config, and AWS_SHARED_CREDENTIALS_FILE or
/// $HOME/.aws/credentials. A missing file is an empty one.
///   kInvalidArgument   Half of a key pair, options that contradict one another, a file's syntax, a
///                      URL that is none, a profile that cannot be followed.
///   kNotFound          The profile that was named, or one that it names.
///   kPermissionDenied  No credentials anywhere, and not no_sign_request; the message says where
///                      they were looked for.
///   kUnsupported       They come from where this version cannot get them: named.
///   kIo                A file that is there but cannot be read.
Result<S3Settings> resolve_settings(const S3Options& options, SettingsInput input = {});

}  // namespace leat::connector::s3
