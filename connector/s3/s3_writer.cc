#include "connector/s3/s3_writer.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <random>
#include <utility>

#include "connector/json_text.h"
#include "connector/s3/s3_upload.h"
#include "connector/s3/uri_encoding.h"

namespace leat::connector::s3 {
namespace {

using Operation = RequestContext::Operation;

constexpr const char* kWriteMark = "x-amz-meta-leat-write";
constexpr std::size_t kDeleteKeysMax = 1'000;
/// Larger bodies must not get in the way of listings.
constexpr std::size_t kBulkBytes = std::size_t{256} << 10;
/// A copy may take its time before the first byte of its answer.
constexpr std::chrono::seconds kCopyStall{120};

std::string text_of(const std::string* value) { return value == nullptr ? std::string() : *value; }

/// Of old, what S3 wants to see of a body that names keys to delete.
std::string content_md5(std::string_view body) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  if (EVP_Digest(body.data(), body.size(), digest.data(), &length, EVP_md5(), nullptr) != 1) {
    return {};
  }
  std::string text;
  append_base64({reinterpret_cast<const char*>(digest.data()), length}, text);
  return text;
}

}  // namespace

HttpHeader write_mark() {
  std::random_device random;
  std::array<char, 33> text{};
  std::snprintf(text.data(), text.size(), "%08x%08x%08x%08x", random(), random(), random(),
                random());
  return {kWriteMark, text.data()};
}

Result<S3Answer> S3Writer::look(S3Request request, std::stop_token stop) const {
  request.method = "HEAD";
  auto answer = requester_.perform(request, stop);
  if (answer || answer.error().code != ErrorCode::kNotFound) return answer;
  request.method = "GET";
  request.headers = {{"Range", "bytes=0-0"}};
  auto again = requester_.perform(request, std::move(stop));
  // An empty object has no such range.
  const bool is_there = again || again.error().code == ErrorCode::kObjectChanged;
  if (!is_there) return again;
  return Error{
      .code = ErrorCode::kUnavailable,
      .message = "looking at s3://" + requester_.bucket() + "/" + request.key +
                 ": HEAD does not find it, and GET does: it was just written, or a proxy lets "
                 "reads alone through",
      .at = {},
      .retryable = true};
}

Result<ObjectHead> S3Writer::head(std::string_view key, std::stop_token stop) const {
  auto answer = look({.operation = Operation::kGet, .key = std::string(key)}, std::move(stop));
  if (!answer) return std::move(answer).error();
  ObjectHead head{.size = 0,
                  .etag = text_of(answer->head.find("etag")),
                  .write_mark = text_of(answer->head.find(kWriteMark))};
  const std::string size = text_of(answer->head.find("content-length"));
  std::from_chars(size.data(), size.data() + size.size(), head.size);
  return head;
}

Result<std::string> S3Writer::put(std::string_view key, std::string_view bytes, bool only_if_absent,
                                  std::stop_token stop) const {
  S3Request request{.operation = Operation::kPut,
                    .key = std::string(key),
                    .method = "PUT",
                    .query = {},
                    .headers = {},
                    .body = bytes};
  request.bulk = bytes.size() >= kBulkBytes;
  std::string mark;
  if (only_if_absent) {
    request.headers = {{"If-None-Match", "*"}, write_mark()};
    mark = request.headers.back().value;
  }
  auto answer = requester_.perform(request, stop, plain_answer(/*etag=*/true));
  if (answer) return text_of(answer->head.find("etag"));
  if (!only_if_absent || answer.error().code != ErrorCode::kObjectChanged) {
    return std::move(answer).error();
  }
  // An attempt before may have written it, and its answer was lost.
  auto there = head(key, std::move(stop));
  if (there && there->write_mark == mark) return std::move(there->etag);
  Error error = std::move(answer).error();
  error.message = "writing s3://" + requester_.bucket() + "/" + std::string(key) +
                  ": there is an object already, which is not to be replaced";
  return error;
}

