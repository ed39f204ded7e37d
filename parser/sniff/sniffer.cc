#include "parser/sniff/sniffer.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "core/ascii_case.h"
#include "core/plural.h"
#include "parser/convert/values.h"
#include "parser/json_lines/json_lines_tokenizer.h"
#include "parser/records/block_rows.h"
#include "parser/records/column_builder.h"
#include "parser/records/excerpt.h"
#include "parser/records/header.h"
#include "parser/records/line_break.h"
#include "parser/records/not_text.h"
#include "parser/sniff/column_values.h"
#include "parser/sniff/dialect.h"
#include "parser/sniff/header_guess.h"

namespace leat {

SniffedSettings open_settings(const FormatOptions& format, const SniffedSettings& choose) {
  const FormatOptions defaults;
  return {
      .delimiter = choose.delimiter && format.delimiter == defaults.delimiter &&
                   format.long_delimiter.empty(),
      .quote = choose.quote && format.quote == defaults.quote && format.escape == defaults.escape,
      .header = choose.header && format.header,
      .comment = choose.comment && !format.comment,
      .long_records = choose.long_records && format.kind == Format::kCsv &&
                      format.long_records == defaults.long_records,
      .dialect = choose.dialect && format.kind == Format::kCsv && !format.escape_anywhere};
}

namespace parser {
namespace {

constexpr std::size_t kMisfitsShown = 5;
constexpr std::size_t kNotesMax = 20;
constexpr std::size_t kNamesShown = 8;
constexpr std::size_t kNoColumn = SIZE_MAX;

using Names = std::vector<std::string>;

/// The columns of all samples: united by name, or by place.
class Table {
 public:
  /// `row_names`: see has_row_names().
  Table(const std::vector<Sample>& samples, SniffReport& report, std::vector<std::size_t> fields,
        bool row_names)
      : samples_(samples),
        report_(report),
        row_names_(row_names),
        formats_(report.format),
        is_null_(report.format.null_strings),
        fields_(std::move(fields)),
        most_fields_(*std::max_element(fields_.begin(), fields_.end())) {}

  /// `keys`: those of JSON lines, in the order in which they become columns.
  void read(const Names& keys = {}) {
    if (is_json()) {
      by_place_ = true;
      Schema schema;
      for (const std::string& key : keys) schema.fields.push_back({key, {}, true});
      for (const std::string& key : keys) add_column(key);
      tokenizer_ = make_json_lines_tokenizer(report_.format, SimdTarget::kPortable,
                                             std::make_shared<const Schema>(std::move(schema)),
                                             ExtraColumns::kIgnore);
    } else {
      tokenizer_ = make_sample_tokenizer(report_.format);
      if (report_.format.header) {
        read_headers();
      } else {
        name_by_place({});
      }
    }
    for (std::size_t i = 0; i < samples_.size(); ++i) {
      if (report_.objects[i].left_out.empty()) read_sample(i);
    }
    for (std::size_t i = 0; i < names_.size(); ++i) {
      const Field field{names_[i], values_[i].type(), true};
      report_.schema.fields.push_back(field);
      report_.columns.push_back({field, values_[i].values(), values_[i].nulls(),  //
                                 values_[i].near(), values_[i].misfit()});
    }
    note_other_forms();
    if ((report_.names_fault.empty() && !reads_by_place_) || is_json()) return;
    report_.format.header = false;
    report_.format.skip_lines = header_lines_;
  }

  /// Where no record is a row: what is wrong with the first one.
  Error fault_of_first() const {
    const SniffedMisfit& first = report_.misfits.front();
    Error error{first_misfit_, ""};
    if (first_misfit_ == ErrorCode::kUnterminatedQuote) {
      error.message =
          "a quoted field is still open at the end of the object, so that no record can be read; "
          "look for a lone quote at the start of a field, or set --quote";
    } else if (first_misfit_ == ErrorCode::kMalformedRecord) {
      error.message = "no record of the sample can be read: " + first.text +
                      "; set --delimiter, --quote and --schema";
    } else {
      error.message =
          "no record of the sample has as many fields as there are names: " + first.text +
          "; see --short-records, --long-records, --skip-lines and --delimiter";
    }
    error.at = {.object = first.object, .record = first.record, .byte_offset = first.byte_offset};
    return error;
  }

