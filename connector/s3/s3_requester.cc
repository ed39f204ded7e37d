#include "connector/s3/s3_requester.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "connector/s3/sigv4.h"
#include "connector/s3/uri_encoding.h"

namespace leat::connector::s3 {
namespace {

constexpr std::size_t kErrorBodyBytesMax = std::size_t{64} << 10;
/// S3 takes clocks that are wrong by up to 15 minutes.
constexpr std::int64_t kSkewMs = std::int64_t{14} * 60 * 1'000;

bool is_region_name(std::string_view text) {
  // It becomes part of a host's name.
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

bool is_success(const HttpResponse& response) {
  return response.status >= 200 && response.status < 300;
}

/// @return  Whether there is room for more: what is left of an error may have no end.
bool append_bounded(std::string& error_body, std::span<const std::byte> bytes) {
  const std::size_t room = kErrorBodyBytesMax - error_body.size();
  error_body.append(reinterpret_cast<const char*>(bytes.data()), std::min(room, bytes.size()));
  return error_body.size() < kErrorBodyBytesMax;
}

}  // namespace

S3Requester::S3Requester(S3RequesterOptions options, std::unique_ptr<HttpTransport> transport)
    : options_(std::move(options)),
      transport_(std::move(transport)),
      clock_(options_.clock != nullptr ? *options_.clock : system_clock()),
      limits_(options_.limits != nullptr ? options_.limits
                                         : std::make_shared<SharedLimits>(clock_)),
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