Result<void> S3Writer::copy(const ObjectVersion& source, std::string_view new_key,
                            std::stop_token stop) const {
  // Not every service heeds the condition that the copy carries: what is looked at before spares
  // copies in vain, and what is looked at afterwards says which version was copied.
  if (auto checked = check_version(Operation::kCopy, source, stop); !checked) return checked;
  if (source.size > options_.copy_bytes_max) return copy_in_parts(source, new_key, std::move(stop));
  WriteAnswerReader reader("CopyObjectResult");
  S3Request request{.operation = Operation::kCopy,
                    .key = std::string(new_key),
                    .method = "PUT",
                    .query = {},
                    .headers = {{"x-amz-copy-source",
                                 "/" + requester_.bucket() + "/" + percent_encode_path(source.key)},
                                {"x-amz-copy-source-if-match", quoted_etag(source.version)}},
                    .body = {},
                    .first_byte_timeout = kCopyStall,
                    .stall_timeout = kCopyStall};
  auto answer = requester_.perform(request, stop, reader.check());
  const bool missed = !answer && answer.error().code == ErrorCode::kNotFound;
  if (!answer && !missed) return std::move(answer).error();
  auto checked = check_version(Operation::kCopy, source, std::move(stop));
  if (missed && checked) {
    return Error{.code = ErrorCode::kUnsupported,
                 .message = "copying s3://" + requester_.bucket() + "/" + source.key +
                            ": the service does not find it, though it is there: it does not read "
                            "such a key in x-amz-copy-source"};
  }
  if (!answer) return std::move(answer).error();
  if (!checked && checked.error().code == ErrorCode::kObjectChanged) {
    // The copy may be of another version: it goes.
    if (auto removed = remove(new_key); !removed) return removed;
  }
  return checked;
}

Result<void> S3Writer::copy_in_parts(const ObjectVersion& source, std::string_view new_key,
                                     std::stop_token stop) const {
  auto upload = MultipartUpload::begin(requester_, std::string(new_key), {}, stop);
  if (!upload) return std::move(upload).error();
  const std::uint64_t part =
      std::max(options_.copy_part_bytes, source.size / MultipartUpload::kPartsMax + 1);
  for (std::uint64_t begin = 0; begin < source.size; begin += part) {
    if (auto added = upload->add_copy(source, {begin, std::min(begin + part, source.size)});
        !added) {
      return added;
    }
  }
  if (auto checked = check_version(Operation::kCopy, source, std::move(stop)); !checked) {
    return checked;
  }
  auto done = upload->complete();
  if (!done) return std::move(done).error();
  return {};
}

Result<void> S3Writer::move(const ObjectVersion& source, std::string_view new_key,
                            std::stop_token stop) const {
  if (source.key == new_key) {
    return Error{
        .code = ErrorCode::kInvalidArgument,
        .message = "s3://" + requester_.bucket() + "/" + source.key + " cannot be moved to itself"};
  }
  auto copied = copy(source, new_key, stop);
  if (!copied && copied.error().code == ErrorCode::kNotFound) {
    const auto there = head(new_key, stop);
    if (there && there->size == source.size) return {};
  }
  if (!copied) return copied;
  return remove(source, std::move(stop));
}

Result<void> S3Writer::remove(std::string_view key, std::stop_token stop) const {
  auto answer = requester_.perform(
      {.operation = Operation::kDelete, .key = std::string(key), .method = "DELETE"},
      std::move(stop), plain_answer(/*etag=*/false));
  if (!answer && answer.error().code != ErrorCode::kNotFound) return std::move(answer).error();
  return {};
}

Result<void> S3Writer::check_version(Operation operation, const ObjectVersion& object,
                                     std::stop_token stop) const {
  auto answer = look({.operation = operation,
                      .key = object.key,
                      .method = {},
                      .query = {},
                      .headers = {{"If-Match", quoted_etag(object.version)}}},
                     std::move(stop));
  if (!answer) return std::move(answer).error();
  return {};
}

