// The documents of S3's writing operations.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "connector/s3/s3_requester.h"
#include "leat/result.h"

namespace leat::connector::s3 {

/// Whether XML 1.0 can hold these bytes: UTF-8, without control characters but tab and line ends.
bool fits_xml(std::string_view text);

/// <CompleteMultipartUpload> of the parts 1, 2, …, by their ETags.
std::string complete_upload_document(const std::vector<std::string>& etags);
/// <Delete> of keys that fit into XML; the answer is to name failures only.
std::string delete_document(std::span<const std::string> keys);
std::string tagging_document(const std::map<std::string, std::string>& tags);

struct DeleteFailure {
  std::string key;
  std::string code;  ///< "AccessDenied", "InternalError" …
  std::string message;
};

/// A multipart upload that was begun and neither completed nor aborted.
struct OpenUpload {
  std::string key;  ///< As the answer has it: percent-encoded where that was asked for.
  std::string upload_id;
};

/// What an answer of success must be made of; texts of the named children of the root.
struct WriteAnswer {
  std::string etag;       ///< Of CompleteMultipartUploadResult, CopyObjectResult, CopyPartResult.
  std::string upload_id;  ///< Of InitiateMultipartUploadResult.
  std::map<std::string, std::string> tags = {};  ///< Of Tagging.
  std::vector<DeleteFailure> failures = {};      ///< Of DeleteResult.
  std::vector<OpenUpload> uploads = {};          ///< Of ListMultipartUploadsResult.
};

/// For answers without a document. What has one is an <Error>, or comes from something else that
/// stands before the service.
/// @param etag  Whether the answer must name what was stored.
S3Requester::Check plain_answer(bool etag);

/// Reads an answer whose root must be `root`. An answer of status 200 can carry an <Error>, or be
/// cut off after a while of blank space: nothing but the root says that an operation has succeeded.
class WriteAnswerReader {
 public:
  explicit WriteAnswerReader(std::string root) : root_(std::move(root)) {}
  /// For S3Requester::perform.
  S3Requester::Check check();
  const WriteAnswer& answer() const noexcept { return answer_; }

 private:
  const std::string root_;
  WriteAnswer answer_;
};

}  // namespace leat::connector::s3
