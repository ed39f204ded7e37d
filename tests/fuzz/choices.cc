#include "tests/fuzz/choices.h"

#include <algorithm>

namespace leat::fuzz {

std::vector<std::size_t> Choices::cuts(std::size_t size) {
  std::vector<std::size_t> cuts(below(4));
  for (std::size_t& cut : cuts) {
    const std::size_t place = std::size_t{byte()} << 8 | byte();
    cut = place % (size + 1);
  }
  std::sort(cuts.begin(), cuts.end());
  return cuts;
}

FormatOptions Choices::csv_options() {
  FormatOptions options;
  options.delimiter = character_of(",,,,;\t a1");
  options.quote = character_of("\"\"\"\"'x");
  options.escape = one_in(8) ? '\\' : options.quote;
  if (one_in(16)) options.quote = '\0';
  if (one_in(8)) options.comment = '#';
  if (const std::uint8_t limit = byte(); limit % 8 == 7) options.record_bytes_max = limit;
  if (const std::uint8_t limit = byte(); limit % 8 == 7) options.fields_max = limit / 8u + 1u;
  if (one_in(8)) options.null_strings = {"NULL", "7"};
  options.on_error = static_cast<OnError>(below(3));
  options.extra_columns = static_cast<ExtraColumns>(below(3));
  options.header = one_in(2);
  options.skip_lines = below(16) / 14;
  if (const std::uint8_t unusual = byte(); unusual != 0) {
    if (unusual % 8 == 1) options.long_delimiter = "||";
    if (unusual % 8 == 2) options.long_delimiter = "aab";
    if (unusual & 8) options.line_ends = LineEnds::kAny;
    if (unusual & 16) options.trim = true;
    if (unusual & 32) options.short_records = ShortRecords::kNull;
    if (unusual & 64) {
      options.long_records = unusual & 4 ? LongRecords::kIgnoreEmpty : LongRecords::kIgnore;
    }
    if (unusual & 128) {
      options.decimal_separator = ',';
      options.thousands_separator = '.';
      options.date_format = "%d.%m.%Y";
      options.timestamp_format = "%F %I:%M %p";
    }
  }
  return options.validate() ? options : FormatOptions();
}

}  // namespace leat::fuzz
