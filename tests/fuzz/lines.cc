// Plain lines: read in every way there is they give the same rows, and all of the bytes but line
// ends.
#include <string>

#include "tests/differential/compare.h"
#include "tests/fuzz/choices.h"
#include "tests/fuzz/targets.h"

namespace leat::fuzz {

void lines(std::string_view input) {
  static constexpr const char* kSchemas[] = {"", "line bytea", "line bigint", "line json"};
  Choices choices(input);
  differential::Fixture file{"input.txt", "", {}};
  FormatOptions& options = file.options;
  options.kind = Format::kLines;
  options.on_error = static_cast<OnError>(choices.below(3));
  if (const std::uint8_t limit = choices.byte(); limit % 8 == 7) options.record_bytes_max = limit;
  options.skip_lines = choices.below(16) / 14;
  file.schema = kSchemas[choices.below(std::size(kSchemas))];
  differential::Random random(choices.byte());
  file.bytes = choices.rest();
  if (const auto found = differential::find_disagreement(file, random)) {
    require(false, found->reader + ": " + found->what, file.bytes);
  }
}

}  // namespace leat::fuzz
