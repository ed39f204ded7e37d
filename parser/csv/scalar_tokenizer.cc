// The reference state machine: all of the dialect's rules, in the order in which bytes arrive.
//
// Whatever it decides follows from the bytes from the record's begin up to the deciding one, never
// from where the input was cut: an undecided record is left for the next call as a whole.
//
// A record is bad from its first fault on, yet it ends where a good one would: the rest of the
// faulty field is read as unquoted text, and quotes at the start of later fields still open. So a
// line inside a quoted field of a bad record is never taken for a record of its own, and a quote
// that stays open is reported as such.
#include <array>
#include <bit>
#include <cstring>
#include <utility>

#include "parser/csv/tokenizers.h"
#include "parser/records/line_break.h"

namespace leat::parser {
namespace {

static_assert(std::endian::native == std::endian::little,
              "the word search counts from the low end");

constexpr std::uint64_t kEveryByte = 0x0101010101010101;

constexpr std::uint64_t repeated(char byte) noexcept {
  return kEveryByte * static_cast<unsigned char>(byte);
}

/// Top bit of each zero byte; bytes above the first zero may be marked falsely.
constexpr std::uint64_t zero_bytes(std::uint64_t word) noexcept {
  return (word - kEveryByte) & ~word & (kEveryByte << 7);
}

class ScalarTokenizer final : public Tokenizer {
 public:
  explicit ScalarTokenizer(const FormatOptions& options)
      : delimiter_(options.long_delimiter.empty() ? options.delimiter
                                                  : options.long_delimiter.front()),
        delimiter_rest_(options.long_delimiter.substr(options.long_delimiter.empty() ? 0 : 1)),
        quote_(options.quote),
        escape_(options.escape),
        comment_(options.comment),
        record_bytes_max_(options.record_bytes_max),
        fields_max_(options.fields_max) {}

  Result<void> tokenize(std::string_view input, bool final, bool keep_blank,
                        std::size_t records_max, LineEnd& line_end, TokenizedBlock& out) override;

 private:
  enum class Outcome : std::uint8_t {
    kTaken,
    kIncomplete,
    kUnterminated,
    kTooLarge,
    kTooManyFields
  };

  struct Fault {
    std::size_t offset = std::string_view::npos;
    const char* reason = "";

    bool found() const noexcept { return offset != std::string_view::npos; }
    void report(std::size_t at, const char* why) noexcept {
      if (!found()) *this = {at, why};
    }
  };

  enum class Delimiter : std::uint8_t { kYes, kNo, kUndecided };

  /// Where the closing quote is, or why it is not there.
  struct Closing {
    std::size_t at = 0;
    bool escaped = false;
    Outcome outcome = Outcome::kTaken;
  };

  Outcome take_record(std::string_view input, bool final, LineEnd& line_end, TokenizedBlock& out);
  Outcome skip_comment(std::string_view input, bool final, LineEnd& line_end, TokenizedBlock& out);
  std::size_t find_special(std::string_view input, std::size_t from) const noexcept;
  Delimiter delimiter_at(std::string_view input, std::size_t at, bool final) const noexcept;
  Closing find_closing(std::string_view input, std::size_t from, bool final) const noexcept;
  Outcome give_up(std::size_t length, bool final, Outcome outcome) const noexcept;
  Error error_of(Outcome outcome) const;

