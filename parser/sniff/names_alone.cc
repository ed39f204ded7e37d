#include "parser/sniff/names_alone.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "parser/sniff/column_values.h"

namespace leat::parser {
namespace {

constexpr std::uint64_t kFirstRecords = 20;

/// What a name may begin with: no space, as prose has it behind its commas, and no sign of code.
bool begins_name(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '#' || (c & '\x80') != 0;
}

/// Texts without a type.
bool are_names(const SampledRecord& record, const FormatOptions& format) {
  const std::size_t fields = record.fields();
  std::string scratch;
  for (std::size_t i = 0; i < fields; ++i) {
    const std::string_view text = text_of(record, i, format, scratch);
    if (text.empty() || !begins_name(text.front()) || text.back() == ' ') return false;
    if (text.find_first_of(kDelimiters) != std::string_view::npos) return false;
    if (is_typed(type_of_value(text))) return false;
  }
  return fields > 1;
}

/// A sample under some dialect: names, and what stands below them.
struct Below {
  bool blank = true;      ///< There is no record at all.
  std::size_t names = 0;  ///< 0: the first record is none.
  bool any = false;       ///< A record, or the front of one, stands below.
  bool in_vain = true;    ///< It can be no row.
  bool open_ended = false;
  /// As Dialect::fields: one more than names where a delimiter ends the record.
  std::size_t fields = 0;
};

Below look_below_names(const Sample& sample, const FormatOptions& format) {
  Below found;
  std::size_t names_end = 0;
  bool divided = false;  // A record that could be read.
  const auto visit = [&](const SampledRecord& record) {
    if (found.blank) {
      found.blank = false;
      if (!are_names(record, format)) return false;
      found.names = found.fields = record.fields();
      names_end = static_cast<std::size_t>(record.byte_offset) + record.raw.size();
      return true;
    }
    const bool malformed = record.block == nullptr;
    const bool alone = !found.any && record.fields() > 1 && record.fields() != found.names;
    found.in_vain = malformed ? !divided : alone;
    divided = !malformed;
    found.any = true;
    if (record.fields() == found.names + 1 && raw_text_of(record, found.names, format).empty()) {
      ++found.fields;
    }
    return found.in_vain;
  };
  const SampleWalk walk = walk_records(sample, format, false, sample.bytes.size(), visit);
  if (found.names != 0 && !found.any && walk.cut && !sample.whole) {
    // Lines that are no records: they stand within quotes.
    const std::string_view rest = std::string_view(sample.bytes).substr(names_end);
    const std::size_t line = rest.find_first_not_of("\r\n");
    found.open_ended = line != std::string_view::npos &&
                       rest.find_first_of("\r\n", line) != std::string_view::npos;
    found.any = found.open_ended;
  }
  return found;
}

std::optional<Dialect> names_alone(const std::vector<Sample>& samples,
                                   const FormatOptions& format) {
  Dialect dialect;
  dialect.format = format;
  bool any = false;
  for (const Sample& sample : samples) {
    const Below below = look_below_names(sample, format);
    if (!below.blank && (below.names == 0 || !below.in_vain)) return std::nullopt;
    dialect.fields.push_back(below.fields);
    dialect.front_bytes = std::max(dialect.front_bytes, sample.bytes.size());
    dialect.open_ended = dialect.open_ended || below.open_ended;
    any = any || below.any;
  }
  return any ? std::optional(std::move(dialect)) : std::nullopt;
}

/// Where one of the first records begins whose quote is never closed.
std::optional<std::uint64_t> find_open_quote(const Sample& sample, const FormatOptions& format) {
  std::optional<std::uint64_t> begin;
  walk_records(sample, format, false, sample.bytes.size(), [&begin](const SampledRecord& record) {
    if (record.fault == kUnterminatedFault) begin = record.byte_offset;
    return record.ordinal + 1 < kFirstRecords;
  });
  return begin;
}

std::uint64_t lines_of(const Sample& sample, const FormatOptions& one_column) {
  std::uint64_t lines = 0;
  walk_records(sample, one_column, false, sample.bytes.size(),
               [&lines](const SampledRecord&) { return ++lines < 2; });
  return lines;
}

/// Calls `visit` with `one_column` under each delimiter that is valid there, until it returns true.
template <class Visit>
void try_delimiters(const FormatOptions& one_column, Visit visit) {
  for (const char delimiter : kDelimiters) {
    FormatOptions format = one_column;
    format.delimiter = delimiter;
    if (format.validate() && visit(format)) return;
  }
}

}  // namespace

std::optional<Dialect> find_names_alone(const std::vector<Sample>& samples,
                                        const FormatOptions& one_column) {
  std::optional<Dialect> best;
  if (one_column.header) {
    try_delimiters(one_column, [&](const FormatOptions& format) {
      std::optional<Dialect> found = names_alone(samples, format);
      if (found && (!best || found->fields > best->fields)) best = std::move(found);
      return false;
    });
  }
  const bool single_lines = std::all_of(samples.begin(), samples.end(), [&](const Sample& sample) {
    return lines_of(sample, one_column) < 2;
  });
  if (best || !single_lines) return best;
  try_delimiters(one_column, [&](const FormatOptions& format) {
    const auto is_open = [&](const Sample& sample) {
      return lines_of(sample, one_column) == 0 || find_open_quote(sample, format);
    };
    if (!std::all_of(samples.begin(), samples.end(), is_open)) return false;
    best.emplace();
    best->format = format;
    best->fields.resize(samples.size());
    return true;
  });
  return best;
}

std::vector<std::optional<std::size_t>> fields_of_names_alone(const std::vector<Sample>& samples,
                                                              const FormatOptions& format,
                                                              const FormatOptions& one_column) {
  std::vector<std::optional<std::size_t>> fields(samples.size());
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const Below below = one_column.header ? look_below_names(samples[i], format) : Below();
    if (below.names != 0 && below.any && below.in_vain) {
      fields[i] = below.fields;
    } else if (lines_of(samples[i], one_column) == 1 && find_open_quote(samples[i], format)) {
      fields[i] = 0;
    }
  }
  return fields;
}

std::string first_records_otherwise(const std::vector<Sample>& samples,
                                    const FormatOptions& one_column, std::uint64_t records) {
  std::string told;
  const auto first = std::find_if(samples.begin(), samples.end(), [&](const Sample& sample) {
    return lines_of(sample, one_column) != 0;
  });
  if (first == samples.end()) return told;
  try_delimiters(one_column, [&](const FormatOptions& format) {
    const std::string flag =
        "--delimiter " +
        (format.delimiter == '\t' ? std::string("tab") : std::string("'") + format.delimiter + "'");
    if (const std::optional<std::uint64_t> begin = find_open_quote(*first, format)) {
      told = "each record is one column; with " + flag + " the quote in the record at byte " +
             std::to_string(*begin) + " would never be closed";
    } else if (one_column.header && records < kFirstRecords) {
      // Above many records the first one is no better witness than they are.
      const std::size_t names = look_below_names(*first, format).names;
      if (names != 0) {
        told = "each record is one column, though the first would be " + std::to_string(names) +
               " names with " + flag;
      }
    }
    return !told.empty();
  });
  return told;
}

}  // namespace leat::parser
