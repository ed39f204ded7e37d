#include "parser/sniff/header_guess.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "parser/convert/values.h"
#include "parser/records/column_builder.h"
#include "parser/records/excerpt.h"
#include "parser/sniff/column_values.h"

namespace leat::parser {
namespace {

constexpr std::size_t kRecordsMax = 500;  ///< Of each sample.
constexpr std::uint64_t kTitlesMax = 20;
/// Among so many rows a name that is found once says something.
constexpr std::size_t kRowsOfAnAccident = 10;

struct Cell {
  std::string text;
  bool null = false;
  bool quoted = false;
};
using Row = std::vector<Cell>;

/// What stands above the first record of the usual number of fields.
struct Titles {
  std::uint64_t lines = 0;   ///< 0: there are none, or there is no telling.
  bool of_one_field = true;  ///< Each of them.
};

/// One text, or none, and delimiters behind it: how spreadsheets save a title above several
/// columns.
bool is_padded_title(const SampledRecord& record) {
  const std::size_t fields = record.fields();
  for (std::size_t i = 1; i < fields; ++i) {
    const FieldSpan field = record.block->field(record.index, i);
    if (field.begin != field.end) return false;
  }
  return fields > 2;
}

Titles titles_of(const Sample& sample, const FormatOptions& format, std::size_t fields,
                 std::size_t front_bytes) {
  if (fields < 2) return {};
  Titles titles;
  std::optional<std::uint64_t> begin;
  std::uint64_t records = 0;
  std::uint64_t end = 0;
  walk_records(sample, format, false, front_bytes, [&](const SampledRecord& record) {
    if (record.fields() == fields && !is_padded_title(record)) begin = record.byte_offset;
    if (begin || record.block == nullptr) return false;
    titles.of_one_field = titles.of_one_field && record.fields() == 1;
    end = record.byte_offset + record.raw.size();
    return ++records <= kTitlesMax;
  });
  if (!begin || records == 0 || !may_have_titles(sample, fields, end, *begin)) return {};
  const std::string_view front = std::string_view(sample.bytes).substr(0, *begin);
  const auto line_feeds = std::count(front.begin(), front.end(), '\n');
  const auto lines = line_feeds != 0 ? line_feeds : std::count(front.begin(), front.end(), '\r');
  if (static_cast<std::uint64_t>(lines) <= kTitlesMax) {
    titles.lines = static_cast<std::uint64_t>(lines);
  }
  return titles;
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
      const FieldSpan field = record.block->field(record.index, i);
      const bool null = is_null(field, raw_text_of(record, i, format));
      row.push_back({std::string(text_of(record, i, format, scratch)), null, field.quoted});
    }
    return rows.size() < kRecordsMax;
  });
  return rows;
}

/// Evidence is not asked for here.
SniffedMisfit nowhere() { return {}; }

std::string without_spaces(const std::string& text) {
  const std::size_t begin = std::min(text.find_first_not_of(' '), text.size());
  return text.substr(begin, text.find_last_not_of(' ') + 1 - begin);
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
      // The place above row names has none.
      odd = (!text.empty() || i == 0) && !is_typed(type_of_value(text));
    }
    return false;
  });
  return odd;
}

/// `text` with each run of digits as 0 and each run of letters as a; empty: it holds no digit.
std::string shape_of(std::string_view text) {
  std::string shape;
  bool digits = false;
  for (const char c : text) {
    const bool digit = c >= '0' && c <= '9';
    const bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c & '\x80') != 0;
    const char kind = digit ? '0' : letter ? 'a' : c;
    digits = digits || digit;
    if ((!digit && !letter) || !shape.ends_with(kind)) shape.push_back(kind);
  }
  return digits ? shape : std::string();
}

std::optional<std::int64_t> integer_of(const std::string& text) {
  std::int64_t value = 0;
  if (!parse_int(text, value).empty()) return std::nullopt;
  return value;
}

/// What speaks for a header or against one.
class Votes {
 public:
  void add(bool header, const std::string& why) {
    (header ? for_ : against_) += 1;
    std::string& first = header ? for_why_ : against_why_;
    if (first.empty()) first = why;
  }
  std::optional<HeaderGuess> verdict() const {
    if (for_ == against_) return std::nullopt;
    return HeaderGuess{for_ > against_, 0, for_ > against_ ? for_why_ : against_why_};
  }

