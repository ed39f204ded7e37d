#include "tests/differential/generate.h"

#include <algorithm>
#include <vector>

#include "parser/records/not_text.h"
#include "tests/differential/values.h"
#include "tests/differential/write.h"

namespace leat::differential {
namespace {

/// One in five is of another format than CSV.
FormatOptions generate_format(Random& random) {
  if (!random.one_in(5)) return {};
  switch (random.below(6)) {
    case 0:
      return *dialect_options("postgres");
    case 1:
      return *dialect_options("postgres-text");
    case 2:
    case 3: {
      FormatOptions redshift = *dialect_options("redshift");
      if (!random.one_in(3)) redshift.escape = '\\';
      if (random.one_in(2)) redshift.quote = '"';
      return redshift;
    }
    default:
      FormatOptions lines;
      lines.kind = random.one_in(4) ? Format::kLines : Format::kJsonLines;
      return lines;
  }
}

/// Characters, null strings and the like.
FormatOptions generate_csv_dialect(Random& random) {
  FormatOptions dialect;
  if (random.one_in(4)) dialect.delimiter = random.character_of(";\t| 1a");
  if (random.one_in(12)) dialect.quote = random.character_of("'xQ");
  dialect.escape = dialect.quote;
  if (random.one_in(12)) dialect.escape = '\\';
  if (random.one_in(20)) dialect.quote = '\0';
  if (random.one_in(16)) dialect.comment = '#';
  if (random.one_in(4)) {
    dialect.null_strings = {"", "NULL", "7"};
  } else if (random.one_in(8)) {
    dialect.null_strings = {"\\N"};
  } else if (random.one_in(12)) {
    dialect.null_strings = {};
  }
  dialect.header = !random.one_in(3);
  return dialect;
}

/// Options that few files need.
void generate_unusual(FormatOptions& dialect, Random& random) {
  if (random.one_in(3))
    dialect.long_delimiter = random.one_of({"||", "::", "\xc2\xa6", ",;", "aab"});
  if (random.one_in(3)) dialect.line_ends = LineEnds::kAny;
  dialect.trim = random.one_in(3);
  if (random.one_in(3)) dialect.short_records = ShortRecords::kNull;
  if (random.one_in(3)) {
    dialect.long_records = random.one_in(2) ? LongRecords::kIgnore : LongRecords::kIgnoreEmpty;
  }
  if (random.one_in(4)) dialect.decimal_separator = ',';
  if (random.one_in(4)) dialect.thousands_separator = '\'';
  if (random.one_in(4)) dialect.date_format = random.one_of({"%Y-%m-%d", "%d.%m.%Y", "%Y%m%d"});
  if (random.one_in(4)) dialect.timestamp_format = random.one_of({"%F %T", "%m/%d/%Y %I:%M %p"});
}

FormatOptions generate_options(Random& random) {
  FormatOptions options = generate_format(random);
  if (options.kind == Format::kCsv && !options.escape_anywhere) {
    options = generate_csv_dialect(random);
    if (random.one_in(6)) generate_unusual(options, random);
  } else if (random.one_in(4)) {
    options.header = true;
  }
  // Fewest that stop at the first fault: little is behind it.
  options.on_error = random.one_in(5)   ? OnError::kFail
                     : random.one_in(2) ? OnError::kReject
                                        : OnError::kNull;
  if (random.one_in(6)) options.extra_columns = ExtraColumns::kFail;
  if (random.one_in(2)) options.extra_columns = ExtraColumns::kIgnore;
  return options.validate() ? options : FormatOptions();
}

std::string_view generate_line_end(Random& random) {
  return random.one_of({"\n", "\n", "\n", "\r\n", "\r\n", "\r"});
}

struct Table {
  Schema schema;
  /// The columns as they stand in the file: names, and which of the schema's they are.
  std::vector<std::string> names;
  std::vector<DataType> types;
};

Table generate_table(Random& random, std::size_t columns_max) {
  Table table;
  for (std::size_t count = random.between(1, columns_max); count != 0; --count) {
    Field field;
    field.name = "c" + std::to_string(table.schema.fields.size() + 1);
    if (random.one_in(10)) field.name = random.one_of({"Name ", "x,y ", "q\"q ", "\xc3\xa9 "});
    if (random.one_in(10)) field.name += field.name;
    field.type = type_of(random);
    field.nullable = !random.one_in(10);
    if (table.schema.find(field.name) >= 0) continue;
    table.names.push_back(field.name);
    table.types.push_back(field.type);
    table.schema.fields.push_back(std::move(field));
  }
  return table;
}

/// Columns in another order, some left out, some that nobody knows.
std::string delimiter_of(const FormatOptions& dialect) {
  return dialect.long_delimiter.empty() ? std::string(1, dialect.delimiter)
                                        : dialect.long_delimiter;
}

void shuffle_columns(Table& table, Random& random) {
  for (std::size_t i = table.names.size(); i > 1; --i) {
    const std::size_t other = random.below(i);
    std::swap(table.names[i - 1], table.names[other]);
    std::swap(table.types[i - 1], table.types[other]);
  }
  if (table.names.size() > 1 && random.one_in(3)) {
    table.names.pop_back();
    table.types.pop_back();
  }
  for (std::size_t more = random.below(3); more != 0; --more) {
    const std::size_t at = random.below(table.names.size() + 1);
    table.names.insert(table.names.begin() + static_cast<std::ptrdiff_t>(at),
                       "more" + std::string(random.below(3), 'e'));
    table.types.insert(table.types.begin() + static_cast<std::ptrdiff_t>(at), type_of(random));
  }
}

std::size_t generate_row_count(Random& random) {
  if (random.one_in(4'000)) return random.between(1'500, 4'000);
  if (random.one_in(60)) return random.between(60, 500);
  return random.one_in(3) ? random.below(4) : random.below(30);
}

/// Rows of a table. `odd_in`: how rare fields are that are not as usual.
std::string generate_rows(const Table& table, const FormatOptions& dialect,
                          std::string_view line_end, Random& random) {
  const std::size_t odd_in = std::size_t{1} << random.between(1, 9);
  const std::size_t rows = generate_row_count(random);
  // Long tables repeat themselves: it is the machine's time that is scarce.
  std::string text;
  for (std::size_t row = 0; row < rows; ++row) {
    if (row >= 64 && !random.one_in(16)) {
      const std::size_t from = random.below(text.size());
      const std::size_t begin = text.find(line_end, from);
      const std::size_t end =
          begin == std::string::npos ? begin : text.find(line_end, begin + line_end.size());
      if (end != std::string::npos) {
        text += text.substr(begin + line_end.size(), end - begin);
        continue;
      }
    }
    if (dialect.kind == Format::kJsonLines) {
      std::vector<std::string> values;
      for (const DataType& type : table.types) {
        values.push_back(random.one_in(odd_in) ? odd_value(type, random)
                                               : usual_value(type, random));
      }
      text += write_json(table.names, values, random);
      text += line_end;
      continue;
    }
    std::size_t fields = table.types.size();
    if (random.one_in(20 * odd_in)) fields = random.below(fields + 3);
    for (std::size_t i = 0; i < fields; ++i) {
      if (i != 0) text += delimiter_of(dialect);
      const DataType type = table.types[i % table.types.size()];
      if (!random.one_in(odd_in)) {
        text += write_field(dialect, usual_value(type, random), random);
      } else if (random.one_in(3)) {
        text += odd_value(type, random);
      } else {
        text += write_field(dialect, odd_value(type, random), random);
      }
    }
    if (random.one_in(20 * odd_in)) text += random.one_of({"\r", "\n", "\"", " ", "\r\r\n"});
    if (row + 1 != rows || !random.one_in(4)) text += line_end;
  }
  return text;
}

/// The bytes that matter, in any order.
std::string generate_soup(const FormatOptions& dialect, Random& random) {
  std::string text;
  const bool returns_only = random.one_in(4);
  const std::size_t rare_in = random.between(2, 40);
  for (std::size_t pieces = random.below(60); pieces != 0; --pieces) {
    if (random.one_in(rare_in)) {
      text += random.one_of({"\r", "\\", "#", "\xff", "\n\n", "\r\r", "\"\"\"", "\r\"",
                             std::string_view("\0", 1), "\xef\xbb\xbf", "'", ";", "\t"});
      continue;
    }
    switch (random.below(6)) {
      case 0:
        text += random.one_of({"a", "bc", "1234567890", " ", "-17.5", "2026-11-20"});
        break;
      case 1:
      case 2:
        text += delimiter_of(dialect);
        break;
      case 3:
        text += returns_only ? "\r" : random.one_of({"\n", "\n", "\r\n"});
        break;
      case 4:
        if (dialect.quote != '\0') text += dialect.quote;
        break;
      default:
        text +=
            write_field(dialect, random.one_of({"x", "", "a,b", "p\nq", "p\r\nq", "d\"q"}), random);
    }
  }
  return text;
}

/// Limits that some of the file's records keep just so, and some do not.
void limit_records(Fixture& file, Random& random) {
  const std::size_t end = std::min(
      file.bytes.find_first_of("\r\n", random.below(file.bytes.size())), file.bytes.size());
  const std::size_t before = end == 0 ? end : file.bytes.find_last_of("\r\n", end - 1) + 1;
  std::string_view line(file.bytes);
  line = line.substr(before, end - before);
  if (random.one_in(3)) {
    const auto delimiters = std::count(line.begin(), line.end(), file.options.delimiter);
    file.options.fields_max = static_cast<std::uint32_t>(
        std::max<std::size_t>(1, static_cast<std::size_t>(delimiters) + random.below(3)));
  } else {
    file.options.record_bytes_max =
        static_cast<std::uint32_t>(std::max<std::size_t>(2, line.size() + random.below(3)) - 1);
  }
}

}  // namespace

void mutate(std::string& text, const FormatOptions& dialect, Random& random) {
  if (text.empty()) return;
  const std::size_t at = random.below(text.size());
  const std::size_t length = random.between(1, std::min<std::size_t>(text.size() - at, 24));
  const std::string piece = text.substr(at, length);
  const std::size_t elsewhere = random.below(text.size() + 1);
  const char marks[] = {
      dialect.delimiter, dialect.quote, dialect.escape, '\n', '\r', '"', ',', '\0', ' ', '7'};
  const char mark = marks[random.below(std::size(marks))];
  switch (random.below(7)) {
    case 0:
      text[at] = static_cast<char>(random.next());
      break;
    case 1:
      text[at] = mark;
      break;
    case 2:
      text.insert(at, 1, mark);
      break;
    case 3:
      text.erase(at, length);
      break;
    case 4:
      text.insert(elsewhere, piece);
      break;
    case 5:
      text.erase(at, length);
      text.insert(std::min(elsewhere, text.size()), piece);
      break;
    default:
      if (random.one_in(3)) text.resize(at);
  }
}

Fixture generate_file(std::uint64_t seed, std::uint64_t number) {
  Random random(seed, number);
  Fixture file{"file" + std::to_string(number), "", generate_options(random)};
  FormatOptions& dialect = file.options;
  Table table = generate_table(random, dialect.kind == Format::kLines ? 1 : 8);
  const std::string_view line_end = generate_line_end(random);
  const bool names_columns = dialect.kind == Format::kJsonLines;
  const bool has_header_line = dialect.header && !names_columns && dialect.kind != Format::kLines;
  const bool soup = random.one_in(6);
  // No header that happens to be there has the schema's names.
  const bool has_schema = !dialect.header || (!soup && !random.one_in(4));
  if (has_schema) file.schema = table.schema.to_sql();
  if (soup) {
    file.bytes = generate_soup(dialect, random);
  } else {
    if ((has_header_line || names_columns) && random.one_in(4)) shuffle_columns(table, random);
    if (has_header_line) {
      for (std::size_t i = 0; i < table.names.size(); ++i) {
        if (i != 0) file.bytes += delimiter_of(dialect);
        file.bytes += write_field(dialect, table.names[i], random);
      }
      file.bytes += line_end;
    }
    file.bytes += generate_rows(table, dialect, line_end, random);
    if (random.one_in(3)) {
      for (std::size_t times = random.between(1, 4); times != 0; --times) {
        mutate(file.bytes, dialect, random);
      }
    }
  }
  if (!file.bytes.empty() && random.one_in(10)) limit_records(file, random);
  // Parsers wait for the first bytes of an object as a whole: only behind them are cuts real cuts.
  if (random.one_in(3)) {
    dialect.skip_lines = random.one_in(8) ? 2 : 1;
    file.bytes.insert(0, std::string(parser::kSniffBytes, '-') + std::string(line_end));
  }
  if (random.one_in(16)) file.bytes.insert(0, "\xef\xbb\xbf");
  return file;
}

}  // namespace leat::differential
