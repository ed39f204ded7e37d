#include "connector/s3/s3_upload.h"

#include <algorithm>
#include <utility>

#include "connector/s3/s3_writer.h"
#include "connector/s3/uri_encoding.h"
#include "connector/s3/write_xml.h"

namespace leat::connector::s3 {
namespace {

using Operation = RequestContext::Operation;

/// Putting parts together, and copying one, may take their time.
constexpr std::chrono::seconds kWorkStall{120};

}  // namespace

MultipartUpload::MultipartUpload(S3Requester& requester, std::string key, std::string write_mark,
                                 std::stop_token stop)
    : requester_(&requester),
      key_(std::move(key)),
      write_mark_(std::move(write_mark)),
      stop_(std::move(stop)) {}

MultipartUpload::MultipartUpload(MultipartUpload&& other) noexcept
    : requester_(std::exchange(other.requester_, nullptr)),
      key_(std::move(other.key_)),
      write_mark_(std::move(other.write_mark_)),
      stop_(std::move(other.stop_)),
      upload_id_(std::exchange(other.upload_id_, {})),
      etags_(std::move(other.etags_)),
      size_(other.size_) {}

MultipartUpload::~MultipartUpload() { abort(); }

S3Request MultipartUpload::request(const char* method) const {
  return {.operation = Operation::kPut,
          .key = key_,
          .method = method,
          .query = {{"uploadId", upload_id_}}};
}

Result<MultipartUpload> MultipartUpload::begin(S3Requester& requester, std::string key,
                                               std::vector<HttpHeader> headers,
                                               std::stop_token stop) {
  headers.push_back(connector::s3::write_mark());
  MultipartUpload upload(requester, std::move(key), headers.back().value, std::move(stop));
  WriteAnswerReader reader("InitiateMultipartUploadResult");
  const std::uint64_t retries_before = requester.retries();
  auto answer = requester.perform({.operation = Operation::kPut,
                                   .key = upload.key_,
                                   .method = "POST",
                                   .query = {{"uploads", ""}},
                                   .headers = std::move(headers)},
                                  upload.stop_, reader.check());
  if (!answer) {
    // All answers were lost, perhaps, but not the requests.
    if (answer.error().retryable) static_cast<void>(upload.abort_others());
    return std::move(answer).error();
  }
  upload.upload_id_ = reader.answer().upload_id;
  if (upload.upload_id_.empty()) {
    return Error{.code = ErrorCode::kCorrupt,
                 .message = "writing s3://" + requester.bucket() + "/" + upload.key_ +
                            ": the upload that was begun has no id"};
  }
  // Retries of other requests count, too: then this is looked at in vain.
  if (requester.retries() != retries_before) {
    if (auto done = upload.abort_others(); !done) return std::move(done).error();
  }
  return upload;
}

Result<void> MultipartUpload::abort_others() {
  WriteAnswerReader reader("ListMultipartUploadsResult");
  // Uploads of this very key come first: keys are in order.
  auto answer =
      requester_->perform({.operation = Operation::kList,
                           .key = {},
                           .method = "GET",
                           .query = {{"uploads", ""}, {"encoding-type", "url"}, {"prefix", key_}}},
                          stop_, reader.check());
  // Who may write need not be allowed to list.
  if (!answer && answer.error().code == ErrorCode::kPermissionDenied) return {};
  if (!answer) return std::move(answer).error();
  for (const OpenUpload& other : reader.answer().uploads) {
    const auto key = percent_decode(other.key, /*plus_is_space=*/true);
    // Not every service encodes what it was asked to.
    if ((other.key != key_ && key != key_) || other.upload_id == upload_id_) continue;
    S3Request abort = request("DELETE");
    abort.query = {{"uploadId", other.upload_id}};
    const auto aborted = requester_->perform(abort, stop_, plain_answer(/*etag=*/false));
    if (!aborted && aborted.error().code != ErrorCode::kNotFound) return aborted.error();
  }
  return {};
}

Result<void> MultipartUpload::add(std::string_view bytes) {
  S3Request part = request("PUT");
  part.query.insert(part.query.begin(), {"partNumber", std::to_string(etags_.size() + 1)});
  part.body = bytes;
  part.bulk = true;
  auto answer = requester_->perform(part, stop_, plain_answer(/*etag=*/true));
  if (!answer) return std::move(answer).error();
  etags_.push_back(*answer->head.find("etag"));
  size_ += bytes.size();
  return {};
}

Result<void> MultipartUpload::add_copy(const ObjectVersion& source, Range range) {
  S3Request part = request("PUT");
  part.operation = Operation::kCopy;
  part.query.insert(part.query.begin(), {"partNumber", std::to_string(etags_.size() + 1)});
  part.headers = {
      {"x-amz-copy-source", "/" + requester_->bucket() + "/" + percent_encode_path(source.key)},
      {"x-amz-copy-source-if-match", quoted_etag(source.version)},
      {"x-amz-copy-source-range",
       "bytes=" + std::to_string(range.begin) + "-" + std::to_string(range.end - 1)}};
  part.first_byte_timeout = part.stall_timeout = kWorkStall;
  WriteAnswerReader reader("CopyPartResult");
  auto answer = requester_->perform(part, stop_, reader.check());
  if (!answer) return std::move(answer).error();
  etags_.push_back(reader.answer().etag);
  size_ += range.length();
  return {};
}

Result<std::string> MultipartUpload::complete() {
  const std::string body = complete_upload_document(etags_);
  S3Request last = request("POST");
  last.headers = {{"Content-Type", "application/xml"}};
  last.body = body;
  last.first_byte_timeout = last.stall_timeout = kWorkStall;
  WriteAnswerReader reader("CompleteMultipartUploadResult");
  auto answer = requester_->perform(last, stop_, reader.check());
  if (answer) {
    upload_id_.clear();
    return reader.answer().etag;
  }
  // NoSuchUpload after a lost answer means that it had been completed; and where all answers were
  // lost, it may have been, too.
  const auto there = S3Writer(*requester_).head(key_, stop_);
  if (there && there->write_mark == write_mark_ && there->size == size_) {
    upload_id_.clear();
    return there->etag;
  }
  abort();
  return std::move(answer).error();
}

void MultipartUpload::abort() noexcept {
  if (requester_ == nullptr || upload_id_.empty()) return;
  try {
    // Not with the stop token: what was begun goes, also when the program is about to end.
    const auto aborted = requester_->perform(request("DELETE"), {}, plain_answer(/*etag=*/false));
    static_cast<void>(aborted);  // NoSuchUpload is as good; else a lifecycle rule has to do it.
    upload_id_.clear();
  } catch (const std::exception&) {  // Out of memory.
  }
}

ObjectUpload::ObjectUpload(S3Requester& requester, std::string key, std::stop_token stop)
    : requester_(requester), key_(std::move(key)), stop_(std::move(stop)) {}

Error ObjectUpload::fail(Error error) {
  upload_.clear();
  buffer_ = {};
  error_ = std::move(error);
  return *error_;
}

Result<void> ObjectUpload::send_part() {
  if (upload_.empty()) {
    auto begun = MultipartUpload::begin(requester_, key_, {}, stop_);
    if (!begun) return fail(std::move(begun).error());
    upload_.push_back(*std::move(begun));
  }
  if (parts_ == MultipartUpload::kPartsMax) {
    return fail({.code = ErrorCode::kInvalidArgument,
                 .message = "writing s3://" + requester_.bucket() + "/" + key_ +
                            ": an object can have 10,000 parts at most"});
  }
  if (auto added = upload_.front().add(buffer_); !added) return fail(std::move(added).error());
  ++parts_;
  buffer_.clear();
  return {};
}

Result<void> ObjectUpload::write(std::string_view bytes) {
  if (error_) return *error_;
  while (!bytes.empty()) {
    const std::string_view piece =
        bytes.substr(0, std::min(bytes.size(), part_bytes() - buffer_.size()));
    buffer_ += piece;
    bytes.remove_prefix(piece.size());
    // A full part waits for what follows it: the last one is sent by finish().
    if (buffer_.size() == part_bytes() && !bytes.empty()) {
      if (auto sent = send_part(); !sent) return sent;
    }
  }
  return {};
}

Result<std::string> ObjectUpload::finish() {
  if (error_) return *error_;
  if (upload_.empty()) {
    auto put = S3Writer(requester_).put(key_, buffer_, /*only_if_absent=*/false, stop_);
    if (!put) return fail(std::move(put).error());
    error_ = Error{.code = ErrorCode::kInvalidArgument, .message = "the object is finished"};
    return put;
  }
  if (auto sent = send_part(); !sent) return std::move(sent).error();
  auto done = upload_.front().complete();
  if (!done) return fail(std::move(done).error());
  upload_.clear();
  error_ = Error{.code = ErrorCode::kInvalidArgument, .message = "the object is finished"};
  return done;
}

}  // namespace leat::connector::s3
