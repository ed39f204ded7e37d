// Formats whose records are lines, whatever is in them: plain text and JSON.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "leat/parser.h"
#include "parser/records/record_draft.h"
#include "parser/records/tokenizer.h"

namespace leat::parser {

/// Cuts at LF. A CR in front of it belongs to the line end, any other CR to the line.
class LineTokenizer : public Tokenizer {
 public:
  explicit LineTokenizer(const FormatOptions& options)
      : limits_{options.record_bytes_max, options.fields_max} {}

  /// Whether a blank line is a record is for take_line to say.
  Result<void> tokenize(std::string_view input, bool final, bool keep_blank,
                        std::size_t records_max, LineEnd& line_end, TokenizedBlock& out) final;
  std::size_t whole_records(std::string_view bytes, LineEnd line_end) const noexcept final;

 protected:
  enum class LineOutcome : std::uint8_t {
    kRecord,
    kBad,    ///< The last of out.bad says why; its index and range are still to be set.
    kBlank,  ///< No record.
    kTooManyFields,
  };

  const RecordLimits& limits() const noexcept { return limits_; }

 private:
  /// Appends the fields of the line input[begin, end) to out.fields; of a bad line they are taken
  /// out again.
  virtual LineOutcome take_line(std::string_view input, std::size_t begin, std::size_t end,
                                TokenizedBlock& out) = 0;
  /// Judges the block's records once more.
  virtual void check_records(std::string_view input, TokenizedBlock& out) const = 0;

  RecordLimits limits_;
};

/// Each line is one field, never null.
std::unique_ptr<Tokenizer> make_plain_lines_tokenizer(const FormatOptions& options);

}  // namespace leat::parser
