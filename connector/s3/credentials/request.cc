#include "connector/s3/credentials/request.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <span>
#include <utility>

namespace leat::connector::s3 {
namespace {

constexpr std::size_t kBodyBytesMax = std::size_t{1} << 20;
constexpr std::chrono::milliseconds kPause{100};

Error error_of(const CredentialRequest& request, const TransportFailure& failure) {
  using Kind = TransportFailure::Kind;
  const std::string& who = request.who;
  switch (failure.kind) {
    case Kind::kSink:
      return {.code = ErrorCode::kCorrupt, .message = who + " answers with more than 1 MiB"};
    case Kind::kStopped:
      return {.code = ErrorCode::kCancelled,
              .message = who + " was asked for credentials: stopped"};
    case Kind::kTrust:
      return {.code = ErrorCode::kPermissionDenied,
              .message = who + " has a certificate that is not trusted: " + failure.reason +
                         "; give the CA that issued it as CA bundle (AWS_CA_BUNDLE)"};
    case Kind::kTimeout:
      return {.code = ErrorCode::kTimeout,
              .message = who + " does not answer: " + failure.reason,
              .at = {},
              .retryable = true};
    default:
      return {.code = ErrorCode::kUnavailable,
              .message = who + " cannot be reached: " + failure.reason,
              .at = {},
              .retryable = true};
  }
}

}  // namespace

Result<CredentialAnswer> ask(const CredentialContext& context, const CredentialRequest& request) {
  for (unsigned attempt = 1;; ++attempt) {
    CredentialAnswer answer;
    const BodySink take = [&](const HttpResponse&, std::span<const std::byte> bytes) {
      if (answer.body.size() + bytes.size() > kBodyBytesMax) return false;
      answer.body.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      return true;
    };
    HttpRequest http = request.make();
    http.stop = context.stop;
    HttpExchange exchange = context.transport->send(http, take);
    std::optional<Error> error;
    bool again = false;
    if (exchange.failure) {
      error = error_of(request, *exchange.failure);
      const bool refused = exchange.failure->kind == TransportFailure::Kind::kConnect ||
                           exchange.failure->kind == TransportFailure::Kind::kTimeout;
      again = error->retryable && (request.retry_connect || !refused);
    } else {
      answer.status = exchange.response.status;
      answer.headers = std::move(exchange.response.headers);
      again = answer.status == 429 || answer.status >= 500 ||
              (request.retry_answer && !answer.ok() && request.retry_answer(answer));
    }
    if (!again || attempt >= request.attempts_max) {
      if (error) return *std::move(error);
      return answer;
    }
    const auto pause = std::chrono::milliseconds(static_cast<std::int64_t>(
        context.random() * static_cast<double>(kPause.count() << attempt)));
    if (!context.clock->wait(pause, context.stop)) {
      return Error{.code = ErrorCode::kCancelled,
                   .message = request.who + " was asked for credentials: stopped"};
    }
  }
}

}  // namespace leat::connector::s3
