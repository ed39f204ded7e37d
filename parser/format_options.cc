#include <string>

#include "leat/parser.h"

namespace leat {
namespace {

constexpr std::uint32_t kRecordBytesMaxLimit = 1u << 30;

Error invalid(std::string message) { return {ErrorCode::kInvalidArgument, std::move(message)}; }

/// A byte that can be told from text: ASCII, so that no part of a UTF-8 sequence equals it, and no
/// line end.
Result<void> check_character(const char* flag, char character) {
  const std::string name = flag;
  if (character == '\n' || character == '\r') return invalid(name + " cannot be a line end");
  if (character == '\0') return invalid(name + " cannot be the NUL byte");
  if (static_cast<unsigned char>(character) >= 0x80) {
    return invalid(name + " must be one ASCII character");
  }
  return {};
}

bool reads_quotes(const FormatOptions& options) noexcept {
  return options.kind != Format::kPostgresText && options.quote != '\0';
}

/// What PostgreSQL asks of its own formats.
Result<void> check_postgres(const FormatOptions& options) {
  if (options.comment) return invalid("--comment is no part of PostgreSQL's formats");
  if (options.kind == Format::kPostgresCsv) {
    if (options.quote == '\0') return invalid("--dialect postgres needs a --quote");
    if (options.quote == '\\')
      return invalid("--quote cannot be a backslash here: \\. ends the data");
    return {};
  }
  const char c = options.delimiter;
  if (c == '\\' || c == '.' || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
    return invalid(
        "--delimiter cannot be a backslash, period, small letter or digit where "
        "backslashes escape");
  }
  return {};
}

Error same_twice(const char* flag, const char* other) {
  return invalid(std::string(flag) + " and " + other + " are the same character");
}

/// The characters that mean something in delimited text.
Result<void> check_characters(const FormatOptions& options) {
  const char delimiter = options.delimiter;
  if (Result<void> ok = check_character("--delimiter", delimiter); !ok) return ok;
  if (reads_quotes(options)) {
    if (Result<void> ok = check_character("--quote", options.quote); !ok) return ok;
    if (!options.escape_anywhere) {
      if (Result<void> ok = check_character("--escape", options.escape); !ok) return ok;
    }
    if (options.quote == delimiter) return same_twice("--quote", "--delimiter");
    if (options.escape == delimiter) return same_twice("--escape", "--delimiter");
  }
  if (options.escape_anywhere && options.escape != '\0') {
    if (Result<void> ok = check_character("--escape", options.escape); !ok) return ok;
    if (options.escape == delimiter) return same_twice("--escape", "--delimiter");
    if (options.comment) return invalid("--comment has no meaning where --escape works anywhere");
  }
  if (options.kind != Format::kCsv) return check_postgres(options);
  if (!options.comment) return {};
  if (Result<void> ok = check_character("--comment", *options.comment); !ok) return ok;
  if (options.comment == delimiter) return same_twice("--comment", "--delimiter");
  if (options.comment == options.quote) return same_twice("--comment", "--quote");
  return {};
}

}  // namespace

Result<void> FormatOptions::validate() const {
  if (kind != Format::kJsonLines && kind != Format::kLines) {
    if (Result<void> ok = check_characters(*this); !ok) return ok;
  }
  if (record_bytes_max == 0 || record_bytes_max > kRecordBytesMaxLimit) {
    return invalid("--max-record-bytes must be between 1 and 1 GiB, not " +
                   std::to_string(record_bytes_max));
  }
  if (fields_max == 0) return invalid("fields_max must be at least 1");
  if (tokenizer != "simd" && tokenizer != "libcsv" && tokenizer != "scalar") {
    return invalid("--tokenizer must be simd, libcsv or scalar, not \"" + tokenizer + "\"");
  }
  return {};
}

Result<FormatOptions> dialect_options(std::string_view dialect) {
  FormatOptions options;
  if (dialect == "default") return options;
  // What follows is written without a header unless asked otherwise.
  options.header = false;
  if (dialect == "postgres") {
    options.kind = Format::kPostgresCsv;
    return options;
  }
  if (dialect == "postgres-text") {
    options.kind = Format::kPostgresText;
    options.delimiter = '\t';
    options.quote = '\0';
    options.null_strings = {"\\N"};
    return options;
  }
  if (dialect == "redshift") {
    options.delimiter = '|';
    options.quote = '\0';
    options.escape = '\0';
    options.escape_anywhere = true;
    return options;
  }
  return invalid("there is no dialect \"" + std::string(dialect) +
                 "\"; known are default, postgres, postgres-text, redshift");
}

}  // namespace leat
