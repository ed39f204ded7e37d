#include "parser/sniff/dialect.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "parser/convert/values.h"
#include "parser/sniff/names_alone.h"
#include "parser/sniff/postgres_text.h"

namespace leat::parser {
namespace {

constexpr std::size_t kFrontBytes = 64u << 10;
constexpr std::size_t kRecordsEnough = 20;

/// What a file of one column is worth beside one that has several, all of them alike (1).
constexpr double kOneColumn = 0.55;
/// The first record, mostly the header, has another number of fields. With two columns it is likely
/// a name above texts that hold the delimiter.
constexpr double kFirstDiffersOfTwo = 0.5;
constexpr double kFirstDiffers = 0.9;
/// Cells that begin with a quote, before a dialect without quotes is thought of.
constexpr std::uint64_t kLiteralQuotesMin = 5;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Numbers with a decimal comma, dates with points or slashes: values, if not for leat.
bool is_local_number_or_date(std::string_view text) {
  const bool only = std::all_of(text.begin(), text.end(), [](char c) {
    return is_digit(c) || c == ',' || c == '.' || c == '/' || c == '-' || c == '%';
  });
  return only && std::count(text.begin(), text.end(), ',') <= 1 &&
         std::any_of(text.begin(), text.end(), is_digit);
}

/// Does not look like several cells of another dialect.
bool is_clean(std::string_view text, bool quoted) {
  if (quoted || text.find_first_of(kDelimiters) == std::string_view::npos) return true;
  return is_local_number_or_date(text);
}

/// How a dialect fares.
struct Trial {
  FormatOptions format;
  std::vector<std::size_t> fields;  ///< Of each sample.
  std::size_t most_fields = 0;      ///< Of any sample.
  std::uint64_t records = 0;
  std::uint64_t divided = 0;  ///< Records of more than one field.
  std::uint64_t alike = 0;    ///< Those that have as many fields as most of their sample.
  std::uint64_t bad = 0;
  std::uint64_t quoted = 0;          ///< Cells.
  std::uint64_t comments = 0;        ///< Records that begin with '#'.
  std::uint64_t opening_quotes = 0;  ///< Quoting is off: cells that begin with a double quote,
  std::uint64_t closed_quotes = 0;   ///< and those that end with one as well.
  bool quotes_a_column = false;      ///< In some column, most cells are quoted.
  double score = 0;
};

double share(std::uint64_t part, std::uint64_t all) {
  return all == 0 ? 1.0 : static_cast<double>(part) / static_cast<double>(all);
}

/// Tries a dialect on the front of each sample.
class Scorer {
 public:
  Scorer(const std::vector<Sample>& samples, std::size_t front_bytes)
      : samples_(samples), front_bytes_(front_bytes) {}

  Trial score(const FormatOptions& format) {
    trial_ = {};
    trial_.format = format;
    quoted_of_column_.clear();
    cells_ = clean_ = 0;
    std::uint64_t bytes = 0;
    std::uint64_t covered = 0;
    std::uint64_t regular = 0;
    double first_records = 1;
    for (const Sample& sample : samples_) {
      counts_.clear();
      std::uint64_t end = 0;
      std::optional<std::size_t> first;
      std::uint64_t titles_end = 0;        // Records of one field at the front, …
      std::optional<std::uint64_t> begin;  // … and the first one behind them.
      walk_records(sample, format, false, front_bytes_, [&](const SampledRecord& record) {
        end = record.byte_offset + record.raw.size() + 1;
        if (!first) first = record.fields();
        if (!begin && record.fields() != 1) begin = record.byte_offset;
        if (!begin) titles_end = record.byte_offset + record.raw.size();
        see(record);
        return true;
      });
      const auto [fields, of_these] = usual_fields(format, first.value_or(0));
      regular += of_these;
      trial_.alike += of_these;
      trial_.fields.push_back(fields);
      trial_.most_fields = std::max(trial_.most_fields, fields);
      const bool titled =
          first == 1 && begin && may_have_titles(sample, fields, titles_end, *begin);
      if (first && !titled) {
        first_records = std::min(first_records, first_record_fits(*first, fields));
      }
      const std::uint64_t size = std::min<std::uint64_t>(sample.bytes.size(), front_bytes_);
      bytes += size;
      covered += std::min(end, size);
    }
    if (regular == 0) return trial_;
    trial_.quotes_a_column =
        std::any_of(quoted_of_column_.begin(), quoted_of_column_.end(),
                    [&](std::uint64_t quoted) { return quoted >= 2 && 2 * quoted >= regular; });
    // A quote that opens nothing swallows what comes after it: that is not covered.
    trial_.score = share(regular, trial_.records) * share(covered, bytes);
    trial_.score *=
        trial_.most_fields == 1 ? kOneColumn : (0.5 + 0.5 * share(clean_, cells_)) * first_records;
    return trial_;
  }

