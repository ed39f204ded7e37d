#include "leat/result.h"

namespace leat {

std::string_view error_code_name(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return "invalid_argument";
    case ErrorCode::kNotFound:
      return "not_found";
    case ErrorCode::kPermissionDenied:
      return "permission_denied";
    case ErrorCode::kObjectChanged:
      return "object_changed";
    case ErrorCode::kThrottled:
      return "throttled";
    case ErrorCode::kUnavailable:
      return "unavailable";
    case ErrorCode::kTimeout:
      return "timeout";
    case ErrorCode::kCorrupt:
      return "corrupt";
    case ErrorCode::kUnsupported:
      return "unsupported";
    case ErrorCode::kAlreadyOpen:
      return "already_open";
    case ErrorCode::kIo:
      return "io";
    case ErrorCode::kDiskFull:
      return "disk_full";
    case ErrorCode::kFenced:
      return "fenced";
    case ErrorCode::kMalformedRecord:
      return "malformed_record";
    case ErrorCode::kRecordTooLarge:
      return "record_too_large";
    case ErrorCode::kUnterminatedQuote:
      return "unterminated_quote";
    case ErrorCode::kNotText:
      return "not_text";
    case ErrorCode::kBadValue:
      return "bad_value";
    case ErrorCode::kFieldCount:
      return "field_count";
    case ErrorCode::kSchemaMismatch:
      return "schema_mismatch";
    case ErrorCode::kCancelled:
      return "cancelled";
    case ErrorCode::kInternal:
      return "internal";
    case ErrorCode::kStateMismatch:
      return "state_mismatch";
    case ErrorCode::kBadEncoding:
      return "bad_encoding";
    case ErrorCode::kRowRefused:
      return "row_refused";
  }
  return "unknown";  // A number read from a file that a later version wrote.
}

std::optional<ErrorCode> error_code_of(std::string_view name) noexcept {
  for (auto code = ErrorCode::kInvalidArgument; error_code_name(code) != "unknown";
       code = static_cast<ErrorCode>(static_cast<int>(code) + 1)) {
    if (error_code_name(code) == name) return code;
  }
  return std::nullopt;
}

std::string Error::to_string() const {
  std::string place;
  const auto add = [&place](std::string_view label, std::string_view value) {
    if (!place.empty()) place += ", ";
    place.append(label).append(value);
  };
  if (!at.object.empty()) add("object ", at.object);
  if (at.record) add("record ", std::to_string(*at.record));
  if (at.byte_offset) add("byte ", std::to_string(*at.byte_offset));
  if (!at.column.empty()) add("column ", at.column);

  std::string text = message;
  if (!place.empty()) text.append(" (").append(place).append(")");
  return text.append(" [").append(error_code_name(code)).append("]");
}

}  // namespace leat
