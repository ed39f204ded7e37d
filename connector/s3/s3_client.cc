#include "connector/s3/s3_client.h"

#include <chrono>
#include <utility>

#include "connector/s3/write_xml.h"

namespace leat::connector::s3 {
S3Client::S3Client(S3ClientOptions options, std::unique_ptr<HttpTransport> transport)
    : requester_(std::move(options), std::move(transport)) {
  if (requester_.options().hedge_reads) hedge_.emplace();
}

Result<ListAnswer> S3Client::list_page(std::string_view prefix, std::string_view start_after,
                                       std::string_view token, std::stop_token stop,
                                       std::string_view delimiter,
                                       std::vector<ObjectVersion> reusable) {
  S3Request request;
  // A page is small: one that never ends is no slow line.
  request.total_timeout =
      std::chrono::milliseconds(requester_.options().retry.operation_timeout_ms);
  request.query = {{"list-type", "2"}, {"encoding-type", "url"}};
  if (!prefix.empty()) request.query.emplace_back("prefix", prefix);
  if (!delimiter.empty()) request.query.emplace_back("delimiter", delimiter);
  if (!token.empty()) {
    request.query.emplace_back("continuation-token", token);
  } else if (!start_after.empty()) {
    request.query.emplace_back("start-after", start_after);
  }

  ListAnswer answer;
  const auto attempt = [&](std::size_t number) -> std::optional<S3Failure> {
    list_requests_.fetch_add(1, std::memory_order_relaxed);
    const RequestContext where = requester_.context(Operation::kList, {});
    ListXmlReader reader(std::exchange(reusable, {}));
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
    if (answer.error) {
      return failure_from_answer(where, result.response, *answer.error, result.signed_with);
    }
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

std::unique_ptr<RangeRead> S3Client::read_ahead(const ObjectVersion& object, Range range,
                                                Buffer memory, std::stop_token stop) {
  return std::make_unique<RangeRead>(requester_, reads_, hedge_ ? &*hedge_ : nullptr, object, range,
                                     std::move(memory), std::move(stop));
}

Result<void> S3Client::read_range(const ObjectVersion& object, Range range,
                                  std::span<std::byte> out, std::stop_token stop) {
  const std::unique_ptr<RangeRead> read = read_ahead(object, range, Buffer(), std::move(stop));
  read->start();
  while (read->left() != 0) {
    auto received = read->read(out.first(read->left()));
    if (!received) return std::move(received).error();
    out = out.subspan(*received);
  }
  return {};
}

Result<std::string> S3Client::put_object(std::string_view key, std::string_view bytes) {
  auto answer = requester_.perform({.operation = Operation::kPut,
                                    .key = std::string(key),
                                    .method = "PUT",
                                    .query = {},
                                    .headers = {},
                                    .body = bytes},
                                   {}, plain_answer(/*etag=*/true));
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
                                    .body = {}},
                                   {}, plain_answer(/*etag=*/false));
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
          .get_requests = reads_.requests.load(std::memory_order_relaxed),
          .retries = requester_.retries(),
          .bytes_read = reads_.bytes.load(std::memory_order_relaxed)};
}

}  // namespace leat::connector::s3
