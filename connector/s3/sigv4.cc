#include "connector/s3/sigv4.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <map>

#include "connector/s3/uri_encoding.h"
#include "core/ascii_case.h"

namespace leat::connector::s3 {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

using Digest = std::array<unsigned char, 32>;

std::string hex(const Digest& digest) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

Digest hmac(std::string_view key, std::string_view message) {
  Digest digest{};
  unsigned length = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(message.data()), message.size(), digest.data(),
       &length);
  return digest;
}

std::string_view view(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

/// Without white space around it; each run of white space in it is one space.
std::string trimmed(std::string_view value) {
  std::string text;
  bool space = false;
  for (const char c : value) {
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      space = true;
      continue;
    }
    if (space && !text.empty()) text += ' ';
    space = false;
    text += c;
  }
  return text;
}

/// "/a/./b//../c/" → "/a/c/": RFC 3986, and runs of '/' are one.
std::string normalized(std::string_view path) {
  std::vector<std::string_view> kept;
  std::string_view rest = path;
  while (!rest.empty()) {
    const std::string_view segment = rest.substr(0, rest.find('/'));
    rest.remove_prefix(std::min(segment.size() + 1, rest.size()));
    if (segment.empty()) continue;
    if (segment == ".." && !kept.empty()) kept.pop_back();
    if (segment != "." && segment != "..") kept.push_back(segment);
  }
  const bool folder = path.ends_with('/') || path.ends_with("/.") || path.ends_with("/..");
  std::string result;
  for (const std::string_view segment : kept) result.append("/").append(segment);
  if (result.empty() || folder) result += '/';
  return result;
}

/// Names in lower case, in order; values of one name joined by commas.
std::map<std::string, std::string> canonical_headers(const std::vector<HttpHeader>& headers) {
  std::map<std::string, std::string> canonical;
  for (const HttpHeader& header : headers) {
    const auto [at, added] = canonical.try_emplace(core::lower_case(header.name));
    if (!added) at->second += ',';
    at->second += trimmed(header.value);
  }
  return canonical;
}

std::string signed_headers(const std::vector<HttpHeader>& headers) {
  std::string names;
  for (const auto& [name, value] : canonical_headers(headers)) {
    if (!names.empty()) names += ';';
    names += name;
  }
  return names;
}

std::string credential_scope(const SigningScope& scope) {
  return amz_date(scope.time_ms).substr(0, 8) + "/" + scope.region + "/" + scope.service +
         "/aws4_request";
}

}  // namespace

std::string amz_date(std::int64_t time_ms) {
  const std::time_t seconds = static_cast<std::time_t>(time_ms / 1'000);
  std::tm utc = {};
  ::gmtime_r(&seconds, &utc);
  std::array<char, 32> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &utc);
  return {text.data(), length};
}

std::string sha256_hex(std::string_view bytes) {
  Digest digest{};
  unsigned length = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha256(), nullptr);
  return hex(digest);
}

std::string canonical_request(const SigningInput& input) {
  const std::string path = input.normalize_path ? normalized(input.path) : input.path;
  std::string text = input.method + "\n" + percent_encode_path(path) + "\n";

  std::vector<std::pair<std::string, std::string>> query;
  query.reserve(input.query.size());
  for (const auto& [name, value] : input.query) {
    query.emplace_back(percent_encode(name), percent_encode(value));
  }
  std::sort(query.begin(), query.end());
  for (std::size_t i = 0; i < query.size(); ++i) {
    if (i > 0) text += '&';
    text += query[i].first + "=" + query[i].second;
  }
  text += '\n';

  for (const auto& [name, value] : canonical_headers(input.headers)) {
    text += name + ":" + value + "\n";
  }
  text += "\n" + signed_headers(input.headers) + "\n" + input.payload_hash;
  return text;
}

std::string string_to_sign(std::string_view canonical_request, const SigningScope& scope) {
  return std::string(kAlgorithm) + "\n" + amz_date(scope.time_ms) + "\n" + credential_scope(scope) +
         "\n" + sha256_hex(canonical_request);
}

std::string signature(const Secret& secret_access_key, std::string_view string_to_sign,
                      const SigningScope& scope) {
  std::string first_key = "AWS4" + secret_access_key.reveal();
  Digest key = hmac(first_key, amz_date(scope.time_ms).substr(0, 8));
  OPENSSL_cleanse(first_key.data(), first_key.size());
  for (const std::string_view part :
       {std::string_view(scope.region), std::string_view(scope.service),
        std::string_view("aws4_request")}) {
    key = hmac(view(key), part);
  }
  const Digest result = hmac(view(key), string_to_sign);
  OPENSSL_cleanse(key.data(), key.size());
  return hex(result);
}

std::string sign_headers(SigningInput& input, const S3Credentials& credentials,
                         const SigningScope& scope) {
  input.headers.push_back({"X-Amz-Date", amz_date(scope.time_ms)});
  if (!credentials.session_token.empty()) {
    input.headers.push_back({"X-Amz-Security-Token", credentials.session_token.reveal()});
  }
  const std::string to_sign = string_to_sign(canonical_request(input), scope);
  return std::string(kAlgorithm) + " Credential=" + credentials.access_key_id + "/" +
         credential_scope(scope) + ", SignedHeaders=" + signed_headers(input.headers) +
         ", Signature=" + signature(credentials.secret_access_key, to_sign, scope);
}

std::string sign_query(SigningInput& input, const S3Credentials& credentials,
                       const SigningScope& scope, std::uint32_t expires_s) {
  input.query.emplace_back("X-Amz-Algorithm", kAlgorithm);
  input.query.emplace_back("X-Amz-Credential",
                           credentials.access_key_id + "/" + credential_scope(scope));
  input.query.emplace_back("X-Amz-Date", amz_date(scope.time_ms));
  input.query.emplace_back("X-Amz-SignedHeaders", signed_headers(input.headers));
  input.query.emplace_back("X-Amz-Expires", std::to_string(expires_s));
  if (!credentials.session_token.empty()) {
    input.query.emplace_back("X-Amz-Security-Token", credentials.session_token.reveal());
  }
  const std::string to_sign = string_to_sign(canonical_request(input), scope);
  return signature(credentials.secret_access_key, to_sign, scope);
}

}  // namespace leat::connector::s3
