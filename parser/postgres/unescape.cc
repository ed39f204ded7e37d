#include <cstddef>

#include "parser/postgres/byte_escape.h"
#include "parser/postgres/tokenizers.h"

namespace leat::parser {

void unescape_postgres_text(std::string_view text, std::string& out) {
  for (;;) {
    const std::size_t at = text.find('\\');
    out.append(text.substr(0, at));
    if (at == std::string_view::npos || at + 1 == text.size()) return;
    text.remove_prefix(at + 1);
    const ByteEscape escape = read_byte_escape(text);
    out.push_back(escape.byte);
    text.remove_prefix(escape.length);
  }
}

void unescape_toggled_quotes(std::string_view text, char quote, char escape, std::string& out) {
  bool inside = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char byte = text[at];
    const bool has_next = at + 1 < text.size();
    if (inside && byte == escape && has_next && (text[at + 1] == escape || text[at + 1] == quote)) {
      out.push_back(text[++at]);
    } else if (byte == quote) {
      inside = !inside;
    } else {
      out.push_back(byte);
    }
  }
}

}  // namespace leat::parser
