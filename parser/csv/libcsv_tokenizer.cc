// libcsv takes the records that it reads as leat does; the scalar state machine takes the rest.
//
// libcsv reports neither offsets nor quotes, so it is fed line by line: a record ends with the
// slice in which libcsv reports a line feed. A record is libcsv's when no slice of it was refused,
// its only line end is the one at its end, and it keeps the limits. Any other record is read again,
// alone, by the scalar state machine, whose word is final. So both tokenizers agree by construction
// wherever they overlap, and tests hold them to it.
#include <csv.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "parser/csv/tokenizers.h"

namespace leat::parser {
namespace {

/// A field of many MiB grows by this much at a time; libcsv's 128 bytes would copy it over and
/// over.
constexpr std::size_t kFieldBufferStepBytes = 1u << 20;

/// libcsv can stand in for the dialect. It tells quoted from unquoted for empty fields only.
bool knows_dialect(const FormatOptions& options) {
  const bool only_empty_is_null =
      std::all_of(options.null_strings.begin(), options.null_strings.end(),
                  [](const std::string& text) { return text.empty(); });
  return options.quote != '\0' && options.escape == options.quote && !options.comment &&
         options.long_delimiter.empty() && !options.trim && only_empty_is_null;
}

int no_space(unsigned char) noexcept { return 0; }

class LibcsvTokenizer final : public Tokenizer {
 public:
  explicit LibcsvTokenizer(const FormatOptions& options)
      : scalar_(make_scalar_tokenizer(options)),
        knows_dialect_(knows_dialect(options)),
        record_bytes_max_(options.record_bytes_max),
        fields_max_(options.fields_max) {
    // Cannot fail: it only sets members.
    csv_init(&parser_, CSV_STRICT | CSV_REPALL_NL | CSV_EMPTY_IS_NULL);
    csv_set_delim(&parser_, static_cast<unsigned char>(options.delimiter));
    csv_set_quote(&parser_, static_cast<unsigned char>(options.quote));
    csv_set_space_func(&parser_, no_space);
    csv_set_blk_size(&parser_, kFieldBufferStepBytes);
  }
  LibcsvTokenizer(const LibcsvTokenizer&) = delete;
  LibcsvTokenizer& operator=(const LibcsvTokenizer&) = delete;
  ~LibcsvTokenizer() override { csv_free(&parser_); }

  Result<void> tokenize(std::string_view input, bool final, bool keep_blank,
                        std::size_t records_max, LineEnd& line_end, TokenizedBlock& out) override;

 private:
  /// What libcsv said about the record that is being read.
  struct Reported {
    std::size_t returns = 0;          ///< CRs outside quotes.
    bool line_feed = false;           ///< The record has ended.
    bool field_after_return = false;  ///< A CR stood inside the line.
  };

  enum class Verdict : std::uint8_t { kRecord, kBlankLine, kNotOurs, kIncomplete };

  static void on_field(void* text, std::size_t size, void* self) noexcept;
  static void on_line_end(int byte, void* self) noexcept;

  Verdict read_record(std::string_view input, std::size_t begin, std::size_t& end);
  Result<bool> take_by_scalar(std::string_view input, bool final, bool keep_blank,
                              LineEnd& line_end, TokenizedBlock& out);

  std::unique_ptr<Tokenizer> scalar_;
  TokenizedBlock by_scalar_;
  bool knows_dialect_;
  std::size_t record_bytes_max_;
  std::size_t fields_max_;
  csv_parser parser_;

