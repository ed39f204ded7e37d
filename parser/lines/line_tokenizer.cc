#include "parser/lines/line_tokenizer.h"

namespace leat::parser {

Result<void> LineTokenizer::tokenize(std::string_view input, bool final, bool /*keep_blank*/,
                                     std::size_t records_max, LineEnd& line_end,
                                     TokenizedBlock& out) {
  out.clear();
  out.text = input.data();
  line_end = LineEnd::kLf;
  RecordOutcome broken = RecordOutcome::kTaken;
  while (out.consumed < input.size() && out.record_begin.size() + out.bad.size() < records_max) {
    const std::size_t begin = out.consumed;
    const std::size_t line_feed = input.find('\n', begin);
    const bool ended = line_feed != std::string_view::npos;
    if (!ended && !final) {
      // The largest line may be followed by a CR that belongs to its end.
      if (input.size() - begin > limits_.bytes_max + 1) broken = RecordOutcome::kTooLarge;
      break;
    }
    const bool crlf = ended && line_feed != begin && input[line_feed - 1] == '\r';
    const std::size_t end = ended ? line_feed - (crlf ? 1 : 0) : input.size();
    if (end - begin > limits_.bytes_max) {
      broken = RecordOutcome::kTooLarge;
      break;
    }
    const std::size_t fields = out.fields.size();
    const LineOutcome outcome = take_line(input, begin, end, out);
    if (outcome != LineOutcome::kRecord) out.fields.resize(fields);
    if (outcome == LineOutcome::kTooManyFields) {
      broken = RecordOutcome::kTooManyFields;
      break;
    }
    if (outcome == LineOutcome::kBad) {
      BadRecord& bad = out.bad.back();
      bad.index = out.record_begin.size() + out.bad.size() - 1;
      bad.begin = static_cast<std::uint32_t>(begin);
      bad.end = static_cast<std::uint32_t>(end);
    } else if (outcome == LineOutcome::kRecord) {
      out.first_field.push_back(out.fields.size());
      out.record_begin.push_back(static_cast<std::uint32_t>(begin));
      out.record_end.push_back(static_cast<std::uint32_t>(end));
    }
    out.consumed = ended ? line_feed + 1 : input.size();
  }
  check_records(input, out);
  if (broken == RecordOutcome::kTaken) return {};
  return error_of(broken, limits_, "look for lines that end with something other than a line feed");
}

std::size_t LineTokenizer::whole_records(std::string_view bytes, LineEnd) const noexcept {
  return bytes.rfind('\n') + 1;
}

namespace {

class PlainLinesTokenizer final : public LineTokenizer {
 public:
  using LineTokenizer::LineTokenizer;

 private:
  LineOutcome take_line(std::string_view, std::size_t begin, std::size_t end,
                        TokenizedBlock& out) override {
    out.fields.push_back(
        {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end), /*quoted=*/true});
    return LineOutcome::kRecord;
  }
  void check_records(std::string_view, TokenizedBlock&) const override {}
};

}  // namespace

std::unique_ptr<Tokenizer> make_plain_lines_tokenizer(const FormatOptions& options) {
  return std::make_unique<PlainLinesTokenizer>(options);
}

}  // namespace leat::parser
