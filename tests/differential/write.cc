#include "tests/differential/write.h"

#include <algorithm>
#include <cstdio>

namespace leat::differential {
namespace {

std::string between_quotes(const FormatOptions& format, std::string_view value) {
  std::string quoted(1, format.quote);
  for (const char c : value) {
    if ((c == format.quote || c == format.escape) && format.escape != '\0') quoted += format.escape;
    quoted += c;
  }
  return quoted + format.quote;
}

/// PostgreSQL's backslashes, and its octal and hexadecimal numbers.
std::string with_backslashes(const FormatOptions& format, std::string_view value, Random& random) {
  std::string text;
  for (const char c : value) {
    const auto byte = static_cast<unsigned>(static_cast<unsigned char>(c));
    char number[8];
    if (random.one_in(16)) {
      std::snprintf(number, sizeof number, random.one_in(2) ? "\\%03o" : "\\x%02x", byte);
      text += number;
    } else if (c == '\n' || c == '\r' || c == '\t') {
      text += random.one_in(3) ? std::string("\\") + c
              : c == '\n'      ? "\\n"
              : c == '\r'      ? "\\r"
                               : "\\t";
    } else {
      if (c == '\\' || c == format.delimiter) text += '\\';
      text += c;
    }
  }
  return text;
}

std::string with_escapes(const FormatOptions& format, std::string_view value) {
  std::string text;
  for (const char c : value) {
    if (c == format.delimiter || c == format.escape || c == format.quote || c == '\n' ||
        c == '\r') {
      text += format.escape;
    }
    text += c;
  }
  return text;
}

std::string json_string(std::string_view value, Random& random) {
  std::string text = "\"";
  for (const char c : value) {
    const auto byte = static_cast<unsigned>(static_cast<unsigned char>(c));
    char code[8];
    if (byte < 0x20 || (byte < 0x7f && random.one_in(40))) {
      std::snprintf(code, sizeof code, "\\u%04x", byte);
      text += code;
    } else {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
  }
  return text + "\"";
}

bool may_stand_as_json(std::string_view value) {
  return !value.empty() && value.find_first_not_of("0123456789.eE+-") == value.npos;
}

}  // namespace

std::string write_field(const FormatOptions& format, std::string_view value, Random& random) {
  if (format.kind == Format::kPostgresText) return with_backslashes(format, value, random);
  if (format.kind == Format::kJsonLines || format.kind == Format::kLines) return std::string(value);
  if (format.escape_anywhere && (format.quote == '\0' || random.one_in(2))) {
    return format.escape == '\0' ? std::string(value) : with_escapes(format, value);
  }
  if (format.quote == '\0') return std::string(value);
  const char special[] = {format.delimiter, format.quote, '\r', '\n',
                          format.comment.value_or('\n')};
  const bool is_null_text = std::find(format.null_strings.begin(), format.null_strings.end(),
                                      value) != format.null_strings.end();
  const bool must =
      value.find_first_of(std::string_view(special, std::size(special))) != value.npos ||
      (is_null_text && !random.one_in(4));
  if (!must && !random.one_in(6)) return std::string(value);
  if (format.kind == Format::kPostgresCsv && !value.empty() && random.one_in(4)) {
    // Quotes around a part of it.
    const std::size_t end = random.between(1, value.size());
    return between_quotes(format, value.substr(0, end)) + std::string(value.substr(end));
  }
  return between_quotes(format, value);
}

std::string write_json(const std::vector<std::string>& keys, const std::vector<std::string>& values,
                       Random& random) {
  std::string text = "{";
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (random.one_in(16)) continue;
    if (text.size() > 1) text += random.one_in(4) ? " , " : ",";
    text += json_string(keys[i], random) + (random.one_in(4) ? " : " : ":");
    const std::string& value = values[i];
    if (random.one_in(12)) {
      text +=
          random.one_of({"null", "true", "false", "[1, {\"a\": \"]\"}]", "{}", "-0.5e-3", "\"\""});
    } else if (may_stand_as_json(value) && !random.one_in(3)) {
      text += value;
    } else {
      text += json_string(value, random);
    }
  }
  return text + "}";
}

}  // namespace leat::differential