 private:
  std::uint64_t for_ = 0;
  std::uint64_t against_ = 0;
  std::string for_why_;
  std::string against_why_;
};

class Judge {
 public:
  /// Rows of each sample that has some. `usual`: there is a header where nothing speaks for
  /// either.
  Judge(std::vector<std::vector<Row>> rows, bool usual) : rows_(std::move(rows)), usual_(usual) {
    for (const std::vector<Row>& sample : rows_) {
      const std::size_t columns = sample.front().size();
      const auto [begin, end] = names_that_count_up(sample);
      if (begin != end) {
        types_.add(true, excerpt(sample.front()[begin].text) + " and the names behind it count up");
      }
      for (std::size_t column = 0; column < columns; ++column) {
        if (column < begin || column >= end) judge_column(sample, column);
      }
    }
  }

  HeaderGuess judge() const {
    if (const auto verdict = types_.verdict()) return *verdict;
    const Row& names = rows_.front().front();
    for (const Cell& name : names) {
      if (!name.null && is_typed(type_of_value(without_spaces(name.text)))) {
        return {false, 0, "the first record's " + excerpt(name.text) + " is no name"};
      }
    }
    if (const auto verdict = shapes_.verdict()) return *verdict;
    return judge_names(names);
  }

  /// Types stand below names.
  bool is_sure_of_header() const {
    const auto verdict = types_.verdict();
    return verdict && verdict->header;
  }

 private:
  /// Values below that have a type, and a name above that is none of it, or the other way round.
  void judge_column(const std::vector<Row>& sample, std::size_t column) {
    const Cell& first = sample.front()[column];
    if (first.text.empty() && column == 0 && numbers_rows(sample)) {
      types_.add(true, "column 1 numbers the rows below a place without a name");
    }
    if (first.null) return;
    ColumnValues values;
    bool quoted = false;
    for (std::size_t i = 1; i < sample.size(); ++i) {
      const Cell& cell = sample[i][column];
      if (!cell.null) values.add(cell.text, false, nowhere);
      quoted = quoted || cell.quoted;
    }
    if (values.values() == 0) return;
    const std::string place = "column " + std::to_string(column + 1);
    const std::string said = excerpt(first.text);
    const auto vote = [&](bool fits, const std::string& type) {
      types_.add(!fits, fits ? "the first record's " + said + " in " + place +
                                   " is a value like those below it (" + type + ")"
                             : place + " holds " + type + " below " + said);
    };
    const DataType type = values.type();
    const std::optional<NearType> near = values.near();
    const std::optional<OtherReading> other = values.other_reading();
    values.add(first.text, false, nowhere);
    if (is_typed(type) && first.quoted && !quoted) {
      // Whoever quotes texts alone took it for one.
      types_.add(true,
                 place + " holds " + type.to_sql() + " without quotes below the quoted " + said);
    } else if (is_typed(type)) {
      const DataType with_first = values.type();
      // Of another type than all below: a year above decimals, say. That may be both.
      if (!is_typed(with_first) || with_first == type) vote(is_typed(with_first), type.to_sql());
    } else if (near && is_typed(near->type)) {
      const std::optional<NearType> with_first = values.near();
      vote(with_first && with_first->fits > near->fits, near->type.to_sql());
    } else if (other) {
      vote(values.other_reading().has_value(), std::string(other->what) + " with " + other->flags);
    } else {
      judge_shape(sample, column, said, place);
    }
  }

  /// Values that leat knows no type for, all with digits: "$12.50", "K1".
  void judge_shape(const std::vector<Row>& sample, std::size_t column, const std::string& said,
                   const std::string& place) {
    const std::string first = shape_of(sample.front()[column].text);
    bool alike = false;
    std::size_t values = 0;
    for (std::size_t i = 1; i < sample.size(); ++i) {
      if (sample[i][column].null) continue;
      const std::string shape = shape_of(sample[i][column].text);
      if (shape.empty()) return;
      alike = alike || shape == first;
      ++values;
    }
    if (values < 2) return;
    if (alike) {
      shapes_.add(false, "the first record's " + said + " in " + place +
                             " is written like values below it");
    } else if (first.empty()) {
      shapes_.add(true, "all values of " + place + " have digits, and " + said + " above has none");
    }
  }

