// The sniffer: whatever it finds can be read, and a type that it names rejects no value of what it
// saw, but for records that it calls misfits: those with another number of fields than the rest.
#include "parser/sniff/sniffer.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/fuzz/choices.h"
#include "tests/fuzz/targets.h"

namespace leat::fuzz {
namespace {

/// One to three objects; the last one has what is left.
std::vector<parser::Sample> split_up(std::string_view text, Choices& choices) {
  std::vector<parser::Sample> samples;
  std::size_t from = 0;
  for (const std::size_t cut : choices.cuts(text.size())) {
    if (samples.size() == 2) break;
    samples.push_back({"object" + std::to_string(samples.size()),
                       std::string(text.substr(from, cut - from)), true});
    from = cut;
  }
  samples.push_back({"last", std::string(text.substr(from)), !choices.one_in(4)});
  return samples;
}

void read_back(const SniffReport& report, const parser::Sample& sample,
               const std::shared_ptr<const Schema>& schema) {
  FormatOptions format = report.format;
  format.on_error = OnError::kReject;
  Result<std::unique_ptr<ByteStreamParser>> made = make_parser(format, schema);
  require(made.has_value(), "what was sniffed makes a parser", sample.bytes);
  ByteStreamParser& parser = **made;
  require(
      parser.reset_for_new_split(std::make_shared<const ObjectVersion>(), Position{}).has_value(),
      "a parser begins at the front", sample.bytes);
  const bool misfits = report.records_misfit > 0 ||
                       std::any_of(report.columns.begin(), report.columns.end(),
                                   [](const SniffedColumn& column) { return column.misfit; });
  const auto check = [&](const RowChunk& chunk) {
    for (const RejectedRow& reject : chunk.rejects) {
      require(reject.code != ErrorCode::kBadValue || misfits,
              "a sniffed type rejects nothing of its sample: " + reject.reason, sample.bytes);
    }
  };
  RowChunk chunk;
  const bool parsed = parser.parse({0, std::as_bytes(std::span(sample.bytes))}, chunk).has_value();
  check(chunk);
  // The last record of what goes on behind the sample was not judged.
  if (!parsed || !sample.whole) return;
  static_cast<void>(parser.finish(chunk));
  check(chunk);
}

}  // namespace

void sniffer(std::string_view input) {
  Choices choices(input);
  FormatOptions format;
  if (choices.one_in(4)) format.kind = Format::kJsonLines;
  if (choices.one_in(4)) format = choices.csv_options();
  const bool choose = !choices.one_in(4);
  const std::string_view text = choices.rest();
  const std::vector<parser::Sample> samples = split_up(text, choices);
  const Result<SniffReport> report =
      parser::sniff_samples(samples, format, {choose, choose, choose, choose, choose, choose});
  if (!report || report->schema.fields.empty()) return;
  require(report->format.validate().has_value(), "the format validates", text);
  require(report->objects.size() == samples.size(), "each sample is reported", text);
  require(report->columns.size() == report->schema.fields.size(), "each column is reported", text);
  require(report->records_misfit <= report->records, "misfits are records", text);
  const std::string sql = report->schema.to_sql();
  const Result<Schema> again = parse_schema(sql);
  require(again && *again == report->schema, "the schema reads back: " + sql, text);
  const auto schema = std::make_shared<const Schema>(report->schema);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (report->objects[i].left_out.empty()) read_back(*report, samples[i], schema);
  }
}

}  // namespace leat::fuzz
