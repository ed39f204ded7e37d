// An object that is written piece by piece, as a multipart upload where it is large.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "connector/s3/s3_requester.h"
#include "leat/result.h"

namespace leat::connector::s3 {

/// One multipart upload. Aborts it when it goes without having been completed. Used by one thread.
class MultipartUpload {
 public:
  static constexpr std::size_t kPartsMax = 10'000;
  static constexpr std::size_t kPartBytesMin = std::size_t{5} << 20;  ///< But for the last part.

  /// Where an answer got lost on the way, an upload may have been begun that nobody knows of:
  /// others of this key are aborted then. So the key must be one that nobody else writes to.
  /// @param headers  Of the object to be: metadata.
  static Result<MultipartUpload> begin(S3Requester& requester, std::string key,
                                       std::vector<HttpHeader> headers, std::stop_token stop);
  MultipartUpload(MultipartUpload&& other) noexcept;
  MultipartUpload& operator=(MultipartUpload&&) = delete;
  ~MultipartUpload();

  /// The next part: its bytes.
  Result<void> add(std::string_view bytes);
  /// The next part: a range of another object of the bucket, of this version.
  Result<void> add_copy(const ObjectVersion& source, Range range);
  /// Makes the object of its parts. After an error it is aborted: unless the object is there, with
  /// the mark and the size of this upload, so that only the answer was lost.
  /// @return  The ETag.
  Result<std::string> complete();

 private:
  MultipartUpload(S3Requester& requester, std::string key, std::string write_mark,
                  std::stop_token stop);
  S3Request request(const char* method) const;
  void abort() noexcept;
  Result<void> abort_others();

  S3Requester* requester_;  // nullptr: moved from.
  std::string key_;
  std::string write_mark_;
  std::stop_token stop_;
  std::string upload_id_;  // Empty: nothing to abort.
  std::vector<std::string> etags_;
  std::uint64_t size_ = 0;
};

/// Collects bytes into parts. Small objects become one plain write. Nothing is visible at the key
/// before finish() has succeeded; what was begun is aborted otherwise. Used by one thread.
class ObjectUpload {
 public:
  /// Memory: one part, of 8 MiB at first, doubling every 1,000 parts so that 10,000 reach 5 TiB.
  static constexpr std::size_t kPartBytes = std::size_t{8} << 20;

  /// Borrows the requester. Sends nothing.
  ObjectUpload(S3Requester& requester, std::string key, std::stop_token stop = {});

  /// After an error the upload is aborted, and every further call fails alike.
  ///   kInvalidArgument  More than 10,000 parts.
  Result<void> write(std::string_view bytes);
  /// @return  The ETag.
  Result<std::string> finish();

 private:
  std::size_t part_bytes() const noexcept { return kPartBytes << (parts_ / 1'000); }
  Result<void> send_part();
  Error fail(Error error);

  S3Requester& requester_;
  const std::string key_;
  const std::stop_token stop_;
  std::string buffer_;
  std::size_t parts_ = 0;
  std::vector<MultipartUpload> upload_;  // None, or one.
  std::optional<Error> error_;
};

}  // namespace leat::connector::s3
