#include "connector/s3/credentials/sso.h"

#include <openssl/evp.h>

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

#include "connector/s3/credentials/json_credentials.h"
#include "connector/s3/credentials/request.h"
#include "connector/s3/list_xml.h"
#include "connector/s3/uri_encoding.h"

namespace leat::connector::s3 {
namespace {

std::string sha1_hex(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha1(), nullptr);
  std::string text;
  for (unsigned i = 0; i < length; ++i) {
    std::array<char, 3> pair{};
    std::snprintf(pair.data(), pair.size(), "%02x", static_cast<unsigned>(digest.at(i)));
    text += pair.data();
  }
  return text;
}

class SsoSource final : public CredentialSource {
 public:
  SsoSource(CredentialContext context, SsoOptions options)
      : context_(std::move(context)), options_(std::move(options)) {}

  Result<FetchedCredentials> fetch() override {
    auto token = read_token();
    if (!token) return std::move(token).error();
    auto endpoint = parse_endpoint(options_.endpoint_url);
    if (!endpoint) return std::move(endpoint).error();
    const std::string who = "IAM Identity Center at " + endpoint->origin();
    const auto make = [&] {
      return HttpRequest{
          .method = "GET",
          .url = endpoint->origin() + percent_encode_path(endpoint->path_prefix) +
                 "/federation/credentials?account_id=" + percent_encode(options_.account_id) +
                 "&role_name=" + percent_encode(options_.role_name),
          .headers = {{"Host", endpoint->authority}, {"x-amz-sso_bearer_token", *token}},
          .body = {},
          .connect_timeout = std::chrono::milliseconds(3'000),
          .first_byte_timeout = std::chrono::seconds(10),
          .stall_timeout = std::chrono::seconds(10),
          .stop = {}};
    };
    auto answer = ask(context_, {.who = who, .make = make});
    if (!answer) return std::move(answer).error();
    if (!answer->ok()) {
      const bool transient = answer->status == 429 || answer->status >= 500;
      return Error{.code = transient ? ErrorCode::kUnavailable : ErrorCode::kPermissionDenied,
                   .message = who + " gives no credentials for the role '" + options_.role_name +
                              "' of the account '" + options_.account_id + "' (HTTP " +
                              std::to_string(answer->status) + "); log in again: aws sso login",
                   .at = {},
                   .retryable = transient};
    }
    return parse(answer->body, who);
  }
  std::string description() const override {
    return "IAM Identity Center, role " + options_.role_name + " of account " + options_.account_id;
  }

 private:
  Result<std::string> read_token() const {
    const std::string name = options_.session.empty() ? options_.start_url : options_.session;
    const std::string path =
        variable(context_.environment, "HOME") + "/.aws/sso/cache/" + sha1_hex(name) + ".json";
    auto text = read_token_file(path, "the token of IAM Identity Center");
    if (!text) {
      Error error = std::move(text).error();
      error.code = ErrorCode::kPermissionDenied;
      error.message += "; log in first: aws sso login";
      return error;
    }
    std::string token = json_text_field(*text, "accessToken");
    const auto expires_ms = parse_iso_time(json_text_field(*text, "expiresAt"));
    if (token.empty() || token.find_first_of("\r\n") != token.npos) {
      return Error{.code = ErrorCode::kCorrupt, .message = path + " holds no accessToken"};
    }
    if (expires_ms && *expires_ms <= context_.clock->wall_ms()) {
      return Error{.code = ErrorCode::kPermissionDenied,
                   .message = "the token of IAM Identity Center in " + path +
                              " has expired; log in again: aws sso login"};
    }
    return token;
  }

  static Result<FetchedCredentials> parse(const std::string& body, const std::string& who) {
    const auto document = nlohmann::json::parse(body, nullptr, /*allow_exceptions=*/false);
    const auto role = document.is_object() ? document.find("roleCredentials") : document.end();
    if (!document.is_object() || role == document.end()) {
      return Error{.code = ErrorCode::kCorrupt, .message = who + " answers without credentials"};
    }
    // Unlike elsewhere its time is a number, of milliseconds.
    nlohmann::json rest = *role;
    const auto expiration = rest.is_object() ? rest.find("expiration") : rest.end();
    std::optional<std::int64_t> expires_ms;
    if (rest.is_object() && expiration != rest.end() && expiration->is_number_integer()) {
      expires_ms = expiration->get<std::int64_t>();
      rest.erase(expiration);
    }
    auto fetched = parse_json_credentials(
        rest.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), who);
    if (fetched && expires_ms) fetched->expires_ms = expires_ms;
    return fetched;
  }

  const CredentialContext context_;
  const SsoOptions options_;
};

}  // namespace

std::unique_ptr<CredentialSource> sso_source(CredentialContext context, SsoOptions options) {
  return std::make_unique<SsoSource>(std::move(context), std::move(options));
}

}  // namespace leat::connector::s3
