// The answer to ListObjectsV2.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "connector/s3/s3_error.h"
#include "connector/s3/xml_reader.h"
#include "leat/object_store.h"

namespace leat::connector::s3 {

struct ListAnswer {
  std::vector<ObjectVersion> objects;
  std::vector<std::string> folders;  ///< CommonPrefixes.
  bool truncated = false;
  std::string next_token;            ///< Opaque: sent back byte for byte, never decoded.
  std::optional<S3ErrorBody> error;  ///< The document was an <Error>, whatever the status said.
};

/// Reads one answer in pieces of any size. Used by one thread.
class ListXmlReader {
 public:
  /// @param reusable  Objects whose memory is written into: their keys need none anew.
  explicit ListXmlReader(std::vector<ObjectVersion> reusable = {});

  ///   kCorrupt  See XmlReader::feed; or a root element that is neither ListBucketResult nor Error.
  ///             Retryable.
  Result<void> feed(std::span<const std::byte> bytes);
  ///   kCorrupt  Cut off (retryable); an object without key, ETag or size; a size that is no
  ///             number; a key that is not encoded as the answer says; truncated, but without a
  ///             token to go on with.
  Result<ListAnswer> finish();

 private:
  void begin(const XmlReader::Path& path);
  void end(const XmlReader::Path& path, const std::string& text);
  void fail(std::string message, bool retryable);

  XmlReader xml_;
  ListAnswer answer_;
  std::vector<ObjectVersion> reusable_;
  ObjectVersion object_;
  std::string size_text_;
  bool url_encoded_ = false;
  std::optional<Error> error_;
};

/// Milliseconds of Unix time of "2026-11-20T16:51:27.000Z"; nullopt: not of this form.
std::optional<std::int64_t> parse_iso_time(std::string_view text);

}  // namespace leat::connector::s3
