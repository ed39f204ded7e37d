#include "parser/sniff/header_guess.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "parser/csv/column_builder.h"
#include "parser/csv/excerpt.h"
#include "parser/sniff/column_values.h"

namespace leat::parser {
namespace {

constexpr std::size_t kRecordsMax = 500;  ///< Of each sample.
constexpr std::uint64_t kTitlesMax = 20;

struct Cell {
  std::string text;
  bool null = false;
};
using Row = std::vector<Cell>;

/// Records in front of the first that has `fields` fields: titles, if they have one field each.
/// @return  The lines they take; 0: there are none, or there is no telling.
std::uint64_t title_lines(const Sample& sample, const FormatOptions& format, std::size_t fields,
                          std::size_t front_bytes) {
  if (fields < 2) return 0;
  std::optional<std::uint64_t> begin;
  std::uint64_t records = 0;
  std::uint64_t end = 0;
  walk_records(sample, format, false, front_bytes, [&](const SampledRecord& record) {
    if (record.fields() == fields) begin = record.byte_offset;
    if (record.fields() != 1) return false;
    end = record.byte_offset + record.raw.size();
    return ++records <= kTitlesMax;
  });
  if (!begin || records == 0 || !may_have_titles(sample, fields, end, *begin)) return 0;
  const std::string_view front = std::string_view(sample.bytes).substr(0, *begin);
  const auto line_feeds = std::count(front.begin(), front.end(), '\n');
  const auto lines = line_feeds != 0 ? line_feeds : std::count(front.begin(), front.end(), '\r');
  return static_cast<std::uint64_t>(lines) <= kTitlesMax ? static_cast<std::uint64_t>(lines) : 0;
}

std::vector<Row> rows_of(const Sample& sample, const FormatOptions& format, std::size_t fields,
                         std::size_t front_bytes) {
  std::vector<Row> rows;
  const NullMatcher is_null(format.null_strings);
  std::string scratch;
  walk_records(sample, format, fields == 1, front_bytes, [&](const SampledRecord& record) {
    if (record.fields() != fields) return rows.size() < kRecordsMax;
    Row& row = rows.emplace_back();
    for (std::size_t i = 0; i < fields; ++i) {
      const bool null =
          is_null(record.block->field(record.index, i), raw_text_of(record, i, format));
      row.push_back({std::string(text_of(record, i, format, scratch)), null});
    }
    return rows.size() < kRecordsMax;
  });
  return rows;
}

/// Evidence is not asked for here.
SniffedMisfit nowhere() { return {}; }

DataType type_of_value(const std::string& text) {
  ColumnValues alone;
  alone.add(text, false, nowhere);
  return alone.type();
}

/// The first record has a number of fields of its own, and no values: it can be nothing but names.
bool is_odd_header(const Sample& sample, const FormatOptions& format, std::size_t fields,
                   std::size_t front_bytes) {
  bool odd = false;
  std::string scratch;
  walk_records(sample, format, false, front_bytes, [&](const SampledRecord& record) {
    odd = record.block != nullptr && record.fields() > 1 && record.fields() != fields;
    for (std::size_t i = 0; odd && i < record.fields(); ++i) {
      const std::string text(text_of(record, i, format, scratch));
      odd = !text.empty() && !is_typed(type_of_value(text));
    }
    return false;
  });
  return odd;
}

class Judge {
 public:
  /// Rows of each sample that has some. `usual`: there is a header where nothing speaks for
  /// either.
  Judge(std::vector<std::vector<Row>> rows, bool usual) : rows_(std::move(rows)), usual_(usual) {}

  HeaderGuess judge() {
    for (const std::vector<Row>& sample : rows_) {
      for (std::size_t column = 0; column < sample.front().size(); ++column) {
        judge_column(sample, column);
      }
    }
    if (for_ > against_) return {true, 0, for_why_};
    if (against_ > for_) return {false, 0, against_why_};
    return judge_names();
  }

 private:
  /// Values below that have a type, and a name above that is none of it, or the other way round.
  void judge_column(const std::vector<Row>& sample, std::size_t column) {
    const Cell& first = sample.front()[column];
    if (first.text.empty() && column == 0 && numbers_rows(sample) && for_++ == 0) {
      for_why_ = "column 1 numbers the rows below a place without a name";
    }
    if (first.null) return;
    ColumnValues values;
    for (std::size_t i = 1; i < sample.size(); ++i) {
      const Cell& cell = sample[i][column];
      if (!cell.null) values.add(cell.text, false, nowhere);
    }
    const DataType type = values.type();
    if (values.values() == 0 || !is_typed(type)) return;
    values.add(first.text, false, nowhere);
    const std::string place = "column " + std::to_string(column + 1);
    if (is_typed(values.type())) {
      if (against_++ == 0) {
        against_why_ = "the first record's " + excerpt(first.text) + " in " + place +
                       " is a value like those below it (" + type.to_sql() + ")";
      }
    } else if (for_++ == 0) {
      for_why_ = place + " holds " + type.to_sql() + " below " + excerpt(first.text);
    }
  }

