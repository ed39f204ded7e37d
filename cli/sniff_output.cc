#include "cli/sniff_output.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "cli/printable.h"
#include "cli/quantities.h"

namespace leat::cli {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view kShellSafe =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=@%+,";

/// As parse_character reads it.
std::string character(char value) {
  if (value == '\0') return "none";
  return value == '\t' ? "tab" : std::string(1, value);
}

/// A flag of `leat load`: a text for each value; true and false stand for a flag without one.
struct Setting {
  std::string name;
  ordered_json value;
};

/// The name of `--dialect` whose options these are based on; empty: the default, or none.
std::string dialect_of(const FormatOptions& format) {
  if (format.kind == Format::kPostgresCsv) return "postgres";
  if (format.kind == Format::kPostgresText) return "postgres-text";
  return format.escape_anywhere ? "redshift" : "";
}

/// All that differs from what `leat load` takes for granted once it has a schema.
std::vector<Setting> settings_of(std::string_view from, const SniffReport& report) {
  const FormatOptions& format = report.format;
  std::vector<Setting> settings = {{"from", from}};
  FormatOptions defaults;
  if (format.kind == Format::kJsonLines) {
    defaults = format;  // It has no characters to choose.
    settings.push_back({"input-format", "jsonl"});
  }
  if (const std::string dialect = dialect_of(format); !dialect.empty()) {
    if (Result<FormatOptions> options = dialect_options(dialect)) defaults = *std::move(options);
    settings.push_back({"dialect", dialect});
  }
  const FormatOptions limits;
  if (format.encoding != limits.encoding) settings.push_back({"encoding", format.encoding});
  if (!format.long_delimiter.empty()) {
    settings.push_back({"delimiter", format.long_delimiter});
  } else if (format.delimiter != defaults.delimiter) {
    settings.push_back({"delimiter", character(format.delimiter)});
  }
  if (format.quote != defaults.quote) settings.push_back({"quote", character(format.quote)});
  if (format.escape != (format.quote != defaults.quote ? format.quote : defaults.escape)) {
    settings.push_back({"escape", character(format.escape)});
  }
  if (format.comment) settings.push_back({"comment", character(*format.comment)});
  if (format.skip_lines != 0) settings.push_back({"skip-lines", format.skip_lines});
  if (format.header != defaults.header) settings.push_back({"header", format.header});
  if (format.null_strings != defaults.null_strings) {
    settings.push_back({"null", format.null_strings});
  }
  if (format.line_ends == LineEnds::kAny) settings.push_back({"line-end", "any"});
  if (format.trim) settings.push_back({"trim", true});
  if (format.short_records == ShortRecords::kNull) settings.push_back({"short-records", "null"});
  if (format.long_records == LongRecords::kIgnore) settings.push_back({"long-records", "ignore"});
  if (format.long_records == LongRecords::kIgnoreEmpty) {
    settings.push_back({"long-records", "ignore-empty"});
  }
  if (format.decimal_separator != '.') {
    settings.push_back({"decimal-separator", character(format.decimal_separator)});
  }
  if (format.thousands_separator != '\0') {
    settings.push_back({"thousands-separator", character(format.thousands_separator)});
  }
  for (const auto& [name, text] : {std::pair{"date-format", &format.date_format},
                                   std::pair{"time-format", &format.time_format},
                                   std::pair{"timestamp-format", &format.timestamp_format}}) {
    if (!text->empty()) settings.push_back({name, *text});
  }
  if (format.record_bytes_max != limits.record_bytes_max) {
    settings.push_back({"max-record-bytes", format.record_bytes_max});
  }
  if (format.fields_max != limits.fields_max) {
    settings.push_back({"max-fields", format.fields_max});
  }
  settings.push_back({"schema", report.schema.to_sql()});
  return settings;
}

std::string shell_quoted(const std::string& word) {
  if (!word.empty() && word.find_first_not_of(kShellSafe) == std::string::npos) return word;
  std::string quoted = "'";
  for (const char c : word) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

std::string dumped(const ordered_json& json, int indent = -1) {
  return json.dump(indent, ' ', false, ordered_json::error_handler_t::replace);
}

/// Never more than it is: 99.999 % is no 100 %.
std::string percent(std::uint64_t part, std::uint64_t all) {
  if (part == all) return "100 %";
  const auto hundredths =
      static_cast<std::uint64_t>(10'000.0 * static_cast<double>(part) / static_cast<double>(all));
  std::string text = std::to_string(std::min<std::uint64_t>(hundredths, 9'999));
  text.insert(0, text.size() < 3 ? 3 - text.size() : 0, '0');
  return text.insert(text.size() - 2, ".") + " %";
}

std::string place(const SniffedMisfit& misfit) {
  return "record " + format_count(misfit.record) + " of " + misfit.object + " (byte " +
         format_count(misfit.byte_offset) + ")";
}

std::string quoted(const std::string& text) { return "\"" + text + "\""; }

/// What other programs write for null.
bool is_word_for_null(std::string_view text) {
  constexpr std::string_view kWords[] = {"NA",   "N/A", "#N/A", "NULL", "null", "\\N",
                                         "None", "nan", "NaN",  "-",    "?"};
  return std::find(std::begin(kWords), std::end(kWords), text) != std::end(kWords);
}

std::string evidence_of(const SniffedColumn& column) {
  std::string line = "column " + column.field.name + ": ";
  const std::string type = column.field.type.to_sql();
  if (column.values == 0) return line + "no value, so " + type;
  const NearType& near = *column.near;
  const std::uint64_t others = column.values - near.fits;
  line += near.type.to_sql() + " fits " + percent(near.fits, column.values) + " of " +
          format_count(column.values, "value") + ", " + place(near.first) + " holds " +
          quoted(near.first.text) + ", so " + type;
  if (near.quoted_empty) {
    line += "; all that do not fit are quoted empty fields, which are text and never null";
  } else if (near.one_text && column.field.type.id != TypeId::kBytes &&
             column.field.type.is_variable() && (others > 1 || is_word_for_null(near.first.text))) {
    if (others > 1) line += "; all " + format_count(others) + " that do not fit hold the same";
    line += std::string(others > 1 ? ":" : ";") + " if it means null, add --null '' --null " +
            shell_quoted(near.first.text);
  }
  return line;
}

ordered_json json_of(const SniffedMisfit& misfit) {
  return {{"object", misfit.object},
          {"record", misfit.record},
          {"byte_offset", misfit.byte_offset},
          {"text", misfit.text}};
}

ordered_json json_of(const SniffedColumn& column) {
  ordered_json json = {{"name", column.field.name},
                       {"type", column.field.type.to_sql()},
                       {"values", column.values},
                       {"nulls", column.nulls}};
  if (column.near) {
    json["near"] = {{"type", column.near->type.to_sql()},
                    {"fits", column.near->fits},
                    {"one_text", column.near->one_text},
                    {"quoted_empty", column.near->quoted_empty},
                    {"first", json_of(column.near->first)}};
  }
  if (column.misfit) json["misfit"] = json_of(*column.misfit);
  return json;
}

}  // namespace

std::string sniffed_flags(std::string_view from, const SniffReport& report) {
  std::string line;
  const auto add = [&line](const std::string& word) { line += (line.empty() ? "" : " ") + word; };
  for (const Setting& setting : settings_of(from, report)) {
    const std::string flag = "--" + setting.name;
    if (setting.value.is_boolean()) {
      add(setting.value.get<bool>() ? flag : "--no-" + setting.name);
      continue;
    }
    for (const ordered_json& value :
         setting.value.is_array() ? setting.value : ordered_json::array({setting.value})) {
      add(flag);
      add(shell_quoted(value.is_string() ? value.get<std::string>() : value.dump()));
    }
  }
  return line + "\n";
}

std::string sniffed_toml(std::string_view from, const SniffReport& report) {
  // TOML takes what JSON writes for texts, numbers, truth values and lists of texts.
  std::string lines;
  for (const Setting& setting : settings_of(from, report)) {
    lines += setting.name + " = " + dumped(setting.value) + "\n";
  }
  return lines;
}

std::string sniffed_sql(std::string_view table, const SniffReport& report) {
  std::string statement = "CREATE TABLE " + quote_identifier(table) + " (\n";
  for (const Field& field : report.schema.fields) {
    statement += "  " + quote_identifier(field.name) + " " + field.type.to_sql() +
                 (&field == &report.schema.fields.back() ? "\n" : ",\n");
  }
  return statement + ");\n";
}

std::string sniffed_json(std::string_view from, const SniffReport& report) {
  const FormatOptions& format = report.format;
  ordered_json json = {
      {"from", from},
      {"schema", report.schema.to_sql()},
      {"dialect", dialect_of(format).empty() ? "default" : dialect_of(format)},
      {"delimiter", character(format.delimiter)},
      {"quote", character(format.quote)},
      {"escape", character(format.escape)},
      {"comment", format.comment ? ordered_json(character(*format.comment)) : ordered_json()},
      {"header", format.header},
      {"header_evidence", report.header_evidence},
      {"skip_lines", format.skip_lines},
      {"null", format.null_strings},
      {"line_end", report.line_end},
      {"byte_order_mark", report.byte_order_mark},
      {"records", report.records},
      {"records_misfit", report.records_misfit},
      {"confidence", report.confidence()},
      {"columns", ordered_json::array()},
      {"misfits", ordered_json::array()},
      {"objects", ordered_json::array()},
      {"notes", report.notes},
      {"names_fault", report.names_fault},
  };
  for (const SniffedColumn& column : report.columns) json["columns"].push_back(json_of(column));
  for (const SniffedMisfit& misfit : report.misfits) json["misfits"].push_back(json_of(misfit));
  for (const SniffedObject& object : report.objects) {
    json["objects"].push_back({{"object", object.object},
                               {"bytes", object.bytes},
                               {"records", object.records},
                               {"whole", object.whole},
                               {"left_out", object.left_out}});
  }
  return dumped(json, 2) + "\n";
}

std::string sniffed_evidence(const SniffReport& report) {
  std::string lines;
  const auto add = [&lines](const std::string& line) { lines += printable(line) + "\n"; };
  std::uint64_t bytes = 0;
  std::uint64_t used = 0;
  for (const SniffedObject& object : report.objects) {
    if (!object.left_out.empty()) {
      add(object.object + " was left out: " + object.left_out);
      continue;
    }
    ++used;
    bytes += object.bytes;
  }
  const FormatOptions& format = report.format;
  add(format_count(report.records, "record") + " in " + format_bytes(bytes) + " of " +
      format_count(used, "object") + ", " +
      percent(report.records - report.records_misfit, report.records) + " of them regular");
  const std::string line_end = report.line_end.empty() ? "" : ", line end " + report.line_end;
  const std::string mark = report.byte_order_mark ? ", byte order mark" : "";
  if (format.kind == Format::kJsonLines) {
    add("JSON lines" + line_end + mark);
  } else {
    const std::string dialect = dialect_of(format);
    add((dialect.empty() ? "" : "dialect " + dialect + ", ") + "delimiter " +
        character(format.delimiter) + ", quote " + character(format.quote) +
        (format.escape != format.quote && format.kind != Format::kPostgresText
             ? ", escape " + character(format.escape)
             : "") +
        (format.comment ? ", comment " + character(*format.comment) : "") + line_end + mark);
    add(std::string(report.names_fault.empty() && format.header ? "header" : "no header") + ": " +
        (report.names_fault.empty() ? report.header_evidence
                                    : "it can only be read by place, since " + report.names_fault));
  }
  for (const SniffedColumn& column : report.columns) {
    if (column.near || column.values == 0) add(evidence_of(column));
    if (column.misfit) {
      add("column " + column.field.name + ": no type fits all values; " + place(*column.misfit) +
          " holds " + quoted(column.misfit->text) + ", which is not UTF-8 and would be rejected");
    }
  }
  if (report.records_misfit > 0) {
    add(format_count(report.records_misfit, "record") +
        " would be rejected whatever the types; the first ones:");
  }
  for (const SniffedMisfit& misfit : report.misfits) add("  " + place(misfit) + ": " + misfit.text);
  for (const std::string& note : report.notes) add(note);
  return lines;
}

}  // namespace leat::cli
