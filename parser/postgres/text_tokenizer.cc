// COPY's text format: delimiters and line ends, unless a backslash stands in front of them.
#include <algorithm>

#include "parser/convert/values.h"
#include "parser/postgres/byte_escape.h"
#include "parser/postgres/line_break.h"
#include "parser/postgres/simd_way.h"
#include "parser/postgres/tokenizers.h"
#include "parser/records/byte_search.h"
#include "parser/records/record_checks.h"
#include "parser/records/record_draft.h"

namespace leat::parser {
namespace {

/// The format as CSV, but for its backslashes.
FormatOptions without_quotes(FormatOptions options) {
  options.kind = Format::kCsv;
  options.quote = '\0';
  return options;
}

class PostgresTextTokenizer final : public Tokenizer {
 public:
  PostgresTextTokenizer(const FormatOptions& options, SimdTarget target)
      : delimiter_(options.delimiter),
        limits_{options.record_bytes_max, options.fields_max},
        specials_({options.delimiter, '\\', '\n', '\r'}),
        check_utf8_(check_utf8_of(target)),
        simd_way_(without_quotes(options), target) {}

  Result<void> tokenize(std::string_view input, bool final, bool keep_blank,
                        std::size_t records_max, LineEnd& line_end, TokenizedBlock& out) override;
  void expect_fields(std::size_t fields) override { simd_way_.expect_fields(fields); }
  std::size_t whole_records(std::string_view bytes, LineEnd line_end) const noexcept override;

 private:
  /// What a block's backslashes do to where its fields end.
  enum class Backslashes : std::uint8_t {
    kNone,     ///< There are none.
    kInside,   ///< They change what fields mean, but no ends.
    kDecisive  ///< They may do more: only the machine can tell.
  };

  Backslashes judge_backslashes(std::string_view input, bool final) const noexcept;
  bool take_by_simd(std::string_view input, bool final, TokenizedBlock& out);
  RecordOutcome take_record(std::string_view input, bool final, LineEnd& line_end,
                            TokenizedBlock& out);
  void refuse_foreign_bytes(std::string_view input, TokenizedBlock& out) const {
    refuse_nul(input, kNulByte, out);
    refuse_non_utf8(input, check_utf8_, out);
  }

