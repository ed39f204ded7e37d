// What S3 says went wrong, as errors of leat that say what to do.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "connector/s3/http.h"
#include "leat/object_store.h"
#include "leat/result.h"

namespace leat::connector::s3 {

/// The <Error> document of an answer; what it lacks stays empty.
struct S3ErrorBody {
  std::string code = {};        ///< "NoSuchKey", …
  std::string message = {};     ///< For people. The server's words: not to be trusted with layout.
  std::string region = {};      ///< The right one, when another was asked.
  std::string request_id = {};  ///< For the operator of the service.
  bool cut_off = false;         ///< The document has no end.

  /// Takes the text of a child element of <Error>.
  void take(std::string_view element, std::string_view text);
};

/// Empty where `body` is no <Error> document, as with proxies.
S3ErrorBody parse_error_body(std::string_view body);

/// What a request was about, for messages.
struct RequestContext {
  enum class Operation {
    kList,
    kGet,
    kPut,
    kCopy,
    kTag,
    kDelete,
    kCreateBucket
  } operation = Operation::kList;
  std::string bucket;
  std::string key;       ///< Empty where the request is about the bucket.
  std::string endpoint;  ///< "https://host:port".
  std::string host;      ///< "host:port".
  std::string region;    ///< That was signed for.
  bool head = false;     ///< Asked with HEAD: an answer has no body, and so no code of S3's.

  /// "s3://bucket/key".
  std::string uri() const;
  /// "listing s3://bucket/in/", "reading s3://bucket/key", …
  std::string action() const;
};

/// An answer with an error, with all that the retry loop needs to know about it.
struct S3Failure {
  Error error;                  ///< retryable is set; kThrottled and kTimeout cost more.
  std::string s3_code;          ///< Empty for transport failures.
  std::string asked_region;     ///< That the request was signed for.
  std::string right_region;     ///< Non-empty: ask again, signed for this region.
  bool region_unknown = false;  ///< It is another one, and the answer does not say which.
  std::optional<std::int64_t> server_time_ms;  ///< Set: ask again, with the server's time.
  bool credentials_expired = false;
  std::shared_ptr<const S3Credentials> refused_credentials;  ///< nullptr: it was not signed.
  bool connection_reused = false;
};

/// A failure that leat found out itself. `what` follows what was being done.
S3Failure make_failure(const RequestContext& context, ErrorCode code, const std::string& what,
                       bool retryable);

/// Maps an answer whose status or root element says that it failed.
/// @param signed_with  Of the request; the server's words may repeat them, leat does not. nullptr:
///                     it was not signed.
S3Failure failure_from_answer(const RequestContext& context, const HttpResponse& response,
                              S3ErrorBody body,
                              std::shared_ptr<const S3Credentials> signed_with = nullptr);

/// Maps an exchange that did not come to its end. Not for kSink.
S3Failure failure_from_transport(const RequestContext& context, const TransportFailure& failure);

/// Milliseconds of Unix time of "Fri, 20 Nov 2026 16:51:27 GMT".
std::optional<std::int64_t> parse_http_date(std::string_view text);

}  // namespace leat::connector::s3
