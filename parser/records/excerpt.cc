#include "parser/records/excerpt.h"

#include "parser/convert/values.h"

namespace leat::parser {
namespace {

constexpr std::size_t kExcerptBytes = 60;
constexpr char kHexDigits[] = "0123456789abcdef";

}  // namespace

std::string_view front_of(std::string_view text, std::size_t bytes) noexcept {
  if (text.size() <= bytes) return text;
  std::size_t end = bytes;
  // Back over continuation bytes; a text without sequences is cut where it is.
  for (std::size_t back = 0; back < 3 && (text[end] & 0xc0) == 0x80; ++back) --end;
  return text.substr(0, (text[end] & 0xc0) == 0x80 ? bytes : end);
}

std::string excerpt(std::string_view text) {
  const std::string_view front = front_of(text, kExcerptBytes);
  const bool utf8 = valid_utf8(front);
  std::string out = "\"";
  for (const char c : front) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f || (byte >= 0x80 && !utf8)) {
      out += "\\x";
      out += kHexDigits[byte >> 4];
      out += kHexDigits[byte & 15];
    } else {
      out += c;
    }
  }
  out += front.size() < text.size() ? "…\"" : "\"";
  return out;
}

}  // namespace leat::parser
