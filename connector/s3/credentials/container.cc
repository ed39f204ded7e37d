#include "connector/s3/credentials/container.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <utility>

#include "connector/s3/credentials/json_credentials.h"
#include "connector/s3/credentials/request.h"

namespace leat::connector::s3 {
namespace {

constexpr const char* kRelative = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
constexpr const char* kFull = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
constexpr const char* kToken = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
constexpr const char* kTokenFile = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
constexpr const char* kEcsOrigin = "http://169.254.170.2";

/// Loopback, and the addresses of ECS and EKS. Names are not looked up: what they mean may change.
bool is_local(std::string_view authority) {
  if (authority.starts_with('[')) {
    const std::string host(authority.substr(1, authority.find(']') - 1));
    in6_addr address{};
    in6_addr eks{};
    if (::inet_pton(AF_INET6, host.c_str(), &address) != 1) return false;
    ::inet_pton(AF_INET6, "fd00:ec2::23", &eks);
    return IN6_IS_ADDR_LOOPBACK(&address) || IN6_ARE_ADDR_EQUAL(&address, &eks);
  }
  const std::string host(authority.substr(0, authority.find(':')));
  if (host == "localhost") return true;
  in_addr address{};
  if (::inet_pton(AF_INET, host.c_str(), &address) != 1) return false;
  return (ntohl(address.s_addr) >> 24) == 127 || host == "169.254.170.2" ||
         host == "169.254.170.23";
}

class ContainerSource final : public CredentialSource {
 public:
  ContainerSource(CredentialContext context, std::string url, std::string authority)
      : context_(std::move(context)), url_(std::move(url)), authority_(std::move(authority)) {}

  Result<FetchedCredentials> fetch() override {
    auto token = read_token();
    if (!token) return std::move(token).error();
    const auto make = [&] {
      HttpRequest request{.method = "GET",
                          .url = url_,
                          .headers = {{"Host", authority_}, {"Accept", "application/json"}},
                          .body = {},
                          .connect_timeout = std::chrono::milliseconds(1'000),
                          .first_byte_timeout = std::chrono::seconds(2),
                          .stall_timeout = std::chrono::seconds(2),
                          .use_proxy = url_.starts_with("https:"),
                          .stop = {}};
      if (!token->empty()) request.headers.push_back({"Authorization", *token});
      return request;
    };
    const std::string who = "the container's service at " + authority_;
    auto answer = ask(context_, {.who = who, .make = make});
    if (!answer) return std::move(answer).error();
    if (!answer->ok()) {
      const bool transient = answer->status == 429 || answer->status >= 500;
      return Error{
          .code = transient ? ErrorCode::kUnavailable : ErrorCode::kPermissionDenied,
          .message = who + " gives no credentials (HTTP " + std::to_string(answer->status) +
                     "); check the role of the task or pod, and the token in " + kTokenFile,
          .at = {},
          .retryable = transient};
    }
    return parse_json_credentials(answer->body, who);
  }
  std::string description() const override { return "the container's service at " + authority_; }

 private:
  Result<std::string> read_token() const {
    std::string token = variable(context_.environment, kToken);
    if (const std::string file = variable(context_.environment, kTokenFile); !file.empty()) {
      auto read = read_token_file(file, "the token for the container's service");
      if (!read) return read;
      token = *std::move(read);
    }
    if (token.find_first_of("\r\n") != token.npos) {
      return Error{.code = ErrorCode::kInvalidArgument,
                   .message =
                       "the token for the container's service holds a line break; it must "
                       "be one line"};
    }
    return token;
  }

  const CredentialContext context_;
  const std::string url_;
  const std::string authority_;
};

}  // namespace

bool has_container(const Environment& environment) {
  return !variable(environment, kRelative).empty() || !variable(environment, kFull).empty();
}

Result<std::string> container_url(const Environment& environment) {
  const auto invalid = [](const std::string& why) {
    return Error{.code = ErrorCode::kInvalidArgument, .message = why};
  };
  if (const std::string path = variable(environment, kRelative); !path.empty()) {
    if (!path.starts_with('/')) return invalid(std::string(kRelative) + " must begin with '/'");
    return kEcsOrigin + path;
  }
  std::string url = variable(environment, kFull);
  if (url.empty()) {
    return Error{.code = ErrorCode::kPermissionDenied,
                 .message = std::string("the container's service is not configured: neither ") +
                            kRelative + " nor " + kFull + " is set"};
  }
  // What follows the host may be a query: only the origin is looked at.
  const std::size_t scheme_end = url.find("://");
  const std::size_t host_end =
      scheme_end == url.npos ? url.npos : url.find_first_of("/?#", scheme_end + 3);
  auto endpoint = parse_endpoint(url.substr(0, host_end));
  if (!endpoint || url.find_first_of(" \t\r\n") != url.npos) {
    return invalid(std::string(kFull) + " is no URL with a host, such as " + kEcsOrigin + "/path");
  }
  if (!endpoint->tls && !is_local(endpoint->authority)) {
    return invalid(std::string(kFull) + " names " + endpoint->authority +
                   " without TLS; only loopback, 169.254.170.2, 169.254.170.23 and "
                   "[fd00:ec2::23] are allowed with http://");
  }
  return url;
}

Result<std::unique_ptr<CredentialSource>> container_source(CredentialContext context) {
  auto url = container_url(context.environment);
  if (!url) return std::move(url).error();
  const std::size_t begin = url->find("://") + 3;
  std::string authority = url->substr(begin, url->find_first_of("/?#", begin) - begin);
  return std::unique_ptr<CredentialSource>(
      std::make_unique<ContainerSource>(std::move(context), *std::move(url), std::move(authority)));
}

}  // namespace leat::connector::s3
