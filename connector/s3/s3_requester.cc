#include "connector/s3/s3_requester.h"

#include <algorithm>
#include <utility>

#include "connector/s3/sigv4.h"
#include "connector/s3/uri_encoding.h"

namespace leat::connector::s3 {
namespace {

constexpr std::size_t kErrorBodyBytesMax = std::size_t{64} << 10;

bool is_region_name(std::string_view text) {
  // It becomes part of a host's name.
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

}  // namespace

S3Requester::S3Requester(S3RequesterOptions options, std::unique_ptr<HttpTransport> transport)
    : options_(std::move(options)),
      transport_(std::move(transport)),
      clock_(options_.clock != nullptr ? *options_.clock : system_clock()),
      send_rate_(clock_),
      region_(options_.region) {}

std::string S3Requester::region() const {
  const std::lock_guard lock(mutex_);
  return region_;
}

RequestContext S3Requester::context(Operation operation, std::string_view key) const {
  RequestContext context{.operation = operation,
                         .bucket = options_.bucket,
                         .key = std::string(key),
                         .endpoint = {},
                         .host = {},
                         .region = region()};
  const Endpoint endpoint =
      options_.endpoint ? *options_.endpoint : aws_endpoint("s3", context.region, options_.aws);
  context.endpoint = endpoint.origin();
  context.host = endpoint.authority;
  if (context.host.rfind(':') == context.host.npos || context.host.ends_with(']')) {
    context.host += endpoint.tls ? ":443" : ":80";
  }
  return context;
}

HttpRequest S3Requester::sign(const RequestContext& context, const S3Request& request,
                              const S3Credentials* credentials) const {
  const Endpoint endpoint =
      options_.endpoint ? *options_.endpoint : aws_endpoint("s3", context.region, options_.aws);
  const bool virtual_host =
      use_virtual_host(options_.addressing, options_.endpoint.has_value(), options_.bucket);
  const ObjectAddress address = address_of(endpoint, virtual_host, options_.bucket, context.key);

  SigningInput input{.method = request.method,
                     .path = address.path,
                     .query = request.query,
                     .headers = request.headers};
  input.headers.push_back({"Host", address.authority});
  std::string authorization;
  if (credentials != nullptr) {
    input.payload_hash = endpoint.tls ? std::string(kUnsignedPayload) : sha256_hex(request.body);
    input.headers.push_back({"X-Amz-Content-Sha256", input.payload_hash});
    authorization = sign_headers(
        input, *credentials,
        {.region = context.region,
         .service = "s3",
         .time_ms = clock_.wall_ms() + clock_offset_ms_.load(std::memory_order_relaxed)});
  }

  HttpRequest signed_request{.method = request.method,
                             .url = (endpoint.tls ? "https://" : "http://") + address.authority +
                                    percent_encode_path(address.path),
                             .headers = std::move(input.headers),
                             .body = request.body,
                             .stall_timeout = request.stall_timeout,
                             .stop = {}};
  char separator = '?';
  for (const auto& [name, value] : request.query) {
    signed_request.url += separator + percent_encode(name) + "=" + percent_encode(value);
    separator = '&';
  }
  if (!authorization.empty()) {
    signed_request.headers.push_back({"Authorization", std::move(authorization)});
  }
  return signed_request;
}

S3Requester::Attempt S3Requester::send(const RequestContext& context, const S3Request& request,
                                       std::size_t attempt, std::stop_token stop,
                                       const BodySink& sink) {
  Attempt result;
  std::shared_ptr<const S3Credentials> credentials;
  if (options_.credentials != nullptr) {
    auto current = options_.credentials->current();
    if (!current) {
      result.failure.emplace();
      result.failure->error = std::move(current).error();
      return result;
    }
    credentials = *std::move(current);
  }
  if (!send_rate_.wait_for_turn(stop)) {
    result.failure = make_failure(context, ErrorCode::kCancelled, "stopped", /*retryable=*/false);
    return result;
  }
  HttpRequest signed_request = sign(context, request, credentials.get());
  // A packet can get lost: a short first wait, then a patient one.
  signed_request.connect_timeout = std::chrono::milliseconds(attempt == 0 ? 1'000 : 3'000);
  signed_request.stop = std::move(stop);

  std::string error_body;
  const BodySink route = [&](const HttpResponse& response, std::span<const std::byte> bytes) {
    if (response.status >= 200 && response.status < 300) return sink(response, bytes);
    const std::size_t room = kErrorBodyBytesMax - error_body.size();
    error_body.append(reinterpret_cast<const char*>(bytes.data()), std::min(room, bytes.size()));
    return true;
  };
  HttpExchange exchange = transport_->send(signed_request, route);
  result.response = std::move(exchange.response);
  if (exchange.failure && exchange.failure->kind == TransportFailure::Kind::kSink) {
    result.sink_refused = true;
  } else if (exchange.failure) {
    result.failure = failure_from_transport(context, *exchange.failure);
  } else if (result.response.status < 200 || result.response.status >= 300) {
    result.failure = failure_from_answer(context, result.response, parse_error_body(error_body));
    result.failure->refused_credentials = std::move(credentials);
  }
  return result;
}

bool S3Requester::correct(const S3Failure& failure, Corrections& done) {
  if (is_region_name(failure.right_region) && !std::exchange(done.region, true)) {
    const std::lock_guard lock(mutex_);
    region_ = failure.right_region;
    return true;
  }
  if (failure.server_time_ms && !std::exchange(done.clock, true)) {
    clock_offset_ms_.store(*failure.server_time_ms - clock_.wall_ms(), std::memory_order_relaxed);
    return true;
  }
  return failure.credentials_expired && failure.refused_credentials != nullptr &&
         !std::exchange(done.credentials, true) &&
         options_.credentials->renew(*failure.refused_credentials);
}

Result<void> S3Requester::with_retries(
    const std::function<std::optional<S3Failure>(std::size_t)>& attempt, std::stop_token stop) {
  Retry retry(options_.retry, budget_, clock_, options_.random, std::move(stop));
  Corrections corrections;
  for (std::size_t number = 0;; ++number) {
    const std::optional<S3Failure> failure = attempt(number);
    if (!failure) {
      budget_.give_back();
      send_rate_.succeeded();
      return {};
    }
    if (failure->error.code == ErrorCode::kThrottled) send_rate_.throttled();
    if (!correct(*failure, corrections)) {
      if (std::optional<Error> error = retry.after(*failure)) return *std::move(error);
    }
    retries_.fetch_add(1, std::memory_order_relaxed);
  }
}

Result<S3Answer> S3Requester::perform(const S3Request& request, std::stop_token stop,
                                      const Check& check) {
  S3Answer answer;
  const auto attempt = [&](std::size_t number) -> std::optional<S3Failure> {
    answer = {};
    const RequestContext where = context(request.operation, request.key);
    const auto take = [&](const HttpResponse&, std::span<const std::byte> bytes) {
      if (bytes.size() > kAnswerBytesMax - answer.body.size()) return false;
      answer.body.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      return true;
    };
    Attempt result = send(where, request, number, stop, take);
    if (result.failure) return std::move(result.failure);
    if (result.sink_refused) {
      return make_failure(where, ErrorCode::kCorrupt, "the answer is longer than 8 MiB",
                          /*retryable=*/false);
    }
    answer.head = std::move(result.response);
    return check ? check(where, answer) : std::nullopt;
  };
  if (auto done = with_retries(attempt, stop); !done) return std::move(done).error();
  return answer;
}

}  // namespace leat::connector::s3
