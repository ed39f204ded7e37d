// Generated files, each read in every way there is. LEAT_DIFFERENTIAL_FILES, _SEED and _FIRST make
// a run longer, another one, or repeat a single file: see scripts/differential.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include "tests/differential/compare.h"

namespace leat::differential {
namespace {

constexpr std::uint64_t kParts = 8;

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::stoull(text) : otherwise;
}

std::string to_text(const FormatOptions& options) {
  const auto shown = [](char c) { return ::testing::PrintToString(std::string(1, c)); };
  std::string text = "delimiter " + shown(options.delimiter) + ", quote " + shown(options.quote) +
                     ", escape " + shown(options.escape) + ", comment " +
                     (options.comment ? shown(*options.comment) : "none") + ", header " +
                     (options.header ? "yes" : "no") + ", skip_lines " +
                     std::to_string(options.skip_lines) + ", on_error " +
                     std::to_string(static_cast<int>(options.on_error)) + ", extra_columns " +
                     std::to_string(static_cast<int>(options.extra_columns)) +
                     ", record_bytes_max " + std::to_string(options.record_bytes_max) +
                     ", fields_max " + std::to_string(options.fields_max) + ", null strings " +
                     ::testing::PrintToString(options.null_strings);
  if (!options.long_delimiter.empty()) text += ", long delimiter " + options.long_delimiter;
  if (options.line_ends == LineEnds::kAny) text += ", any line end";
  if (options.trim) text += ", trim";
  text += ", short records " + std::to_string(static_cast<int>(options.short_records)) +
          ", long records " + std::to_string(static_cast<int>(options.long_records)) +
          ", decimal " + shown(options.decimal_separator) + ", thousands " +
          shown(options.thousands_separator) + ", formats \"" + options.date_format + "\" \"" +
          options.timestamp_format + "\"";
  return text;
}

std::string write_file(const Fixture& file, std::uint64_t seed) {
  const std::filesystem::path path = std::filesystem::temp_directory_path() /
                                     ("leat-seed" + std::to_string(seed) + "-" + file.name);
  std::ofstream(path, std::ios::binary) << file.bytes;
  return path.string();
}

class CsvDifferential : public ::testing::TestWithParam<std::uint64_t> {};

// Parts, so that they can run at the same time.
INSTANTIATE_TEST_SUITE_P(Part, CsvDifferential, ::testing::Range<std::uint64_t>(0, kParts));

TEST_P(CsvDifferential, EveryWayToReadAFileGivesTheSame) {
  const std::uint64_t seed = number_from_environment("LEAT_DIFFERENTIAL_SEED", 20261120);
  const std::uint64_t first = number_from_environment("LEAT_DIFFERENTIAL_FIRST", 0);
  const std::uint64_t files = number_from_environment("LEAT_DIFFERENTIAL_FILES", 20'000);
  std::uint64_t bytes = 0;
  for (std::uint64_t number = first + GetParam(); number < first + files; number += kParts) {
    const Fixture file = generate_file(seed, number);
    bytes += file.bytes.size();
    // Not the choices of which the file was made.
    const Random choices(~seed, number);
    Random random = choices;
    const std::optional<Disagreement> found = find_disagreement(file, random);
    if (!found) continue;
    const Fixture small = shrink(file, choices);
    FAIL() << "seed " << seed << ", file " << number << ", written to " << write_file(file, seed)
           << "\nrepeat: scripts/differential --repeat " << seed << " " << number << "\n"
           << found->reader << "\n"
           << found->what << "\n"
           << to_text(file.options) << "\nschema: " << file.schema << "\nshrunk to "
           << ::testing::PrintToString(small.bytes);
  }
  std::cout << "seed " << seed << ", " << files << " files from " << first << " on, of which "
            << bytes << " bytes in this part\n";
}

}  // namespace
}  // namespace leat::differential
