// COPY's CSV format: a quote toggles wherever it stands.
#include <algorithm>

#include "parser/csv/simd/structural_index.h"
#include "parser/postgres/line_break.h"
#include "parser/postgres/simd_way.h"
#include "parser/postgres/tokenizers.h"
#include "parser/records/byte_search.h"
#include "parser/records/record_checks.h"
#include "parser/records/record_draft.h"

namespace leat::parser {
namespace {

/// The format as CSV: the same where quotes stand around whole fields only.
FormatOptions with_rule_of_quotes(FormatOptions options) {
  options.kind = Format::kCsv;
  if (options.escape != options.quote) options.tokenizer = "scalar";
  return options;
}

class PostgresCsvTokenizer final : public Tokenizer {
 public:
  PostgresCsvTokenizer(const FormatOptions& options, SimdTarget target)
      : delimiter_(options.delimiter),
        quote_(options.quote),
        escape_(options.escape),
        limits_{options.record_bytes_max, options.fields_max},
        specials_({options.delimiter, options.quote, '\n', '\r'}),
        check_utf8_(check_utf8_of(target)),
        indexer_(target, options.delimiter, options.quote),
        simd_way_(with_rule_of_quotes(options), target) {}

  Result<void> tokenize(std::string_view input, bool final, bool keep_blank,
                        std::size_t records_max, LineEnd& line_end, TokenizedBlock& out) override;
  void expect_fields(std::size_t fields) override { simd_way_.expect_fields(fields); }
  std::size_t whole_records(std::string_view bytes, LineEnd line_end) const noexcept override;

 private:
  /// A stretch between two quotes.
  struct Quoted {
    std::size_t end = 0;  ///< Of the closing quote.
    bool escaped = false;
    RecordOutcome outcome = RecordOutcome::kTaken;
  };

  RecordOutcome take_record(std::string_view input, bool final, LineEnd& line_end,
                            TokenizedBlock& out) const;
  Quoted find_closing(std::string_view input, std::size_t from, bool final) const noexcept;
  bool take_by_simd(std::string_view input, bool final, TokenizedBlock& out);
  void refuse_foreign_bytes(std::string_view input, TokenizedBlock& out) const {
    refuse_nul(input, kNulByte, out);
    refuse_non_utf8(input, check_utf8_, out);
  }