  /// Columns [begin, end) whose first record counts up from one to the next, or shows years at
  /// equal distances, over values that are no integers, or over rows that do not. None: begin ==
  /// end.
  static std::pair<std::size_t, std::size_t> names_that_count_up(const std::vector<Row>& sample) {
    const Row& names = sample.front();
    if (sample.size() < 2) return {0, 0};
    for (std::size_t begin = 0; begin < names.size(); ++begin) {
      const std::size_t end = end_of_run(names, begin);
      if (end < begin + 2) continue;
      const std::int64_t first = *integer_of(names[begin].text);
      const bool years = is_year(first);
      const bool one_by_one = *integer_of(names[begin + 1].text) - 1 == first;
      if (holds_no(sample, begin, end, [](std::int64_t) { return true; }) ||
          (years && holds_no(sample, begin, end, is_year)) ||
          (years && one_by_one && end >= begin + 3 && end_of_run(sample[1], begin) < end)) {
        return {begin, end};
      }
      begin = end - 1;
    }
    return {0, 0};
  }

  static bool is_year(std::int64_t value) { return value >= 1'000 && value < 3'000; }

  /// Integers from `begin` on, each one more than the one before, or all of them years that are
  /// equally far apart.
  static std::size_t end_of_run(const Row& row, std::size_t begin) {
    std::optional<std::int64_t> last;
    std::optional<std::int64_t> step;
    std::size_t end = begin;
    for (; end < row.size(); ++end) {
      const std::optional<std::int64_t> value = integer_of(row[end].text);
      if (!value) break;
      if (last) {
        const bool years = is_year(*last) && is_year(*value) && *last != *value;
        if (!years && (*last == INT64_MAX || *value != *last + 1)) break;
        if (step && *value - *last != *step) break;
        step = *value - *last;
      }
      last = value;
    }
    return end;
  }

