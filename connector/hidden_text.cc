#include "connector/hidden_text.h"

#include <algorithm>

namespace leat::connector {

std::string without_url_secrets(std::string_view text) {
  std::string shown(text);
  for (const std::string_view name :
       {"ignature=", "ecurity-Token=", "ecurity-token=", "redential=", "AccessKeyId="}) {
    for (std::size_t at = 0; (at = shown.find(name, at)) != shown.npos;) {
      at += name.size();
      const std::size_t end = std::min(shown.find_first_of("&, \"'<>", at), shown.size());
      shown.replace(at, end - at, kHidden);
    }
  }
  for (std::size_t at = 0; (at = shown.find("://", at)) != shown.npos;) {
    at += 3;
    const std::size_t end = std::min(shown.find_first_of("/?# \"'<>", at), shown.size());
    const std::size_t user_end = std::string_view(shown).substr(0, end).rfind('@');
    if (user_end != shown.npos && user_end >= at) shown.replace(at, user_end - at, kHidden);
  }
  return shown;
}

void hide(std::string_view secret, std::string& text) {
  if (secret.empty()) return;
  for (std::size_t at = 0; (at = text.find(secret, at)) != text.npos; at += kHidden.size()) {
    text.replace(at, secret.size(), kHidden);
  }
}

}  // namespace leat::connector
