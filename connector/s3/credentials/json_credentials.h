// Credentials as the JSON document that processes, containers and instances hand out.
#pragma once

#include <string>
#include <string_view>

#include "connector/s3/credentials/source.h"
#include "leat/result.h"

namespace leat::connector::s3 {

/// {"AccessKeyId", "SecretAccessKey", "Token" or "SessionToken", "Expiration"}; names in any
/// case, as services do not agree.
///
/// @param who  For messages: "the process 'x'".
///   kCorrupt           Not such a document; the message never holds its text.
///   kPermissionDenied  A document that says {"Code": …} other than "Success".
Result<FetchedCredentials> parse_json_credentials(std::string_view text, const std::string& who);

/// Value of a top-level text field, its name in any case; empty: there is none, or no document.
std::string json_text_field(std::string_view text, std::string_view name);

}  // namespace leat::connector::s3
