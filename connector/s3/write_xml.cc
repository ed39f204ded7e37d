#include "connector/s3/write_xml.h"

#include <utility>

#include "connector/json_text.h"
#include "connector/s3/xml_reader.h"

namespace leat::connector::s3 {
namespace {

constexpr std::string_view kNamespace = " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '\t':
      case '\n':
      case '\r':  // A bare one would be read as a line feed.
        out.append("&#").append(std::to_string(static_cast<int>(c))).append(";");
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string element(std::string_view name, std::string_view content) {
  return "<" + std::string(name) + ">" + std::string(content) + "</" + std::string(name) + ">";
}

}  // namespace

bool fits_xml(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r') return false;
  }
  // U+FFFE and U+FFFF are no characters.
  return is_utf8(text) && text.find("\xef\xbf\xbe") == text.npos &&
         text.find("\xef\xbf\xbf") == text.npos;
}

std::string complete_upload_document(const std::vector<std::string>& etags) {
  std::string document = "<CompleteMultipartUpload" + std::string(kNamespace);
  for (std::size_t i = 0; i < etags.size(); ++i) {
    document += element(
        "Part", element("PartNumber", std::to_string(i + 1)) + element("ETag", escaped(etags[i])));
  }
  return document + "</CompleteMultipartUpload>";
}

std::string delete_document(std::span<const std::string> keys) {
  std::string document = "<Delete" + std::string(kNamespace);
  for (const std::string& key : keys) document += element("Object", element("Key", escaped(key)));
  return document + "<Quiet>true</Quiet></Delete>";
}

std::string tagging_document(const std::map<std::string, std::string>& tags) {
  std::string document;
  for (const auto& [key, value] : tags) {
    document += element("Tag", element("Key", escaped(key)) + element("Value", escaped(value)));
  }
  return "<Tagging" + std::string(kNamespace) + element("TagSet", document) + "</Tagging>";
}

S3Requester::Check plain_answer(bool etag) {
  return [etag](const RequestContext& context, const S3Answer& answer) -> std::optional<S3Failure> {
    const bool is_blank = answer.body.find_first_not_of(" \t\r\n") == answer.body.npos;
    if (!is_blank && answer.body.find("<Error") != answer.body.npos) {
      return failure_from_answer(context, answer.head, parse_error_body(answer.body),
                                 answer.signed_with);
    }
    if (etag ? answer.head.find("etag") != nullptr : is_blank) return std::nullopt;
    return make_failure(context, ErrorCode::kUnavailable, "the answer is none to this request",
                        /*retryable=*/true);
  };
}

S3Requester::Check WriteAnswerReader::check() {
  return [this](const RequestContext& context, const S3Answer& answer) -> std::optional<S3Failure> {
    answer_ = {};
    std::string seen_root;
    DeleteFailure failure;
    std::string tag_key;
    std::string tag_value;
    OpenUpload upload;
    XmlReader xml({.begin =
                       [&](const XmlReader::Path& path) {
                         if (path.size() == 1) seen_root = path[0];
                       },
                   .end =
                       [&](const XmlReader::Path& path, const std::string& text) {
                         const std::string& name = path.back();
                         if (path.size() == 2 && name == "ETag") answer_.etag = text;
                         if (path.size() == 2 && name == "UploadId") answer_.upload_id = text;
                         if (path.size() == 3 && path[1] == "Error") {
                           if (name == "Key") failure.key = text;
                           if (name == "Code") failure.code = text;
                           if (name == "Message") failure.message = text;
                         }
                         if (path.size() == 2 && name == "Error") {
                           answer_.failures.push_back(std::exchange(failure, {}));
                         }
                         if (path.size() == 3 && path[1] == "Upload") {
                           if (name == "Key") upload.key = text;
                           if (name == "UploadId") upload.upload_id = text;
                         }
                         if (path.size() == 2 && name == "Upload") {
                           answer_.uploads.push_back(std::exchange(upload, {}));
                         }
                         if (path.size() == 4 && name == "Key") tag_key = text;
                         if (path.size() == 4 && name == "Value") tag_value = text;
                         if (path.size() == 3 && name == "Tag") {
                           answer_.tags[std::exchange(tag_key, {})] = std::exchange(tag_value, {});
                         }
                       }});
    // Blank space keeps the connection alive while the service works; it may come before the
    // declaration, where XML does not allow it.
    const std::size_t first = answer.body.find_first_not_of(" \t\r\n");
    const std::string_view body = first == answer.body.npos
                                      ? std::string_view()
                                      : std::string_view(answer.body).substr(first);
    const bool complete = xml.feed(std::as_bytes(std::span(body))) && xml.finish();
    if (seen_root == "Error") {
      return failure_from_answer(context, answer.head, parse_error_body(body), answer.signed_with);
    }
    if (complete && seen_root == root_) return std::nullopt;
    return make_failure(context, ErrorCode::kUnavailable,
                        "the answer is cut off, or is none to this request", /*retryable=*/true);
  };
}

}  // namespace leat::connector::s3
