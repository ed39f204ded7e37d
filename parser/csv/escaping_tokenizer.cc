// Text in which an escape character takes the meaning off any character that follows it, a line end
// too: what Redshift's UNLOAD … ESCAPE writes, with or without ADDQUOTES.
#include "parser/csv/tokenizers.h"
#include "parser/records/byte_search.h"
#include "parser/records/line_break.h"
#include "parser/records/record_draft.h"

namespace leat::parser {
namespace {

class EscapingTokenizer final : public Tokenizer {
 public:
  explicit EscapingTokenizer(const FormatOptions& options)
      : delimiter_(options.delimiter),
        quote_(options.quote),
        escape_(options.escape),
        limits_{options.record_bytes_max, options.fields_max},
        specials_({options.delimiter, options.escape, '\n', '\r'}) {}

  Result<void> tokenize(std::string_view input, bool final, bool keep_blank,
                        std::size_t records_max, LineEnd& line_end, TokenizedBlock& out) override;
  std::size_t whole_records(std::string_view bytes, LineEnd line_end) const noexcept override;

 private:
  RecordOutcome take_record(std::string_view input, bool final, LineEnd& line_end,
                            TokenizedBlock& out) const;
  RecordOutcome take_quoted(std::string_view input, std::size_t& at, bool final,
                            FieldSpan& field) const noexcept;

  char delimiter_;
  char quote_;  ///< '\0': none.
  char escape_;
  RecordLimits limits_;
  ByteSearch<4> specials_;
};

/// Takes a field in quotes, whose opening one stands at `at`, up to behind the closing one.
RecordOutcome EscapingTokenizer::take_quoted(std::string_view input, std::size_t& at, bool final,
                                             FieldSpan& field) const noexcept {
  const char stops[] = {quote_, escape_};
  field.quoted = true;
  field.begin = static_cast<std::uint32_t>(++at);
  for (;;) {
    at = input.find_first_of({stops, 2}, at);
    if (at == input.npos) return final ? RecordOutcome::kUnterminated : RecordOutcome::kIncomplete;
    if (input[at] == quote_) break;
    field.escaped = true;
    at += 2;
  }
  field.end = static_cast<std::uint32_t>(at++);
  return RecordOutcome::kTaken;
}

RecordOutcome EscapingTokenizer::take_record(std::string_view input, bool final, LineEnd& line_end,
                                             TokenizedBlock& out) const {
  RecordDraft draft(out, limits_, final);
  for (std::size_t at = draft.begin();; ++at) {
    FieldSpan field;
    field.escaping = Escaping::kAnyCharacter;
    if (quote_ != '\0' && at < input.size() && input[at] == quote_) {
      const RecordOutcome outcome = take_quoted(input, at, final, field);
      if (outcome != RecordOutcome::kTaken) return draft.give_up(input.size(), outcome);
      if (at < input.size() && input[at] != delimiter_ && input[at] != '\n' && input[at] != '\r') {
        draft.fault(at, "text after a closing quote; a quote inside quotes must be escaped");
      }
    } else {
      field.begin = static_cast<std::uint32_t>(at);
    }
    // The unquoted run up to the field's end. Nothing is left of a well-formed quoted field.
    std::optional<LineBreak> line_break;
    for (;; ++at) {
      at = specials_.find(input, at);
      if (at == input.size()) {
        if (!final) return draft.give_up(at, RecordOutcome::kIncomplete);
        line_break = LineBreak{LineBreak::Kind::kBreak, 0, line_end};
        break;
      }
      if (input[at] == delimiter_) break;
      if (input[at] == escape_) {
        if (at + 1 == input.size()) {
          if (!final) return draft.give_up(input.size(), RecordOutcome::kIncomplete);
          draft.fault(at, "an escape character with nothing behind it");
        } else {
          field.escaped = true;
          ++at;
        }
        continue;
      }
      line_break = line_break_at(input, at, final, line_end);
      if (line_break->kind == LineBreak::Kind::kUndecided) {
        return draft.give_up(input.size(), RecordOutcome::kIncomplete);
      }
      if (line_break->kind == LineBreak::Kind::kBreak) break;
      line_break.reset();
      draft.fault(at, input[at] == '\r' ? "a carriage return that is not escaped"
                                        : "a line feed that is not escaped, where lines end with "
                                          "carriage returns");
    }
    if (!field.quoted) field.end = static_cast<std::uint32_t>(at);
    if (line_break) {
      const RecordOutcome outcome = draft.finish(field, at, line_break->length);
      if (outcome == RecordOutcome::kTaken && line_break->length != 0) {
        line_end = line_break->line_end;
      }
      return outcome;
    }
    const RecordOutcome outcome = draft.add(field, at);
    if (outcome != RecordOutcome::kTaken) return outcome;
  }
}

Result<void> EscapingTokenizer::tokenize(std::string_view input, bool final, bool keep_blank,
                                         std::size_t records_max, LineEnd& line_end,
                                         TokenizedBlock& out) {
  out.clear();
  out.text = input.data();
  while (out.consumed < input.size() && out.record_begin.size() + out.bad.size() < records_max) {
    const char first = input[out.consumed];
    if (!keep_blank && (first == '\n' || first == '\r')) {
      const LineBreak blank = line_break_at(input, out.consumed, final, line_end);
      if (blank.kind == LineBreak::Kind::kBreak) {
        line_end = blank.line_end;
        out.consumed += blank.length;
        continue;
      }
    }
    const std::size_t fields = out.fields.size();
    const RecordOutcome outcome = take_record(input, final, line_end, out);
    if (outcome == RecordOutcome::kTaken) continue;
    out.fields.resize(fields);
    if (outcome == RecordOutcome::kIncomplete) break;
    return error_of(outcome, limits_, "look for an escape character in front of a line end");
  }
  return {};
}

std::size_t EscapingTokenizer::whole_records(std::string_view bytes,
                                             LineEnd line_end) const noexcept {
  if (line_end != LineEnd::kLf) return 0;
  if (quote_ != '\0' && bytes.find(quote_) != bytes.npos) return 0;
  for (std::size_t end = bytes.size(); end != 0;) {
    const std::size_t at = bytes.rfind('\n', end - 1);
    if (at == bytes.npos) break;
    if (!is_escaped_at(bytes, at, escape_)) return at + 1;
    end = at;
  }
  return 0;
}

}  // namespace

void unescape_any_character(std::string_view text, char escape, std::string& out) {
  for (;;) {
    const std::size_t at = text.find(escape);
    out.append(text.substr(0, at));
    if (at == text.npos || at + 1 == text.size()) return;
    out.push_back(text[at + 1]);
    text.remove_prefix(at + 2);
  }
}

std::unique_ptr<Tokenizer> make_escaping_tokenizer(const FormatOptions& options) {
  return std::make_unique<EscapingTokenizer>(options);
}

}  // namespace leat::parser
