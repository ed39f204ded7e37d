#include "parser/csv/tokenizer.h"

#include <cstring>

namespace leat::parser {

void TokenizedBlock::clear() {
  text = nullptr;
  matrix.fields = 0;
  fields.clear();
  first_field.assign(1, 0);
  record_begin.clear();
  record_end.clear();
  bad.clear();
  consumed = 0;
  ascii = false;
}

std::size_t TokenizedBlock::field_count(std::size_t record) const noexcept {
  return is_matrix() ? matrix.fields : first_field[record + 1] - first_field[record];
}

FieldSpan TokenizedBlock::field(std::size_t record, std::size_t index) const noexcept {
  if (!is_matrix()) return fields[first_field[record] + index];
  const std::uint32_t* const end = matrix.ends() + record * matrix.fields + index;
  return span_of(text, index == 0 ? record_begin[record] : end[-1] + 1, *end, matrix.quote);
}

std::uint32_t TokenizedBlock::end_of(std::size_t record) const noexcept {
  if (!is_matrix()) return record_end[record];
  return matrix.ends()[(record + 1) * matrix.fields - 1];
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

FieldSpan span_of(const char* text, std::uint32_t begin, std::uint32_t end, char quote) noexcept {
  if (quote == '\0' || begin == end || text[begin] != quote) return {begin, end, false, false};
  const std::size_t inner = end - begin - 2;
  return {begin + 1, end - 1, true,
          inner != 0 && std::memchr(text + begin + 1, quote, inner) != nullptr};
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

}  // namespace leat::parser