  char delimiter_;
  RecordLimits limits_;
  ByteSearch<4> specials_;
  CheckUtf8 check_utf8_;
  std::string unescaped_;
  SimdWay simd_way_;
};

PostgresTextTokenizer::Backslashes PostgresTextTokenizer::judge_backslashes(
    std::string_view input, bool final) const noexcept {
  Backslashes found = Backslashes::kNone;
  for (std::size_t at = 0; (at = input.find('\\', at)) != input.npos; at += 2) {
    found = Backslashes::kInside;
    if (at + 1 == input.size()) return final ? Backslashes::kDecisive : found;
    const char next = input[at + 1];
    const bool ends = next == delimiter_ || next == '\n' || next == '.';
    // Bytes by number may be none of UTF-8.
    const bool by_number = (next >= '0' && next <= '7') || next == 'x';
    if (ends || by_number) return Backslashes::kDecisive;
  }
  return found;
}

bool PostgresTextTokenizer::take_by_simd(std::string_view input, bool final, TokenizedBlock& out) {
  const Backslashes backslashes = judge_backslashes(input, final);
  if (backslashes == Backslashes::kDecisive || !simd_way_.take(input, final, out)) return false;
  if (backslashes == Backslashes::kNone) return true;
  out.matrix.backslashes = out.is_matrix();
  for (FieldSpan& field : out.fields) mark_backslashes(out.text, field);
  return true;
}

RecordOutcome PostgresTextTokenizer::take_record(std::string_view input, bool final,
                                                 LineEnd& line_end, TokenizedBlock& out) {
  RecordDraft draft(out, limits_, final);
  const std::size_t begin = draft.begin();
  std::size_t at = begin;
  FieldSpan field;
  field.escaping = Escaping::kPostgresText;
  field.begin = static_cast<std::uint32_t>(begin);
  bool high_bytes = false;  ///< Written as escape sequences.
  const auto end_field = [&](std::size_t end) {
    field.end = static_cast<std::uint32_t>(end);
    if (!high_bytes) return;
    high_bytes = false;
    unescaped_.clear();
    unescape_postgres_text(input.substr(field.begin, end - field.begin), unescaped_);
    if (!valid_utf8(unescaped_)) {
      draft.fault(field.begin, "a field whose escape sequences make something other than UTF-8");
    }
  };
  const auto finish = [&](std::size_t field_end, std::size_t record_end, std::size_t line_bytes) {
    end_field(field_end);
    return draft.finish(field, record_end, line_bytes);
  };
  for (;;) {
    at = specials_.find(input, at);
    if (at == input.size()) {
      return final ? finish(at, at, 0) : draft.give_up(at, RecordOutcome::kIncomplete);
    }
    if (input[at] == delimiter_) {
      end_field(at);
      const RecordOutcome outcome = draft.add(field, at);
      if (outcome != RecordOutcome::kTaken) return outcome;
      field.begin = static_cast<std::uint32_t>(++at);
      field.escaped = false;
      continue;
    }
    if (input[at] != '\\') {
      const LineBreak line_break = postgres_line_break_at(input, at, final, line_end);
      if (line_break.kind == LineBreak::Kind::kUndecided) {
        return draft.give_up(input.size(), RecordOutcome::kIncomplete);
      }
      if (line_break.kind == LineBreak::Kind::kBreak) {
        const RecordOutcome outcome = finish(at, at, line_break.length);
        if (outcome == RecordOutcome::kTaken) line_end = line_break.line_end;
        return outcome;
      }
      draft.fault(at, input[at] == '\r' ? kStrayCarriageReturn : kStrayLineFeed);
      ++at;
      continue;
    }
    if (at + 1 == input.size()) {
      // The last byte of the object escapes nothing: PostgreSQL drops it.
      return final ? finish(at, at + 1, 0)
                   : draft.give_up(input.size(), RecordOutcome::kIncomplete);
    }
    if (input[at + 1] == '.') {
      const LineBreak::Kind marker = end_of_data_at(input, at + 2, final, line_end);
      if (marker == LineBreak::Kind::kUndecided) {
        return draft.give_up(input.size(), RecordOutcome::kIncomplete);
      }
      if (marker == LineBreak::Kind::kBreak && at == begin) {
        line_end = LineEnd::kNoMoreData;
        return RecordOutcome::kTaken;
      }
      draft.fault(at, "\\. that is not alone on its line; a backslash is written \\\\");
    }
    const ByteEscape escape = read_byte_escape(input.substr(at + 1));
    if (escape.by_number && escape.byte == '\0') draft.fault(at, kNulByte);
    high_bytes = high_bytes || (escape.by_number && (escape.byte & 0x80) != 0);
    field.escaped = true;
    at += 1 + escape.length;
  }
}

Result<void> PostgresTextTokenizer::tokenize(std::string_view input, bool final, bool /*blank*/,
                                             std::size_t records_max, LineEnd& line_end,
                                             TokenizedBlock& out) {
  LineEnd known = line_end;
  if (known == LineEnd::kUnknown && !input.empty()) {
    // The first record decides; whatever else comes of it will come again.
    out.clear();
    static_cast<void>(take_record(input, final, known, out));
  }
  if (simd_way_.suits(input, records_max, known) && take_by_simd(input, final, out)) {
    line_end = known;
    return {};
  }
  out.clear();
  out.text = input.data();
  while (line_end != LineEnd::kNoMoreData && out.consumed < input.size() &&
         out.record_begin.size() + out.bad.size() < records_max) {
    const std::size_t fields = out.fields.size();
    const RecordOutcome outcome = take_record(input, final, line_end, out);
    if (outcome == RecordOutcome::kTaken) continue;
    out.fields.resize(fields);
    if (outcome == RecordOutcome::kIncomplete) break;
    refuse_foreign_bytes(input, out);
    return error_of(outcome, limits_, "look for a backslash in front of a line end");
  }
  if (line_end == LineEnd::kNoMoreData) out.consumed = input.size();
  refuse_foreign_bytes(input, out);
  return {};
}

std::size_t PostgresTextTokenizer::whole_records(std::string_view bytes,
                                                 LineEnd line_end) const noexcept {
  if (line_end == LineEnd::kUnknown || line_end == LineEnd::kNoMoreData) return 0;
  const char last = line_end == LineEnd::kCr ? '\r' : '\n';
  std::size_t at = bytes.size();
  for (;;) {
    at = at == 0 ? bytes.npos : bytes.rfind(last, at - 1);
    if (at == bytes.npos) return 0;
    const bool crlf = line_end == LineEnd::kCrLf;
    if (crlf && (at == 0 || bytes[at - 1] != '\r')) continue;
    if (!is_escaped_at(bytes, crlf ? at - 1 : at, '\\')) break;
  }
  const std::string_view records = bytes.substr(0, at + 1);
  return may_hold_end_of_data(records) ? 0 : records.size();
}

}  // namespace

std::unique_ptr<Tokenizer> make_postgres_text_tokenizer(const FormatOptions& options,
                                                        SimdTarget target) {
  return std::make_unique<PostgresTextTokenizer>(options, target);
}

}  // namespace leat::parser
