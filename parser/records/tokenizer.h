// Where records and fields begin and end: the interface that every tokenizer fills in.
//
// A tokenizer finds boundaries and judges the dialect; it converts nothing. All tokenizers give the
// same answer for the same bytes (tests hold them against one another): a faster one takes the
// records it can prove regular and leaves the others to the scalar state machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "leat/parser.h"
#include "leat/result.h"
#include "leat/row_chunk.h"
#include "parser/simd/target.h"

namespace leat::parser {

/// What ends a record. Fixed for an object by its first line end, or by its format.
enum class LineEnd : std::uint8_t {
  kUnknown = 0,     ///< No line end seen yet.
  kLf = 1,          ///< LF or CRLF, also mixed. An unquoted lone CR is a row error. PostgreSQL's
                    ///< formats: LF only.
  kCr = 2,          ///< Lone CR.
  kCrLf = 3,        ///< CRLF only. PostgreSQL's formats.
  kNoMoreData = 4,  ///< PostgreSQL's formats: `\.` came, and nothing behind it is data.
  kAny = 5,         ///< LF, CRLF and lone CR: LineEnds::kAny. Never changes.
};

/// How the text of a field is written.
enum class Escaping : std::uint8_t {
  kInsideQuotes,   ///< An escape character in front of a quote or of itself; doubled quotes.
  kToggledQuotes,  ///< PostgreSQL's CSV: quotes open and close anywhere. They are in the range.
  kPostgresText,   ///< Backslash sequences of PostgreSQL's text format.
  kJson,           ///< Those of JSON's strings.
  kAnyCharacter,   ///< An escape character in front of anything.
};

/// One field: a range of TokenizedBlock::text, without its enclosing quotes.
struct FieldSpan {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  bool quoted = false;   ///< Was enclosed in quotes: never null, "" is empty text. Reliable for
                         ///< empty fields and for those that equal a null string.
  bool escaped = false;  ///< Holds escape sequences that unescape() has to remove.
  Escaping escaping = Escaping::kInsideQuotes;
};

/// The range of `text` from `begin` to `end` as a field of a dialect that doubles `quote` ('\0':
/// nothing is quoted). It keeps the dialect's rules.
inline FieldSpan span_of(const char* text, std::uint32_t begin, std::uint32_t end,
                         char quote) noexcept {
  if (quote == '\0' || begin == end || text[begin] != quote) return {begin, end};
  const std::size_t inner = end - begin - 2;
  return {begin + 1, end - 1, true,
          inner != 0 && std::memchr(text + begin + 1, quote, inner) != nullptr};
}

/// The field without spaces and tabs around it, unless it is in quotes.
inline FieldSpan trimmed(const char* text, FieldSpan span) noexcept {
  const auto blank = [text](std::uint32_t at) { return text[at] == ' ' || text[at] == '\t'; };
  if (span.quoted) return span;
  while (span.begin != span.end && blank(span.begin)) ++span.begin;
  while (span.begin != span.end && blank(span.end - 1)) --span.end;
  return span;
}

/// Marks a field that holds a backslash as written in PostgreSQL's text format.
inline void mark_backslashes(const char* text, FieldSpan& span) noexcept {
  if (span.begin == span.end) return;
  span.escaped = std::memchr(text + span.begin, '\\', span.end - span.begin) != nullptr;
  span.escaping = Escaping::kPostgresText;
}

/// A record that breaks the dialect. Its fields are not in the block. It ends where a good one
/// would: the faulty field goes on unquoted, and quotes at the start of its later fields still
/// open.
struct BadRecord {
  std::size_t index = 0;    ///< Records of the block before it, of any kind.
  std::uint32_t begin = 0;  ///< Range of the input, without line end.
  std::uint32_t end = 0;
  ErrorCode code = ErrorCode::kMalformedRecord;
  std::uint32_t error_offset = 0;  ///< Of the offending byte, in the input.
  std::string reason;
};

/// A good record that has another number of fields than was expected.
struct RaggedRecord {
  std::size_t index = 0;    ///< Records of the block before it, of any kind.
  std::uint32_t begin = 0;  ///< Range of the input, without line end.
  std::uint32_t end = 0;
  std::size_t fields = 0;
};

/// Fields of records that all have the same number of them, in a block whose text is the input.
/// Field k of record r ends before ends()[r * fields + k]; it begins behind the end of the one
/// before, the first one at the record's begin. Quotes are part of the range.
struct FieldMatrix {
  std::size_t fields = 0;    ///< Of each record; 0: the block is not given as a matrix.
  Buffer bounds;             ///< uint32: the first record's begin less one, then the ends.
  char quote = '\0';         ///< '\0': no field is quoted.
  bool backslashes = false;  ///< A field that holds one is written as PostgreSQL's text format.
  bool gapless = false;      ///< Nothing but one-byte line ends is between records: every field
                             ///< begins behind an end.

