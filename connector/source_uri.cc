// Source URIs: from what a user writes to a scheme, a bucket and a key pattern.

#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "connector/glob.h"
#include "connector/hidden_text.h"
#include "connector/s3/uri_encoding.h"
#include "leat/object_store.h"

namespace leat {
namespace {

constexpr std::string_view kExamples =
    "write a path such as 'data/*.csv', 'file:///data/in/', or 's3://bucket/in/**/*.csv'";

Error invalid(std::string message) {
  return Error{.code = ErrorCode::kInvalidArgument, .message = std::move(message)};
}

std::string in_quotes(std::string_view text) {
  return "'" + connector::without_url_secrets(text) + "'";
}

/// "s3" of "s3://…", in lower case; empty when `uri` is a plain path.
std::string scheme_of(std::string_view uri) {
  const std::size_t colon = uri.find(':');
  if (colon == std::string_view::npos || colon == 0) return {};
  std::string scheme;
  for (const char c : uri.substr(0, colon)) {
    const auto byte = static_cast<unsigned char>(c);
    if (!std::isalnum(byte) && c != '+' && c != '-' && c != '.') return {};
    scheme += static_cast<char>(std::tolower(byte));
  }
  // "a:b.csv" is a path; "file:/a" is a URI.
  const bool is_uri = uri.substr(colon).starts_with("://") || scheme == "file";
  return is_uri ? scheme : std::string();
}

/// A local pattern, cut at each '/' that separates segments: not at those in braces.
std::vector<std::string> split_segments(std::string_view pattern) {
  std::vector<std::string> segments(1);
  int braces = 0;
  bool in_set = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '/' && braces == 0 && !in_set) {
      segments.emplace_back();
      continue;
    }
    segments.back() += c;
    if (c == '\\' && i + 1 < pattern.size()) {
      segments.back() += pattern[++i];
    } else if (in_set) {
      in_set = c != ']';
    } else if (c == '[') {
      in_set = true;
      // A ']' that comes first is a member of the set.
      if (i + 1 < pattern.size() && (pattern[i + 1] == '!' || pattern[i + 1] == '^')) {
        segments.back() += pattern[++i];
      }
      if (i + 1 < pattern.size() && pattern[i + 1] == ']') segments.back() += pattern[++i];
    } else if (c == '{') {
      ++braces;
    } else if (c == '}' && braces > 0) {
      --braces;
    }
  }
  return segments;
}

bool has_wildcard(std::string_view segment) {
  for (std::size_t i = 0; i < segment.size(); ++i) {
    if (segment[i] == '\\') {
      ++i;
    } else if (std::string_view("*?[{").find(segment[i]) != std::string_view::npos) {
      return true;
    }
  }
  return false;
}

/// Takes out empty segments, "." and "..", without asking the file system.
Result<std::string> normalise(std::string_view absolute) {
  const std::vector<std::string> segments = split_segments(absolute);
  std::vector<std::string> kept;
  for (const std::string& segment : segments) {
    if (segment.empty() || segment == ".") continue;
    if (segment != "..") {
      kept.push_back(segment);
    } else if (!kept.empty()) {
      if (has_wildcard(kept.back())) {
        return invalid("'..' after the wildcard " + in_quotes(kept.back()) + " in " +
                       in_quotes(absolute) + " leads nowhere in particular; leave both out");
      }
      kept.pop_back();
    }
  }
  std::string path;
  for (const std::string& segment : kept) path += "/" + segment;
  const std::string& last = segments.back();
  if (path.empty() || last.empty() || last == "." || last == "..") path += '/';
  return path;
}

