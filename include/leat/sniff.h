// Sniffing: from the first bytes of a few objects to dialect, columns and types.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "leat/object_store.h"
#include "leat/parser.h"
#include "leat/result.h"
#include "leat/schema.h"

namespace leat {

/// Which settings of FormatOptions sniffing may choose. Only those that still have their default
/// value are chosen: another value is the caller's word already.
struct SniffedSettings {
  bool delimiter = true;
  bool quote = true;    ///< And the escape character.
  bool header = true;   ///< And the lines to skip in front of it.
  bool comment = true;  ///< `#`, where lines that begin with it fit nothing else.
  /// LongRecords::kIgnoreEmpty, where a delimiter ends each record, but not the header.
  bool long_records = true;
  /// PostgreSQL's text format, where tabs and backslashes leave no doubt, if delimiter and quote
  /// are open, too.
  bool dialect = true;
};

/// Those of `choose` that `format` leaves open.
SniffedSettings open_settings(const FormatOptions& format, const SniffedSettings& choose);

struct SniffOptions {
  std::string from = {};  ///< As SourceOptions::from.
  /// What is known. Of other formats than CSV no more than columns and types are found.
  FormatOptions format = {};
  SniffedSettings choose = {};
  StoreOptions store = {};
  /// Objects to look at: the first and the last of the listing's first pages, others between them.
  std::uint32_t objects_max = 5;
  std::uint64_t sample_bytes_max = 4ull << 20;  ///< From the front of each object, decoded.

  ///   kInvalidArgument  Which option and why.
  Result<void> validate() const;
};

/// A value or a record that speaks against something, and where it stands.
struct SniffedMisfit {
  std::string object = {};
  std::uint64_t record = 0;       ///< Counted from 1; the header does not count.
  std::uint64_t byte_offset = 0;  ///< Of the record's first byte, in the decoded object.
  std::string text = {};          ///< The value (<= 64 bytes), or what is wrong with the record.
};

/// A narrower type than the one that was chosen, which nearly all values fit.
struct NearType {
  DataType type = {};
  std::uint64_t fits = 0;     ///< Of SniffedColumn::values.
  SniffedMisfit first = {};   ///< The first value that does not fit.
  bool one_text = false;      ///< All that do not fit are the same text, e.g. NA.
  bool quoted_empty = false;  ///< That text is a quoted empty field, which is text and never null.
};

struct SniffedColumn {
  Field field = {};  ///< Nullable: what is to come may lack a value.
  /// All of them fit field.type, unless there is a misfit. 0: nothing is known, the type is text.
  std::uint64_t values = 0;
  std::uint64_t nulls = 0;
  std::optional<NearType> near = {};
  /// The first value that is not UTF-8, where others are no bytea: no type fits all of them.
  std::optional<SniffedMisfit> misfit = {};
};

struct SniffedObject {
  std::string object = {};
  std::uint64_t bytes = 0;    ///< Looked at, decoded.
  std::uint64_t records = 0;  ///< Complete ones in these bytes; the header does not count.
  bool whole = false;         ///< All of the object was looked at.
  std::string left_out = {};  ///< Why nothing was learnt from it; empty: it was used.
};

/// What was found. Sinks, parsers and `leat load` take `format` and `schema` as they are.
struct SniffReport {
  FormatOptions format = {};                ///< As given, with what was chosen.
  Schema schema = {};                       ///< No columns: no object held a record.
  std::vector<SniffedColumn> columns = {};  ///< One for each field of the schema.
  std::vector<SniffedObject> objects = {};

  std::string line_end = {};         ///< "LF", "CRLF", "CR", "LF and CRLF"; empty: none seen.
  bool byte_order_mark = false;      ///< At the start of an object.
  std::string header_evidence = {};  ///< Why there is a header, or none.
  std::uint64_t records = 0;
  /// Records with another number of fields, or against the rules of quotes or line ends: rejects,
  /// whatever the types. Types were judged without them.
  std::uint64_t records_misfit = 0;
  std::vector<SniffedMisfit> misfits = {};  ///< The first few.
  /// What else there is to know: one sentence each.
  std::vector<std::string> notes = {};
  /// Why columns cannot be found by the header's names (not UTF-8, a NUL byte); empty: they can.
  /// Then `format` reads by place, and skips the header as a line.
  std::string names_fault = {};

  /// Share of the records that have the expected number of fields.
  double confidence() const noexcept {
    return records == 0
               ? 0
               : static_cast<double>(records - records_misfit) / static_cast<double>(records);
  }
};

/// Lists `options.from`, reads the front of a few of its objects, and says what they hold.
///   kNotFound          Nothing matches, or no object that does holds a byte.
///   kNotText           None of them is text; the message says what the first one is.
///   kUnsupported       JSON lines where CSV was said; Format::kLines, whose one column is text.
///   kInvalidArgument, kPermissionDenied, kUnavailable, kThrottled, kTimeout, kIo
Result<SniffReport> sniff(const SniffOptions& options);
/// As above, with a store of the caller's own in place of open_store(options.from).
Result<SniffReport> sniff(const SniffOptions& options, const ObjectStore& store);

}  // namespace leat
