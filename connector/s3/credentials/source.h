// A place that credentials come from, asked once at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "connector/s3/endpoint.h"
#include "connector/s3/http.h"
#include "leat/clock.h"
#include "leat/object_store.h"
#include "leat/result.h"

namespace leat::connector::s3 {

/// Value of an environment variable; nullopt when it is not set. Injected for tests.
using Environment = std::function<std::optional<std::string>(const char* name)>;

/// Value of a variable without the blanks around it; blank values count as not set, as in the AWS
/// tools.
std::string variable(const Environment& environment, const char* name);

struct FetchedCredentials {
  S3Credentials credentials;
  std::optional<std::int64_t> expires_ms;  ///< Unix time; nullopt: not before they are replaced.
};

/// Asked by one thread at a time.
class CredentialSource {
 public:
  virtual ~CredentialSource() = default;
  /// Asks for credentials anew, retries included. Blocks.
  ///   kPermissionDenied  They are refused, or there are none.
  ///   kUnavailable, kTimeout  They cannot be had at this moment. Retryable.
  ///   kCorrupt, kInvalidArgument, kIo, kUnsupported, kCancelled
  virtual Result<FetchedCredentials> fetch() = 0;
  /// Where they come from: "the profile 'p'". For people; never holds a secret.
  virtual std::string description() const = 0;
};

/// What sources need from the world around them. Copies share it.
struct CredentialContext {
  Environment environment;
  std::shared_ptr<HttpTransport> transport;
  const Clock* clock = nullptr;                         ///< Must outlive the sources.
  std::function<double()> random = [] { return 0.5; };  ///< In [0, 1); spreads retries.
  std::stop_token stop = {};
  Endpoint sts = {};                 ///< Where roles are assumed.
  std::string region = {};           ///< That requests to it are signed for.
  bool without_external_id = false;  ///< Roles are assumed as if none were configured.
};

/// Always the same.
std::unique_ptr<CredentialSource> static_source(S3Credentials credentials, std::string description);

/// The whole of a text file, e.g. a token, without the blank space around it.
///   kIo  It cannot be read, is empty, or is longer than 1 MiB. `what` says what it is for.
Result<std::string> read_token_file(const std::string& path, const std::string& what);

}  // namespace leat::connector::s3
