// Bytes to rows: the streaming parser's interface and its options.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "leat/result.h"
#include "leat/row_chunk.h"
#include "leat/schema.h"
#include "leat/split.h"

namespace leat {

/// What becomes of a record that does not fit.
enum class OnError : std::uint8_t {
  kFail,    ///< The split is quarantined at that record. Nothing is lost, nothing is skipped.
  kReject,  ///< The record goes to the rejects; its split goes on.
  kNull,    ///< A value that does not fit becomes null where the column allows it; records that
            ///< have no such single value (field count, stray quote) are rejected.
};

/// What becomes of header columns that the schema does not know.
enum class ExtraColumns : std::uint8_t {
  kAuto,  ///< kIgnore with a schema given by the user, kFail with one taken from a header.
  kIgnore,
  kFail,
};

/// What becomes of nullable columns that the header lacks. One that is NOT NULL is always an error.
enum class MissingColumns : std::uint8_t {
  kNull,  ///< Null in each row of the object.
  kFail,  ///< The split is quarantined.
};

/// What becomes of a record that has fewer fields than the header, or without one the schema.
enum class ShortRecords : std::uint8_t {
  kFault,  ///< A row error.
  kNull,   ///< The fields that are not there are null.
};

/// What becomes of a record that has more fields.
enum class LongRecords : std::uint8_t {
  kFault,        ///< A row error.
  kIgnore,       ///< Those too many are dropped.
  kIgnoreEmpty,  ///< They are dropped where they are empty and unquoted, as behind a delimiter that
                 ///< ends each record; else a row error.
};

/// What ends a record of delimited text, besides LF and CRLF.
enum class LineEnds : std::uint8_t {
  kFirst,  ///< A lone CR where the object's first line end is one; then nothing else does.
  kAny,    ///< Any lone CR, too.
};

enum class Format : std::uint8_t {
  kCsv,           ///< Delimited text with quotes; see docs/csv.md.
  kPostgresText,  ///< PostgreSQL's COPY text format: tab, \N, backslash escapes.
  kJsonLines,     ///< One JSON object a line; columns by key.
  kLines,         ///< Each line is one text value.
  kPostgresCsv,   ///< PostgreSQL's COPY CSV format: quotes open and close anywhere.
};

/// What the bytes of an object mean. The defaults are CSV as RFC 4180 has it, read generously; for
/// what others write see dialect_options. docs/formats.md says which options each format heeds.
struct FormatOptions {
  Format kind = Format::kCsv;
  char delimiter = ',';
  char quote = '"';   ///< '\0': no quoting at all.
  char escape = '"';  ///< Inside quotes; equal to `quote`: doubling.
  /// An `escape` that is neither `quote` nor '\0' takes the meaning off whatever character follows
  /// it, in quotes or not: delimiter, line end, quote, itself. kCsv only.
  bool escape_anywhere = false;
  std::optional<char> comment;   ///< Records that start with it are skipped. None unless told.
  bool header = true;            ///< The first record holds column names; else columns by place.
  std::uint64_t skip_lines = 0;  ///< Physical lines dropped at the start of each object.
  /// Unquoted fields equal to one of these are null; quoted ones never are.
  std::vector<std::string> null_strings = {""};
  OnError on_error = OnError::kFail;
  ExtraColumns extra_columns = ExtraColumns::kAuto;
  MissingColumns missing_columns = MissingColumns::kNull;
  /// Of several bytes, it stands in place of `delimiter`; empty: none does. kCsv only, as all that
  /// follows down to `thousands_separator`.
  std::string long_delimiter = {};
  LineEnds line_ends = LineEnds::kFirst;
  bool trim = false;  ///< Spaces and tabs around unquoted fields, of the header too, are dropped.
  ShortRecords short_records = ShortRecords::kFault;
  LongRecords long_records = LongRecords::kFault;
  char decimal_separator = '.';     ///< In numbers, in front of the fraction.
  char thousands_separator = '\0';  ///< In numbers, between groups of three digits; '\0': none.
  /// How date, time and timestamp columns (these with and without time zone) are written: see
  /// docs/types.md. Empty: as ISO 8601 has it.
  std::string date_format = {};
  std::string time_format = {};
  std::string timestamp_format = {};
  /// Of an object's text: "auto" (UTF-8, or what a byte order mark says), "utf-16", "windows-1252",
  /// …: see docs/encodings.md. It is decoded in front of the parser, which takes UTF-8 whatever
  /// this says.
  std::string encoding = "auto";
  std::uint32_t record_bytes_max = 16u << 20;  ///< A longer record quarantines its split.
  std::uint32_t fields_max = 1u << 20;         ///< More fields in a record quarantine its split.
  std::string tokenizer = "simd";              ///< "simd", "libcsv" or "scalar": the same rows.
  /// What the SIMD code may use: "portable", "sse4", "avx2" or "avx512". Empty: what the
  /// environment variable LEAT_SIMD names, else the best that this machine can run.
  std::string simd = {};

