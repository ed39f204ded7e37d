#include "cli/printable.h"

#include "parser/convert/values.h"

namespace leat::cli {

std::string printable(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const bool utf8 = parser::valid_utf8(text);
  std::string shown;
  shown.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f && (byte < 0x80 || utf8)) {
      shown.push_back(c);
      continue;
    }
    shown += "\\x";
    shown.push_back(kHex[byte >> 4]);
    shown.push_back(kHex[byte & 15]);
  }
  return shown;
}

}  // namespace leat::cli
