// AWS Signature Version 4, over OpenSSL.
//
// Free functions without state; each step is visible, so that it can be held against the published
// test suite.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "connector/s3/http.h"
#include "leat/object_store.h"

namespace leat::connector::s3 {

/// SHA-256 of nothing, in hexadecimal digits.
inline constexpr std::string_view kEmptySha256 =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/// In place of the body's hash, where TLS already protects the body.
inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";

/// What is signed of a request. Path and query as they are before percent-encoding.
struct SigningInput {
  std::string method;
  std::string path;  ///< Begins with '/'.
  std::vector<std::pair<std::string, std::string>> query;
  std::vector<HttpHeader> headers;  ///< All of them are signed.
  std::string payload_hash{kEmptySha256};
  /// Whether "a//./b" is signed as "a/b". S3 never does: keys are bytes.
  bool normalize_path = false;
};

struct SigningScope {
  std::string region;
  std::string service = "s3";
  std::int64_t time_ms = 0;  ///< Unix time.
};

/// "20150830T123600Z".
std::string amz_date(std::int64_t time_ms);

/// SHA-256 in hexadecimal digits.
std::string sha256_hex(std::string_view bytes);

std::string canonical_request(const SigningInput& input);
std::string string_to_sign(std::string_view canonical_request, const SigningScope& scope);
/// In hexadecimal digits.
std::string signature(const Secret& secret_access_key, std::string_view string_to_sign,
                      const SigningScope& scope);

/// Adds X-Amz-Date and, where there is one, X-Amz-Security-Token to `input`.
/// @return  The value of the header Authorization.
std::string sign_headers(SigningInput& input, const S3Credentials& credentials,
                         const SigningScope& scope);

/// Adds the X-Amz-… parameters to the query of `input`, all but the signature.
/// @param expires_s  For how long the URL is good, in seconds.
/// @return  The value of the parameter X-Amz-Signature.
std::string sign_query(SigningInput& input, const S3Credentials& credentials,
                       const SigningScope& scope, std::uint32_t expires_s);

}  // namespace leat::connector::s3