  /// Below the first record, in columns that hold something: no such integers.
  template <class Such>
  static bool holds_no(const std::vector<Row>& sample, std::size_t begin, std::size_t end,
                       Such such) {
    bool any = false;
    for (std::size_t i = 1; i < sample.size(); ++i) {
      for (std::size_t column = begin; column < end; ++column) {
        const Cell& cell = sample[i][column];
        const std::optional<std::int64_t> value = cell.null ? std::nullopt : integer_of(cell.text);
        if (value && such(*value)) return false;
        any = any || !cell.null;
      }
    }
    return any;
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
  HeaderGuess judge_names(const Row& names) const {
    if (const std::optional<std::string> repeated = repeated_value()) {
      return {false, 0, "the first record's " + *repeated + " stands again below it"};
    }
    if (rows_.size() > 1 && all_begin_alike()) {
      return {true, 0, "all objects begin with the same record"};
    }
    const auto nameless = [](const Cell& name) { return name.null || name.text.empty(); };
    const auto without = std::find_if(names.begin(), names.end(), nameless);
    if (without != names.end() && rows_.front().size() > 1) {
      const auto column = static_cast<std::size_t>(without - names.begin());
      const bool alone =
          names.size() > 1 && std::count_if(names.begin(), names.end(), nameless) == 1;
      if (alone && ((column == 0 && holds_row_names()) ||
                    (column + 1 == names.size() && is_filled(column)))) {
        return {true, 0, "only column " + std::to_string(column + 1) + " has no name, and no gap"};
      }
      return {false, 0, "the first record's " + excerpt(without->text) + " names no column"};
    }
    if (!usual_) return {false, 0, "nothing speaks for names, which this format rarely has"};
    return {true, 0, "nothing speaks against names in the first record"};
  }

  /// Below the first record, no value of the column is missing: the place above is no gap either.
  bool is_filled(std::size_t column) const {
    const std::vector<Row>& sample = rows_.front();
    return sample.size() > 1 && std::none_of(sample.begin() + 1, sample.end(), [&](const Row& row) {
             return row[column].null || row[column].text.empty();
           });
  }

  /// Column 1 holds texts, each once: R and pandas write them without a name above.
  bool holds_row_names() const {
    const std::vector<Row>& sample = rows_.front();
    std::unordered_set<std::string_view> names;
    return is_filled(0) && std::all_of(sample.begin() + 1, sample.end(), [&](const Row& row) {
             return !is_typed(type_of_value(row.front().text)) &&
                    names.insert(row.front().text).second;
           });
  }

  /// A value of a first record that stands below it in the same column, in a record that is no
  /// repeated header. A name may be among the values of its column by accident; most values of the
  /// columns that repeat theirs are not.
  std::optional<std::string> repeated_value() const {
    for (const std::vector<Row>& sample : rows_) {
      const Row& first = sample.front();
      std::vector<const Row*> below;
      for (std::size_t i = 1; i < sample.size(); ++i) {
        const bool same = std::equal(first.begin(), first.end(), sample[i].begin(), sample[i].end(),
                                     [](const Cell& a, const Cell& b) { return a.text == b.text; });
        if (!same) below.push_back(&sample[i]);
      }
      std::size_t repeating = 0;
      std::size_t with_first = 0;
      std::optional<std::string> repeated;
      for (std::size_t column = 0; column < first.size(); ++column) {
        std::unordered_set<std::string_view> values;
        std::size_t hits = 0;
        bool repeats = false;
        for (const Row* row : below) {
          const Cell& cell = (*row)[column];
          if (cell.null) continue;
          repeats = !values.insert(cell.text).second || repeats;
          if (!first[column].null && cell.text == first[column].text) ++hits;
        }
        const bool hit = hits > 1 || (hits == 1 && below.size() <= kRowsOfAnAccident);
        repeating += repeats || hit ? 1 : 0;
        with_first += hit ? 1 : 0;
        if (hit && !repeated) repeated = excerpt(first[column].text);
      }
      if (repeated && 2 * with_first > repeating) return repeated;
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

  std::vector<std::vector<Row>> rows_;
  bool usual_;
  Votes types_;
  Votes shapes_;  ///< Where types say nothing.
};

}  // namespace

HeaderGuess guess_header(const std::vector<Sample>& samples, const Dialect& dialect, bool choose) {
  const std::uint64_t told = dialect.format.skip_lines;
  if (!choose) return {dialect.format.header, 0, "as it was told"};
  FormatOptions format = dialect.format;
  bool of_one_field = true;
  // Of one field where others have several: that says nothing of their header.
  const std::size_t most = *std::max_element(dialect.fields.begin(), dialect.fields.end());
  const auto counts = [&](std::size_t i) {
    return dialect.fields[i] > 1 || (dialect.fields[i] == 1 && most == 1);
  };
  if (told == 0) {
    // The same number of them everywhere: --skip-lines holds for all objects.
    std::optional<std::uint64_t> lines;
    for (std::size_t i = 0; i < samples.size(); ++i) {
      if (!counts(i)) continue;
      const Titles titles = titles_of(samples[i], format, dialect.fields[i], dialect.front_bytes);
      lines = lines.value_or(titles.lines) == titles.lines ? titles.lines : 0;
      of_one_field = of_one_field && titles.of_one_field;
    }
    format.skip_lines = lines.value_or(0);
  }
  const auto judge_below = [&] {
    std::vector<std::vector<Row>> rows;
    for (std::size_t i = 0; i < samples.size(); ++i) {
      if (!counts(i)) continue;
      std::vector<Row> of_sample =
          rows_of(samples[i], format, dialect.fields[i], dialect.front_bytes);
      if (!of_sample.empty()) rows.push_back(std::move(of_sample));
    }
    return rows.empty()
               ? std::nullopt
               : std::optional<Judge>(std::in_place, std::move(rows), format.kind == Format::kCsv);
  };
  std::optional<Judge> judge = judge_below();
  if (!of_one_field && (!judge || !judge->is_sure_of_header())) {
    // Then it is more likely a header that has a field more or less.
    format.skip_lines = told;
    judge = judge_below();
  }
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (counts(i) && is_odd_header(samples[i], format, dialect.fields[i], dialect.front_bytes)) {
      return {true, format.skip_lines - told,
              "the first record holds no values, and not as many fields as the others"};
    }
  }
  HeaderGuess guess;
  if (judge) guess = judge->judge();
  guess.titles = format.skip_lines - told;
  return guess;
}

}  // namespace leat::parser
