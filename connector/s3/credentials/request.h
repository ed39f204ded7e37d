// One request for credentials: bounded, retried.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "connector/s3/credentials/source.h"
#include "connector/s3/http.h"
#include "leat/result.h"

namespace leat::connector::s3 {

/// An answer of any status, complete.
struct CredentialAnswer {
  int status = 0;
  std::vector<HttpHeader> headers;
  std::string body;  ///< May hold secrets.

  bool ok() const noexcept { return status >= 200 && status < 300; }
};

struct CredentialRequest {
  std::string who;  ///< For messages: "the token service at https://sts…".
  /// Made anew for each attempt, so that it is signed anew.
  std::function<HttpRequest()> make;
  unsigned attempts_max = 3;
  bool retry_connect = true;  ///< False: nobody at that address is an answer, too.
  /// Answers, besides 429 and 5xx, that may be another one the next time.
  std::function<bool(const CredentialAnswer&)> retry_answer = {};
};

/// @return  The last answer, whatever its status.
///   kUnavailable, kTimeout  No answer. Retryable.
///   kCorrupt                The answer is longer than 1 MiB.
///   kPermissionDenied       The server's certificate is not trusted.
///   kCancelled
Result<CredentialAnswer> ask(const CredentialContext& context, const CredentialRequest& request);

}  // namespace leat::connector::s3