  ///   kInvalidArgument  Which option, and why (same character twice, line end as delimiter, SIMD
  ///                     instructions that this machine cannot run, …).
  Result<void> validate() const;
};

/// The options that stand for a dialect of delimited text: "default", "postgres" (COPY's CSV),
/// "postgres-text" (COPY's text), "redshift" (UNLOAD's default; with an `escape`, UNLOAD … ESCAPE,
/// with a `quote`, ADDQUOTES).
///   kInvalidArgument  Another name; the message lists those that are known.
Result<FormatOptions> dialect_options(std::string_view dialect);

/// How the end of a record is guessed, the faster way first.
enum class RecordEndGuess : std::uint8_t {
  /// By the quotes near the end, and what stands beside them. Little is looked at, so the bytes may
  /// begin anywhere.
  kNearby,
  kEvenQuotes,  ///< As if every quote opened or closed a field: all quotes are counted.
};

/// Plain bytes of one split, in order.
struct ByteChunk {
  std::uint64_t offset = 0;            ///< Of payload[0], in the decoded object.
  std::span<const std::byte> payload;  ///< Borrowed for the call only. At most 512 MiB.
};

/// Turns the bytes of one split after another into rows.
///
/// Its result does not depend on where the bytes were cut: rows, rejects, positions and errors are
/// the same for every sequence of chunks, only their distribution over RowChunks differs.
/// One split at a time, one thread at a time. A parser that has returned an error stays so until
/// reset_for_new_split.
class ByteStreamParser {
 public:
  virtual ~ByteStreamParser() = default;

  /// Forgets everything of the last split, its header too, and begins `split` at `position`
  /// (Position{} for its start). The next chunk's offset must be position.offset.
  ///   kCorrupt         position.parser_state is not from this parser, or from one with another
  ///                    FormatOptions::header.
  ///   kSchemaMismatch  The header that it holds does not fit the schema.
  virtual Result<void> reset_for_new_split(std::shared_ptr<const ObjectVersion> split,
                                           const Position& position) = 0;

  /// Parses the records that are complete in the bytes so far. `out` is overwritten: rows, rejects,
  /// lineage and end position. Zero rows are usual: a chunk inside one large record, or the first
  /// 4 KiB of an object, which wait until they are known to be text.
  ///
  /// On error `out` still holds everything before the offending record, and out.end is that
  /// record's start: a resume from there meets the same error.
  ///   kMalformedRecord, kBadValue, kFieldCount  OnError::kFail met such a record.
  ///   kRecordTooLarge, kUnterminatedQuote, kNotText, kSchemaMismatch  Whatever the policy.
  virtual Result<void> parse(const ByteChunk& chunk, RowChunk& out) = 0;

  /// From now on parse() stops behind a record where the columns of the rows so far take about so
  /// many bytes, text aside: sparse records of many columns may take thousands of times their own
  /// length. Without a call it never does.
  virtual void limit_rows(std::size_t bytes_max) noexcept = 0;
  /// The last parse() stopped so: it is to be called again, with a chunk of no bytes.
  virtual bool has_more() const noexcept = 0;

  /// The split's bytes are over: parses the last record, with or without a line end.
  virtual Result<void> finish(RowChunk& out) = 0;

  /// The schema in force; null until it is known (no schema given and no header seen).
  virtual std::shared_ptr<const Schema> schema() const noexcept = 0;

  /// How many bytes at the front of `bytes`, which begin with a record, are whole records, line
  /// ends included, so that they and what follows can be parsed apart: by two parsers, each reset
  /// to its own begin with the `parser_state` of any position of this split.
  ///
  /// 0: there is no such boundary in `bytes`, or this split cannot be cut (its header is not read
  /// yet, or only a parse can tell where its records end). Far faster than parse().
  virtual std::size_t whole_records(std::string_view bytes) const noexcept = 0;

  /// The same, guessed where that is faster still. The guess may be wrong: then parse() of these
  /// bytes stops in front of their end, and RowChunk::end is where the next record really begins.
  virtual std::size_t likely_whole_records(std::string_view bytes,
                                           RecordEndGuess guess) const noexcept = 0;

  /// Bytes held back for an incomplete record.
  virtual std::size_t buffered_bytes() const noexcept = 0;
};

/// A parser of options.kind. Without a schema the first header decides: all its columns are text.
///   kInvalidArgument  Options that do not validate; no schema and no header.
Result<std::unique_ptr<ByteStreamParser>> make_parser(const FormatOptions& options,
                                                      std::shared_ptr<const Schema> schema);

}  // namespace leat
