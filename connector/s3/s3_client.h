// The requests that leat makes of S3: signed, retried, and their answers checked.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "connector/s3/credentials.h"
#include "connector/s3/endpoint.h"
#include "connector/s3/http.h"
#include "connector/s3/list_xml.h"
#include "connector/s3/retry.h"
#include "connector/s3/s3_error.h"
#include "connector/s3/send_rate.h"
#include "leat/clock.h"
#include "leat/object_store.h"
#include "leat/result.h"

namespace leat::connector::s3 {

struct S3ClientOptions {
  std::string bucket;
  std::optional<Endpoint> endpoint;  ///< nullopt: AWS, by region.
  std::string region = "us-east-1";
  S3Options::Addressing addressing = S3Options::Addressing::kAuto;
  std::shared_ptr<CredentialsProvider> credentials;  ///< nullptr: requests are not signed.
  RetryPolicy retry;
  const Clock* clock = nullptr;  ///< Must outlive the client.
  Random random;
};

/// Speaks to one bucket. Every call blocks until it has succeeded, failed for good, or used up its
/// retries; a stop ends it early with kCancelled. Thread-safe.
///
/// Common errors, not repeated below: kPermissionDenied, kNotFound (bucket), kInvalidArgument
/// (wrong region, or what the service refuses), kUnsupported; and, after the retries were spent and
/// marked as retryable, kUnavailable, kThrottled, kTimeout.
class S3Client {
 public:
  S3Client(S3ClientOptions options, std::unique_ptr<HttpTransport> transport);

  /// One page of at most 1,000 keys. `token` from the page before, or empty.
  ///   kCorrupt  No proper listing.
  Result<ListAnswer> list_page(std::string_view prefix, std::string_view start_after,
                               std::string_view token, std::stop_token stop = {});

  /// Reads exactly the bytes of `range` of one version of an object into the front of `out`.
  ///
  /// @param object  Its version is sent as If-Match: a replaced object is never mixed in.
  /// @param range   Not empty; end <= object.size.
  /// @param out     out.size() >= range.length(). Borrowed for the call only.
  ///   kNotFound       The object is no longer there.
  ///   kObjectChanged  It was replaced.
  Result<void> read_range(const ObjectVersion& object, Range range, std::span<std::byte> out,
                          std::stop_token stop = {});

  /// @return  The new object's ETag.
  Result<std::string> put_object(std::string_view key, std::string_view bytes);
  /// Deleting what is not there succeeds, as S3 has it.
  Result<void> delete_object(std::string_view key);
  /// A bucket that is already the caller's is no error.
  Result<void> create_bucket();

  StoreStats stats() const noexcept;
  const std::string& bucket() const noexcept { return options_.bucket; }

 private:
  using Operation = RequestContext::Operation;

  struct Request {
    std::string method = "GET";
    std::vector<std::pair<std::string, std::string>> query;  // Not encoded.
    std::vector<HttpHeader> headers;
    std::string_view body;
    std::chrono::seconds stall_timeout{10};
  };
  /// What one attempt brought: an answer of success whose body went to the sink, or a failure.
  struct Attempt {
    HttpResponse response;
    std::optional<S3Failure> failure;
    bool sink_refused = false;
  };
  /// What was put right in the course of one operation: each once, or it would never end.
  struct Corrections {
    bool region = false;
    bool clock = false;
    bool credentials = false;
  };

  RequestContext context(Operation operation, std::string_view key) const;
  Attempt send(const RequestContext& context, const Request& request, std::size_t attempt,
               std::stop_token stop, const BodySink& sink);
  HttpRequest sign(const RequestContext& context, const Request& request,
                   const S3Credentials* credentials) const;
  /// Repeats `attempt`, which is given its number from 0, until it has no failure.
  Result<void> with_retries(const std::function<std::optional<S3Failure>(std::size_t)>& attempt,
                            std::stop_token stop);
  /// Whether the cause of the failure was put right, so that it is worth trying again at once.
  bool correct(const S3Failure& failure, Corrections& done);
  std::optional<S3Failure> check_range_answer(const RequestContext& context,
                                              const HttpResponse& response,
                                              const ObjectVersion& object, Range range) const;
  std::string region() const;

  const S3ClientOptions options_;
  const std::unique_ptr<HttpTransport> transport_;
  const Clock& clock_;
  RetryBudget budget_;
  SendRate send_rate_;
  mutable std::mutex mutex_;
  std::string region_;                            // Changes when the service names the right one.
  std::atomic<std::int64_t> clock_offset_ms_{0};  // Server's minus ours.
  std::atomic<std::uint64_t> list_requests_{0};
  std::atomic<std::uint64_t> get_requests_{0};
  std::atomic<std::uint64_t> retries_{0};
  std::atomic<std::uint64_t> bytes_read_{0};
};

}  // namespace leat::connector::s3
