// The index finds records; the scalar state machine reads those that the index does not vouch for.
//
// A block whose records all have the same number of fields is handed on as the index itself. Where
// only some have another number, or had to be read by the state machine, it is the index without
// them, as soon as it is known how many fields to expect; else fields are given one by one.
#include <algorithm>
#include <cstring>
#include <utility>

#include "parser/csv/simd/structural_index.h"
#include "parser/csv/tokenizers.h"
#include "parser/records/byte_search.h"

namespace leat::parser {
namespace {

class SimdTokenizer final : public Tokenizer {
 public:
  SimdTokenizer(const FormatOptions& options, SimdTarget target)
      : scalar_(make_scalar_tokenizer(options)),
        indexer_(target, options.delimiter, options.quote),
        knows_dialect_(!options.comment && options.long_delimiter.empty() &&
                       (options.quote == '\0' || options.escape == options.quote)),
        delimiter_(options.delimiter),
        quote_(options.quote),
        record_bytes_max_(options.record_bytes_max),
        fields_max_(options.fields_max) {}

  Result<void> tokenize(std::string_view input, bool final, bool keep_blank,
                        std::size_t records_max, LineEnd& line_end, TokenizedBlock& out) override;
  void expect_fields(std::size_t fields) override { expected_fields_ = fields; }
  std::size_t whole_records(std::string_view bytes, LineEnd line_end) const noexcept override;
  std::size_t likely_whole_records(std::string_view bytes, LineEnd line_end,
                                   RecordEndGuess guess) const noexcept override;

 private:
  bool likely_inside_quotes(std::string_view bytes) const noexcept;
  bool take_matrix(std::string_view input, bool final, bool keep_blank, TokenizedBlock& out);
  void take_last_record(std::string_view input, TokenizedBlock& out);
  bool take_records(std::string_view input, bool keep_blank, TokenizedBlock& out);
  void add_record(std::string_view input, std::uint32_t begin, std::uint32_t end,
                  const std::uint32_t* ends, std::size_t fields, TokenizedBlock& out);
  bool gives_matrix(const TokenizedBlock& out) const noexcept;
  bool rest_is_decided(std::string_view input, bool final, const TokenizedBlock& out) const;
  Result<bool> take_by_scalar(std::string_view input, bool final, bool keep_blank,
                              LineEnd& line_end, TokenizedBlock& out);

