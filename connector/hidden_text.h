// What must not get into messages.
#pragma once

#include <string>
#include <string_view>

namespace leat::connector {

inline constexpr std::string_view kHidden = "[hidden]";

/// `text` without the signatures, tokens and key ids of signed URLs in it, and without users and
/// passwords before hosts: who has such a URL may do what it was made for.
std::string without_url_secrets(std::string_view text);

/// Takes all occurrences of `secret` out of `text`. An empty one has none.
void hide(std::string_view secret, std::string& text);

}  // namespace leat::connector
