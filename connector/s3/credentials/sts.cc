#include "connector/s3/credentials/sts.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "connector/s3/credentials/request.h"
#include "connector/s3/list_xml.h"
#include "connector/s3/sigv4.h"
#include "connector/s3/uri_encoding.h"
#include "connector/s3/xml_reader.h"

namespace leat::connector::s3 {
namespace {

constexpr const char* kDefaultSessionName = "leat";

/// The service's words, fit for one line of a message.
std::string one_line(std::string_view text) {
  std::string line(text.substr(0, 300));
  std::replace_if(
      line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return line;
}

using Parameters = std::vector<std::pair<std::string, std::string>>;

/// What is wanted of an answer, whichever operation it answers.
struct StsAnswer {
  std::string error_code, error_message;
  std::string access_key_id, secret_access_key, session_token, expiration;
  std::string account, arn;
};

std::optional<StsAnswer> parse_answer(std::string_view body) {
  StsAnswer answer;
  XmlReader reader({.begin = {}, .end = [&](const XmlReader::Path& path, const std::string& text) {
                      if (path.size() < 2) return;
                      const std::string& name = path.back();
                      const std::string& parent = path[path.size() - 2];
                      if (parent == "Error") {
                        if (name == "Code") answer.error_code = text;
                        if (name == "Message") answer.error_message = text;
                      } else if (parent == "Credentials") {
                        if (name == "AccessKeyId") answer.access_key_id = text;
                        if (name == "SecretAccessKey") answer.secret_access_key = text;
                        if (name == "SessionToken") answer.session_token = text;
                        if (name == "Expiration") answer.expiration = text;
                      } else if (parent == "GetCallerIdentityResult") {
                        if (name == "Account") answer.account = text;
                        if (name == "Arn") answer.arn = text;
                      }
                    }});
  if (!reader.feed(std::as_bytes(std::span(body))) || !reader.finish()) return std::nullopt;
  return answer;
}

HttpRequest make_request(const CredentialContext& context, const std::string& body,
                         const S3Credentials* credentials) {
  const Endpoint& endpoint = context.sts;
  HttpRequest request{.method = "POST",
                      .url = endpoint.origin() + percent_encode_path(endpoint.path_prefix) + "/",
                      .headers = {{"Host", endpoint.authority},
                                  {"Content-Type", "application/x-www-form-urlencoded"}},
                      .body = body,
                      .connect_timeout = std::chrono::milliseconds(3'000),
                      .first_byte_timeout = std::chrono::seconds(10),
                      .stall_timeout = std::chrono::seconds(10),
                      .stop = {}};
  if (credentials == nullptr) return request;
  SigningInput input{.method = request.method,
                     .path = endpoint.path_prefix + "/",
                     .query = {},
                     .headers = std::move(request.headers),
                     .payload_hash = sha256_hex(body)};
  std::string authorization = sign_headers(
      input, *credentials,
      {.region = context.region, .service = "sts", .time_ms = context.clock->wall_ms()});
  request.headers = std::move(input.headers);
  request.headers.push_back({"Authorization", std::move(authorization)});
  return request;
}

std::string who(const CredentialContext& context) {
  return "the token service at " + context.sts.origin();
}

bool is_transient(const CredentialAnswer& answer) {
  const auto parsed = parse_answer(answer.body);
  return parsed &&
         (parsed->error_code == "Throttling" || parsed->error_code == "RequestLimitExceeded" ||
          parsed->error_code == "IDPCommunicationError");
}

Error refused(const CredentialContext& context, const std::string& action,
              const CredentialAnswer& answer, const std::optional<StsAnswer>& parsed) {
  const std::string code = parsed ? parsed->error_code : std::string();
  Error error{.code = ErrorCode::kPermissionDenied, .message = action + ": " + who(context)};
  const bool unknown = answer.status == 404 || answer.status == 405 || answer.status == 501;
  if (!unknown && (answer.status == 429 || answer.status >= 500 || is_transient(answer))) {
    error.code = ErrorCode::kUnavailable;
    error.retryable = true;
    error.message += " cannot serve the request now";
  } else if (unknown || code == "MethodNotAllowed" || code == "InvalidAction" ||
             code == "InvalidRequest") {
    error.code = ErrorCode::kUnsupported;
    error.message += " does not offer this";
  } else if (code == "AccessDenied") {
    error.message +=
        " denies it; the role's trust policy must allow these credentials, with the "
        "right external id where it asks for one";
  } else if (code == "ExpiredToken" || code == "ExpiredTokenException") {
    error.message += " says that the token has expired; renew it";
  } else {
    error.message += " refuses it";
  }
  std::string detail = "HTTP " + std::to_string(answer.status);
  if (!code.empty()) detail += " " + one_line(code);
  if (parsed && !parsed->error_message.empty()) detail += ": " + one_line(parsed->error_message);
  error.message += " (" + detail + ")";
  return error;
}

/// One call, answered with success.
Result<StsAnswer> call(const CredentialContext& context, const std::string& action,
                       const Parameters& parameters, const S3Credentials* credentials) {
  std::string body;
  for (const auto& [name, value] : parameters) {
    if (!body.empty()) body += '&';
    body += name + "=" + percent_encode(value);
  }
  auto answer = ask(context, {.who = who(context),
                              .make = [&] { return make_request(context, body, credentials); },
                              .retry_answer = is_transient});
  if (!answer) {
    Error error = std::move(answer).error();
    error.message = action + ": " + error.message;
    return error;
  }
  std::optional<StsAnswer> parsed = parse_answer(answer->body);
  if (!answer->ok() || (parsed && !parsed->error_code.empty())) {
    return refused(context, action, *answer, parsed);
  }
  if (!parsed) {
    return Error{.code = ErrorCode::kCorrupt,
                 .message = action + ": " + who(context) + " answers with no proper XML"};
  }
  return *std::move(parsed);
}

Result<FetchedCredentials> assumed(const CredentialContext& context, const std::string& action,
                                   Result<StsAnswer> answer) {
  if (!answer) return std::move(answer).error();
  FetchedCredentials fetched{
      .credentials = {.access_key_id = std::move(answer->access_key_id),
                      .secret_access_key = Secret(std::move(answer->secret_access_key)),
                      .session_token = Secret(std::move(answer->session_token))},
      .expires_ms = parse_iso_time(answer->expiration)};
  if (fetched.credentials.access_key_id.empty() || fetched.credentials.secret_access_key.empty() ||
      !fetched.expires_ms) {
    return Error{.code = ErrorCode::kCorrupt,
                 .message = action + ": the answer of " + who(context) +
                            " lacks a key or the time of its expiry"};
  }
  return fetched;
}

Parameters role_parameters(const char* action, const S3Role& role) {
  Parameters parameters = {
      {"Action", action},
      {"Version", "2011-06-15"},
      {"RoleArn", role.arn},
      {"RoleSessionName", role.session_name.empty() ? kDefaultSessionName : role.session_name}};
  if (role.duration_s != 0) {
    parameters.emplace_back("DurationSeconds", std::to_string(role.duration_s));
  }
  return parameters;
}

class AssumeRoleSource final : public CredentialSource {
 public:
  AssumeRoleSource(CredentialContext context, S3Role role, std::unique_ptr<CredentialSource> base)
      : context_(std::move(context)), role_(std::move(role)), base_(std::move(base)) {}

  Result<FetchedCredentials> fetch() override {
    auto base = base_->fetch();
    if (!base) return base;
    Parameters parameters = role_parameters("AssumeRole", role_);
    if (!role_.external_id.empty() && !context_.without_external_id) {
      parameters.emplace_back("ExternalId", role_.external_id);
    }
    const std::string action = "assuming the role " + role_.arn;
    return assumed(context_, action, call(context_, action, parameters, &base->credentials));
  }
  std::string description() const override {
    return "the role " + role_.arn + ", assumed with " + base_->description();
  }

 private:
  const CredentialContext context_;
  const S3Role role_;
  const std::unique_ptr<CredentialSource> base_;
};

class WebIdentitySource final : public CredentialSource {
 public:
  WebIdentitySource(CredentialContext context, S3Role role, std::string token_file)
      : context_(std::move(context)), role_(std::move(role)), file_(std::move(token_file)) {}

  Result<FetchedCredentials> fetch() override {
    const std::string action = "assuming the role " + role_.arn + " with a web identity";
    auto token = read_token_file(file_, action + ": the token");
    if (!token) return std::move(token).error();
    Parameters parameters = role_parameters("AssumeRoleWithWebIdentity", role_);
    parameters.emplace_back("WebIdentityToken", *std::move(token));
    return assumed(context_, action, call(context_, action, parameters, nullptr));
  }
  std::string description() const override {
    return "the role " + role_.arn + ", assumed with the web identity in " + file_;
  }

 private:
  const CredentialContext context_;
  const S3Role role_;
  const std::string file_;
};

}  // namespace

Result<CallerIdentity> get_caller_identity(const CredentialContext& context,
                                           const S3Credentials& credentials) {
  auto answer = call(context, "asking who these credentials are",
                     {{"Action", "GetCallerIdentity"}, {"Version", "2011-06-15"}}, &credentials);
  if (!answer) return std::move(answer).error();
  if (answer->arn.empty()) {
    return Error{.code = ErrorCode::kUnsupported,
                 .message = who(context) + " does not say who these credentials are"};
  }
  return CallerIdentity{.account = std::move(answer->account), .arn = std::move(answer->arn)};
}

std::unique_ptr<CredentialSource> assume_role_source(CredentialContext context, S3Role role,
                                                     std::unique_ptr<CredentialSource> base) {
  return std::make_unique<AssumeRoleSource>(std::move(context), std::move(role), std::move(base));
}

std::unique_ptr<CredentialSource> web_identity_source(CredentialContext context, S3Role role,
                                                      std::string token_file) {
  return std::make_unique<WebIdentitySource>(std::move(context), std::move(role),
                                             std::move(token_file));
}

}  // namespace leat::connector::s3