Result<SourceUri> parse_local(std::string path) {
  if (path.find('\0') != std::string::npos) {
    return invalid("a path cannot hold a zero byte");
  }
  if (!path.starts_with('/')) {
    std::error_code failed;
    const std::filesystem::path here = std::filesystem::current_path(failed);
    if (failed) {
      return Error{.code = ErrorCode::kIo,
                   .message = "the current folder cannot be determined (" + failed.message() +
                              "); give an absolute path"};
    }
    path = connector::escape_glob(here.native()) + "/" + path;
  }
  Result<std::string> pattern = normalise(path);
  if (!pattern) return std::move(pattern).error();

  const Result<connector::Glob> glob = connector::Glob::compile(*pattern);
  if (!glob) return glob.error();
  if (!pattern->ends_with('/') && glob->literal()) {
    struct stat status = {};
    if (::stat(glob->literal_prefix().c_str(), &status) == 0 && S_ISDIR(status.st_mode)) {
      *pattern += '/';
    } else if (::lstat(glob->literal_prefix().c_str(), &status) == 0 && S_ISLNK(status.st_mode)) {
      return invalid(in_quotes(glob->literal_prefix()) +
                     " is a symbolic link, and links to files are not followed: name the file that "
                     "it leads to");
    }
  }
  if (pattern->ends_with('/')) *pattern += "**";
  return SourceUri{.scheme = SourceUri::Scheme::kLocal, .bucket = {}, .pattern = *pattern};
}

Result<SourceUri> parse_file_uri(std::string_view uri) {
  std::string_view rest = uri.substr(uri.find(':') + 1);
  if (rest.starts_with("//")) {
    rest.remove_prefix(2);
    const std::string_view host = rest.substr(0, rest.find('/'));
    if (!host.empty() && host != "localhost") {
      return invalid(
          in_quotes(uri) + " names the machine " + in_quotes(host) +
          "; only local files can be read: write three slashes, as in file:///data/*.csv");
    }
    rest.remove_prefix(host.size());
  }
  if (!rest.starts_with('/')) {
    return invalid(in_quotes(uri) + " holds no absolute path; write file:///data/*.csv");
  }
  // What was percent-encoded stands for itself, be it a wildcard or not.
  std::string path;
  while (!rest.empty()) {
    const std::size_t plain = std::min(rest.find('%'), rest.size());
    path += rest.substr(0, plain);
    rest.remove_prefix(plain);
    if (rest.empty()) break;
    const std::optional<std::string> byte = connector::s3::percent_decode(rest.substr(0, 3));
    if (!byte || rest.size() < 3) {
      return invalid(in_quotes(uri) + ": " + in_quotes(rest.substr(0, 3)) +
                     " is no percent-encoded byte; write %25 for a percent sign");
    }
    path += connector::escape_glob(*byte);
    rest.remove_prefix(3);
  }
  return parse_local(std::move(path));
}

Result<SourceUri> parse_s3(std::string_view uri) {
  const std::string_view rest = uri.substr(uri.find("://") + 3);
  const std::string_view bucket = rest.substr(0, rest.find('/'));
  if (bucket.empty()) {
    return invalid(in_quotes(uri) + " names no bucket; write s3://bucket/prefix/*.csv");
  }
  const bool plain = std::all_of(bucket.begin(), bucket.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '.' || c == '_';
  });
  if (bucket.starts_with("arn:")) {
    return invalid(in_quotes(uri) +
                   " names an access point by its ARN; write its alias, which ends in -s3alias, in "
                   "place of a bucket");
  }
  if (!plain || bucket.size() < 3 || bucket.size() > 255 || bucket.find("..") != bucket.npos) {
    return invalid(
        in_quotes(uri) +
        " holds no bucket name: 3 or more letters, digits, '-', '.' or '_'; wildcards can "
        "stand in the key only");
  }
  std::string pattern(rest.substr(std::min(bucket.size() + 1, rest.size())));
  if (pattern.empty() || pattern.ends_with('/')) pattern += "**";
  if (const auto glob = connector::Glob::compile(pattern); !glob) return glob.error();
  return SourceUri{.scheme = SourceUri::Scheme::kS3,
                   .bucket = std::string(bucket),
                   .pattern = std::move(pattern)};
}

}  // namespace

Result<SourceUri> parse_source_uri(std::string_view uri) {
  if (uri.empty()) return invalid("the source is empty; " + std::string(kExamples));
  const std::string scheme = scheme_of(uri);
  if (scheme == "s3") return parse_s3(uri);
  if (scheme == "file") return parse_file_uri(uri);
  if (scheme.empty()) return parse_local(std::string(uri));
  return invalid(in_quotes(uri) + ": sources of kind " + in_quotes(scheme + "://") +
                 " cannot be read; " + std::string(kExamples));
}

}  // namespace leat