  HttpRequest signed_request{
      .method = request.method,
      .url = (endpoint.tls ? "https://" : "http://") + address.authority +
             percent_encode_path(address.path),
      .headers = std::move(input.headers),
      .body = request.body,
      .first_byte_timeout = std::min(request.first_byte_timeout, options_.stall_timeout_max),
      .stall_timeout = std::min(request.stall_timeout, options_.stall_timeout_max),
      .total_timeout = request.total_timeout,
      .bulk = request.bulk,
      .on_demand = request.on_demand,
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

S3Requester::Prepared S3Requester::prepare(const RequestContext& context, const S3Request& request,
                                           std::size_t attempt, std::stop_token stop) {
  Prepared prepared;
  if (options_.credentials != nullptr) {
    auto current = options_.credentials->current();
    if (!current) {
      prepared.failure.emplace();
      prepared.failure->error = std::move(current).error();
      return prepared;
    }
    prepared.credentials = *std::move(current);
  }
  if (!limits_->send_rate->wait_for_turn(stop)) {
    prepared.failure = make_failure(context, ErrorCode::kCancelled, "stopped", /*retryable=*/false);
    return prepared;
  }
  prepared.request = sign(context, request, prepared.credentials.get());
  // A packet can get lost: a short first wait, then a patient one.
  prepared.request.connect_timeout = std::chrono::milliseconds(attempt == 0 ? 1'000 : 3'000);
  // What broke one connection may have broken all that are kept.
  prepared.request.fresh_connection = attempt != 0;
  prepared.request.stop = std::move(stop);
  return prepared;
}

/// An answer to HEAD has no body that says what is wrong, and others can lose theirs: then a wrong
/// clock or an old token looks like a missing permission.
void S3Requester::guess_reason(const HttpResponse& response, S3Failure& failure) const {
  const std::string* date = response.find("date");
  const std::optional<std::int64_t> server_ms =
      date != nullptr ? parse_http_date(*date) : std::nullopt;
  const std::int64_t ours_ms = clock_.wall_ms() + clock_offset_ms_.load(std::memory_order_relaxed);
  if (response.status == 403 && server_ms && std::abs(*server_ms - ours_ms) > kSkewMs) {
    failure.server_time_ms = server_ms;
  }
  const bool has_token =
      failure.refused_credentials != nullptr && !failure.refused_credentials->session_token.empty();
  if (response.status == 400 && has_token) failure.credentials_expired = true;
}

S3Requester::Attempt S3Requester::judge(const RequestContext& context, HttpExchange exchange,
                                        std::string_view error_body,
                                        std::shared_ptr<const S3Credentials> credentials) const {
  Attempt result;
  result.response = std::move(exchange.response);
  const bool refused = exchange.failure && exchange.failure->kind == TransportFailure::Kind::kSink;
  if (refused && is_success(result.response)) {
    result.sink_refused = true;
  } else if (exchange.failure && !refused) {
    result.failure = failure_from_transport(context, *exchange.failure);
  } else if (!is_success(result.response)) {
    result.failure =
        failure_from_answer(context, result.response, parse_error_body(error_body), credentials);
    if (result.failure->s3_code.empty()) guess_reason(result.response, *result.failure);
  }
  result.signed_with = std::move(credentials);
  return result;
}

S3Requester::Attempt S3Requester::send(const RequestContext& context, const S3Request& request,
                                       std::size_t attempt, std::stop_token stop,
                                       const BodySink& sink) {
  Prepared prepared = prepare(context, request, attempt, std::move(stop));
  if (prepared.failure) {
    return {.failure = std::move(prepared.failure)};
  }
  std::string error_body;
  const BodySink route = [&](const HttpResponse& response, std::span<const std::byte> bytes) {
    if (is_success(response)) return sink(response, bytes);
    return append_bounded(error_body, bytes);
  };
  HttpExchange exchange = transport_->send(prepared.request, route);
  return judge(context, std::move(exchange), error_body, std::move(prepared.credentials));
}

std::unique_ptr<S3Requester::Call> S3Requester::start(const RequestContext& context,
                                                      const S3Request& request, std::size_t attempt,
                                                      std::stop_token stop, Receiver& receiver) {
  Prepared prepared = prepare(context, request, attempt, std::move(stop));
  std::unique_ptr<Call> call(new Call(*this, context, receiver));
  if (prepared.failure) {
    receiver.on_end({.failure = std::move(prepared.failure)});
    return call;
  }
  call->credentials_ = std::move(prepared.credentials);
  call->transfer_ = transport_->start(std::move(prepared.request), *call);
  return call;
}

S3Requester::Call::Call(const S3Requester& requester, RequestContext context, Receiver& receiver)
    : requester_(requester), context_(std::move(context)), receiver_(receiver) {}

S3Requester::Call::~Call() = default;

bool S3Requester::Call::on_body(const HttpResponse& head, std::span<const std::byte> bytes) {
  if (is_success(head)) return receiver_.on_body(head, bytes);
  return append_bounded(error_body_, bytes);
}

void S3Requester::Call::on_end(HttpExchange exchange) {
  receiver_.on_end(
      requester_.judge(context_, std::move(exchange), error_body_, std::move(credentials_)));
}

S3Requester::Recovery::Recovery(S3Requester& requester, std::stop_token stop)
    : requester_(requester),
      stop_(stop),
      retry_(requester.options_.retry, *requester.limits_->budget, requester.clock_,
             requester.options_.random, std::move(stop)) {}

std::string S3Requester::ask_for_region(std::stop_token stop) {
  const RequestContext where = context(Operation::kList, {});
  S3Request request;
  request.operation = Operation::kList;
  request.method = "HEAD";
  const Attempt attempt =
      send(where, request, /*attempt=*/0, std::move(stop),
           [](const HttpResponse&, std::span<const std::byte>) { return true; });
  const std::string* region = attempt.response.find("x-amz-bucket-region");
  return region != nullptr ? *region : std::string();
}

bool S3Requester::Recovery::correct_region(const S3Failure& failure) {
  if (failure.right_region.empty() && !failure.region_unknown) return false;
  if (std::exchange(region_corrected_, true)) return false;
  const std::string region =
      failure.region_unknown ? requester_.ask_for_region(stop_) : failure.right_region;
  if (!is_region_name(region)) return false;
  const std::lock_guard lock(requester_.mutex_);
  requester_.region_ = region;
  // Not as it was before: another request may have learned it meanwhile.
  return region != failure.asked_region;
}

bool S3Requester::Recovery::correct(S3Failure& failure) {
  if (correct_region(failure)) return true;
  if (failure.server_time_ms && !std::exchange(clock_corrected_, true)) {
    requester_.clock_offset_ms_.store(*failure.server_time_ms - requester_.clock_.wall_ms(),
                                      std::memory_order_relaxed);
    return true;
  }
  if (!failure.credentials_expired || failure.refused_credentials == nullptr ||
      credentials_renewed_) {
    return false;
  }
  Result<bool> renewed = requester_.options_.credentials->renew(*failure.refused_credentials);
  // Who hands them out may be there again at the next attempt.
  const bool may_pass = !renewed && renewed.error().retryable;
  credentials_renewed_ = !may_pass;
  if (may_pass) {
    failure.error.code = renewed.error().code;
    failure.error.retryable = true;
    failure.error.message += "; and they cannot be had now: " + renewed.error().message;
  }
  return renewed && *renewed;
}

bool S3Requester::Recovery::needs_correction(const S3Failure& failure) const {
  return !failure.right_region.empty() || failure.region_unknown || failure.server_time_ms ||
         failure.credentials_expired;
}

void S3Requester::Recovery::note(const S3Failure& failure) {
  if (failure.error.code == ErrorCode::kThrottled) requester_.limits_->send_rate->throttled();
}

std::optional<Error> S3Requester::Recovery::after(S3Failure failure) {
  note(failure);
  if (!correct(failure)) {
    if (std::optional<Error> error = retry_.after(failure)) return error;
  }
  requester_.retries_.fetch_add(1, std::memory_order_relaxed);
  return std::nullopt;
}

std::optional<Retry::Decision> S3Requester::Recovery::decide(const S3Failure& failure) {
  if (needs_correction(failure)) return std::nullopt;
  note(failure);
  Retry::Decision decision = retry_.decide(failure);
  if (!decision.error) requester_.retries_.fetch_add(1, std::memory_order_relaxed);
  return decision;
}

void S3Requester::note_success() {
  limits_->budget->give_back();
  limits_->send_rate->succeeded();
}

Result<void> S3Requester::with_retries(
    const std::function<std::optional<S3Failure>(std::size_t)>& attempt, std::stop_token stop) {
  Recovery recovery(*this, std::move(stop));
  for (std::size_t number = 0;; ++number) {
    const std::optional<S3Failure> failure = attempt(number);
    if (!failure) {
      note_success();
      return {};
    }
    if (std::optional<Error> error = recovery.after(*failure)) return *std::move(error);
  }
}

Result<S3Answer> S3Requester::perform(const S3Request& request, std::stop_token stop,
                                      const Check& check) {
  S3Answer answer;
  const auto attempt = [&](std::size_t number) -> std::optional<S3Failure> {
    answer = {};
    RequestContext where = context(request.operation, request.key);
    where.head = request.method == "HEAD";
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
    answer.signed_with = std::move(result.signed_with);
    return check ? check(where, answer) : std::nullopt;
  };
  if (auto done = with_retries(attempt, stop); !done) return std::move(done).error();
  return answer;
}

}  // namespace leat::connector::s3
