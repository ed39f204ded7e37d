#include "connector/s3/s3_client.h"

#include <charconv>
#include <cstring>

namespace leat::connector::s3 {
namespace {

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

}  // namespace

S3Client::S3Client(S3ClientOptions options, std::unique_ptr<HttpTransport> transport)
    : requester_(std::move(options), std::move(transport)) {}

Result<ListAnswer> S3Client::list_page(std::string_view prefix, std::string_view start_after,
                                       std::string_view token, std::stop_token stop) {
  S3Request request;
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
    const RequestContext where = requester_.context(Operation::kList, {});
    ListXmlReader reader;
    std::optional<Error> malformed;
    const auto take = [&](const HttpResponse&, std::span<const std::byte> bytes) {
      if (auto fed = reader.feed(bytes); !fed) malformed = std::move(fed).error();
      return !malformed;
    };
    S3Requester::Attempt result = requester_.send(where, request, number, stop, take);
    if (result.failure) return result.failure;
    if (!malformed) {
      if (auto read = reader.finish(); read) {
        answer = *std::move(read);
      } else {
        malformed = std::move(read).error();
      }
    }
    if (malformed) {
      return make_failure(where, malformed->code, malformed->message, malformed->retryable);
    }
    // S3 can find out that it fails after it has promised success.
    if (answer.error) return failure_from_answer(where, result.response, *answer.error);
    if (answer.truncated && answer.next_token == token) {
      return make_failure(where, ErrorCode::kCorrupt,
                          "the server repeats its continuation token: the listing would never end",
                          false);
    }
    return std::nullopt;
  };
  if (auto done = requester_.with_retries(attempt, stop); !done) return std::move(done).error();
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
    return make_failure(context, ErrorCode::kCorrupt,
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
    return make_failure(context, ErrorCode::kObjectChanged,
                        "the object was replaced after it was listed; list again", false);
  }
  return std::nullopt;
}

Result<void> S3Client::read_range(const ObjectVersion& object, Range range,
                                  std::span<std::byte> out, std::stop_token stop) {
  std::uint64_t received = 0;
  const auto attempt = [&](std::size_t number) -> std::optional<S3Failure> {
    get_requests_.fetch_add(1, std::memory_order_relaxed);
    const RequestContext where = requester_.context(Operation::kGet, object.key);
    // An attempt goes on where the one before it broke off.
    const Range rest{range.begin + received, range.end};
    S3Request request;
    request.headers = {
        {"Range", "bytes=" + std::to_string(rest.begin) + "-" + std::to_string(rest.end - 1)},
        {"If-Match",
         object.version.starts_with('"') ? object.version : '"' + object.version + '"'}};
    std::optional<S3Failure> wrong;
    bool checked = false;
    const auto take = [&](const HttpResponse& response, std::span<const std::byte> bytes) {
      if (!std::exchange(checked, true)) wrong = check_range_answer(where, response, object, rest);
      if (!wrong && bytes.size() > range.length() - received) {
        wrong = make_failure(where, ErrorCode::kCorrupt,
                             "the server sent more bytes than the range it announced", false);
      }
      if (wrong) return false;
      std::memcpy(out.data() + received, bytes.data(), bytes.size());
      received += bytes.size();
      bytes_read_.fetch_add(bytes.size(), std::memory_order_relaxed);
      return true;
    };
    S3Requester::Attempt result = requester_.send(where, request, number, stop, take);
    if (wrong) return wrong;
    // All that was wanted is there: how the connection ended no longer matters.
    if (received == range.length()) return std::nullopt;
    if (result.failure) return result.failure;
    if (!checked) {
      wrong = check_range_answer(where, result.response, object, rest);
      if (wrong) return wrong;
    }
    return make_failure(where, ErrorCode::kUnavailable,
                        "the answer ended after " + std::to_string(received) + " of " +
                            std::to_string(range.length()) + " bytes",
                        true);
  };
  return requester_.with_retries(attempt, stop);
}

Result<std::string> S3Client::put_object(std::string_view key, std::string_view bytes) {
  auto answer = requester_.perform({.operation = Operation::kPut,
                                    .key = std::string(key),
                                    .method = "PUT",
                                    .query = {},
                                    .headers = {},
                                    .body = bytes});
  if (!answer) return std::move(answer).error();
  const std::string* etag = answer->head.find("etag");
  return etag != nullptr ? *etag : std::string();
}

Result<void> S3Client::delete_object(std::string_view key) {
  auto answer = requester_.perform({.operation = Operation::kDelete,
                                    .key = std::string(key),
                                    .method = "DELETE",
                                    .query = {},
                                    .headers = {},
                                    .body = {}});
  if (!answer) return std::move(answer).error();
  return {};
}

Result<void> S3Client::create_bucket() {
  // AWS wants the region named, but for its first one; other services have regions of their own.
  std::string configuration;
  if (requester_.is_aws() && requester_.region() != "us-east-1") {
    configuration =
        "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
        "<LocationConstraint>" +
        requester_.region() + "</LocationConstraint></CreateBucketConfiguration>";
  }
  S3Request request;
  request.operation = Operation::kCreateBucket;
  request.method = "PUT";
  request.body = configuration;
  const auto attempt = [&](std::size_t number) -> std::optional<S3Failure> {
    S3Requester::Attempt result =
        requester_.send(requester_.context(request.operation, {}), request, number, {},
                        [](const HttpResponse&, std::span<const std::byte>) { return true; });
    if (result.failure && result.failure->s3_code == "BucketAlreadyOwnedByYou") return {};
    return std::move(result.failure);
  };
  return requester_.with_retries(attempt, {});
}

StoreStats S3Client::stats() const noexcept {
  return {.list_requests = list_requests_.load(std::memory_order_relaxed),
          .get_requests = get_requests_.load(std::memory_order_relaxed),
          .retries = requester_.retries(),
          .bytes_read = bytes_read_.load(std::memory_order_relaxed)};
}

}  // namespace leat::connector::s3