 private:
  struct LineEnds {
    bool lf = false;
    bool crlf = false;
    bool cr = false;
  };

  bool is_json() const noexcept { return report_.format.kind == Format::kJsonLines; }
  bool has_header() const noexcept { return report_.format.header && !is_json(); }

  /// PostgreSQL's formats have none: the first record is the header, whatever is in it.
  bool is_blank_line(const SampledRecord& record) const noexcept {
    return record.raw.empty() && !is_postgres(report_.format.kind);
  }

  void note(std::string sentence) {
    if (report_.notes.size() < kNotesMax) report_.notes.push_back(std::move(sentence));
  }

  std::size_t add_column(std::string name) {
    names_.push_back(std::move(name));
    values_.emplace_back(formats_);
    return names_.size() - 1;
  }

  /// Columns named column1, column2, … or by what there is of names.
  void name_by_place(Names names) {
    by_place_ = true;
    names.resize(std::max(names.size(), most_fields_));
    for (std::string& name : names) {
      if (!name.empty() && !schema_of_names({name})) name.clear();
    }
    for (std::string& name : distinct_names(names)) add_column(std::move(name));
  }

  /// All of them before any record: the columns are those of all samples.
  void read_headers() {
    headers_.resize(samples_.size());
    for (std::size_t i = 0; i < samples_.size(); ++i) {
      if (!report_.objects[i].left_out.empty()) continue;
      walk_records(samples_[i], report_.format, *tokenizer_, false, samples_[i].bytes.size(),
                   [&](const SampledRecord& record) {
                     if (is_blank_line(record)) return true;
                     take_header(i, record);
                     return false;
                   });
    }
  }

  void take_header(std::size_t index, const SampledRecord& record) {
    const Sample& sample = samples_[index];
    std::string& left_out = report_.objects[index].left_out;
    if (record.block == nullptr) {
      left_out = "its header is malformed: " + std::string(record.fault);
      return;
    }
    if (most_fields_ > 1 && fields_[index] == 1 &&
        record.raw.find_first_of(kDelimiters) != std::string_view::npos) {
      left_out =
          "its records are one field each, which seems to have another delimiter than others";
      return;
    }
    Names& header = headers_[index];
    for (std::size_t i = 0; i < record.fields(); ++i) {
      header.emplace_back(text_of(record, i, report_.format, scratch_));
    }
    if (by_place_) {
      if (header != first_header_) note("the header of " + sample.object + " is another one");
      if (lines_down_to(sample, record) != header_lines_) {
        left_out =
            "its header stands in another line than that of others, and can only be read by place";
      }
    } else if (first_header_.empty() && row_names_) {
      first_header_ = header;
      header_lines_ = lines_down_to(sample, record);
      name_behind_row_names();
    } else {
      unite_by_name(index, record);
    }
  }

  void name_behind_row_names() {
    Names names = first_header_;
    names.insert(names.begin(), std::string());
    name_by_place(std::move(names));
    reads_by_place_ = true;
    report_.header_evidence = "the first record names all columns but the first, and is skipped";
    note(
        "each record has one field more than the header, as R writes the names of rows in front: "
        "columns are found by place, and the first is called " +
        names_.front());
  }

  void unite_by_name(std::size_t index, const SampledRecord& record) {
    const Sample& sample = samples_[index];
    const Names& header = headers_[index];
    const bool first = first_header_.empty();
    const Names names = distinct_names(header);
    const Result<Schema> named = schema_of_names(names);
    if (!named && !first) {
      report_.objects[index].left_out = named.error().message;
      return;
    }
    if (first) first_header_ = header;
    if (!named) {
      report_.names_fault = named.error().message;
      name_by_place(header);
      header_lines_ = lines_down_to(sample, record);
      return;
    }
    if (first) note_told_apart(header, names);
    for (const std::string& name : names) {
      if (!column_names_.insert(core::lower_case(name)).second) continue;
      if (!first) note(sample.object + " has a column " + excerpt(name) + " that others lack");
      add_column(name);
    }
  }

