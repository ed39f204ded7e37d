#include "connector/s3/credentials/instance.h"

#include <utility>

#include "connector/s3/credentials/json_credentials.h"
#include "connector/s3/credentials/request.h"
#include "connector/s3/uri_encoding.h"
#include "core/ascii_case.h"

namespace leat::connector::s3 {
namespace {

constexpr const char* kRoles = "/latest/meta-data/iam/security-credentials/";

class InstanceSource final : public CredentialSource {
 public:
  InstanceSource(CredentialContext context, InstanceOptions options, std::string looked_in)
      : context_(std::move(context)),
        options_(std::move(options)),
        looked_in_(std::move(looked_in)) {}

  Result<FetchedCredentials> fetch() override {
    auto fetched = fetch_all();
    if (fetched) {
      had_some_ = true;
      return fetched;
    }
    const ErrorCode code = fetched.error().code;
    if (looked_in_.empty() || had_some_ || code == ErrorCode::kCancelled) return fetched;
    return Error{.code = ErrorCode::kPermissionDenied,
                 .message = "no AWS credentials found: not in " + looked_in_ + ", and " +
                            fetched.error().message +
                            "; set one of them, or ask for unsigned requests (--no-sign-request) "
                            "if the bucket is public"};
  }
  std::string description() const override {
    return "the instance's metadata service at " + options_.endpoint.origin();
  }

 private:
  Error failed(ErrorCode code, const std::string& what) const {
    const bool retryable = code == ErrorCode::kUnavailable;
    return {.code = code, .message = description() + " " + what, .at = {}, .retryable = retryable};
  }

  Result<CredentialAnswer> send(const std::string& method, const std::string& path,
                                std::vector<HttpHeader> headers) const {
    headers.push_back({"Host", options_.endpoint.authority});
    return ask(context_,
               {.who = description(),
                .make =
                    [&] {
                      return HttpRequest{
                          .method = method,
                          .url = options_.endpoint.origin() +
                                 percent_encode_path(options_.endpoint.path_prefix + path),
                          .headers = headers,
                          .body = {},
                          .connect_timeout = std::chrono::milliseconds(1'000),
                          .first_byte_timeout = std::chrono::seconds(1),
                          .stall_timeout = std::chrono::seconds(1),
                          .use_proxy = false,
                          .stop = {}};
                    },
                .retry_connect = false});
  }

  Result<FetchedCredentials> fetch_all() const {
    if (!options_.enabled) {
      return failed(ErrorCode::kPermissionDenied,
                    "is not asked, because AWS_EC2_METADATA_DISABLED is set");
    }
    auto token =
        send("PUT", "/latest/api/token", {{"X-aws-ec2-metadata-token-ttl-seconds", "21600"}});
    if (!token) return std::move(token).error();
    std::vector<HttpHeader> headers;
    if (token->ok() && !token->body.empty()) {
      headers.push_back({"X-aws-ec2-metadata-token", std::move(token->body)});
    } else if (token->status >= 500) {
      return unavailable(*token);
    } else if (!options_.version_1_allowed) {
      return failed(ErrorCode::kPermissionDenied, "gives no token (HTTP " +
                                                      std::to_string(token->status) +
                                                      "); it may be turned off for this instance");
    }
    auto roles = send("GET", kRoles, headers);
    if (!roles) return std::move(roles).error();
    if (roles->status >= 500) return unavailable(*roles);
    const std::string role = roles->body.substr(0, roles->body.find_first_of("\r\n"));
    if (!roles->ok() || role.empty()) {
      return failed(ErrorCode::kPermissionDenied, "knows no role of this instance (HTTP " +
                                                      std::to_string(roles->status) +
                                                      "); attach an instance profile");
    }
    auto document = send("GET", kRoles + role, headers);
    if (!document) return std::move(document).error();
    if (document->status >= 500) return unavailable(*document);
    if (!document->ok()) {
      return failed(ErrorCode::kPermissionDenied, "gives no credentials of its role (HTTP " +
                                                      std::to_string(document->status) + ")");
    }
    return parse_json_credentials(document->body, description());
  }

  Error unavailable(const CredentialAnswer& answer) const {
    return failed(ErrorCode::kUnavailable,
                  "reports a failure of its own (HTTP " + std::to_string(answer.status) + ")");
  }

  const CredentialContext context_;
  const InstanceOptions options_;
  const std::string looked_in_;
  bool had_some_ = false;
};

}  // namespace

Result<InstanceOptions> instance_options(const Environment& environment, const Profile& profile) {
  const auto setting = [&](const char* of_environment, const char* of_profile) {
    std::string value = variable(environment, of_environment);
    return value.empty() ? property(profile, of_profile) : value;
  };
  InstanceOptions options;
  options.enabled = core::lower_case(variable(environment, "AWS_EC2_METADATA_DISABLED")) != "true";
  options.version_1_allowed = core::lower_case(setting("AWS_EC2_METADATA_V1_DISABLED",
                                                       "ec2_metadata_v1_disabled")) == "false";
  std::string url = setting("AWS_EC2_METADATA_SERVICE_ENDPOINT", "ec2_metadata_service_endpoint");
  if (url.empty()) {
    const std::string mode =
        setting("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ec2_metadata_service_endpoint_mode");
    if (!mode.empty() && core::lower_case(mode) != "ipv4" && core::lower_case(mode) != "ipv6") {
      return Error{.code = ErrorCode::kInvalidArgument,
                   .message = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE: '" + mode +
                              "' is not a valid endpoint mode; write IPv4 or IPv6"};
    }
    url = core::lower_case(mode) == "ipv6" ? "http://[fd00:ec2::254]" : "http://169.254.169.254";
  }
  auto endpoint = parse_endpoint(url);
  if (!endpoint) {
    Error error = std::move(endpoint).error();
    error.message = "the instance's metadata service: " + error.message;
    return error;
  }
  options.endpoint = *std::move(endpoint);
  return options;
}

std::unique_ptr<CredentialSource> instance_source(CredentialContext context,
                                                  InstanceOptions options, std::string looked_in) {
  return std::make_unique<InstanceSource>(std::move(context), std::move(options),
                                          std::move(looked_in));
}

}  // namespace leat::connector::s3
