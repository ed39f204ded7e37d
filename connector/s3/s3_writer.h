// Writing to a bucket: whole objects, copies, deletions, tags.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "connector/s3/etag.h"
#include "connector/s3/s3_requester.h"
#include "connector/s3/write_xml.h"
#include "leat/object_store.h"
#include "leat/result.h"

namespace leat::connector::s3 {

struct S3WriterOptions {
  /// Larger objects are copied in parts: S3 copies at most 5 GiB at once.
  std::uint64_t copy_bytes_max = std::uint64_t{5} << 30;
  std::uint64_t copy_part_bytes = std::uint64_t{512} << 20;
};

/// What is at a key.
struct ObjectHead {
  std::uint64_t size = 0;
  std::string etag;
  std::string write_mark;  ///< Of the one write that made it, where that was leat's.
};

/// Borrows the requester. Thread-safe. Every call blocks; the errors that they have in common are
/// those of S3Requester::perform.
class S3Writer {
 public:
  explicit S3Writer(S3Requester& requester, S3WriterOptions options = {})
      : requester_(requester), options_(options) {}

  /// Writes an object, or replaces it.
  /// @param only_if_absent  Never replaces: kObjectChanged when there is one. An answer that was
  ///                        lost is told from that by a mark which each write carries.
  /// @return  The ETag.
  Result<std::string> put(std::string_view key, std::string_view bytes, bool only_if_absent = false,
                          std::stop_token stop = {}) const;

  /// Copies this version of an object within the bucket; with its metadata, up to 5 GiB also with
  /// its tags. Above, in parts.
  ///   kObjectChanged  It is another version now.   kNotFound  It is not there.
  ///   kUnsupported    It is there, and the service says that it is not.
  Result<void> copy(const ObjectVersion& source, std::string_view new_key,
                    std::stop_token stop = {}) const;

  /// Copies this version of an object and deletes it then. Where it is gone, but an object of its
  /// size is at the new key, it was moved before: after a crash the same can be asked for again.
  ///   kObjectChanged  It is another version now: that one stays where it is.
  ///   kNotFound       It is neither here nor there.
  Result<void> move(const ObjectVersion& source, std::string_view new_key,
                    std::stop_token stop = {}) const;

  /// Deletes an object, whatever its version. What is not there is deleted.
  Result<void> remove(std::string_view key, std::stop_token stop = {}) const;
  /// Deletes an object if it is this version. What is not there is deleted. Services that do not
  /// know conditional deletion are asked before: there a replacement in that very moment is lost.
  ///   kObjectChanged  It is another version now; it stays.
  Result<void> remove(const ObjectVersion& object, std::stop_token stop = {}) const;
  /// Deletes any number of keys, by a thousand.
  /// @return  Those that could not be deleted.
  Result<std::vector<DeleteFailure>> remove_all(std::span<const std::string> keys,
                                                std::stop_token stop = {}) const;

  /// Sets one tag of this version of an object; its other tags stay.
  ///   kObjectChanged, kNotFound  As for copy.
  Result<void> tag(const ObjectVersion& object, std::string_view tag_key, std::string_view value,
                   std::stop_token stop = {}) const;

  ///   kNotFound
  Result<ObjectHead> head(std::string_view key, std::stop_token stop = {}) const;

 private:
  Result<void> copy_in_parts(const ObjectVersion& source, std::string_view new_key,
                             std::stop_token stop) const;
  /// HEAD. What is not there is asked for once more, with GET: whether the service itself says so,
  /// or something in front of it, only a body tells.
  ///   kNotFound     The service says so.
  ///   kUnavailable  It contradicts itself.
  Result<S3Answer> look(S3Request request, std::stop_token stop) const;
  /// Whether the object is this version.
  Result<void> check_version(RequestContext::Operation operation, const ObjectVersion& object,
                             std::stop_token stop) const;

  S3Requester& requester_;
  const S3WriterOptions options_;
};

/// The header by which a write is told from another one, with a new random value.
HttpHeader write_mark();

}  // namespace leat::connector::s3
