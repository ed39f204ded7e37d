// What tokenizer tests share: a readable form of what a tokenizer found.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "parser/records/tokenizer.h"

namespace leat::parser {

/// Each record as `field|"quoted"|…` with its range in the object; bad records as `!reason@offset`.
/// Quotes are shown for empty fields only: there alone every tokenizer tells them.
struct Found {
  std::vector<std::string> records;
  std::size_t consumed = 0;
  std::string error;
  LineEnd line_end = LineEnd::kUnknown;

  bool operator==(const Found&) const = default;
};

inline std::string range_text(std::uint64_t begin, std::uint64_t end) {
  return " [" + std::to_string(begin) + "," + std::to_string(end) + ")";
}

inline void append_block(const TokenizedBlock& block, const FormatOptions& options,
                         std::uint64_t offset, bool with_ranges, std::vector<std::string>& out) {
  std::size_t bad = 0;
  const std::size_t good = block.record_begin.size();
  for (std::size_t record = 0; record < good || bad < block.bad.size();) {
    if (bad < block.bad.size() && block.bad[bad].index == record + bad) {
      const BadRecord& b = block.bad[bad++];
      out.push_back("!" + b.reason + "@" + std::to_string(offset + b.error_offset) +
                    (with_ranges ? range_text(offset + b.begin, offset + b.end) : ""));
      continue;
    }
    std::string text;
    for (std::size_t f = 0; f < block.field_count(record); ++f) {
      const FieldSpan field = block.field(record, f);
      const std::string_view raw(block.text + field.begin, field.end - field.begin);
      if (f != 0) text += '|';
      if (field.quoted && raw.empty()) text += "\"\"";
      if (field.escaped) {
        unescape(raw, options.quote, options.escape, text);
      } else {
        text += raw;
      }
    }
    if (with_ranges) {
      text += range_text(offset + block.record_begin[record], offset + block.end_of(record));
    }
    out.push_back(std::move(text));
    ++record;
  }
}

/// Runs a tokenizer over `input` cut at `cuts` (ascending), carrying what it leaves as the parser
/// does.
inline Found run_tokenizer(Tokenizer& tokenizer, const FormatOptions& options,
                           std::string_view input, const std::vector<std::size_t>& cuts,
                           bool keep_blank = false, bool with_ranges = true) {
  Found found;
  TokenizedBlock block;
  std::string carry;
  std::size_t from = 0;
  for (std::size_t i = 0; i <= cuts.size(); ++i) {
    const bool final = i == cuts.size();
    const std::size_t to = final ? input.size() : cuts[i];
    carry.append(input.substr(from, to - from));
    from = to;
    const Result<void> done =
        tokenizer.tokenize(carry, final, keep_blank, SIZE_MAX, found.line_end, block);
    append_block(block, options, found.consumed, with_ranges, found.records);
    found.consumed += block.consumed;
    if (!done) {
      found.error = std::string(error_code_name(done.error().code));
      return found;
    }
    carry.erase(0, block.consumed);
  }
  return found;
}

}  // namespace leat::parser