 private:
  void see(const SampledRecord& record) {
    ++trial_.records;
    if (record.block == nullptr) {
      ++trial_.bad;
      return;
    }
    if (record.raw.starts_with('#')) ++trial_.comments;
    const std::size_t fields = record.fields();
    if (fields > 1) ++trial_.divided;
    ++counts_[fields];
    if (quoted_of_column_.size() < fields) quoted_of_column_.resize(fields);
    for (std::size_t i = 0; i < fields; ++i) {
      const FieldSpan span = record.block->field(record.index, i);
      const std::string_view text(record.block->text + span.begin, span.end - span.begin);
      ++cells_;
      if (is_clean(text, span.quoted)) ++clean_;
      if (span.quoted) {
        ++trial_.quoted;
        ++quoted_of_column_[i];
      } else if (text.starts_with('"')) {
        ++trial_.opening_quotes;
        if (text.size() > 1 && text.ends_with('"')) ++trial_.closed_quotes;
      }
    }
  }

  /// The number of fields that most records of the sample have, as the options would take them; and
  /// how many do. `first`: that of the first record, likely the header.
  std::pair<std::size_t, std::uint64_t> usual_fields(const FormatOptions& format,
                                                     std::size_t first) const {
    const bool fewer = format.short_records == ShortRecords::kNull;
    const bool more = format.long_records == LongRecords::kIgnore;
    std::pair<std::size_t, std::uint64_t> usual{0, 0};
    for (const auto& [fields, count] : counts_) {
      std::uint64_t fit = 0;
      for (const auto& [others, of_others] : counts_) {
        if (others == fields || (others < fields ? fewer : more)) fit += of_others;
      }
      const bool first_wins = (fewer || more) && usual.first == first;
      if (fit < usual.second || (fit == usual.second && first_wins)) continue;
      usual = {fields, fit};
    }
    return usual;
  }

  static double first_record_fits(std::size_t first, std::size_t fields) {
    if (first == fields) return 1;
    return fields == 2 ? kFirstDiffersOfTwo : kFirstDiffers;
  }

