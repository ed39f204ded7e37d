// JSON lines: read in every way there is they give the same rows; and a line is taken for a record
// where another library takes it for a JSON object.
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/differential/compare.h"
#include "tests/fuzz/choices.h"
#include "tests/fuzz/targets.h"

namespace leat::fuzz {
namespace {

/// Of leat's own rules only this one can make a JSON object with the key "a" malformed.
bool has_key_twice(const std::string& line) {
  std::size_t keys = 0;
  const auto count = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
    if (event == nlohmann::json::parse_event_t::key && depth == 1 && parsed == "a") ++keys;
    return true;
  };
  const nlohmann::json parsed = nlohmann::json::parse(line, count, false);
  return !parsed.is_discarded() && keys > 1;
}

/// Half a surrogate pair, or a number that no double holds, is JSON, but not to the library; a NUL
/// ends a text for it.
bool may_be_beyond_library(std::string_view line) {
  if (line.size() > 300 || line.find('\0') != line.npos || line.find("\\u") != line.npos)
    return true;
  const std::size_t digit = line.find_first_of("0123456789.");
  return digit != line.npos && line.find_first_of("eE", digit) != line.npos;
}

void check_against_library(std::string_view text) {
  const std::string line(text.substr(0, text.find_first_of("\r\n")));
  const nlohmann::json value = nlohmann::json::parse(line, nullptr, false);
  const bool is_object = value.is_object() && value.contains("a") && !has_key_twice(line);
  FormatOptions options;
  options.kind = Format::kJsonLines;
  options.on_error = OnError::kReject;
  differential::Outcome outcome;
  differential::feed(*differential::make_engine_parser(options, "a text", "simd_portable"), line,
                     {}, outcome);
  if (!outcome.error.empty()) return;  // No text at all.
  require(!is_object || outcome.rows == 1 || may_be_beyond_library(line),
          "a JSON object is a record", line);
  require(value.is_object() || outcome.rows == 0 || may_be_beyond_library(line),
          "what is no JSON object is no record", line);
}

}  // namespace

void json_lines(std::string_view input) {
  static constexpr const char* kSchemas[] = {
      "",
      "a text",
      "a bigint, b text",
      "a json, b double precision, c numeric(12,3)",
      "a boolean not null, b timestamptz, c json, d bytea",
  };
  Choices choices(input);
  differential::Fixture file{"input.jsonl", "", {}};
  FormatOptions& options = file.options;
  options.kind = Format::kJsonLines;
  options.on_error = static_cast<OnError>(choices.below(3));
  options.extra_columns = static_cast<ExtraColumns>(choices.below(3));
  options.missing_columns = static_cast<MissingColumns>(choices.below(2));
  if (const std::uint8_t limit = choices.byte(); limit % 8 == 7) options.record_bytes_max = limit;
  file.schema = kSchemas[choices.below(std::size(kSchemas))];
  differential::Random random(choices.byte());
  file.bytes = choices.rest();
  if (const auto found = differential::find_disagreement(file, random)) {
    require(false, found->reader + ": " + found->what, file.bytes);
  }
  check_against_library(file.bytes);
}

}  // namespace leat::fuzz
