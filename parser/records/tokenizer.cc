#include "parser/records/tokenizer.h"

#include <cstring>

#include "parser/csv/tokenizers.h"
#include "parser/json_lines/json_scanner.h"
#include "parser/postgres/tokenizers.h"

namespace leat::parser {

void TokenizedBlock::clear() {
  text = nullptr;
  matrix.fields = 0;
  matrix.backslashes = false;
  fields.clear();
  first_field.assign(1, 0);
  record_begin.clear();
  record_end.clear();
  ragged.clear();
  bad.clear();
  consumed = 0;
  known_utf8 = false;
  escapes_may_break_utf8 = false;
}

void TokenizedBlock::spell_out() {
  if (!is_matrix()) return;
  for (std::size_t record = 0; record < record_begin.size(); ++record) {
    for (std::size_t i = 0; i < matrix.fields; ++i) fields.push_back(field(record, i));
    first_field.push_back(fields.size());
    record_end.push_back(end_of(record));
  }
  matrix.fields = 0;
}

void unescape(std::string_view field, char quote, char escape, std::string& out) {
  while (!field.empty()) {
    const std::size_t at = field.find(escape);
    if (at == std::string_view::npos || at + 1 == field.size()) break;
    const char next = field[at + 1];
    // An escape character in front of anything else stands for itself.
    const bool is_escape = next == quote || next == escape;
    out.append(field.substr(0, at));
    if (!is_escape) out.push_back(escape);
    if (is_escape) out.push_back(next);
    field.remove_prefix(at + (is_escape ? 2 : 1));
  }
  out.append(field);
}

void unescape(std::string_view text, Escaping escaping, char quote, char escape, std::string& out) {
  switch (escaping) {
    case Escaping::kInsideQuotes:
      return unescape(text, quote, escape, out);
    case Escaping::kToggledQuotes:
      return unescape_toggled_quotes(text, quote, escape, out);
    case Escaping::kPostgresText:
      return unescape_postgres_text(text, out);
    case Escaping::kJson:
      return unescape_json(text, out);
    case Escaping::kAnyCharacter:
      return unescape_any_character(text, escape, out);
  }
}

}  // namespace leat::parser