  /// As the parser skips them.
  std::uint64_t lines_down_to(const Sample& sample, const SampledRecord& record) const {
    const std::size_t end = static_cast<std::size_t>(record.byte_offset) + record.raw.size();
    LineEnd line_end = first_line_end(report_.format);
    std::uint64_t lines = 0;
    for (std::size_t at = 0; at <= end; ++lines) {
      const LineStop stop = *find_line_stop(sample.bytes, at, /*final=*/true, line_end);
      if (stop.line_break.length == 0) return lines + 1;
      line_end = stop.line_break.line_end;
      at = stop.end + stop.line_break.length;
    }
    return lines;
  }

  /// Says once what becomes of names that stand in the header twice.
  void note_told_apart(const Names& header, const Names& names) {
    std::string list;
    std::size_t count = 0;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (header[i].empty() || names[i] == header[i]) continue;
      if (++count > kNamesShown) continue;
      list += (count == 1 ? " " : ", ") + excerpt(header[i]) + " in place " +
              std::to_string(i + 1) + " is " + excerpt(names[i]);
    }
    if (count > kNamesShown) list += ", … (" + std::to_string(count) + " in all)";
    if (count != 0) note("names that stand in the header twice are told apart:" + list);
  }

  /// Columns of the sample's fields, as the parser will find them.
  /// @return  Whether its records can be read.
  bool find_columns(std::size_t index) {
    columns_.clear();
    if (!has_header() || by_place_) {
      for (std::size_t i = 0; i < names_.size(); ++i) columns_.push_back(i);
      return true;
    }
    const Names& header = headers_[index];
    if (header.empty()) return true;  // Blank lines, or nothing at all.
    Schema known;
    for (const std::string& name : names_) known.fields.push_back({name, {}, true});
    const Result<ColumnMap> map =
        map_by_name(header, known, ExtraColumns::kIgnore, MissingColumns::kNull);
    if (!map) {
      report_.objects[index].left_out = map.error().message;
      return false;
    }
    columns_.assign(header.size(), kNoColumn);
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (map->field_of_column[i] == ColumnMap::kMissing) {
        note(samples_[index].object + " has no column " + excerpt(names_[i]));
      } else {
        columns_[map->field_of_column[i]] = i;
      }
    }
    return true;
  }

  void read_sample(std::size_t index) {
    if (!find_columns(index)) return;
    const Sample& sample = samples_[index];
    SniffedObject& object = report_.objects[index];
    // A header that names no columns is skipped, with what stands in front of it: so many lines of
    // each object, whatever is in them.
    FormatOptions format = report_.format;
    if (has_header() && by_place_) {
      format.header = false;
      format.skip_lines = header_lines_;
    }
    for (ColumnValues& values : values_) values.expect_transcoded(sample.transcoded);
    const bool has_names = has_header() && format.header;
    bool header_due = has_names;
    std::uint64_t before_header = 0;  // Blank lines.
    SampledRecord at;
    const ColumnValues::Locate locate = [&] {
      // The parser counts records from 1 behind the header.
      const std::uint64_t number = at.ordinal - before_header + (has_names ? 0 : 1);
      return SniffedMisfit{sample.object, number, at.byte_offset, {}};
    };
    RowRules rules{0, report_.format.short_records == ShortRecords::kNull,
                   report_.format.long_records, report_.format.trim};
    const auto visit = [&](const SampledRecord& record) {
      rules.fields = columns_.size();
      see_line_end(sample, record);
      if (header_due && is_blank_line(record)) {
        ++before_header;
        return true;
      }
      if (header_due) {
        header_due = false;
        return true;
      }
      at = record;
      ++object.records;
      see_spaced_quotes(record);
      if (record.block == nullptr || !rules.take(*record.block, record.index)) {
        add_misfit(record, locate);
      } else {
        add_values(record, locate);
      }
      return true;
    };
    // As the parser does it: by the columns, which an object of nothing but blank lines has as
    // well.
    const bool keep_blank = columns_.size() == 1;
    const SampleWalk walk =
        walk_records(sample, format, *tokenizer_, keep_blank, sample.bytes.size(), visit);
    report_.byte_order_mark = report_.byte_order_mark || walk.byte_order_mark;
    report_.records += object.records;
  }

