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

/// Formats that are no delimited text.
Result<FormatOptions> read_other(const TypedFormat& typed) {
  FormatOptions options;
  options.kind = typed.input_format == "jsonl" ? Format::kJsonLines : Format::kLines;
  options.skip_lines = typed.skip_lines;
  if (Result<void> ok = refuse({{"--dialect", !typed.dialect.empty()},
                                {"--delimiter", !typed.delimiter.empty()},
                                {"--quote", !typed.quote.empty()},
                                {"--escape", !typed.escape.empty()},
                                {"--comment", !typed.comment.empty()},
                                {"--null", !typed.null_strings.empty()},
                                {"--header", typed.header.has_value()}},
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
  for (Result<void> set : {set_character("--delimiter", typed.delimiter, options->delimiter),
                           set_character("--quote", typed.quote, options->quote),
                           set_character("--comment", typed.comment, comment)}) {
    if (!set) return std::move(set).error();
  }
  if (!typed.quote.empty()) options->escape = options->quote;
  if (Result<void> set = set_character("--escape", typed.escape, options->escape); !set) {
    return std::move(set).error();
  }
  if (comment != '\0') options->comment = comment;
  if (!typed.null_strings.empty()) options->null_strings = typed.null_strings;
  if (typed.header) options->header = *typed.header;
  options->skip_lines = typed.skip_lines;
  return options;
}

}  // namespace leat::cli
