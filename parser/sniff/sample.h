// The front of an object, and its records under a given dialect.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "leat/parser.h"
#include "parser/records/tokenizer.h"

namespace leat::parser {

/// SampledRecord::fault of a last record whose quote is never closed.
constexpr std::string_view kUnterminatedFault = "a quote is not closed before the object's end";

struct Sample {
  std::string object;  ///< As a user would write it.
  std::string bytes;   ///< The front of the decoded object.
  bool whole = false;  ///< The object ends with these bytes.
  /// It was in another encoding than UTF-8: 0xFF stands for bytes that it does not have.
  bool transcoded = false;
};

/// A record of a sample. Valid during its visit only.
struct SampledRecord {
  const TokenizedBlock* block = nullptr;  ///< Null: the record is malformed, and has no fields.
  std::size_t index = 0;                  ///< In the block's good records.
  std::uint64_t ordinal = 0;              ///< Records of the sample before it, good and bad.
  std::uint64_t byte_offset = 0;          ///< Of its first byte, in the object.
  std::string_view raw;                   ///< Without line end.
  std::string_view fault;                 ///< Malformed only: why.

  std::size_t fields() const noexcept { return block == nullptr ? 0 : block->field_count(index); }
};

/// What a walk saw besides records.
struct SampleWalk {
  LineEnd line_end = LineEnd::kUnknown;
  bool byte_order_mark = false;
  bool cut = false;  ///< The last record is not complete, or cannot be read.
};

/// The tokenizer of a format whose records say by themselves what their fields are: any but JSON
/// lines. SIMD would gain nothing here.
std::unique_ptr<Tokenizer> make_sample_tokenizer(const FormatOptions& options);

/// Calls `visit` for each complete record in the first `bytes_max` bytes, behind a BOM and
/// options.skip_lines, until it returns false. A header is a record like any other. Blank lines are
/// records only with `keep_blank`.
SampleWalk walk_records(const Sample& sample, const FormatOptions& options, bool keep_blank,
                        std::size_t bytes_max,
                        const std::function<bool(const SampledRecord&)>& visit);
/// The same with another tokenizer than that of the options.
SampleWalk walk_records(const Sample& sample, const FormatOptions& options, Tokenizer& tokenizer,
                        bool keep_blank, std::size_t bytes_max,
                        const std::function<bool(const SampledRecord&)>& visit);

/// Whether records of `fields` fields, the first of them at `begin`, may have titles above: records
/// of one field that end at `titles_end`. Two fields could be a text that holds the delimiter,
/// below the name of the one column: there a blank line has to set the titles apart.
bool may_have_titles(const Sample& sample, std::size_t fields, std::uint64_t titles_end,
                     std::uint64_t begin);

/// A field as it is written, but for its quotes: what null strings are compared with.
std::string_view raw_text_of(const SampledRecord& record, std::size_t field,
                             const FormatOptions& options);

/// The text of a field, without quotes and escapes. `scratch` keeps it where it has to be changed.
std::string_view text_of(const SampledRecord& record, std::size_t field,
                         const FormatOptions& options, std::string& scratch);

}  // namespace leat::parser