  /// Delimiters, and the first byte of each line end.
  const std::uint32_t* ends() const noexcept { return bounds.as<std::uint32_t>() + 1; }
};

/// Records of one piece of input. Reused from call to call to keep its memory.
///
/// Fields are given one by one, or as a matrix: then `fields`, `first_field` and `record_end` are
/// empty until spell_out().
struct TokenizedBlock {
  const char* text = nullptr;  ///< What the spans address: the input or the tokenizer's
                               ///< own copy; valid until the next call.
  FieldMatrix matrix;
  std::vector<FieldSpan> fields;  ///< Good records' fields, record after record.
  std::vector<std::size_t>
      first_field;  ///< Per good record, index into fields; one more at the end.
  std::vector<std::uint32_t>
      record_begin;  ///< Per good record, range in the input, without line end.
  std::vector<std::uint32_t> record_end;
  std::vector<RaggedRecord> ragged;     ///< In order. They are not among the good records above.
  std::vector<BadRecord> bad;           ///< In order.
  std::size_t consumed = 0;             ///< Input bytes of all records above, line ends included.
                                        ///< Blank lines and comments between them count too.
  bool known_utf8 = false;              ///< The good records are known to be UTF-8.
  bool escapes_may_break_utf8 = false;  ///< Some escape sequence stands for no character: text must
                                        ///< be checked once it is unescaped.

  void clear();
  /// Of any kind.
  std::size_t record_count() const noexcept {
    return record_begin.size() + ragged.size() + bad.size();
  }
  bool is_matrix() const noexcept { return matrix.fields != 0; }
  /// In either form.
  std::size_t field_count(std::size_t record) const noexcept;
  FieldSpan field(std::size_t record, std::size_t index) const noexcept;
  std::uint32_t end_of(std::size_t record) const noexcept;
  /// Gives the fields of a matrix one by one.
  void spell_out();
};

inline std::size_t TokenizedBlock::field_count(std::size_t record) const noexcept {
  return is_matrix() ? matrix.fields : first_field[record + 1] - first_field[record];
}

inline FieldSpan TokenizedBlock::field(std::size_t record, std::size_t index) const noexcept {
  if (!is_matrix()) return fields[first_field[record] + index];
  const std::uint32_t* const end = matrix.ends() + record * matrix.fields + index;
  FieldSpan span =
      span_of(text, index == 0 ? record_begin[record] : end[-1] + 1, *end, matrix.quote);
  if (matrix.backslashes) mark_backslashes(text, span);
  return span;
}

inline std::uint32_t TokenizedBlock::end_of(std::size_t record) const noexcept {
  return is_matrix() ? matrix.ends()[(record + 1) * matrix.fields - 1] : record_end[record];
}

/// One object's tokenizer; keeps no bytes between calls. Not thread-safe.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  /// Tokenizes the records at the front of `input` that are complete in it. `input` begins at a
  /// record boundary and holds less than 2^31 bytes. With `final` the object ends with it, and its
  /// last record needs no line end.
  ///
  /// `line_end` is read, and set at the first line end. Blank lines are skipped unless
  /// `keep_blank` (one-column schemas), where they are records of one empty field.
  /// At most `records_max` records (good and bad) are taken: 1 for a header.
  /// On error `out` holds the records before the offending one, out.consumed is its begin, and the
  /// error names no place: the caller knows it.
  ///   kUnterminatedQuote  `final`, and a quote is open.
  ///   kRecordTooLarge     A record (or comment) above record_bytes_max or fields_max, the one that
  ///                       is broken first. An incomplete one is refused as soon as that is sure.
  virtual Result<void> tokenize(std::string_view input, bool final, bool keep_blank,
                                std::size_t records_max, LineEnd& line_end,
                                TokenizedBlock& out) = 0;

  /// From now on records with another number of fields may be given as TokenizedBlock::ragged,
  /// without their fields.
  virtual void expect_fields(std::size_t fields) { static_cast<void>(fields); }

  /// What ByteStreamParser::whole_records says, in an object of such line ends.
  virtual std::size_t whole_records(std::string_view bytes, LineEnd line_end) const noexcept {
    static_cast<void>(bytes);
    static_cast<void>(line_end);
    return 0;
  }

  /// What ByteStreamParser::likely_whole_records says.
  virtual std::size_t likely_whole_records(std::string_view bytes, LineEnd line_end,
                                           RecordEndGuess /*guess*/) const noexcept {
    return whole_records(bytes, line_end);
  }
};

/// Appends the field's text to `out` with its escape sequences removed.
void unescape(std::string_view field, char quote, char escape, std::string& out);

/// The same for a field that is written in one of these ways. `text` is the field's range.
void unescape(std::string_view text, Escaping escaping, char quote, char escape, std::string& out);

}  // namespace leat::parser
