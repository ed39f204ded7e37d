#include "connector/s3/s3_error.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <span>

#include "connector/hidden_text.h"
#include "connector/s3/xml_reader.h"

namespace leat::connector::s3 {
namespace {

using Operation = RequestContext::Operation;

/// Fit for one line of a message.
std::string printable(std::string_view text) {
  constexpr std::size_t kBytesMax = 300;
  std::string line = without_url_secrets(text);
  const bool is_long = line.size() > kBytesMax;
  if (is_long) line.resize(kBytesMax);
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return is_long ? line + "…" : line;
}

std::string in_quotes(std::string_view text) { return "'" + printable(text) + "'"; }

std::string permission(const RequestContext& context) {
  switch (context.operation) {
    case Operation::kList:
      return "s3:ListBucket on the bucket " + in_quotes(context.bucket);
    case Operation::kGet:
      return "s3:GetObject on " + context.uri() +
             " (and s3:ListBucket on the bucket, without which a missing object looks denied)";
    case Operation::kPut:
      return "s3:PutObject on " + context.uri();
    case Operation::kCopy:
      return "s3:PutObject on " + context.uri() +
             " and s3:GetObject on what is copied (with its tags: s3:GetObjectTagging, "
             "s3:PutObjectTagging)";
    case Operation::kTag:
      return "s3:GetObjectTagging and s3:PutObjectTagging on " + context.uri();
    case Operation::kDelete:
      return "s3:DeleteObject on " + context.uri();
    case Operation::kCreateBucket:
      return "s3:CreateBucket on the bucket " + in_quotes(context.bucket);
  }
  return {};
}

bool is_one_of(std::string_view code, std::initializer_list<std::string_view> codes) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

struct Verdict {
  ErrorCode code;
  std::string message;
  bool retryable = false;
};

Verdict judge_denied(const RequestContext& context, std::string_view code) {
  constexpr ErrorCode kDenied = ErrorCode::kPermissionDenied;
  const std::string action = context.action();
  if (code == "SignatureDoesNotMatch") {
    return {kDenied, action +
                         ": the secret access key does not belong to the access key; check "
                         "AWS_SECRET_ACCESS_KEY or the profile"};
  }
  if (code == "InvalidAccessKeyId" || code.ends_with("UserNotFound")) {
    return {kDenied, action + ": the access key is not known at " + context.endpoint +
                         "; check AWS_ACCESS_KEY_ID or the profile"};
  }
  if (is_one_of(code, {"ExpiredToken", "TokenRefreshRequired", "ExpiredTokenException"})) {
    return {kDenied, action + ": the session token has expired; get new temporary credentials"};
  }
  if (is_one_of(code, {"InvalidToken", "InvalidSecurity"})) {
    return {kDenied, action +
                         ": the session token is not valid; check AWS_SESSION_TOKEN, and "
                         "leave it empty for long-lived keys"};
  }
  if (code == "RequestTimeTooSkewed") {
    return {kDenied, action + ": this machine's clock differs too much from the server's; set it"};
  }
  if (code == "InvalidObjectState") {
    return {ErrorCode::kUnsupported, action + ": the object is archived; restore it first"};
  }
  return {kDenied, action +
                       ": access denied; check that the keys are the intended ones, and have "
                       "the permission " +
                       permission(context)};
}

/// 404. An object counts as gone for what S3 itself says of it alone: proxies, and servers that
/// have taken the place of another, say 404 of everything. HEAD has to be asked again with GET for
/// that.
Verdict judge_missing(const RequestContext& context, std::string_view code) {
  const std::string action = context.action();
  if (code == "NoSuchBucket") {
    const std::string what = action + ": there is no bucket " + in_quotes(context.bucket) + " at " +
                             context.endpoint + "; check its name and the endpoint";
    const bool of_object =
        !context.key.empty() && context.operation != RequestContext::Operation::kPut;
    return {of_object ? ErrorCode::kUnavailable : ErrorCode::kNotFound, what};
  }
  if (code.ends_with("UserNotFound")) return judge_denied(context, code);
  if (context.key.empty()) {
    return {ErrorCode::kNotFound,
            action + ": " + context.endpoint + " knows no such thing; check bucket and endpoint"};
  }
  if (code == "NoSuchUpload") {
    return {ErrorCode::kNotFound, action + ": the upload is not there (any more)"};
  }
  if (is_one_of(code, {"NoSuchKey", "NoSuchVersion"}) || (context.head && code.empty())) {
    return {ErrorCode::kNotFound, action + ": the object is not there (any more)"};
  }
  return {ErrorCode::kUnavailable,
          action + ": " + context.host +
              " does not answer as S3 does when an object is missing; check that the service runs "
              "there, and the proxies before it",
          true};
}

Verdict judge(const RequestContext& context, int status, const S3ErrorBody& body,
              const std::string& right_region) {
  const std::string_view code = body.code;
  const std::string action = context.action();
  if (status == 501 || status == 405) {
    return {ErrorCode::kUnsupported, action + ": " + context.endpoint + " does not offer this"};
  }
  if (is_one_of(code, {"SlowDown", "Throttling", "ThrottlingException", "RequestLimitExceeded",
                       "BandwidthLimitExceeded", "RequestThrottled", "TooManyRequests"}) ||
      status == 429 || status == 503 || (status >= 500 && code.empty())) {
    return {ErrorCode::kThrottled,
            action + ": " + context.host + " asks for fewer requests; fewer splits in flight help",
            true};
  }
  if (status == 408 || code == "RequestTimeout") {
    return {ErrorCode::kTimeout, action + ": " + context.host + " waited too long for the request",
            true};
  }
  if (!right_region.empty() && right_region != context.region) {
    return {ErrorCode::kInvalidArgument,
            action + ": the bucket is in the region " + in_quotes(right_region) + ", not in " +
                in_quotes(context.region) + "; set the region to " + in_quotes(right_region)};
  }
  if (status >= 500 || is_one_of(code, {"InternalError", "OperationAborted",
                                        "ConditionalRequestConflict", "ServiceUnavailable"})) {
    return {ErrorCode::kUnavailable, action + ": " + context.host + " reports a failure of its own",
            true};
  }
  if (status == 412 || code == "PreconditionFailed") {
    return {ErrorCode::kObjectChanged,
            action + ": the object was replaced after it was listed; list again"};
  }
  if (status == 416 || code == "InvalidRange") {
    return {ErrorCode::kObjectChanged,
            action + ": the object is shorter than when it was listed; list again"};
  }
  if (status == 404 || code == "NoSuchBucket") return judge_missing(context, code);
  if (status == 401 || status == 403 || code.find("Token") != code.npos ||
      is_one_of(code, {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch"})) {
    return judge_denied(context, code);
  }
  if (status >= 300 && status < 400) {
    return {ErrorCode::kInvalidArgument,
            action + ": " + context.endpoint +
                " sends elsewhere without naming a region; check region and endpoint"};
  }
  if (status >= 200 && status < 300) {
    return {ErrorCode::kUnavailable, action + ": " + context.host + " answered with an error",
            true};
  }
  if (body.cut_off && code.empty()) {
    return {ErrorCode::kUnavailable,
            action + ": the error that " + context.host + " reports is cut off", true};
  }
  return {ErrorCode::kInvalidArgument, action + ": " + context.endpoint + " refused the request"};
}

}  // namespace

void S3ErrorBody::take(std::string_view element, std::string_view text) {
  if (element == "Code") code = text;
  if (element == "Message") message = text;
  if (element == "Region") region = text;
  if (element == "RequestId") request_id = text;
}

S3ErrorBody parse_error_body(std::string_view body) {
  S3ErrorBody parsed;
  bool is_error = false;
  XmlReader xml({.begin = [&](const XmlReader::Path& path) { is_error |= path[0] == "Error"; },
                 .end =
                     [&](const XmlReader::Path& path, const std::string& text) {
                       if (path.size() == 2 && path[0] == "Error") parsed.take(path[1], text);
                     }});
  // What was understood before a fault is worth having: the rest is dropped.
  const bool whole = xml.feed(std::as_bytes(std::span(body))) && xml.finish();
  parsed.cut_off = is_error && !whole;
  return parsed;
}

std::string RequestContext::uri() const { return "s3://" + bucket + "/" + key; }

std::string RequestContext::action() const {
  switch (operation) {
    case Operation::kList:
      return "listing s3://" + bucket;
    case Operation::kGet:
      return "reading " + uri();
    case Operation::kPut:
      return "writing " + uri();
    case Operation::kCopy:
      return "copying to " + uri();
    case Operation::kTag:
      return "tagging " + uri();
    case Operation::kDelete:
      return "deleting " + uri();
    case Operation::kCreateBucket:
      return "making the bucket " + bucket;
  }
  return {};
}

S3Failure make_failure(const RequestContext& context, ErrorCode code, const std::string& what,
                       bool retryable) {
  S3Failure failure;
  failure.error = Error{
      .code = code, .message = context.action() + ": " + what, .at = {}, .retryable = retryable};
  failure.error.at.object = context.uri();
  return failure;
}

S3Failure failure_from_answer(const RequestContext& context, const HttpResponse& response,
                              S3ErrorBody body, std::shared_ptr<const S3Credentials> signed_with) {
  S3Failure failure;
  const std::string* header_id = response.find("x-amz-request-id");
  if (header_id != nullptr) body.request_id = *header_id;
  if (signed_with != nullptr) {
    for (std::string* text : {&body.code, &body.message, &body.request_id}) {
      hide(signed_with->secret_access_key.reveal(), *text);
      hide(signed_with->session_token.reveal(), *text);
    }
  }
  failure.refused_credentials = std::move(signed_with);
  failure.s3_code = body.code;
  failure.asked_region = context.region;
  // An answer to HEAD has no body: there the status and the header say it.
  const std::string* header = response.find("x-amz-bucket-region");
  const bool misdirected =
      response.status == 301 || response.status == 307 ||
      (response.status == 400 && body.code.empty() && header != nullptr) ||
      is_one_of(body.code, {"AuthorizationHeaderMalformed", "PermanentRedirect",
                            "TemporaryRedirect", "IllegalLocationConstraintException"});
  std::string right_region;
  if (misdirected) {
    right_region = header != nullptr ? *header : body.region;
    if (right_region != context.region) failure.right_region = right_region;
    failure.region_unknown = right_region.empty();
  }
  if (body.code == "RequestTimeTooSkewed") {
    if (const std::string* date = response.find("date")) {
      failure.server_time_ms = parse_http_date(*date);
    }
  }
  failure.credentials_expired =
      is_one_of(body.code, {"ExpiredToken", "TokenRefreshRequired", "ExpiredTokenException"});

  const Verdict verdict = judge(context, response.status, body, right_region);
  std::string detail = "HTTP " + std::to_string(response.status);
  if (!body.code.empty()) detail += " " + printable(body.code);
  if (!body.request_id.empty()) detail += ", request " + printable(body.request_id);
  if (!body.message.empty()) detail += ": " + printable(body.message);
  failure.error = Error{.code = verdict.code,
                        .message = verdict.message + " (" + detail + ")",
                        .at = {},
                        .retryable = verdict.retryable};
  failure.error.at.object = context.uri();
  return failure;
}

S3Failure failure_from_transport(const RequestContext& context, const TransportFailure& failure) {
  using Kind = TransportFailure::Kind;
  Error error{.code = ErrorCode::kUnavailable, .message = context.action() + ": "};
  error.at.object = context.uri();
  error.retryable = true;
  const std::string reason = printable(failure.reason);
  switch (failure.kind) {
    case Kind::kConnect:
      error.message += "cannot reach " + context.host + ": " + reason;
      error.message += reason.find("wrong version number") != reason.npos
                           ? "; what answers there speaks no TLS: use http://, or another port"
                           : "; check the endpoint URL, that the server runs, and the way to it "
                             "(proxy, firewall)";
      break;
    case Kind::kTimeout:
      error.code = ErrorCode::kTimeout;
      error.message += context.host + " does not answer: " + reason +
                       "; check the endpoint URL and the way to it (proxy, firewall)";
      break;
    case Kind::kBroken:
      error.message += "the connection to " + context.host + " broke: " + reason;
      break;
    case Kind::kProtocol:
      error.message += context.host + " does not speak HTTP as expected: " + reason +
                       "; check the port, and http:// or https://";
      break;
    case Kind::kTrust:
      error.retryable = false;
      error.message += "the certificate of " + context.host + " is not trusted: " + reason +
                       "; give the CA that issued it as CA bundle (AWS_CA_BUNDLE)";
      break;
    case Kind::kStopped:
      error.code = ErrorCode::kCancelled;
      error.retryable = false;
      error.message += "stopped";
      break;
    case Kind::kSink:
      error.code = ErrorCode::kInternal;
      error.retryable = false;
      error.message += "the body was refused";
      break;
  }
  S3Failure result;
  result.error = std::move(error);
  result.connection_reused = failure.connection_reused;
  return result;
}

std::optional<std::int64_t> parse_http_date(std::string_view text) {
  // By hand: strptime would want the names of the current locale.
  constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::string copy(text);
  std::array<char, 4> month{};
  std::tm time = {};
  if (std::sscanf(copy.c_str(), "%*3s, %2d %3s %4d %2d:%2d:%2d GMT", &time.tm_mday, month.data(),
                  &time.tm_year, &time.tm_hour, &time.tm_min, &time.tm_sec) != 6) {
    return std::nullopt;
  }
  const auto found = std::find(kMonths.begin(), kMonths.end(), std::string_view(month.data()));
  if (found == kMonths.end()) return std::nullopt;
  time.tm_mon = static_cast<int>(found - kMonths.begin());
  time.tm_year -= 1900;
  return std::int64_t{::timegm(&time)} * 1'000;
}

}  // namespace leat::connector::s3