Result<void> S3Writer::remove(const ObjectVersion& object, std::stop_token stop) const {
  auto checked = check_version(Operation::kDelete, object, stop);
  if (!checked && checked.error().code == ErrorCode::kNotFound) return {};
  if (!checked) return checked;
  S3Request request{.operation = Operation::kDelete,
                    .key = object.key,
                    .method = "DELETE",
                    .query = {},
                    .headers = {{"If-Match", quoted_etag(object.version)}}};
  auto answer = requester_.perform(request, stop, plain_answer(/*etag=*/false));
  if (answer || answer.error().code == ErrorCode::kNotFound) return {};
  if (answer.error().code != ErrorCode::kUnsupported) return std::move(answer).error();
  return remove(object.key, std::move(stop));  // Conditional deletion is not known there.
}

Result<std::vector<DeleteFailure>> S3Writer::remove_all(std::span<const std::string> keys,
                                                        std::stop_token stop) const {
  std::vector<DeleteFailure> failures;
  std::vector<std::string> named;
  for (const std::string& key : keys) {
    if (fits_xml(key)) {
      named.push_back(key);
      continue;
    }
    if (auto removed = remove(key, stop); !removed) {
      failures.push_back({key, std::string(error_code_name(removed.error().code)),
                          std::move(removed).error().message});
    }
  }
  for (std::span<const std::string> rest = named; !rest.empty();) {
    const auto batch = rest.first(std::min(rest.size(), kDeleteKeysMax));
    rest = rest.subspan(batch.size());
    const std::string body = delete_document(batch);
    WriteAnswerReader reader("DeleteResult");
    S3Request request{.operation = Operation::kDelete,
                      .key = {},
                      .method = "POST",
                      .query = {{"delete", ""}},
                      .headers = {{"Content-Type", "application/xml"}},
                      .body = body};
    if (std::string md5 = content_md5(body); !md5.empty()) {
      request.headers.push_back({"Content-MD5", std::move(md5)});
    }
    auto answer = requester_.perform(request, stop, reader.check());
    if (!answer) return std::move(answer).error();
    for (const DeleteFailure& failure : reader.answer().failures) {
      if (failure.code != "NoSuchKey") failures.push_back(failure);
    }
  }
  return failures;
}

Result<void> S3Writer::tag(const ObjectVersion& object, std::string_view tag_key,
                           std::string_view value, std::stop_token stop) const {
  if (!fits_xml(tag_key) || !fits_xml(value)) {
    return Error{.code = ErrorCode::kInvalidArgument,
                 .message = "a tag must be UTF-8 text without control characters"};
  }
  if (auto checked = check_version(Operation::kTag, object, stop); !checked) return checked;
  WriteAnswerReader reader("Tagging");
  S3Request request{
      .operation = Operation::kTag, .key = object.key, .method = "GET", .query = {{"tagging", ""}}};
  const S3Requester::Check read = reader.check();
  const auto check = [&read](const RequestContext& context,
                             const S3Answer& answer) -> std::optional<S3Failure> {
    if (text_of(answer.head.find("content-length")) != "0") return read(context, answer);
    // To take that for no tags would take those away that there may be.
    return make_failure(context, ErrorCode::kUnsupported,
                        "asked for its tags, the service answers with nothing at all",
                        /*retryable=*/false);
  };
  auto answer = requester_.perform(request, stop, check);
  if (!answer) return std::move(answer).error();
  std::map<std::string, std::string> tags = reader.answer().tags;
  tags[std::string(tag_key)] = value;
  const std::string body = tagging_document(tags);
  request.method = "PUT";
  request.headers = {{"Content-Type", "application/xml"}, {"Content-MD5", content_md5(body)}};
  request.body = body;
  answer = requester_.perform(request, std::move(stop), plain_answer(/*etag=*/false));
  if (!answer) return std::move(answer).error();
  return {};
}

}  // namespace leat::connector::s3
