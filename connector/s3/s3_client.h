// The requests that leat makes of S3, and their answers, checked.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "connector/s3/hedge.h"
#include "connector/s3/http.h"
#include "connector/s3/list_xml.h"
#include "connector/s3/range_read.h"
#include "connector/s3/s3_error.h"
#include "connector/s3/s3_requester.h"
#include "leat/object_store.h"
#include "leat/result.h"

namespace leat::connector::s3 {

using S3ClientOptions = S3RequesterOptions;

/// Speaks to one bucket. Every call blocks until it has succeeded, failed for good, or used up its
/// retries; a stop ends it early with kCancelled. Thread-safe.
///
/// Common errors, not repeated below: kPermissionDenied, kNotFound (bucket), kInvalidArgument
/// (wrong region, or what the service refuses), kUnsupported; and, after the retries were spent and
/// marked as retryable, kUnavailable, kThrottled, kTimeout.
class S3Client {
 public:
  S3Client(S3ClientOptions options, std::unique_ptr<HttpTransport> transport);

  /// One page of at most 1,000 keys and folders. `token` from the page before, or empty.
  /// `delimiter`: what ends the name of a folder; empty: there are none. `reusable`: see
  /// ObjectLister::reuse.
  ///   kCorrupt  No proper listing.
  Result<ListAnswer> list_page(std::string_view prefix, std::string_view start_after,
                               std::string_view token, std::stop_token stop = {},
                               std::string_view delimiter = {},
                               std::vector<ObjectVersion> reusable = {});

  /// Reads exactly the bytes of `range` of one version of an object into the front of `out`.
  ///
  /// @param object  Its version is sent as If-Match: a replaced object is never mixed in.
  /// @param range   Not empty; end <= object.size.
  /// @param out     out.size() >= range.length(). Borrowed for the call only.
  ///   kNotFound       The object is no longer there.
  ///   kObjectChanged  It was replaced.
  Result<void> read_range(const ObjectVersion& object, Range range, std::span<std::byte> out,
                          std::stop_token stop = {});

  /// The same for those who have something else to do meanwhile. Sends nothing yet. `object` is
  /// borrowed until it is gone, and so is the client.
  std::unique_ptr<RangeRead> read_ahead(const ObjectVersion& object, Range range, Buffer memory,
                                        std::stop_token stop);

  /// @return  The new object's ETag.
  Result<std::string> put_object(std::string_view key, std::string_view bytes);
  /// Deleting what is not there succeeds, as S3 has it.
  Result<void> delete_object(std::string_view key);
  /// A bucket that is already the caller's is no error.
  Result<void> create_bucket();

  StoreStats stats() const noexcept;
  const std::string& bucket() const noexcept { return requester_.bucket(); }
  /// For operations that are not here.
  S3Requester& requester() noexcept { return requester_; }

 private:
  using Operation = RequestContext::Operation;

  S3Requester requester_;
  std::atomic<std::uint64_t> list_requests_{0};
  ReadCounters reads_;
  std::optional<Hedge> hedge_;
};

}  // namespace leat::connector::s3
