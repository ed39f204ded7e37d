#include "connector/s3/list_xml.h"

#include <charconv>
#include <ctime>
#include <utility>

#include "connector/s3/uri_encoding.h"

namespace leat::connector::s3 {

ListXmlReader::ListXmlReader(std::vector<ObjectVersion> reusable)
    : xml_({.begin = [this](const XmlReader::Path& path) { begin(path); },
            .end = [this](const XmlReader::Path& path,
                          const std::string& text) { end(path, text); }}),
      reusable_(std::move(reusable)) {
  answer_.objects.reserve(reusable_.size());
}

Result<void> ListXmlReader::feed(std::span<const std::byte> bytes) {
  if (const auto fed = xml_.feed(bytes); !fed) return fed.error();
  if (error_) return *error_;
  return {};
}

Result<ListAnswer> ListXmlReader::finish() {
  if (const auto finished = xml_.finish(); !finished) return finished.error();
  if (error_) return *std::move(error_);
  if (answer_.error) return std::move(answer_);
  if (answer_.truncated && answer_.next_token.empty()) {
    return Error{.code = ErrorCode::kCorrupt,
                 .message =
                     "the listing is truncated but names no token to go on with; the server "
                     "does not implement ListObjectsV2 fully"};
  }
  if (url_encoded_) {
    // Only here: the element that says so may come after the keys.
    std::vector<std::string*> encoded;
    for (ObjectVersion& object : answer_.objects) encoded.push_back(&object.key);
    for (std::string& folder : answer_.folders) encoded.push_back(&folder);
    for (std::string* const key : encoded) {
      if (key->find_first_of("%+") == key->npos) continue;
      std::optional<std::string> decoded = percent_decode(*key, /*plus_is_space=*/true);
      if (!decoded) {
        return Error{.code = ErrorCode::kCorrupt,
                     .message = "the listing holds the key '" + *key +
                                "', which is not URL-encoded although the listing says so"};
      }
      *key = *std::move(decoded);
    }
  }
  return std::move(answer_);
}

void ListXmlReader::begin(const XmlReader::Path& path) {
  if (path.size() == 1 && path[0] == "Error") answer_.error.emplace();
  if (path.size() == 1 && path[0] == "ListAllMyBucketsResult") {
    return fail(
        "the service took the bucket's name in the host for no bucket, and listed all "
        "buckets; use path addressing (--addressing path)",
        /*retryable=*/false);
  }
  if (path.size() == 1 && path[0] != "Error" && path[0] != "ListBucketResult") {
    // A page of a proxy or a portal, perhaps. The next attempt may reach the server.
    fail("the answer is no listing: its root element is <" + path[0] + ">", /*retryable=*/true);
  }
  if (path.size() == 2 && path[1] == "Contents") {
    object_ = {};
    if (!reusable_.empty()) {
      object_.key = std::move(reusable_.back().key);
      object_.version = std::move(reusable_.back().version);
      object_.key.clear();
      object_.version.clear();
      reusable_.pop_back();
    }
    size_text_.clear();
  }
}

void ListXmlReader::end(const XmlReader::Path& path, const std::string& text) {
  const std::string& name = path.back();
  if (answer_.error) {
    if (path.size() == 2) answer_.error->take(name, text);
    return;
  }
  if (path.size() == 3 && path[1] == "Contents") {
    if (name == "Key") object_.key = text;
    if (name == "ETag") object_.version = text;
    if (name == "Size") size_text_ = text;
    if (name == "LastModified") object_.modified_ms = parse_iso_time(text).value_or(0);
    return;
  }
  if (path.size() == 3 && path[1] == "CommonPrefixes" && name == "Prefix") {
    answer_.folders.push_back(text);
  }
  if (path.size() != 2) return;
  if (name == "IsTruncated") answer_.truncated = text == "true";
  if (name == "NextContinuationToken") answer_.next_token = text;
  if (name == "EncodingType") url_encoded_ = text == "url";
  if (name == "Contents") {
    const auto [rest, failed] =
        std::from_chars(size_text_.data(), size_text_.data() + size_text_.size(), object_.size);
    if (failed != std::errc() || rest != size_text_.data() + size_text_.size()) {
      fail("the listing gives the size '" + size_text_ + "' for the key '" + object_.key + "'",
           /*retryable=*/false);
    } else if (object_.key.empty() || object_.version.empty()) {
      fail("the listing holds an object without " +
               std::string(object_.key.empty() ? "a key" : "an ETag: '" + object_.key + "'"),
           /*retryable=*/false);
    } else {
      answer_.objects.push_back(std::move(object_));
    }
  }
}

void ListXmlReader::fail(std::string message, bool retryable) {
  if (error_) return;
  error_ = Error{
      .code = ErrorCode::kCorrupt, .message = std::move(message), .at = {}, .retryable = retryable};
}

std::optional<std::int64_t> parse_iso_time(std::string_view text) {
  std::tm time = {};
  const std::string copy(text);
  const char* rest = ::strptime(copy.c_str(), "%Y-%m-%dT%H:%M:%S", &time);
  if (rest == nullptr) return std::nullopt;
  std::int64_t milliseconds = 0;
  if (*rest == '.') {
    ++rest;
    for (int scale = 100; *rest >= '0' && *rest <= '9'; ++rest, scale /= 10) {
      milliseconds += std::int64_t{*rest - '0'} * scale;
    }
  }
  if (std::string_view(rest) != "Z") return std::nullopt;
  return std::int64_t{::timegm(&time)} * 1'000 + milliseconds;
}

}  // namespace leat::connector::s3