  void add_misfit(const SampledRecord& record, const ColumnValues::Locate& locate) {
    ++report_.records_misfit;
    if (report_.misfits.size() >= kMisfitsShown) return;
    if (report_.misfits.empty()) {
      first_misfit_ = record.block != nullptr              ? ErrorCode::kFieldCount
                      : record.fault == kUnterminatedFault ? ErrorCode::kUnterminatedQuote
                                                           : ErrorCode::kMalformedRecord;
    }
    report_.misfits.push_back(locate());
    report_.misfits.back().text = record.block == nullptr
                                      ? std::string(record.fault)
                                      : core::count_of(record.fields(), "field") + " where " +
                                            std::to_string(columns_.size()) + " are due";
  }

  void add_values(const SampledRecord& record, const ColumnValues::Locate& locate) {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (columns_[i] == kNoColumn) continue;
      ColumnValues& values = values_[columns_[i]];
      if (i >= record.fields()) {
        values.add_null();
        continue;
      }
      const FieldSpan span = record.block->field(record.index, i);
      if (is_null_(span, raw_text_of(record, i, report_.format))) {
        values.add_null();
        continue;
      }
      const std::string_view text = text_of(record, i, report_.format, scratch_);
      if (is_json() && span.quoted) {
        values.add_json_string(text, locate);
      } else {
        values.add(text, span.quoted, locate);
      }
    }
  }

  void see_line_end(const Sample& sample, const SampledRecord& record) {
    const std::size_t end = static_cast<std::size_t>(record.byte_offset) + record.raw.size();
    const std::string_view rest = std::string_view(sample.bytes).substr(end, 2);
    if (rest == "\r\n") {
      line_ends_.crlf = true;
    } else if (rest.starts_with('\n')) {
      line_ends_.lf = true;
    } else if (rest.starts_with('\r')) {
      line_ends_.cr = true;
    }
    report_.line_end = line_ends_.lf && line_ends_.crlf ? "LF and CRLF"
                       : line_ends_.crlf                ? "CRLF"
                       : line_ends_.lf                  ? "LF"
                       : line_ends_.cr                  ? "CR"
                                                        : "";
  }

  void see_spaced_quotes(const SampledRecord& record) {
    for (std::size_t i = 1; i < record.fields(); ++i) {
      const FieldSpan span = record.block->field(record.index, i);
      if (span.quoted) continue;
      const std::string_view text(record.block->text + span.begin, span.end - span.begin);
      const std::size_t spaces = std::min(text.find_first_not_of(' '), text.size());
      if (spaces == 0 || !text.substr(spaces).starts_with('"')) continue;
      ++spaced_quotes_;
      one_space_each_ = one_space_each_ && spaces == 1;
    }
  }

