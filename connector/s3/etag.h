// ETags: opaque, but for their quotes, which some services leave out, and for the mark of a weak
// one.
#pragma once

#include <string>
#include <string_view>

namespace leat::connector::s3 {

/// As conditional headers want it.
inline std::string quoted_etag(const std::string& etag) {
  return etag.starts_with('"') || etag.starts_with("W/") ? etag : '"' + etag + '"';
}

/// To compare by.
inline std::string_view bare_etag(std::string_view etag) {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') {
    return etag.substr(1, etag.size() - 2);
  }
  return etag;
}

}  // namespace leat::connector::s3