  /// Behind the first record, column 1 counts up: a data frame's index.
  static bool numbers_rows(const std::vector<Row>& sample) {
    std::int64_t next = 0;
    for (std::size_t i = 1; i < sample.size(); ++i, ++next) {
      const std::string& text = sample[i].front().text;
      if (i == 1 && text == "1") next = 1;
      if (text != std::to_string(next)) return false;
    }
    return sample.size() > 2;
  }

  /// All is text, or there is nothing below.
  HeaderGuess judge_names() {
    const Row& names = rows_.front().front();
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (!names[i].null && is_typed(type_of_value(names[i].text))) {
        return {false, 0, "the first record's " + excerpt(names[i].text) + " is no name"};
      }
    }
    if (const std::optional<std::string> repeated = repeated_value()) {
      return {false, 0, "the first record's " + *repeated + " stands again below it"};
    }
    if (rows_.size() > 1 && all_begin_alike()) {
      return {true, 0, "all objects begin with the same record"};
    }
    for (const Cell& name : names) {
      if (name.null || name.text.empty()) {
        if (rows_.front().size() == 1) break;
        return {false, 0, "the first record's " + excerpt(name.text) + " names no column"};
      }
    }
    if (!usual_) return {false, 0, "nothing speaks for names, which this format rarely has"};
    return {true, 0, "nothing speaks against names in the first record"};
  }

  /// A value of a first record that stands below it in the same column, in a record that is no
  /// repeated header.
  std::optional<std::string> repeated_value() const {
    for (const std::vector<Row>& sample : rows_) {
      const Row& first = sample.front();
      for (std::size_t i = 1; i < sample.size(); ++i) {
        std::optional<std::string> repeated;
        bool whole = true;
        for (std::size_t column = 0; column < first.size(); ++column) {
          const bool equal = first[column].text == sample[i][column].text;
          whole = whole && equal;
          if (equal && !first[column].null && !repeated) repeated = excerpt(first[column].text);
        }
        if (repeated && !whole) return repeated;
      }
    }
    return std::nullopt;
  }

  bool all_begin_alike() const {
    const Row& names = rows_.front().front();
    return std::all_of(rows_.begin(), rows_.end(), [&](const std::vector<Row>& sample) {
      const Row& first = sample.front();
      return std::equal(first.begin(), first.end(), names.begin(), names.end(),
                        [](const Cell& a, const Cell& b) { return a.text == b.text; });
    });
  }

  const std::vector<std::vector<Row>> rows_;
  const bool usual_;
  std::uint64_t for_ = 0;
  std::uint64_t against_ = 0;
  std::string for_why_;
  std::string against_why_;
};

}  // namespace

HeaderGuess guess_header(const std::vector<Sample>& samples, const Dialect& dialect, bool choose) {
  const std::uint64_t told = dialect.format.skip_lines;
  if (!choose) return {dialect.format.header, 0, "as it was told"};
  FormatOptions format = dialect.format;
  if (told == 0) {
    // The same number of them everywhere: --skip-lines holds for all objects.
    std::optional<std::uint64_t> titles;
    for (std::size_t i = 0; i < samples.size(); ++i) {
      if (dialect.fields[i] == 0) continue;
      const std::uint64_t lines =
          title_lines(samples[i], format, dialect.fields[i], dialect.front_bytes);
      titles = titles.value_or(lines) == lines ? lines : 0;
    }
    format.skip_lines = titles.value_or(0);
  }
  std::vector<std::vector<Row>> rows;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (dialect.fields[i] == 0) continue;
    if (is_odd_header(samples[i], format, dialect.fields[i], dialect.front_bytes)) {
      return {true, format.skip_lines - told,
              "the first record holds no values, and not as many fields as the others"};
    }
    std::vector<Row> of_sample =
        rows_of(samples[i], format, dialect.fields[i], dialect.front_bytes);
    if (!of_sample.empty()) rows.push_back(std::move(of_sample));
  }
  HeaderGuess guess;
  if (!rows.empty()) guess = Judge(std::move(rows), format.kind == Format::kCsv).judge();
  guess.titles = format.skip_lines - told;
  return guess;
}

}  // namespace leat::parser