  std::unique_ptr<Tokenizer> scalar_;
  TokenizedBlock by_scalar_;
  std::vector<std::uint32_t> ends_by_scalar_;
  StructuralIndexer indexer_;
  StructuralIndex index_;  ///< From out.consumed on.
  bool knows_dialect_;
  char delimiter_;
  char quote_;
  std::size_t record_bytes_max_;
  std::size_t fields_max_;
  std::size_t expected_fields_ = 0;  ///< 0: not known.
  std::size_t rest_fields_ = 0;      ///< Delimiters behind the last complete record.
};

/// Takes the index's records when they are regular and keep the limits; else leaves `out` as it is.
bool SimdTokenizer::take_matrix(std::string_view input, bool final, bool keep_blank,
                                TokenizedBlock& out) {
  const std::size_t records = index_.line_feeds;
  auto* const ends = index_.positions.as<std::uint32_t>() + 1;
  if (records == 0) return false;
  std::size_t fields = 1;
  while (input[ends[fields - 1]] != '\n') ++fields;
  // A blank line has one field too, and may have to be skipped.
  if (fields > fields_max_ || (fields == 1 && !keep_blank) || records * fields > index_.count) {
    return false;
  }
  out.record_begin.resize(records);
  auto begin = static_cast<std::uint32_t>(out.consumed);
  bool regular = true;
  for (std::size_t record = 0; record < records; ++record) {
    // As many line feeds as records, and each record's last end is one: the others are none.
    // A CR in front of it counts against the limit here: take_records is exact about it.
    const std::uint32_t end = ends[(record + 1) * fields - 1];
    regular = regular && input[end] == '\n' && end - begin <= record_bytes_max_;
    out.record_begin[record] = begin;
    begin = end + 1;
  }
  if (!regular) {
    out.record_begin.clear();
    return false;
  }
  if (index_.has_returns) {
    for (std::size_t record = 0; record < records; ++record) {
      std::uint32_t& end = ends[(record + 1) * fields - 1];
      if (end != out.record_begin[record] && input[end - 1] == '\r') --end;
    }
  }
  rest_fields_ = index_.count - records * fields;
  out.consumed = begin;
  out.matrix.fields = fields;
  if (final && rest_fields_ == fields - 1) take_last_record(input, out);
  out.matrix.quote = index_.has_quotes ? quote_ : '\0';
  out.matrix.gapless = !index_.has_returns;
  std::swap(out.matrix.bounds, index_.positions);
  return true;
}

/// Takes what is behind the last line end of the object into the matrix, if it is another record
/// like the others.
void SimdTokenizer::take_last_record(std::string_view input, TokenizedBlock& out) {
  const std::size_t size = input.size() - out.consumed;
  if (size == 0 || size > record_bytes_max_ || input.back() == '\r' || index_.ends_inside_quotes ||
      index_.breach != StructuralIndex::kNone) {
    return;
  }
  out.record_begin.push_back(static_cast<std::uint32_t>(out.consumed));
  index_.positions.resize((1 + out.record_begin.size() * out.matrix.fields) *
                          sizeof(std::uint32_t));
  index_.positions.as<std::uint32_t>()[out.record_begin.size() * out.matrix.fields] =
      static_cast<std::uint32_t>(input.size());
  out.consumed = input.size();
}

/// Records taken one by one go into a matrix, too: as long as the block is none of another kind.
bool SimdTokenizer::gives_matrix(const TokenizedBlock& out) const noexcept {
  if (expected_fields_ == 0) return false;
  return out.is_matrix() ? out.matrix.fields == expected_fields_ : out.record_begin.empty();
}

/// Appends a good record: `ends` of all of its fields but the last, which ends with it.
void SimdTokenizer::add_record(std::string_view input, std::uint32_t begin, std::uint32_t end,
                               const std::uint32_t* ends, std::size_t fields, TokenizedBlock& out) {
  if (!gives_matrix(out)) {
    out.spell_out();
    std::uint32_t field_begin = begin;
    for (std::size_t i = 0; i + 1 < fields; ++i) {
      out.fields.push_back(span_of(input.data(), field_begin, ends[i], quote_));
      field_begin = ends[i] + 1;
    }
    out.fields.push_back(span_of(input.data(), field_begin, end, quote_));
    out.first_field.push_back(out.fields.size());
    out.record_begin.push_back(begin);
    out.record_end.push_back(end);
    return;
  }
  if (fields != expected_fields_) {
    out.ragged.push_back({out.record_count(), begin, end, fields});
    return;
  }
  FieldMatrix& matrix = out.matrix;
  matrix.fields = fields;
  matrix.quote = quote_;
  matrix.gapless = false;
  const std::size_t before = 1 + out.record_begin.size() * fields;
  matrix.bounds.resize((before + fields) * sizeof(std::uint32_t));
  auto* const to = matrix.bounds.as<std::uint32_t>() + before;
  if (before == 1) to[-1] = begin - 1;
  std::copy_n(ends, fields - 1, to);
  to[fields - 1] = end;
  out.record_begin.push_back(begin);
}

/// Takes the index's records one by one. False: the next one breaks a limit.
bool SimdTokenizer::take_records(std::string_view input, bool keep_blank, TokenizedBlock& out) {
  const auto* const ends = index_.positions.as<std::uint32_t>() + 1;
  std::size_t first = 0;  // Of the record, in the index.
  for (std::size_t left = index_.line_feeds; left != 0; --left) {
    const auto begin = static_cast<std::uint32_t>(out.consumed);
    std::size_t last = first;
    while (input[ends[last]] != '\n') ++last;
    const std::uint32_t line_feed = ends[last];
    const std::uint32_t end =
        line_feed != begin && input[line_feed - 1] == '\r' ? line_feed - 1 : line_feed;
    if (end - begin > record_bytes_max_ || last - first >= fields_max_) return false;
    if (end != begin || keep_blank) {
      add_record(input, begin, end, ends + first, last - first + 1, out);
    }
    first = last + 1;
    out.consumed = std::size_t{line_feed} + 1;
  }
  rest_fields_ = index_.count - first;
  return true;
}

/// The bytes behind the last complete record may already break a limit, or be all there is of it.
bool SimdTokenizer::rest_is_decided(std::string_view input, bool final,
                                    const TokenizedBlock& out) const {
  return final || index_.breach != StructuralIndex::kNone || rest_fields_ >= fields_max_ ||
         input.size() - out.consumed > record_bytes_max_;
}

/// Takes the next record, and what is skipped before it, as the scalar state machine reads it.
/// False: it is not complete, or nothing is left.
Result<bool> SimdTokenizer::take_by_scalar(std::string_view input, bool final, bool keep_blank,
                                           LineEnd& line_end, TokenizedBlock& out) {
  const std::size_t begin = out.consumed;
  const Result<void> done =
      scalar_->tokenize(input.substr(begin), final, keep_blank, 1, line_end, by_scalar_);
  out.consumed = begin + by_scalar_.consumed;
  if (!done) return done.error();
  if (by_scalar_.bad.empty() && by_scalar_.record_begin.empty()) return false;
  const auto shift = static_cast<std::uint32_t>(begin);
  for (BadRecord& bad : by_scalar_.bad) {
    bad.index = out.record_count();
    bad.begin += shift;
    bad.end += shift;
    bad.error_offset += shift;
    out.bad.push_back(std::move(bad));
    return true;
  }
  // Here the machine's dialect is that of a matrix: a field in quotes ends behind them.
  ends_by_scalar_.clear();
  for (const FieldSpan& field : by_scalar_.fields) {
    ends_by_scalar_.push_back(shift + field.end + (field.quoted ? 1 : 0));
  }
  add_record(input, by_scalar_.record_begin[0] + shift, by_scalar_.record_end[0] + shift,
             ends_by_scalar_.data(), ends_by_scalar_.size(), out);
  return true;
}

Result<void> SimdTokenizer::tokenize(std::string_view input, bool final, bool keep_blank,
                                     std::size_t records_max, LineEnd& line_end,
                                     TokenizedBlock& out) {
  LineEnd known = line_end;
  if (known == LineEnd::kUnknown && knows_dialect_) {
    // The first line end decides; a failure to find it will come again.
    static_cast<void>(scalar_->tokenize(input, final, keep_blank, 1, known, by_scalar_));
  }
  if (!knows_dialect_ || known != LineEnd::kLf || records_max != SIZE_MAX) {
    return scalar_->tokenize(input, final, keep_blank, records_max, line_end, out);
  }
  line_end = known;
  out.clear();
  out.text = input.data();
  bool ascii = true;
  while (out.consumed < input.size()) {
    indexer_.index(input, out.consumed, index_);
    // Bytes behind a breach were not looked at.
    ascii = ascii && !index_.has_non_ascii && index_.breach == StructuralIndex::kNone;
    const bool fresh = out.consumed == 0 && out.record_count() == 0;
    const bool all_taken = (fresh && take_matrix(input, final, keep_blank, out)) ||
                           take_records(input, keep_blank, out);
    if (out.consumed == input.size()) break;
    if (all_taken && !rest_is_decided(input, final, out)) break;
    const Result<bool> taken = take_by_scalar(input, final, keep_blank, line_end, out);
    if (!taken) return taken.error();
    if (!*taken) break;
  }
  out.known_utf8 = ascii;
  return {};
}

/// A record ends at a LF outside quotes, whatever else is in it, unless lone CRs end records. What
/// is inside quotes only the plain rule of quotes tells without a parse.
std::size_t SimdTokenizer::whole_records(std::string_view bytes, LineEnd line_end) const noexcept {
  if (line_end != LineEnd::kLf) return 0;
  if (quote_ == '\0' || bytes.find(quote_) == std::string_view::npos) return bytes.rfind('\n') + 1;
  return knows_dialect_ ? indexer_.end_of_last_record(bytes) : 0;
}

/// Whether a field in quotes is likely to go on behind `bytes`. A quote with the text of a field on
/// one side and no text on the other shows where it begins or ends.
bool SimdTokenizer::likely_inside_quotes(std::string_view bytes) const noexcept {
  constexpr std::size_t kNearbyBytes = 32u << 10;
  if (quote_ == '\0') return false;
  const auto separates = [this](char byte) {
    return byte == delimiter_ || byte == '\n' || byte == '\r';
  };
  const std::string_view nearby = bytes.substr(bytes.size() - std::min(bytes.size(), kNearbyBytes));
  bool odd = false;
  for (std::size_t end = nearby.size(); end != 0;) {
    const void* const found = ::memrchr(nearby.data(), quote_, end);
    if (found == nullptr) break;
    const auto at = static_cast<std::size_t>(static_cast<const char*>(found) - nearby.data());
    if (at != 0 && at + 1 < nearby.size()) {
      const char before = nearby[at - 1];
      const char behind = nearby[at + 1];
      const bool opens = separates(before);
      if (opens != separates(behind) && (opens ? behind : before) != quote_) return opens != odd;
    }
    odd = !odd;
    end = at;
  }
  return false;
}

std::size_t SimdTokenizer::likely_whole_records(std::string_view bytes, LineEnd line_end,
                                                RecordEndGuess guess) const noexcept {
  if (line_end != LineEnd::kLf || !knows_dialect_) return whole_records(bytes, line_end);
  bool inside = guess == RecordEndGuess::kNearby ? likely_inside_quotes(bytes)
                                                 : indexer_.has_odd_quotes(bytes);
  for (std::size_t end = bytes.size(); end != 0;) {
    const std::size_t at = bytes.rfind('\n', end - 1);
    if (at == std::string_view::npos) break;
    inside ^= indexer_.has_odd_quotes(bytes.substr(at, end - at));
    if (!inside) return at + 1;
    end = at;
  }
  return 0;
}

}  // namespace

std::unique_ptr<Tokenizer> make_simd_tokenizer(const FormatOptions& options, SimdTarget target) {
  return std::make_unique<SimdTokenizer>(options, target);
}

}  // namespace leat::parser