  /// Text that would be more with a flag.
  void note_other_forms() {
    bool foreign = false;
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (const std::optional<OtherReading> other = values_[i].other_reading()) {
        note("column " + names_[i] + " is text; all its values would be " + other->what + " with " +
             other->flags);
      }
      foreign = foreign || values_[i].holds_other_than_utf8();
      if (values_[i].undecodable() != 0) {
        const SniffedMisfit& first = values_[i].first_undecodable();
        note("column " + names_[i] + ": " + core::count_of(values_[i].undecodable(), "value") +
             " with bytes that the encoding does not have, the first in record " +
             std::to_string(first.record) + " of " + first.object + " (byte " +
             std::to_string(first.byte_offset) + "): row errors, see --on-error");
      }
    }
    if (spaced_quotes_ != 0 && report_.format.quote == '"' &&
        report_.format.long_delimiter.empty()) {
      note(core::count_of(spaced_quotes_, "field") +
           " with a quote behind spaces, where it opens nothing: " +
           (one_space_each_ ? std::string("--delimiter '") + report_.format.delimiter +
                                  " ' takes the space for a part of the delimiter"
                            : "take the spaces out where the file is made"));
    }
    if (report_.format.encoding != FormatOptions().encoding) return;
    if (foreign || !report_.names_fault.empty()) {
      note(std::string(foreign ? "some text is not UTF-8, and so its column is bytea"
                               : "the header is not UTF-8") +
           ": if it is in another encoding, set --encoding windows-1252 (Western Europe), "
           "windows-1251 (Cyrillic), …");
    }
  }

  const std::vector<Sample>& samples_;
  SniffReport& report_;
  const bool row_names_;
  const ValueFormats formats_;
  const NullMatcher is_null_;
  const std::vector<std::size_t> fields_;  ///< That most records of each sample have.
  const std::size_t most_fields_;
  std::unique_ptr<Tokenizer> tokenizer_;
  bool by_place_ = false;
  bool reads_by_place_ = false;  ///< By choice, whatever the names are.
  Names first_header_;
  std::uint64_t header_lines_ = 0;
  Names names_;
  std::vector<ColumnValues> values_;              ///< One for each name.
  std::unordered_set<std::string> column_names_;  ///< In lower case.
  std::vector<Names> headers_;                    ///< Of each sample, as they stand there.
  std::vector<std::size_t> columns_;              ///< Of each field of the sample at hand.
  std::string scratch_;                           ///< Of the field at hand.
  LineEnds line_ends_;
  std::size_t spaced_quotes_ = 0;
  bool one_space_each_ = true;
  bool line_end_fault_ = false;
  ErrorCode first_misfit_ = ErrorCode::kFieldCount;
};

/// Empties the samples that are no text. @return  Whether there are others.
Result<bool> leave_out(std::vector<Sample>& samples, const FormatOptions& format,
                       SniffReport& report) {
  bool any = false;
  std::optional<Error> not_text;
  for (Sample& sample : samples) {
    SniffedObject& object = report.objects.emplace_back();
    object.object = sample.object;
    object.bytes = sample.bytes.size();
    object.whole = sample.whole;
    const std::string_view head = std::string_view(sample.bytes).substr(0, kSniffBytes);
    if (head.empty()) {
      object.left_out = "it is empty";
    } else if (std::optional<std::string> why = describe_not_text(head, format)) {
      if (!not_text) {
        not_text = Error{ErrorCode::kNotText, *why};
        not_text->at.object = sample.object;
      }
      object.left_out = *std::move(why);
      sample.bytes = {};
    } else {
      any = true;
    }
  }
  if (!any && not_text) return *std::move(not_text);
  return any;
}

/// The first line that is not blank is a JSON object, in each sample.
bool are_json_lines(const std::vector<Sample>& samples) {
  return std::all_of(samples.begin(), samples.end(), [](const Sample& sample) {
    if (sample.bytes.empty()) return true;
    const std::string_view bytes = sample.bytes;
    const std::size_t begin = std::min(bytes.find_first_not_of(" \t\r\n"), bytes.size());
    const std::string_view line = bytes.substr(begin, bytes.find('\n', begin) - begin);
    return line.starts_with('{') && valid_json(line);
  });
}