  char delimiter_;
  char quote_;
  char escape_;
  RecordLimits limits_;
  ByteSearch<4> specials_;
  CheckUtf8 check_utf8_;
  StructuralIndexer indexer_;
  StructuralIndex index_;
  SimdWay simd_way_;
};

/// Where every quote opens or closes a whole field, all readings of quotes agree.
bool PostgresCsvTokenizer::take_by_simd(std::string_view input, bool final, TokenizedBlock& out) {
  if (may_hold_end_of_data(input)) return false;
  indexer_.index(input, 0, index_);
  return index_.breach == StructuralIndex::kNone && simd_way_.take(input, final, out);
}

PostgresCsvTokenizer::Quoted PostgresCsvTokenizer::find_closing(std::string_view input,
                                                                std::size_t from,
                                                                bool final) const noexcept {
  const RecordOutcome open = final ? RecordOutcome::kUnterminated : RecordOutcome::kIncomplete;
  const char stops[] = {quote_, escape_};
  bool escaped = false;
  for (std::size_t at = from;; ++at) {
    at = escape_ == quote_ ? input.find(quote_, at) : input.find_first_of({stops, 2}, at);
    if (at == input.npos) return {0, escaped, open};
    const bool last = at + 1 == input.size();
    if (input[at] == escape_) {
      // What follows decides what it is.
      if (last && !final) return {0, escaped, open};
      if (!last && (input[at + 1] == quote_ || input[at + 1] == escape_)) {
        escaped = true;
        ++at;
        continue;
      }
    }
    if (input[at] == quote_) return {at, escaped};
  }
}

RecordOutcome PostgresCsvTokenizer::take_record(std::string_view input, bool final,
                                                LineEnd& line_end, TokenizedBlock& out) const {
  RecordDraft draft(out, limits_, final);
  const std::size_t begin = draft.begin();
  if (input[begin] == '\\') {
    const bool dot_unknown = begin + 1 == input.size() && !final;
    const bool dot = begin + 1 < input.size() && input[begin + 1] == '.';
    const LineBreak::Kind marker =
        dot ? end_of_data_at(input, begin + 2, final, line_end) : LineBreak::Kind::kData;
    if (dot_unknown || marker == LineBreak::Kind::kUndecided) {
      return draft.give_up(input.size(), RecordOutcome::kIncomplete);
    }
    if (marker == LineBreak::Kind::kBreak) {
      line_end = LineEnd::kNoMoreData;
      return RecordOutcome::kTaken;
    }
  }
  std::size_t at = begin;
  std::size_t field_begin = begin;
  std::size_t opening = input.npos;  ///< The field's first quote.
  std::size_t closing = 0;           ///< Its last one.
  bool escaped = false;
  bool several = false;  ///< Quotes opened more than once.
  // A field in quotes as a whole is given without them, any other with all that it has.
  const auto field_until = [&](std::size_t end) {
    FieldSpan field{static_cast<std::uint32_t>(field_begin), static_cast<std::uint32_t>(end)};
    field.quoted = opening != input.npos;
    if (!field.quoted) return field;
    if (opening == field_begin && closing + 1 == end && !several) {
      ++field.begin;
      --field.end;
      field.escaped = escaped;
    } else {
      field.escaped = true;
      field.escaping = Escaping::kToggledQuotes;
    }
    return field;
  };
  const auto finish = [&](std::size_t end, std::size_t line_bytes) {
    return draft.finish(field_until(end), end, line_bytes);
  };
  for (;;) {
    at = specials_.find(input, at);
    if (at == input.size()) {
      return final ? finish(at, 0) : draft.give_up(at, RecordOutcome::kIncomplete);
    }
    if (input[at] == delimiter_) {
      const RecordOutcome outcome = draft.add(field_until(at), at);
      if (outcome != RecordOutcome::kTaken) return outcome;
      field_begin = ++at;
      opening = input.npos;
      escaped = several = false;
      continue;
    }
    if (input[at] == quote_) {
      const Quoted quoted = find_closing(input, at + 1, final);
      if (quoted.outcome != RecordOutcome::kTaken) {
        return draft.give_up(input.size(), quoted.outcome);
      }
      several = several || opening != input.npos;
      opening = std::min(opening, at);
      closing = quoted.end;
      escaped = escaped || quoted.escaped;
      at = quoted.end + 1;
      continue;
    }
    const LineBreak line_break = postgres_line_break_at(input, at, final, line_end);
    if (line_break.kind == LineBreak::Kind::kUndecided) {
      return draft.give_up(input.size(), RecordOutcome::kIncomplete);
    }
    if (line_break.kind == LineBreak::Kind::kBreak) {
      const RecordOutcome outcome = finish(at, line_break.length);
      if (outcome == RecordOutcome::kTaken) line_end = line_break.line_end;
      return outcome;
    }
    draft.fault(at, input[at] == '\r' ? kStrayCarriageReturn : kStrayLineFeed);
    ++at;
  }
}

Result<void> PostgresCsvTokenizer::tokenize(std::string_view input, bool final, bool /*blank*/,
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
    return error_of(outcome, limits_, "look for a quote that is never closed");
  }
  if (line_end == LineEnd::kNoMoreData) out.consumed = input.size();
  refuse_foreign_bytes(input, out);
  return {};
}

/// Quotes that toggle need only be counted.
std::size_t PostgresCsvTokenizer::whole_records(std::string_view bytes,
                                                LineEnd line_end) const noexcept {
  if (line_end == LineEnd::kUnknown || line_end == LineEnd::kNoMoreData || escape_ != quote_) {
    return 0;
  }
  const char last = line_end == LineEnd::kCr ? '\r' : '\n';
  bool inside = is_count_odd(bytes, quote_);
  std::size_t end = bytes.size();
  for (;;) {
    const std::size_t at = end == 0 ? bytes.npos : bytes.rfind(last, end - 1);
    if (at == bytes.npos) return 0;
    inside ^= is_count_odd(bytes.substr(at, end - at), quote_);
    end = at;
    const bool whole = line_end != LineEnd::kCrLf || (at != 0 && bytes[at - 1] == '\r');
    if (!inside && whole) break;
  }
  const std::string_view records = bytes.substr(0, end + 1);
  return may_hold_end_of_data(records) ? 0 : records.size();
}

}  // namespace

std::unique_ptr<Tokenizer> make_postgres_csv_tokenizer(const FormatOptions& options,
                                                       SimdTarget target) {
  return std::make_unique<PostgresCsvTokenizer>(options, target);
}

}  // namespace leat::parser