  const std::vector<Sample>& samples_;
  const std::size_t front_bytes_;
  Trial trial_;
  std::map<std::size_t, std::uint64_t> counts_;  ///< A sample's records by number of fields.
  std::vector<std::uint64_t> quoted_of_column_;
  std::uint64_t cells_ = 0;
  std::uint64_t clean_ = 0;
};

/// Quotes of a dialect that has none, or the other way round: is `trial` the better one?
bool quotes_better(const Trial& trial, const Trial& best) {
  if (trial.format.quote == '\0') {
    // Literal quotes at a cell's begin are mostly not closed at its end.
    return trial.score > best.score && trial.opening_quotes >= kLiteralQuotesMin &&
           2 * trial.closed_quotes < trial.opening_quotes;
  }
  if (trial.score > best.score) return trial.quotes_a_column;
  return trial.score == best.score && trial.quotes_a_column && best.quoted == 0;
}

Trial best_delimiter(Scorer& scorer, const FormatOptions& format, bool choose) {
  Trial best = scorer.score(format);
  if (!choose) return best;
  for (const char delimiter : kDelimiters) {
    FormatOptions other = format;
    other.delimiter = delimiter;
    if (delimiter == format.delimiter || !other.validate()) continue;
    Trial trial = scorer.score(other);
    if (trial.score > best.score ||
        (trial.score == best.score && trial.most_fields > best.most_fields)) {
      best = std::move(trial);
    }
  }
  return best;
}

/// Of one column: which delimiter may have been meant all the same. Empty: there is no sign of one.
std::string other_delimiters(Scorer& scorer, const std::vector<Sample>& samples,
                             const Trial& one_column) {
  for (const char delimiter : std::string(kDelimiters) + ": ") {
    FormatOptions other = one_column.format;
    other.delimiter = delimiter;
    if (!other.validate()) continue;
    const Trial trial = scorer.score(other);
    const std::string name = delimiter == '\t' ? "tab" : std::string("'") + delimiter + "'";
    if (trial.divided < 2) continue;
    if (trial.divided == trial.records && trial.alike == trial.records) {
      return "each record is one column, but would be " + std::to_string(trial.most_fields) +
             " with --delimiter " + name;
    }
    // Texts that hold commas here and there are texts.
    if (kDelimiters.find(delimiter) != std::string_view::npos &&
        10 * trial.divided >= 9 * trial.records) {
      return "each record is one column, since no delimiter divides enough of them alike; " + name +
             " stands in " + std::to_string(trial.divided) + " of " +
             std::to_string(trial.records) + ": if it is the delimiter, say --delimiter " + name +
             " (with --short-records null and --long-records ignore for those that have fewer or "
             "more fields than the header)";
    }
  }
  return first_records_otherwise(samples, one_column.format, one_column.records);
}

/// Where one column is best for all samples: samples of names alone say nothing against the
/// delimiter under which the others are a table. nullopt: there is none.
std::optional<Dialect> without_names_alone(const std::vector<Sample>& samples,
                                           const FormatOptions& format,
                                           const SniffedSettings& choose,
                                           const FormatOptions& one_column) {
  if (samples.size() < 2) return std::nullopt;
  for (const char delimiter : kDelimiters) {
    FormatOptions other = one_column;
    other.delimiter = delimiter;
    if (!other.validate()) continue;
    const auto alone = fields_of_names_alone(samples, other, one_column);
    if (std::none_of(alone.begin(), alone.end(), [](const auto& one) { return one.has_value(); })) {
      continue;
    }
    std::vector<Sample> others(samples.size());
    for (std::size_t i = 0; i < samples.size(); ++i) {
      if (!alone[i]) others[i] = samples[i];
    }
    Dialect found = find_dialect(others, format, choose);
    if (found.format.delimiter != delimiter ||
        *std::max_element(found.fields.begin(), found.fields.end()) < 2) {
      continue;
    }
    for (std::size_t i = 0; i < samples.size(); ++i) {
      if (alone[i]) found.fields[i] = *alone[i];
    }
    return found;
  }
  return std::nullopt;
}

/// PostgreSQL's text format with all else that `format` says.
FormatOptions as_postgres_text(FormatOptions format) {
  format.kind = Format::kPostgresText;
  format.delimiter = '\t';
  format.quote = '\0';
  if (format.null_strings == FormatOptions().null_strings) format.null_strings = {"\\N"};
  return format;
}

/// Other null strings than its own would make texts of its nulls.
bool knows_null(const FormatOptions& text) {
  return std::find(text.null_strings.begin(), text.null_strings.end(), "\\N") !=
         text.null_strings.end();
}

bool holds_backslash(const Sample& sample) { return sample.bytes.find('\\') != std::string::npos; }

}  // namespace

Dialect find_dialect(const std::vector<Sample>& samples, const FormatOptions& format,
                     const SniffedSettings& choose) {
  const SniffedSettings open = open_settings(format, choose);
  std::size_t largest = 0;
  for (const Sample& sample : samples) largest = std::max(largest, sample.bytes.size());

  for (std::size_t front_bytes = kFrontBytes;; front_bytes *= 8) {
    Scorer scorer(samples, front_bytes);
    Trial best = best_delimiter(scorer, format, open.delimiter);
    if (open.quote) {
      for (const char character : {'\'', '\0'}) {
        FormatOptions other = format;
        other.quote = other.escape = character;
        if (!other.validate()) continue;
        Trial trial = best_delimiter(scorer, other, open.delimiter);
        if (quotes_better(trial, best)) best = std::move(trial);
      }
      if (best.bad + best.quoted > 0 && best.format.quote != '\0') {
        FormatOptions other = best.format;
        other.escape = '\\';
        Trial trial = best_delimiter(scorer, other, open.delimiter);
        if (trial.score > best.score) best = std::move(trial);
      }
    }
    if (open.comment && best.comments > 0) {
      FormatOptions other = best.format;
      other.comment = '#';
      if (other.validate()) {
        Trial trial = best_delimiter(scorer, other, open.delimiter);
        if (trial.score > best.score) best = std::move(trial);
      }
    }
    std::string evidence;
    const FormatOptions text = as_postgres_text(format);
    if (open.dialect && open.delimiter && open.quote && text.validate() && knows_null(text) &&
        std::any_of(samples.begin(), samples.end(), holds_backslash)) {
      Trial trial = scorer.score(text);
      const bool better =
          best.format.delimiter == '\t' ? trial.score >= best.score : trial.score > best.score;
      if (better && trial.most_fields > 1) evidence = postgres_text_evidence(samples, text);
      if (!evidence.empty()) best = std::move(trial);
    }
    if (best.records >= kRecordsEnough || front_bytes >= largest) {
      if (open.delimiter && best.most_fields == 1 && format.kind == Format::kCsv) {
        if (auto names = find_names_alone(samples, best.format)) return *std::move(names);
        if (auto table = without_names_alone(samples, format, open, best.format)) {
          return *std::move(table);
        }
        evidence = other_delimiters(scorer, samples, best);
      }
      return {std::move(best.format), std::move(best.fields), std::min(front_bytes, largest),
              std::move(evidence)};
    }
  }
}

}  // namespace leat::parser
