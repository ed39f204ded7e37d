#include "connector/s3/credentials/json_credentials.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "connector/s3/list_xml.h"
#include "core/ascii_case.h"

namespace leat::connector::s3 {
namespace {

std::string text_of(const nlohmann::json& document, std::string_view name) {
  if (!document.is_object()) return {};
  for (const auto& [key, value] : document.items()) {
    if (!core::equal_ignoring_case(key, name)) continue;
    if (value.is_string()) return value.get<std::string>();
    if (value.is_number_integer()) return std::to_string(value.get<std::int64_t>());
  }
  return {};
}

/// Milliseconds of Unix time of "2026-11-20T16:51:27Z" or "…+01:00".
std::optional<std::int64_t> parse_expiration(std::string text) {
  // "+01:00" or "+0100", behind the time.
  const std::size_t sign = text.find_first_of("+-", text.find('T'));
  std::int64_t offset_min = 0;
  if (sign != text.npos) {
    std::string digits = text.substr(sign + 1);
    digits.erase(std::remove(digits.begin(), digits.end(), ':'), digits.end());
    if (digits.size() != 4 || digits.find_first_not_of("0123456789") != digits.npos) return {};
    offset_min = std::stoi(digits.substr(0, 2)) * 60 + std::stoi(digits.substr(2));
    if (text[sign] == '-') offset_min = -offset_min;
    text = text.substr(0, sign) + "Z";
  }
  const auto time_ms = parse_iso_time(text);
  if (!time_ms) return std::nullopt;
  return *time_ms - offset_min * 60'000;
}

nlohmann::json parse(std::string_view text) {
  return nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
}

}  // namespace

std::string json_text_field(std::string_view text, std::string_view name) {
  return text_of(parse(text), name);
}

Result<FetchedCredentials> parse_json_credentials(std::string_view text, const std::string& who) {
  const nlohmann::json document = parse(text);
  if (!document.is_object()) {
    return Error{.code = ErrorCode::kCorrupt,
                 .message = who + " answers with something that is not a JSON document"};
  }
  const std::string code = text_of(document, "Code");
  if (!code.empty() && !core::equal_ignoring_case(code, "Success")) {
    return Error{.code = ErrorCode::kPermissionDenied,
                 .message = who + " refuses credentials: " + code.substr(0, 100)};
  }
  FetchedCredentials fetched;
  fetched.credentials.access_key_id = text_of(document, "AccessKeyId");
  fetched.credentials.secret_access_key = Secret(text_of(document, "SecretAccessKey"));
  std::string token = text_of(document, "SessionToken");
  if (token.empty()) token = text_of(document, "Token");
  fetched.credentials.session_token = Secret(std::move(token));
  for (const auto& [name, missing] :
       {std::pair{"AccessKeyId", fetched.credentials.access_key_id.empty()},
        std::pair{"SecretAccessKey", fetched.credentials.secret_access_key.empty()}}) {
    if (missing) {
      return Error{.code = ErrorCode::kCorrupt,
                   .message = who + " answers with a document that lacks " + name};
    }
  }
  if (const std::string expiration = text_of(document, "Expiration"); !expiration.empty()) {
    fetched.expires_ms = parse_expiration(expiration);
    if (!fetched.expires_ms) {
      return Error{.code = ErrorCode::kCorrupt,
                   .message = who +
                              " answers with an Expiration that is not a time of the form "
                              "2026-11-20T16:51:27Z"};
    }
  }
  return fetched;
}

}  // namespace leat::connector::s3
