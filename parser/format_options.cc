#include <string>
#include <tuple>
#include <utility>

#include "leat/parser.h"
#include "parser/convert/value_formats.h"
#include "parser/convert/values.h"
#include "parser/decode/text_decoder.h"
#include "parser/simd/target.h"

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

Result<void> check_long_delimiter(const FormatOptions& options) {
  const std::string& text = options.long_delimiter;
  if (text.empty()) return {};
  const std::string name = "--delimiter of several bytes";
  if (text.size() < 2 || text.size() > 16) return invalid(name + " has at most 16");
  if (text.find_first_of(std::string("\r\n\0", 3)) != text.npos) {
    return invalid(name + " cannot hold a line end or NUL");
  }
  if (!parser::valid_utf8(text)) return invalid(name + " must be UTF-8");
  if (reads_quotes(options) && text.find(options.quote) != text.npos) {
    return invalid(name + " cannot hold the --quote");
  }
  if (options.escape_anywhere) return invalid(name + " is not read with --dialect redshift");
  return {};
}

/// What only CSV has, in other formats.
Result<void> check_csv_only(const FormatOptions& options) {
  const FormatOptions none;
  const std::pair<const char*, bool> given[] = {
      {"--delimiter of several bytes", !options.long_delimiter.empty()},
      {"--line-end any", options.line_ends != none.line_ends},
      {"--trim", options.trim},
      {"--short-records null", options.short_records != none.short_records},
      {"--long-records", options.long_records != none.long_records},
      {"--decimal-separator", options.decimal_separator != none.decimal_separator},
      {"--thousands-separator", options.thousands_separator != none.thousands_separator},
  };
  for (const auto& [flag, is_given] : given) {
    if (is_given) return invalid(std::string(flag) + " is for CSV only");
  }
  return {};
}

Result<void> check_values(const FormatOptions& options) {
  using parser::TimeFormat;
  using Use = TimeFormat::Use;
  for (const auto& [flag, format, use] :
       {std::tuple{"--date-format", &options.date_format, Use::kDate},
        std::tuple{"--time-format", &options.time_format, Use::kTime},
        std::tuple{"--timestamp-format", &options.timestamp_format, Use::kTimestamp}}) {
    if (format->empty()) continue;
    if (const Result<TimeFormat> made = TimeFormat::of(*format, use); !made) {
      return invalid(std::string(flag) + ": " + made.error().message);
    }
  }
  if (!parser::text_encoding(options.encoding)) {
    return invalid("--encoding \"" + options.encoding +
                   "\" is unknown; known are auto, utf-8, utf-16, utf-16le, utf-16be, utf-32, "
                   "latin-1, iso-8859-1 to -16, windows-1250 to -1254, windows-1256, windows-1257, "
                   "koi8-r, koi8-u, cp437, cp850, cp852, cp858, cp866, cp874, macintosh, "
                   "shift_jis, euc-jp, euc-kr, gbk, gb18030, big5");
  }
  if (options.decimal_separator != '.' && options.decimal_separator != ',') {
    return invalid("--decimal-separator must be a point or a comma");
  }
  const char thousands = options.thousands_separator;
  if (thousands != '\0' && std::string(".,' _").find(thousands) == std::string::npos) {
    return invalid("--thousands-separator must be a point, comma, apostrophe, space or underscore");
  }
  if (thousands == options.decimal_separator) {
    return same_twice("--thousands-separator", "--decimal-separator");
  }
  return {};
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

/// Numbers that a caller made an enumerator of.
Result<void> check_enumerators(const FormatOptions& options) {
  const std::pair<const char*, bool> known[] = {
      {"kind", options.kind <= Format::kPostgresCsv},
      {"on_error", options.on_error <= OnError::kNull},
      {"extra_columns", options.extra_columns <= ExtraColumns::kFail},
      {"missing_columns", options.missing_columns <= MissingColumns::kFail},
      {"line_ends", options.line_ends <= LineEnds::kAny},
      {"short_records", options.short_records <= ShortRecords::kNull},
      {"long_records", options.long_records <= LongRecords::kIgnoreEmpty},
  };
  for (const auto& [name, is_known] : known) {
    if (!is_known) return invalid("FormatOptions::" + std::string(name) + " is no enumerator");
  }
  return {};
}

}  // namespace

Result<void> FormatOptions::validate() const {
  if (Result<void> ok = check_enumerators(*this); !ok) return ok;
  if (kind != Format::kJsonLines && kind != Format::kLines) {
    if (Result<void> ok = check_characters(*this); !ok) return ok;
  }
  if (Result<void> ok = check_long_delimiter(*this); !ok) return ok;
  if (kind != Format::kCsv) {
    if (Result<void> ok = check_csv_only(*this); !ok) return ok;
  }
  if (trim && escape_anywhere) return invalid("--trim is not read with --dialect redshift");
  if (Result<void> ok = check_values(*this); !ok) return ok;
  if (record_bytes_max == 0 || record_bytes_max > kRecordBytesMaxLimit) {
    return invalid("--max-record-bytes must be between 1 and 1 GiB, not " +
                   std::to_string(record_bytes_max));
  }
  if (fields_max == 0) return invalid("--max-fields must be at least 1");
  if (tokenizer != "simd" && tokenizer != "libcsv" && tokenizer != "scalar") {
    return invalid("--tokenizer must be simd, libcsv or scalar, not \"" + tokenizer + "\"");
  }
  const Result<parser::SimdTarget> target = parser::choose_simd_target(simd);
  return target ? Result<void>() : target.error();
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