  char delimiter_;              ///< Its first byte.
  std::string delimiter_rest_;  ///< Those behind it, of one of several bytes.
  char quote_;
  char escape_;
  std::optional<char> comment_;
  std::size_t record_bytes_max_;
  std::size_t fields_max_;
};

/// First delimiter, CR or LF at or after `from`; the input's size when there is none.
std::size_t ScalarTokenizer::find_special(std::string_view input, std::size_t from) const noexcept {
  const std::uint64_t delimiters = repeated(delimiter_);
  constexpr std::uint64_t kLineFeeds = repeated('\n');
  constexpr std::uint64_t kReturns = repeated('\r');
  std::size_t at = from;
  for (; input.size() - at >= sizeof(std::uint64_t); at += sizeof(std::uint64_t)) {
    std::uint64_t word;
    std::memcpy(&word, input.data() + at, sizeof word);
    const std::uint64_t found =
        zero_bytes(word ^ delimiters) | zero_bytes(word ^ kLineFeeds) | zero_bytes(word ^ kReturns);
    if (found != 0) return at + static_cast<std::size_t>(std::countr_zero(found)) / 8;
  }
  for (; at < input.size(); ++at) {
    const char byte = input[at];
    if (byte == delimiter_ || byte == '\n' || byte == '\r') break;
  }
  return at;
}

/// Whether the delimiter begins at input[at]. Undecided: it may go on behind the input.
ScalarTokenizer::Delimiter ScalarTokenizer::delimiter_at(std::string_view input, std::size_t at,
                                                         bool final) const noexcept {
  if (input[at] != delimiter_) return Delimiter::kNo;
  if (delimiter_rest_.empty()) return Delimiter::kYes;
  const std::string_view rest = input.substr(at + 1, delimiter_rest_.size());
  if (rest == delimiter_rest_) return Delimiter::kYes;
  return !final && at + 1 + rest.size() == input.size() && delimiter_rest_.starts_with(rest)
             ? Delimiter::kUndecided
             : Delimiter::kNo;
}

ScalarTokenizer::Closing ScalarTokenizer::find_closing(std::string_view input, std::size_t from,
                                                       bool final) const noexcept {
  const Outcome open = final ? Outcome::kUnterminated : Outcome::kIncomplete;
  const bool doubling = escape_ == quote_;
  bool escaped = false;
  for (std::size_t at = from;;) {
    if (doubling) {
      at = input.find(quote_, at);
      if (at == std::string_view::npos) return {0, escaped, open};
    } else {
      while (at < input.size() && input[at] != quote_ && input[at] != escape_) ++at;
      if (at == input.size()) return {0, escaped, open};
    }
    const bool last = at + 1 == input.size();
    if (doubling) {
      // The next byte decides whether this quote closes the field.
      if (last && !final) return {0, escaped, Outcome::kIncomplete};
      if (last || input[at + 1] != quote_) return {at, escaped, Outcome::kTaken};
      escaped = true;
      at += 2;
    } else if (input[at] == quote_) {
      return {at, escaped, Outcome::kTaken};
    } else {
      const bool is_escape = !last && (input[at + 1] == quote_ || input[at + 1] == escape_);
      escaped = escaped || is_escape;
      at += is_escape ? 2 : 1;
      if (last) return {0, escaped, open};
    }
  }
}

/// What becomes of a record of which `length` bytes are there, without an end in sight. The largest
/// record may be followed by a CR that is still undecided.
ScalarTokenizer::Outcome ScalarTokenizer::give_up(std::size_t length, bool final,
                                                  Outcome outcome) const noexcept {
  return length > record_bytes_max_ + (final ? 0 : 1) ? Outcome::kTooLarge : outcome;
}

ScalarTokenizer::Outcome ScalarTokenizer::take_record(std::string_view input, bool final,
                                                      LineEnd& line_end, TokenizedBlock& out) {
  const std::size_t begin = out.consumed;
  const std::size_t first_field = out.fields.size();
  std::size_t fields = 0;
  Fault fault;
  for (std::size_t at = begin;; ++at) {
    FieldSpan field;
    if (quote_ != '\0' && at < input.size() && input[at] == quote_) {
      const Closing closing = find_closing(input, at + 1, final);
      if (closing.outcome != Outcome::kTaken) {
        return give_up(input.size() - begin, final, closing.outcome);
      }
      field = {static_cast<std::uint32_t>(at + 1), static_cast<std::uint32_t>(closing.at), true,
               closing.escaped};
      at = closing.at + 1;
      if (at < input.size() && input[at] != '\n' && input[at] != '\r' &&
          delimiter_at(input, at, final) == Delimiter::kNo) {
        fault.report(at, "text after a closing quote; a quote inside quotes must be escaped");
      }
    } else {
      field.begin = static_cast<std::uint32_t>(at);
    }
    // The unquoted run up to the field's end. Nothing is left of a well-formed quoted field.
    std::optional<LineBreak> line_break;
    for (;; ++at) {
      at = find_special(input, at);
      if (at == input.size()) {
        if (!final) return give_up(at - begin, final, Outcome::kIncomplete);
        line_break = LineBreak{LineBreak::Kind::kBreak, 0, line_end};
        break;
      }
      if (const Delimiter found = delimiter_at(input, at, final); found == Delimiter::kYes) {
        break;
      } else if (found == Delimiter::kUndecided) {
        return give_up(input.size() - begin, final, Outcome::kIncomplete);
      }
      if (input[at] == delimiter_) continue;  // Its first byte alone.
      line_break = line_break_at(input, at, final, line_end);
      if (line_break->kind == LineBreak::Kind::kUndecided) {
        return give_up(input.size() - begin, final, Outcome::kIncomplete);
      }
      if (line_break->kind == LineBreak::Kind::kBreak) break;
      line_break.reset();
      fault.report(at, input[at] == '\r'
                           ? "a carriage return outside quotes; --line-end any ends records there"
                           : "a line feed outside quotes, where lines end with carriage returns; "
                             "--line-end any ends records there");
    }
    if (!field.quoted) field.end = static_cast<std::uint32_t>(at);
    ++fields;
    if (!fault.found()) out.fields.push_back(field);
    if (!line_break) {
      at += delimiter_rest_.size();
      if (at - begin >= record_bytes_max_) return Outcome::kTooLarge;
      if (fields == fields_max_) return Outcome::kTooManyFields;
      continue;
    }
    if (at - begin > record_bytes_max_) return Outcome::kTooLarge;
    const auto record_begin = static_cast<std::uint32_t>(begin);
    const auto record_end = static_cast<std::uint32_t>(at);
    if (fault.found()) {
      out.fields.resize(first_field);
      out.bad.push_back({out.record_begin.size() + out.bad.size(), record_begin, record_end,
                         ErrorCode::kMalformedRecord, static_cast<std::uint32_t>(fault.offset),
                         fault.reason});
    } else {
      out.first_field.push_back(out.fields.size());
      out.record_begin.push_back(record_begin);
      out.record_end.push_back(record_end);
    }
    if (line_break->length != 0) line_end = line_break->line_end;
    out.consumed = at + line_break->length;
    return Outcome::kTaken;
  }
}

ScalarTokenizer::Outcome ScalarTokenizer::skip_comment(std::string_view input, bool final,
                                                       LineEnd& line_end, TokenizedBlock& out) {
  const std::size_t begin = out.consumed;
  const std::optional<LineStop> stop = find_line_stop(input, begin, final, line_end);
  if (!stop) return give_up(input.size() - begin, final, Outcome::kIncomplete);
  if (stop->end - begin > record_bytes_max_) return Outcome::kTooLarge;
  if (stop->line_break.length != 0) line_end = stop->line_break.line_end;
  out.consumed = stop->end + stop->line_break.length;
  return Outcome::kTaken;
}

Error ScalarTokenizer::error_of(Outcome outcome) const {
  switch (outcome) {
    case Outcome::kUnterminated:
      return {ErrorCode::kUnterminatedQuote,
              "a quoted field is still open at the end of the object; look for a lone quote at the "
              "start of a field, or set --quote"};
    case Outcome::kTooManyFields:
      return {
          ErrorCode::kRecordTooLarge,
          "a record has more than " + std::to_string(fields_max_) +
              " fields; set --delimiter if it is not what separates them, or raise --max-fields"};
    default:
      return {ErrorCode::kRecordTooLarge,
              "a record is longer than " + std::to_string(record_bytes_max_) +
                  " bytes; look for a quote that is never closed, or raise --max-record-bytes"};
  }
}

Result<void> ScalarTokenizer::tokenize(std::string_view input, bool final, bool keep_blank,
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
    const Outcome outcome = first == comment_ ? skip_comment(input, final, line_end, out)
                                              : take_record(input, final, line_end, out);
    if (outcome == Outcome::kTaken) continue;
    out.fields.resize(fields);
    if (outcome == Outcome::kIncomplete) break;
    return error_of(outcome);
  }
  return {};
}

}  // namespace

std::unique_ptr<Tokenizer> make_scalar_tokenizer(const FormatOptions& options) {
  return std::make_unique<ScalarTokenizer>(options);
}

}  // namespace leat::parser
