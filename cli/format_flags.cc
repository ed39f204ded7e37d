#include "cli/format_flags.h"

#include <initializer_list>
#include <utility>

#include "cli/quantities.h"

namespace leat::cli {
namespace {

Error invalid(std::string message) { return {ErrorCode::kInvalidArgument, std::move(message)}; }

struct Given {
  const char* flag;
  bool given;
};

/// Refuses flags that `what` does not have: they were meant to do something.
Result<void> refuse(std::initializer_list<Given> flags, const std::string& what) {
  for (const Given& flag : flags) {
    if (flag.given) return invalid(std::string(flag.flag) + " has no meaning with " + what);
  }
  return {};
}

Result<void> set_character(const char* flag, const std::string& text, char& out) {
  if (text.empty()) return {};
  const Result<char> character = parse_character(text);
  if (!character) return invalid(std::string(flag) + ": " + character.error().message);
  out = *character;
  return {};
}

/// One character, or a delimiter of several bytes.
Result<void> set_delimiter(const std::string& text, FormatOptions& options) {
  if (text.size() < 2 || parse_character(text)) {
    return set_character("--delimiter", text, options.delimiter);
  }
  options.long_delimiter = text;
  return {};
}

/// What all formats have.
void set_common(const TypedFormat& typed, FormatOptions& options) {
  options.skip_lines = typed.skip_lines;
  options.date_format = typed.date_format;
  options.time_format = typed.time_format;
  options.timestamp_format = typed.timestamp_format;
  if (!typed.encoding.empty()) options.encoding = typed.encoding;
}

/// Formats that are no delimited text.
Result<FormatOptions> read_other(const TypedFormat& typed) {
  FormatOptions options;
  options.kind = typed.input_format == "jsonl" ? Format::kJsonLines : Format::kLines;
  set_common(typed, options);
  if (Result<void> ok = refuse({{"--dialect", !typed.dialect.empty()},
                                {"--delimiter", !typed.delimiter.empty()},
                                {"--quote", !typed.quote.empty()},
                                {"--escape", !typed.escape.empty()},
                                {"--comment", !typed.comment.empty()},
                                {"--null", !typed.null_strings.empty()},
                                {"--header", typed.header.has_value()},
                                {"--line-end", !typed.line_end.empty()},
                                {"--trim", typed.trim},
                                {"--short-records", !typed.short_records.empty()},
                                {"--long-records", !typed.long_records.empty()},
                                {"--decimal-separator", !typed.decimal_separator.empty()},
                                {"--thousands-separator", !typed.thousands_separator.empty()}},
                               "--input-format " + typed.input_format);
      !ok) {
    return std::move(ok).error();
  }
  return options;
}

}  // namespace

Result<FormatOptions> read_format(const TypedFormat& typed) {
  if (typed.input_format == "jsonl" || typed.input_format == "lines") return read_other(typed);
  if (!typed.input_format.empty() && typed.input_format != "csv") {
    return invalid("--input-format must be csv, jsonl or lines, not \"" + typed.input_format +
                   "\"");
  }
  Result<FormatOptions> options =
      dialect_options(typed.dialect.empty() ? "default" : typed.dialect);
  if (!options) return invalid("--dialect: " + options.error().message);
  if (options->kind == Format::kPostgresText) {
    if (Result<void> ok =
            refuse({{"--quote", !typed.quote.empty()}, {"--escape", !typed.escape.empty()}},
                   "--dialect postgres-text");
        !ok) {
      return std::move(ok).error();
    }
  }
  char comment = '\0';
  for (Result<void> set :
       {set_delimiter(typed.delimiter, *options),
        set_character("--quote", typed.quote, options->quote),
        set_character("--comment", typed.comment, comment),
        set_character("--decimal-separator", typed.decimal_separator, options->decimal_separator),
        set_character("--thousands-separator", typed.thousands_separator,
                      options->thousands_separator)}) {
    if (!set) return std::move(set).error();
  }
  if (!typed.quote.empty()) options->escape = options->quote;
  if (Result<void> set = set_character("--escape", typed.escape, options->escape); !set) {
    return std::move(set).error();
  }
  if (comment != '\0') options->comment = comment;
  if (!typed.null_strings.empty()) options->null_strings = typed.null_strings;
  if (typed.header) options->header = *typed.header;
  set_common(typed, *options);
  options->trim = typed.trim;
  if (typed.line_end == "any") options->line_ends = LineEnds::kAny;
  if (typed.short_records == "null") options->short_records = ShortRecords::kNull;
  if (typed.long_records == "ignore") options->long_records = LongRecords::kIgnore;
  if (typed.long_records == "ignore-empty") options->long_records = LongRecords::kIgnoreEmpty;
  return options;
}

}  // namespace leat::cli
