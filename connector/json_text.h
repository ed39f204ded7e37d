// JSON as text, written by hand: rows and rejects are too many for a document model.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace leat::connector {

/// Whether `bytes` is well-formed UTF-8 (no surrogates, no overlong forms).
bool is_utf8(std::string_view bytes) noexcept;

/// Appends `text` as a JSON string, quotes included. Control characters are escaped; all else is
/// kept as it is, so the result is UTF-8 when `text` is.
void append_json_string(std::string_view text, std::string& out);

/// The same, written in place.
///
/// @param to  Room for six characters for each of the text's, and two.
/// @return    The end.
char* write_json_string(std::string_view text, char* to);

/// Appends the standard base64 form with padding.
void append_base64(std::string_view bytes, std::string& out);

/// The bytes of such a text; nullopt: it is none.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace leat::connector