/// What stands behind "sep=" in the first line of each sample, as spreadsheets have it.
std::optional<char> told_delimiter(const std::vector<Sample>& samples) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  constexpr std::string_view kMark = "sep=";
  std::optional<char> told;
  for (const Sample& sample : samples) {
    std::string_view bytes = sample.bytes;
    if (bytes.empty()) continue;
    if (bytes.starts_with(kByteOrderMark)) bytes.remove_prefix(kByteOrderMark.size());
    if (!bytes.starts_with(kMark) || bytes.size() < kMark.size() + 2) return std::nullopt;
    const char delimiter = bytes[kMark.size()];
    const char after = bytes[kMark.size() + 1];
    if ((after != '\n' && after != '\r') || delimiter != told.value_or(delimiter)) {
      return std::nullopt;
    }
    told = delimiter;
  }
  return told;
}

/// The keys of all records, in the order in which they come up.
Names keys_of(const std::vector<Sample>& samples, SniffReport& report) {
  Names keys;
  std::unordered_set<std::string> seen;
  std::string scratch;
  const auto tokenizer = make_json_keys_tokenizer(report.format, SimdTarget::kPortable);
  for (const Sample& sample : samples) {
    walk_records(sample, report.format, *tokenizer, false, sample.bytes.size(),
                 [&](const SampledRecord& record) {
                   for (std::size_t i = 0; i < record.fields(); ++i) {
                     std::string key(text_of(record, i, report.format, scratch));
                     if (!seen.insert(key).second) continue;
                     if (const Result<Schema> named = schema_of_names({key}); !named) {
                       report.names_fault = "the key " + excerpt(key) + " can name no column";
                       continue;
                     }
                     keys.push_back(std::move(key));
                   }
                   return true;
                 });
  }
  return keys;
}

/// Each header has several names, and all records one field more, which stands in front: the first
/// field and the last one are filled in all of them.
bool has_row_names(const std::vector<Sample>& samples, const Dialect& dialect,
                   const FormatOptions& format) {
  std::optional<std::size_t> names;  // In all headers.
  std::uint64_t records = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    bool header = true;
    bool such = true;
    walk_records(samples[i], format, false, samples[i].bytes.size(),
                 [&](const SampledRecord& record) {
                   if (header) {
                     header = false;
                     such = record.fields() > 1 && record.fields() + 1 == dialect.fields[i] &&
                            names.value_or(record.fields()) == record.fields();
                     names = record.fields();
                     return such;
                   }
                   if (record.fields() != *names + 1) return true;  // A misfit, in any case.
                   ++records;
                   such = !raw_text_of(record, 0, format).empty() &&
                          !raw_text_of(record, *names, format).empty();
                   return such;
                 });
    if (!such) return false;
  }
  return records != 0;
}

/// A delimiter ends each record, but not the header: they have one more field, and it is empty.
void find_trailing_delimiters(const std::vector<Sample>& samples, const Dialect& dialect,
                              SniffReport& report) {
  std::uint64_t records = 0;
  std::uint64_t ended = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    std::optional<std::size_t> header;
    bool filled = false;
    walk_records(samples[i], report.format, false, samples[i].bytes.size(),
                 [&](const SampledRecord& record) {
                   if (!header) {
                     header = record.fields();
                     // Of one column and a delimiter, the delimiter is likely none.
                     return *header > 1 && *header + 1 == dialect.fields[i];
                   }
                   ++records;
                   if (record.fields() <= *header) return true;
                   RowRules rules;
                   rules.fields = *header;
                   rules.more = LongRecords::kIgnoreEmpty;
                   rules.trim = report.format.trim;
                   filled = !rules.take(*record.block, record.index);
                   ++ended;
                   return !filled;
                 });
    if (filled) return;
  }
  if (ended == 0) return;
  report.format.long_records = LongRecords::kIgnoreEmpty;
  report.notes.push_back("a delimiter ends " + std::to_string(ended) + " of " +
                         std::to_string(records) +
                         " records, but no header: the empty field behind it is left out "
                         "(--long-records ignore-empty); one that is not empty is a row error");
}

