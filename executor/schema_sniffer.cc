#include "executor/schema_sniffer.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "executor/log.h"
#include "executor/sniff_objects.h"
#include "parser/sniff/sniffer.h"

namespace leat::executor {
namespace {

using LogLevel = SourceOptions::LogLevel;

constexpr std::uint32_t kObjectsMax = 5;
constexpr std::size_t kSchemaShownBytes = 2'000;

/// All samples together take a small part of the budget.
std::uint64_t sample_bytes_of(const SourceOptions& options) {
  return std::clamp<std::uint64_t>(options.memory_bytes_max / 64, 256u << 10, 4u << 20);
}

std::string shown(char character) {
  if (character == '\0') return "none";
  return character == '\t' ? "tab" : std::string(1, character);
}

/// Gives the columns the types that the table has for them.
/// @return  How many have another one than the sample suggests.
std::size_t follow_table(const Schema& table, SniffReport& found) {
  std::size_t changed = 0;
  for (Field& field : found.schema.fields) {
    const int column = table.find(field.name);
    if (column < 0) continue;
    const DataType& wanted = table.fields[static_cast<std::size_t>(column)].type;
    // What is written in a way of its own is read so: dates that a timestamp takes, and numbers
    // that the server would not understand as text.
    const FormatOptions& format = found.format;
    const bool is_date = field.type.id == TypeId::kDate && !format.date_format.empty();
    if (is_date && wanted.id == TypeId::kTimestamp) continue;
    const bool is_number = field.type.id == TypeId::kFloat64 || field.type.id == TypeId::kDecimal;
    const bool plain = format.decimal_separator == '.' && format.thousands_separator == '\0';
    if (is_number && !plain && wanted.id == TypeId::kText) continue;
    if (field.type != wanted) ++changed;
    field.type = wanted;
  }
  return changed;
}

/// What was chosen, and how to choose otherwise.
std::string description(const SniffReport& report, std::size_t types_of_table) {
  const FormatOptions defaults;
  const FormatOptions& format = report.format;
  std::string text = "columns as a sample of " + std::to_string(report.records) +
                     " records shows them: " + report.schema.to_sql().substr(0, kSchemaShownBytes);
  if (types_of_table != 0) {
    text += "; " + std::to_string(types_of_table) + " with the type that the table has for it";
  }
  if (format.kind == Format::kPostgresText) {
    text += std::string("; dialect postgres-text") + (format.header ? " with a header" : "");
  }
  if (format.kind == Format::kCsv) {
    if (format.delimiter != defaults.delimiter) text += "; delimiter " + shown(format.delimiter);
    if (format.quote != defaults.quote) text += "; quote " + shown(format.quote);
    if (format.escape != format.quote) text += "; escape " + shown(format.escape);
    if (format.comment) text += "; comment " + shown(*format.comment);
    if (format.skip_lines != 0) text += "; lines skipped: " + std::to_string(format.skip_lines);
    if (!format.header) text += "; no header";
    if (format.long_records == LongRecords::kIgnoreEmpty) text += "; a delimiter ends each record";
  }
  return text +
         ". This is kept in the state folder; to choose otherwise begin a new one with "
         "--schema, or --types text for text alone (leat sniff shows the evidence)";
}

}  // namespace

Result<bool> SchemaSniffer::settle(const ObjectVersion& due, std::stop_token stop) {
  Result<parser::Sample> sample =
      read_sample(store_, clock_, due, options_.format.encoding, sample_bytes_of(options_), stop);
  if (!sample) return std::move(sample).error();
  const bool whole = sample->whole;
  Result<SniffReport> alone = parser::sniff_samples({*sample}, options_.format, options_.sniffed);
  if (!alone) return std::move(alone).error();
  // A header alone says nothing of types.
  if (alone->schema.fields.empty() || (alone->records == 0 && whole)) return false;
  if (!alone->names_fault.empty()) {
    std::string why = alone->names_fault;
    for (const std::string& note : alone->notes) why += "; " + note;
    return Error{ErrorCode::kSchemaMismatch, std::move(why)};
  }
  Result<SniffReport> all = look_at_others(std::move(*sample), due, std::move(stop));
  SniffReport& found = all && all->names_fault.empty() ? *all : *alone;
  const std::size_t types_of_table = follow_table(table_, found);
  if (Result<void> fixed = schemas_.fix(std::make_shared<const Schema>(found.schema), found.format);
      !fixed) {
    return std::move(fixed).error();
  }
  for (const std::string& note : found.notes) log(options_, LogLevel::kWarning, note);
  log(options_, LogLevel::kInfo, description(found, types_of_table));
  return true;
}

/// Others are asked for their word, but can be done without: what keeps one of them from being read
/// is told when its turn comes.
Result<SniffReport> SchemaSniffer::look_at_others(parser::Sample due, const ObjectVersion& object,
                                                  std::stop_token stop) const {
  std::vector<parser::Sample> samples;
  samples.push_back(std::move(due));
  const Result<SourceUri> uri = parse_source_uri(options_.from);
  if (!uri) return uri.error();
  Result<ChosenObjects> chosen = choose_objects(store_, uri->pattern, kObjectsMax, stop);
  if (!chosen) {
    log(options_, LogLevel::kWarning,
        "only one object is looked at for columns and types, since listing others failed: " +
            chosen.error().to_string());
  } else {
    for (const ObjectVersion& other : chosen->objects) {
      if (other.key == object.key) continue;
      Result<parser::Sample> sample = read_sample(store_, clock_, other, options_.format.encoding,
                                                  sample_bytes_of(options_), stop);
      if (sample) samples.push_back(std::move(*sample));
    }
  }
  return parser::sniff_samples(std::move(samples), options_.format, options_.sniffed);
}

}  // namespace leat::executor
