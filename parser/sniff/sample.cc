#include "parser/sniff/sample.h"

#include <algorithm>
#include <memory>

#include "parser/csv/tokenizers.h"
#include "parser/postgres/tokenizers.h"
#include "parser/records/line_break.h"

namespace leat::parser {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

/// Bytes that are tokenized at a time: with their spans they stay in a core's cache.
constexpr std::size_t kPieceBytes = 64u << 10;

constexpr std::string_view kTooLarge = "the record is longer than --max-record-bytes";

}  // namespace

std::unique_ptr<Tokenizer> make_sample_tokenizer(const FormatOptions& options) {
  if (options.kind == Format::kPostgresCsv) {
    return make_postgres_csv_tokenizer(options, SimdTarget::kPortable);
  }
  if (options.kind == Format::kPostgresText) {
    return make_postgres_text_tokenizer(options, SimdTarget::kPortable);
  }
  const bool escapes =
      options.escape_anywhere && options.escape != '\0' && options.escape != options.quote;
  return escapes ? make_escaping_tokenizer(options) : make_scalar_tokenizer(options);
}

SampleWalk walk_records(const Sample& sample, const FormatOptions& options, bool keep_blank,
                        std::size_t bytes_max,
                        const std::function<bool(const SampledRecord&)>& visit) {
  return walk_records(sample, options, *make_sample_tokenizer(options), keep_blank, bytes_max,
                      visit);
}

SampleWalk walk_records(const Sample& sample, const FormatOptions& options, Tokenizer& tokenizer,
                        bool keep_blank, std::size_t bytes_max,
                        const std::function<bool(const SampledRecord&)>& visit) {
  SampleWalk walk;
  walk.line_end = first_line_end(options);
  std::string_view bytes = std::string_view(sample.bytes).substr(0, bytes_max);
  const bool final = sample.whole && bytes.size() == sample.bytes.size();
  std::size_t used = 0;
  if (bytes.starts_with(kByteOrderMark)) {
    walk.byte_order_mark = true;
    used = kByteOrderMark.size();
  }
  for (std::uint64_t line = 0; line < options.skip_lines && used < bytes.size(); ++line) {
    const auto stop = find_line_stop(bytes, used, final, walk.line_end);
    if (!stop) {
      walk.cut = true;
      return walk;
    }
    if (stop->line_break.length != 0) walk.line_end = stop->line_break.line_end;
    used = stop->end + stop->line_break.length;
  }
  walk.line_end = line_end_behind_skipped(options, walk.line_end);

  TokenizedBlock block;
  std::uint64_t ordinal = 0;
  for (std::size_t piece_bytes = kPieceBytes; used < bytes.size();) {
    const std::string_view piece = bytes.substr(used, piece_bytes);
    const bool last = piece.size() == bytes.size() - used;
    const Result<void> done =
        tokenizer.tokenize(piece, final && last, keep_blank, SIZE_MAX, walk.line_end, block);
    std::size_t bad = 0;
    const std::size_t records = block.record_begin.size() + block.bad.size();
    for (std::size_t i = 0; i < records; ++i) {
      SampledRecord record;
      record.ordinal = ordinal + i;
      std::uint32_t begin = 0;
      std::uint32_t end = 0;
      if (bad < block.bad.size() && block.bad[bad].index == i) {
        const BadRecord& found = block.bad[bad++];
        begin = found.begin;
        end = found.end;
        record.fault = found.reason;
      } else {
        record.block = &block;
        record.index = i - bad;
        begin = block.record_begin[record.index];
        end = block.end_of(record.index);
      }
      record.byte_offset = used + begin;
      record.raw = piece.substr(begin, end - begin);
      if (!visit(record)) return walk;
    }
    ordinal += records;
    used += block.consumed;
    if (!done) {
      walk.cut = true;
      SampledRecord record;
      record.ordinal = ordinal;
      record.byte_offset = used;
      record.raw = bytes.substr(used);
      record.fault =
          done.error().code == ErrorCode::kUnterminatedQuote ? kUnterminatedFault : kTooLarge;
      visit(record);
      return walk;
    }
    if (last) {
      walk.cut = used < bytes.size();
      return walk;
    }
    piece_bytes = block.consumed == 0 ? 2 * piece_bytes : kPieceBytes;
  }
  return walk;
}

bool may_have_titles(const Sample& sample, std::size_t fields, std::uint64_t titles_end,
                     std::uint64_t begin) {
  if (fields != 2) return fields > 2;
  const std::string_view between = std::string_view(sample.bytes)
                                       .substr(static_cast<std::size_t>(titles_end),
                                               static_cast<std::size_t>(begin - titles_end));
  return std::max(std::count(between.begin(), between.end(), '\n'),
                  std::count(between.begin(), between.end(), '\r')) > 1;
}

std::string_view raw_text_of(const SampledRecord& record, std::size_t field,
                             const FormatOptions& options) {
  FieldSpan span = record.block->field(record.index, field);
  if (options.trim) span = trimmed(record.block->text, span);
  return {record.block->text + span.begin, span.end - span.begin};
}

std::string_view text_of(const SampledRecord& record, std::size_t field,
                         const FormatOptions& options, std::string& scratch) {
  const FieldSpan span = record.block->field(record.index, field);
  const std::string_view text = raw_text_of(record, field, options);
  if (!span.escaped) return text;
  scratch.clear();
  unescape(text, span.escaping, options.quote, options.escape, scratch);
  return scratch;
}

}  // namespace leat::parser
