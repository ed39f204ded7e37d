#include "connector/s3/sigv4.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "connector/s3/uri_encoding.h"
#include "tests/connector/vectors.h"

namespace leat::connector::s3 {
namespace {

namespace fs = std::filesystem;

struct SignedCase {
  SigningInput input;
  std::string body;
};

/// Reads "GET /path?query HTTP/1.1", headers with their continuation lines, and the body.
SignedCase parse_request(const std::string& text) {
  SignedCase parsed;
  const std::size_t head_end = text.find("\n\n");
  if (head_end != text.npos) parsed.body = text.substr(head_end + 2);
  std::string_view head = std::string_view(text).substr(0, head_end);

  const std::string_view first = head.substr(0, head.find('\n'));
  const std::size_t method_end = first.find(' ');
  const std::string_view target =
      first.substr(method_end + 1, first.rfind(" HTTP/") - method_end - 1);
  parsed.input.method = first.substr(0, method_end);
  parsed.input.path = target.substr(0, target.find('?'));
  if (const std::size_t mark = target.find('?'); mark != target.npos) {
    std::string_view query = target.substr(mark + 1);
    while (!query.empty()) {
      const std::string_view pair = query.substr(0, query.find('&'));
      query.remove_prefix(std::min(pair.size() + 1, query.size()));
      const std::size_t equals = std::min(pair.find('='), pair.size());
      parsed.input.query.emplace_back(
          *percent_decode(pair.substr(0, equals)),
          *percent_decode(pair.substr(std::min(equals + 1, pair.size()))));
    }
  }
  head.remove_prefix(std::min(first.size() + 1, head.size()));
  while (!head.empty()) {
    const std::string_view line = head.substr(0, head.find('\n'));
    head.remove_prefix(std::min(line.size() + 1, head.size()));
    if (line.starts_with(' ')) {
      parsed.input.headers.back().value.append("\n").append(line);
    } else if (!line.empty()) {
      const std::size_t colon = line.find(':');
      parsed.input.headers.push_back(
          {std::string(line.substr(0, colon)), std::string(line.substr(colon + 1))});
    }
  }
  return parsed;
}

class SigV4Vectors : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = vectors_folder("sigv4");
    if (folder_.empty()) {
      GTEST_SKIP() << "the signing vectors are not here: set LEAT_VECTORS_DIR to their folder";
    }
  }

  struct Context {
    S3Credentials credentials;
    SigningScope scope;
    std::uint32_t expires_s = 0;
    bool normalize = false;
    bool sign_body = false;
  };

  static Context read_context(const fs::path& folder) {
    const auto json = nlohmann::json::parse(read_text(folder / "context.json"));
    const auto& keys = json["credentials"];
    Context context;
    context.credentials.access_key_id = keys["access_key_id"];
    context.credentials.secret_access_key = Secret(keys["secret_access_key"]);
    // "omit": the token is added after signing.
    if (!json.value("omit_session_token", false)) {
      context.credentials.session_token = Secret(keys.value("token", std::string()));
    }
    EXPECT_EQ(json["timestamp"], "2015-08-30T12:36:00Z");
    context.scope = {
        .region = json["region"], .service = json["service"], .time_ms = 1'440'938'160'000};
    context.expires_s = json["expiration_in_seconds"];
    context.normalize = json["normalize"];
    context.sign_body = json["sign_body"];
    return context;
  }

  template <class Check>
  void for_each_case(Check check) {
    std::size_t cases = 0;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      if (!entry.is_directory()) continue;
      SCOPED_TRACE(entry.path().filename().string());
      const Context context = read_context(entry.path());
      SignedCase request = parse_request(read_text(entry.path() / "request.txt"));
      request.input.normalize_path = context.normalize;
      if (context.sign_body) request.input.payload_hash = sha256_hex(request.body);
      check(entry.path(), context, request.input);
      ++cases;
    }
    EXPECT_EQ(cases, 38u);
  }

  fs::path folder_;
};

TEST_F(SigV4Vectors, SignsHeaders) {
  for_each_case([](const fs::path& folder, const Context& context, SigningInput& input) {
    if (context.sign_body) input.headers.push_back({"X-Amz-Content-Sha256", input.payload_hash});
    const std::string authorization = sign_headers(input, context.credentials, context.scope);
    const std::string canonical = canonical_request(input);
    const std::string to_sign = string_to_sign(canonical, context.scope);
    EXPECT_EQ(canonical, read_text(folder / "header-canonical-request.txt"));
    EXPECT_EQ(to_sign, read_text(folder / "header-string-to-sign.txt"));
    EXPECT_EQ(signature(context.credentials.secret_access_key, to_sign, context.scope),
              read_text(folder / "header-signature.txt"));
    EXPECT_NE(read_text(folder / "header-signed-request.txt").find(authorization),
              std::string::npos)
        << authorization;
  });
}

TEST_F(SigV4Vectors, SignsQueries) {
  for_each_case([](const fs::path& folder, const Context& context, SigningInput& input) {
    const std::string result =
        sign_query(input, context.credentials, context.scope, context.expires_s);
    const std::string canonical = canonical_request(input);
    EXPECT_EQ(canonical, read_text(folder / "query-canonical-request.txt"));
    EXPECT_EQ(string_to_sign(canonical, context.scope),
              read_text(folder / "query-string-to-sign.txt"));
    EXPECT_EQ(result, read_text(folder / "query-signature.txt"));
  });
}

TEST(SigV4, KeepsThePathsOfS3AsTheyAre) {
  SigningInput input{
      .method = "GET", .path = "/bucket/a//./../b c+d%20", .query = {}, .headers = {}};
  EXPECT_NE(canonical_request(input).find("\n/bucket/a//./../b%20c%2Bd%2520\n"), std::string::npos);
}

TEST(UriEncoding, EncodesAsAwsDoes) {
  const fs::path folder = vectors_folder("endpoints");
  if (folder.empty()) {
    GTEST_SKIP() << "the encoding vectors are not here: set LEAT_VECTORS_DIR to their folder";
  }
  const auto json = nlohmann::json::parse(read_text(folder / "uri-encode.json"));
  ASSERT_FALSE(json["testCases"].empty());
  for (const auto& test : json["testCases"]) {
    const std::string input = test["params"]["Input"];
    EXPECT_EQ("The value is: `" + percent_encode(input) + "`", test["expect"]["error"]);
  }
}

TEST(UriEncoding, DecodesWhatItEncodes) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  EXPECT_EQ(percent_decode(percent_encode(all)), all);
  EXPECT_EQ(percent_decode(percent_encode_path(all), /*plus_is_space=*/true), all);
  EXPECT_EQ(percent_encode_path("a/b"), "a/b");
  EXPECT_EQ(percent_decode("a+b%2B"), "a+b+");
  EXPECT_EQ(percent_decode("a+b%2b", /*plus_is_space=*/true), "a b+");
  for (const std::string_view broken : {"%", "%2", "%zz", "a%0g", "%%41"}) {
    EXPECT_FALSE(percent_decode(broken).has_value()) << broken;
  }
}

}  // namespace
}  // namespace leat::connector::s3
