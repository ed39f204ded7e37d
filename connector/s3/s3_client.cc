#include "connector/s3/s3_client.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstring>

#include "connector/s3/sigv4.h"
#include "connector/s3/uri_encoding.h"

namespace leat::connector::s3 {
namespace {

constexpr std::size_t kErrorBodyBytesMax = std::size_t{64} << 10;

std::string_view without_quotes(std::string_view etag) {
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') {
    return etag.substr(1, etag.size() - 2);
  }
  return etag;
}

struct ContentRange {
  Range range;
  std::uint64_t total = 0;
};

/// "bytes 0-9/100".
std::optional<ContentRange> parse_content_range(std::string_view text) {
  ContentRange parsed;
  std::uint64_t last = 0;
  const auto number = [&](std::uint64_t& value, std::string_view end) {
    const auto [rest, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed != std::errc()) return false;
    text.remove_prefix(static_cast<std::size_t>(rest - text.data()));
    if (!text.starts_with(end)) return false;
    text.remove_prefix(end.size());
    return true;
  };
  if (!text.starts_with("bytes ")) return std::nullopt;
  text.remove_prefix(6);
  if (!number(parsed.range.begin, "-") || !number(last, "/") || !number(parsed.total, "") ||
      !text.empty() || last == UINT64_MAX) {
    return std::nullopt;
  }
  parsed.range.end = last + 1;
  return parsed;
}

S3Failure failed(const RequestContext& context, ErrorCode code, const std::string& what,
                 bool retryable) {
  S3Failure failure;
  failure.error = Error{
      .code = code, .message = context.action() + ": " + what, .at = {}, .retryable = retryable};
  failure.error.at.object = context.uri();
  return failure;
}

bool is_region_name(std::string_view text) {
  // It becomes part of a host's name.
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

bool ignore_body(const HttpResponse&, std::span<const std::byte>) { return true; }

}  // namespace

S3Client::S3Client(S3ClientOptions options, std::unique_ptr<HttpTransport> transport)
    : options_(std::move(options)),
      transport_(std::move(transport)),
      clock_(options_.clock != nullptr ? *options_.clock : system_clock()),
      send_rate_(clock_),
      region_(options_.region) {}

std::string S3Client::region() const {
  const std::lock_guard lock(mutex_);
  return region_;
}

RequestContext S3Client::context(Operation operation, std::string_view key) const {
  RequestContext context{.operation = operation,
                         .bucket = options_.bucket,
                         .key = std::string(key),
                         .endpoint = {},
                         .host = {},
                         .region = region()};
  const Endpoint endpoint = options_.endpoint ? *options_.endpoint : aws_endpoint(context.region);
  context.endpoint = endpoint.origin();
  context.host = endpoint.authority;
  if (context.host.rfind(':') == context.host.npos || context.host.ends_with(']')) {
    context.host += endpoint.tls ? ":443" : ":80";
  }
  return context;
}

HttpRequest S3Client::sign(const RequestContext& context, const Request& request,
                           const S3Credentials* credentials) const {
  const Endpoint endpoint = options_.endpoint ? *options_.endpoint : aws_endpoint(context.region);
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

S3Client::Attempt S3Client::send(const RequestContext& context, const Request& request,
                                 std::size_t attempt, std::stop_token stop, const BodySink& sink) {
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
    result.failure = failed(context, ErrorCode::kCancelled, "stopped", false);
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

bool S3Client::correct(const S3Failure& failure, Corrections& done) {
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

Result<void> S3Client::with_retries(
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

Result<ListAnswer> S3Client::list_page(std::string_view prefix, std::string_view start_after,
                                       std::string_view token, std::stop_token stop) {
  Request request;
  request.stall_timeout = std::chrono::seconds(30);  // A long listing may take its time to begin.
  request.query = {{"list-type", "2"}, {"encoding-type", "url"}};
  if (!prefix.empty()) request.query.emplace_back("prefix", prefix);
  if (!token.empty()) {
    request.query.emplace_back("continuation-token", token);
  } else if (!start_after.empty()) {
    request.query.emplace_back("start-after", start_after);
  }

  ListAnswer answer;
  const auto attempt = [&](std::size_t number) -> std::optional<S3Failure> {
    list_requests_.fetch_add(1, std::memory_order_relaxed);
    const RequestContext where = context(Operation::kList, {});
    ListXmlReader reader;
    std::optional<Error> malformed;
    const auto take = [&](const HttpResponse&, std::span<const std::byte> bytes) {
      if (auto fed = reader.feed(bytes); !fed) malformed = std::move(fed).error();
      return !malformed;
    };
    Attempt result = send(where, request, number, stop, take);
    if (result.failure) return result.failure;
    if (!malformed) {
      if (auto read = reader.finish(); read) {
        answer = *std::move(read);
      } else {
        malformed = std::move(read).error();
      }
    }
    if (malformed) return failed(where, malformed->code, malformed->message, malformed->retryable);
    // S3 can find out that it fails after it has promised success.
    if (answer.error) return failure_from_answer(where, result.response, *answer.error);
    if (answer.truncated && answer.next_token == token) {
      return failed(where, ErrorCode::kCorrupt,
                    "the server repeats its continuation token: the listing would never end",
                    false);
    }
    return std::nullopt;
  };
  if (auto done = with_retries(attempt, stop); !done) return std::move(done).error();
  return answer;
}

std::optional<S3Failure> S3Client::check_range_answer(const RequestContext& context,
                                                      const HttpResponse& response,
                                                      const ObjectVersion& object,
                                                      Range range) const {
  const std::string* text = response.find("content-range");
  const std::optional<ContentRange> got =
      text != nullptr ? parse_content_range(*text) : std::nullopt;
  if (response.status != 206 || !got || !(got->range == range)) {
    return failed(context, ErrorCode::kCorrupt,
                  "asked for bytes " + std::to_string(range.begin) + " to " +
                      std::to_string(range.end - 1) + ", the server answered " +
                      std::to_string(response.status) + " with " +
                      (got ? "bytes " + std::to_string(got->range.begin) + " to " +
                                 std::to_string(got->range.end - 1)
                           : std::string("no range")) +
                      "; it, or a proxy before it, does not support ranges",
                  false);
  }
  const std::string* etag = response.find("etag");
  if (got->total != object.size ||
      (etag != nullptr && without_quotes(*etag) != without_quotes(object.version))) {
    return failed(context, ErrorCode::kObjectChanged,
                  "the object was replaced after it was listed; list again", false);
  }
  return std::nullopt;
}

Result<void> S3Client::read_range(const ObjectVersion& object, Range range,
                                  std::span<std::byte> out, std::stop_token stop) {
  std::uint64_t received = 0;
  const auto attempt = [&](std::size_t number) -> std::optional<S3Failure> {
    get_requests_.fetch_add(1, std::memory_order_relaxed);
    const RequestContext where = context(Operation::kGet, object.key);
    // An attempt goes on where the one before it broke off.
    const Range rest{range.begin + received, range.end};
    Request request;
    request.headers = {
        {"Range", "bytes=" + std::to_string(rest.begin) + "-" + std::to_string(rest.end - 1)},
        {"If-Match",
         object.version.starts_with('"') ? object.version : '"' + object.version + '"'}};
    std::optional<S3Failure> wrong;
    bool checked = false;
    const auto take = [&](const HttpResponse& response, std::span<const std::byte> bytes) {
      if (!std::exchange(checked, true)) wrong = check_range_answer(where, response, object, rest);
      if (!wrong && bytes.size() > range.length() - received) {
        wrong = failed(where, ErrorCode::kCorrupt,
                       "the server sent more bytes than the range it announced", false);
      }
      if (wrong) return false;
      std::memcpy(out.data() + received, bytes.data(), bytes.size());
      received += bytes.size();
      bytes_read_.fetch_add(bytes.size(), std::memory_order_relaxed);
      return true;
    };
    Attempt result = send(where, request, number, stop, take);
    if (wrong) return wrong;
    // All that was wanted is there: how the connection ended no longer matters.
    if (received == range.length()) return std::nullopt;
    if (result.failure) return result.failure;
    if (!checked) {
      wrong = check_range_answer(where, result.response, object, rest);
      if (wrong) return wrong;
    }
    return failed(where, ErrorCode::kUnavailable,
                  "the answer ended after " + std::to_string(received) + " of " +
                      std::to_string(range.length()) + " bytes",
                  true);
  };
  return with_retries(attempt, stop);
}

Result<std::string> S3Client::put_object(std::string_view key, std::string_view bytes) {
  std::string etag;
  Request request{.method = "PUT", .query = {}, .headers = {}, .body = bytes};
  const auto attempt = [&](std::size_t number) -> std::optional<S3Failure> {
    Attempt result = send(context(Operation::kPut, key), request, number, {}, ignore_body);
    if (const std::string* header = result.response.find("etag")) etag = *header;
    return result.failure;
  };
  if (auto done = with_retries(attempt, {}); !done) return std::move(done).error();
  return etag;
}

Result<void> S3Client::delete_object(std::string_view key) {
  Request request;
  request.method = "DELETE";
  return with_retries(
      [&](std::size_t number) {
        return send(context(Operation::kDelete, key), request, number, {}, ignore_body).failure;
      },
      {});
}

Result<void> S3Client::create_bucket() {
  Request request;
  request.method = "PUT";
  const std::string configuration =
      "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
      "<LocationConstraint>" +
      region() + "</LocationConstraint></CreateBucketConfiguration>";
  // AWS wants the region named, but for its first one; other services have regions of their own.
  if (!options_.endpoint && region() != "us-east-1") request.body = configuration;
  return with_retries(
      [&](std::size_t number) -> std::optional<S3Failure> {
        Attempt result =
            send(context(Operation::kCreateBucket, {}), request, number, {}, ignore_body);
        if (result.failure && result.failure->s3_code == "BucketAlreadyOwnedByYou") return {};
        return result.failure;
      },
      {});
}

StoreStats S3Client::stats() const noexcept {
  return {.list_requests = list_requests_.load(std::memory_order_relaxed),
          .get_requests = get_requests_.load(std::memory_order_relaxed),
          .retries = retries_.load(std::memory_order_relaxed),
          .bytes_read = bytes_read_.load(std::memory_order_relaxed)};
}

}  // namespace leat::connector::s3
