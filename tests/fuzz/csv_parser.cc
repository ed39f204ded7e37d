// The whole parser: every engine, cut, resumed and in slices, makes the same rows, rejects,
// positions and errors.
#include "tests/differential/compare.h"
#include "tests/fuzz/choices.h"
#include "tests/fuzz/targets.h"

namespace leat::fuzz {

void csv_parser(std::string_view input) {
  static constexpr const char* kSchemas[] = {
      "",
      "a text",
      "a int, b text",
      "a bigint not null, b double precision, c text",
      "a date, b timestamp, c timestamptz, d time",
      "a smallint, b real, c numeric(12,3), d boolean, e bytea, f uuid, g json",
      "a text not null, b text, c text, d text",
  };
  Choices choices(input);
  differential::Fixture file{"input.csv", "", choices.csv_options()};
  file.schema = kSchemas[choices.below(std::size(kSchemas))];
  if (file.schema.empty()) file.options.header = true;
  differential::Random random(choices.byte());
  file.bytes = choices.rest();
  if (const auto found = differential::find_disagreement(file, random)) {
    require(false, found->reader + ": " + found->what, file.bytes);
  }
}

}  // namespace leat::fuzz