  std::string text_;               ///< Of all fields, unescaped; what spans address.
  TokenizedBlock* out_ = nullptr;  ///< Of the call under way.
  Reported reported_;
};

void LibcsvTokenizer::on_field(void* text, std::size_t size, void* self) noexcept {
  auto& tokenizer = *static_cast<LibcsvTokenizer*>(self);
  const auto begin = static_cast<std::uint32_t>(tokenizer.text_.size());
  if (size != 0) tokenizer.text_.append(static_cast<const char*>(text), size);
  std::vector<FieldSpan>& fields = tokenizer.out_->fields;
  // One field too many is enough to hand the record over.
  if (fields.size() - tokenizer.out_->first_field.back() <= tokenizer.fields_max_) {
    fields.push_back(
        {begin, static_cast<std::uint32_t>(begin + size), size == 0 && text != nullptr, false});
  }
  if (tokenizer.reported_.returns != 0) tokenizer.reported_.field_after_return = true;
}

void LibcsvTokenizer::on_line_end(int byte, void* self) noexcept {
  auto& tokenizer = *static_cast<LibcsvTokenizer*>(self);
  if (byte == '\n') tokenizer.reported_.line_feed = true;
  if (byte == '\r') ++tokenizer.reported_.returns;
}

/// Reads the record or blank line at `begin` and sets `end` to the byte after its line end. On
/// kNotOurs and kIncomplete nothing of it is left in the block.
LibcsvTokenizer::Verdict LibcsvTokenizer::read_record(std::string_view input, std::size_t begin,
                                                      std::size_t& end) {
  const std::size_t first_field = out_->fields.size();
  const std::size_t first_byte = text_.size();
  const auto undo = [&](Verdict verdict) {
    out_->fields.resize(first_field);
    text_.resize(first_byte);
    csv_fini(&parser_, nullptr, nullptr, nullptr);
    return verdict;
  };
  reported_ = {};
  for (std::size_t slice = begin; !reported_.line_feed; slice = end) {
    const std::size_t line_feed = input.find('\n', slice);
    if (line_feed == std::string_view::npos) return undo(Verdict::kIncomplete);
    end = line_feed + 1;
    const std::size_t size = end - slice;
    if (csv_parse(&parser_, input.data() + slice, size, on_field, on_line_end, this) != size) {
      return undo(Verdict::kNotOurs);
    }
    // A CR inside the line: the quote that libcsv now sees open may be none.
    if (reported_.returns != 0 && !reported_.line_feed) return undo(Verdict::kNotOurs);
  }
  const std::size_t fields = out_->fields.size() - first_field;
  const std::size_t length = end - begin - 1 - reported_.returns;
  if (reported_.returns > 1 || reported_.field_after_return || fields > fields_max_ ||
      length > record_bytes_max_) {
    return undo(Verdict::kNotOurs);
  }
  return fields == 0 ? Verdict::kBlankLine : Verdict::kRecord;
}

/// Takes the next record, and what is skipped before it, as the scalar state machine reads it.
/// False: it is not complete, or nothing is left.
Result<bool> LibcsvTokenizer::take_by_scalar(std::string_view input, bool final, bool keep_blank,
                                             LineEnd& line_end, TokenizedBlock& out) {
  const std::size_t begin = out.consumed;
  const Result<void> done =
      scalar_->tokenize(input.substr(begin), final, keep_blank, 1, line_end, by_scalar_);
  out.consumed = begin + by_scalar_.consumed;
  if (!done) return done.error();
  if (!by_scalar_.bad.empty()) {
    BadRecord& bad = by_scalar_.bad.front();
    bad.index = out.record_begin.size() + out.bad.size();
    bad.begin += static_cast<std::uint32_t>(begin);
    bad.end += static_cast<std::uint32_t>(begin);
    bad.error_offset += static_cast<std::uint32_t>(begin);
    out.bad.push_back(std::move(bad));
    return true;
  }
  if (by_scalar_.record_begin.empty()) return false;
  for (FieldSpan field : by_scalar_.fields) {
    const std::uint32_t size = field.end - field.begin;
    const auto copy = static_cast<std::uint32_t>(text_.size());
    text_.append(by_scalar_.text + field.begin, size);
    out.fields.push_back({copy, copy + size, field.quoted, field.escaped});
  }
  out.first_field.push_back(out.fields.size());
  out.record_begin.push_back(by_scalar_.record_begin[0] + static_cast<std::uint32_t>(begin));
  out.record_end.push_back(by_scalar_.record_end[0] + static_cast<std::uint32_t>(begin));
  return true;
}

Result<void> LibcsvTokenizer::tokenize(std::string_view input, bool final, bool keep_blank,
                                       std::size_t records_max, LineEnd& line_end,
                                       TokenizedBlock& out) {
  if (!knows_dialect_) {
    return scalar_->tokenize(input, final, keep_blank, records_max, line_end, out);
  }
  out.clear();
  text_.clear();
  out_ = &out;
  Result<void> result;
  while (out.consumed < input.size() && out.record_begin.size() + out.bad.size() < records_max) {
    std::size_t end = 0;
    // The first line end, and lines that end with CR, are the state machine's.
    const Verdict verdict =
        line_end == LineEnd::kLf ? read_record(input, out.consumed, end) : Verdict::kNotOurs;
    if (verdict == Verdict::kNotOurs || verdict == Verdict::kIncomplete) {
      const Result<bool> taken = take_by_scalar(input, final, keep_blank, line_end, out);
      if (!taken) result = taken.error();
      if (!taken || !*taken) break;
      continue;
    }
    if (verdict == Verdict::kBlankLine && keep_blank) {
      const auto empty = static_cast<std::uint32_t>(text_.size());
      out.fields.push_back({empty, empty, false, false});
    }
    if (verdict == Verdict::kRecord || keep_blank) {
      out.first_field.push_back(out.fields.size());
      out.record_begin.push_back(static_cast<std::uint32_t>(out.consumed));
      out.record_end.push_back(static_cast<std::uint32_t>(end - 1 - reported_.returns));
    }
    out.consumed = end;
  }
  out.text = text_.data();
  return result;
}

}  // namespace

std::unique_ptr<Tokenizer> make_libcsv_tokenizer(const FormatOptions& options) {
  return std::make_unique<LibcsvTokenizer>(options);
}

}  // namespace leat::parser