/// No record could be read: why?
Result<SniffReport> without_records(const std::vector<Sample>& samples, SniffReport report) {
  for (const Sample& sample : samples) {
    std::string fault;  // A copy: records do not outlive the walk.
    const auto tokenizer = report.format.kind == Format::kJsonLines
                               ? make_json_keys_tokenizer(report.format, SimdTarget::kPortable)
                               : make_sample_tokenizer(report.format);
    const SampleWalk walk =
        walk_records(sample, report.format, *tokenizer, false, sample.bytes.size(),
                     [&fault](const SampledRecord& record) {
                       fault = record.fault;
                       return false;
                     });
    if (fault.empty() && !walk.cut) continue;  // Blank lines, or nothing at all.
    Error error;
    if (fault.empty()) {
      error = {ErrorCode::kRecordTooLarge,
               "no record ends in the first " + std::to_string(sample.bytes.size()) +
                   " bytes, so that its columns cannot be found; set --schema"};
    } else {
      error = {
          fault == kUnterminatedFault ? ErrorCode::kUnterminatedQuote : ErrorCode::kMalformedRecord,
          "no record can be read: " + fault + "; set --delimiter, --quote and --schema"};
    }
    error.at.object = sample.object;
    error.at.byte_offset = 0;
    return error;
  }
  return report;
}

}  // namespace

Result<SniffReport> sniff_samples(std::vector<Sample> samples, const FormatOptions& format,
                                  const SniffedSettings& choose) {
  if (format.kind == Format::kLines) {
    return Error{ErrorCode::kUnsupported, "lines are not sniffed: their one column is text"};
  }
  if (Result<void> valid = format.validate(); !valid) return std::move(valid).error();
  SniffReport report;
  report.format = format;
  Result<bool> any = leave_out(samples, format, report);
  if (!any) return std::move(any).error();
  if (!*any) return report;

  if (format.kind == Format::kJsonLines) {
    const Names keys = keys_of(samples, report);
    if (keys.empty()) return without_records(samples, std::move(report));
    report.header_evidence = "the keys name the columns";
    Table(samples, report, std::vector<std::size_t>(samples.size(), keys.size()), false).read(keys);
    return report;
  }
  if (format.kind == Format::kCsv && are_json_lines(samples)) {
    return Error{ErrorCode::kNotText, "these are JSON lines: set --input-format jsonl"};
  }
  FormatOptions told = format;
  SniffedSettings open = open_settings(format, choose);
  if (const auto delimiter = told_delimiter(samples);
      delimiter && open.delimiter && format.kind == Format::kCsv && format.skip_lines == 0) {
    FormatOptions with_it = format;
    with_it.delimiter = *delimiter;
    with_it.skip_lines = 1;
    // Not valid where it is the quote: then the line is a record like others.
    if (with_it.validate()) {
      told = std::move(with_it);
      open.delimiter = false;
    }
  }
  const Dialect dialect = find_dialect(samples, told, open);
  report.format = dialect.format;
  if (!dialect.evidence.empty()) report.notes.push_back(dialect.evidence);
  if (std::count(dialect.fields.begin(), dialect.fields.end(), 0u) == std::ssize(dialect.fields)) {
    return without_records(samples, std::move(report));
  }
  const HeaderGuess guess = guess_header(samples, dialect, open.header);
  report.format.header = guess.header;
  report.format.skip_lines += guess.titles;
  report.header_evidence = guess.evidence;
  bool row_names = false;
  if (open.long_records && guess.header && dialect.format.kind == Format::kCsv) {
    find_trailing_delimiters(samples, dialect, report);
    row_names = open.header && has_row_names(samples, dialect, report.format);
  }
  Table table(samples, report, dialect.fields, row_names);
  table.read();
  if (report.records == 0 && dialect.open_ended) {
    Error error{ErrorCode::kRecordTooLarge,
                "no record below the names ends in the " +
                    std::to_string(report.objects.front().bytes) +
                    " bytes that were looked at, since a quoted field is still open there; look "
                    "for a lone quote at the start of a field, or set --schema"};
    error.at = {.object = report.objects.front().object, .byte_offset = 0};
    return error;
  }
  if (report.records != 0 && report.records_misfit == report.records) return table.fault_of_first();
  return report;
}

}  // namespace parser
}  // namespace leat
