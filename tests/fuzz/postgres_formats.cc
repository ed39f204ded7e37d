// The formats of PostgreSQL's COPY, and of Redshift's UNLOAD: every way to read them gives the
// same.
#include <string>

#include "tests/differential/compare.h"
#include "tests/fuzz/choices.h"
#include "tests/fuzz/targets.h"

namespace leat::fuzz {

void postgres_formats(std::string_view input) {
  static constexpr const char* kDialects[] = {"postgres", "postgres-text", "redshift"};
  static constexpr const char* kSchemas[] = {"a text", "a text, b text", "a int, b text, c bytea",
                                             "a date, b boolean, c numeric(9,2)"};
  Choices choices(input);
  FormatOptions options = *dialect_options(kDialects[choices.below(std::size(kDialects))]);
  if (choices.one_in(4)) options.delimiter = choices.character_of(",|;#");
  if (choices.one_in(4)) options.escape = '\\';
  if (choices.one_in(8)) options.quote = '"';
  if (choices.one_in(4)) options.null_strings = {"N", "\\N"};
  options.header = choices.one_in(4);
  options.on_error = static_cast<OnError>(choices.below(3));
  if (const std::uint8_t limit = choices.byte(); limit % 8 == 7) options.record_bytes_max = limit;
  if (const std::uint8_t limit = choices.byte(); limit % 8 == 7) {
    options.fields_max = limit / 8u + 1u;
  }
  differential::Fixture file{"input", "", options, kSchemas[choices.below(std::size(kSchemas))]};
  differential::Random random(choices.byte());
  if (!options.validate()) return;
  file.bytes = choices.rest();
  if (const auto found = differential::find_disagreement(file, random)) {
    require(false, found->reader + ": " + found->what, file.bytes);
  }
}

}  // namespace leat::fuzz
