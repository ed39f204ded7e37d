#include "parser/records/record_parser.h"

#include <algorithm>
#include <utility>

#include "parser/csv/tokenizers.h"
#include "parser/json_lines/json_lines_tokenizer.h"
#include "parser/lines/line_tokenizer.h"
#include "parser/postgres/tokenizers.h"
#include "parser/records/excerpt.h"
#include "parser/records/header.h"
#include "parser/records/line_break.h"
#include "parser/records/not_text.h"

namespace leat::parser {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

/// Bytes that are tokenized and converted at a time: with their spans they stay in a core's cache.
constexpr std::size_t kBlockBytes = 64u << 10;

/// What a record of JSON with a value has at least, or little more.
constexpr std::size_t kRecordBytesMin = 8;

/// From this size on an incomplete record is looked at again only when it has doubled, so that it
/// costs twice its size in all and not its square.
constexpr std::size_t kRescanDoublesFromBytes = 256u << 10;

/// How much of a payload is copied to complete a record that waits, at least: some records.
constexpr std::size_t kCarryStepBytes = 4u << 10;

/// With the largest record, all that is tokenized at once stays below 2 GiB.
constexpr std::size_t kPayloadBytesMax = 512u << 20;

bool holds_line_end(std::string_view bytes) noexcept {
  return bytes.find('\n') != std::string_view::npos || bytes.find('\r') != std::string_view::npos;
}

std::vector<std::string> names_of(const Schema& schema) {
  std::vector<std::string> names;
  for (const Field& field : schema.fields) names.push_back(field.name);
  return names;
}

/// Null where the columns must be known first.
std::unique_ptr<Tokenizer> make_tokenizer(const FormatOptions& options, SimdTarget target) {
  if (options.kind == Format::kJsonLines) return nullptr;
  if (options.kind == Format::kLines) return make_plain_lines_tokenizer(options);
  if (options.kind == Format::kPostgresCsv) return make_postgres_csv_tokenizer(options, target);
  if (options.kind == Format::kPostgresText) return make_postgres_text_tokenizer(options, target);
  if (escapes_anywhere(options)) return make_escaping_tokenizer(options);
  if (options.tokenizer == "scalar") return make_scalar_tokenizer(options);
  if (options.tokenizer == "libcsv") return make_libcsv_tokenizer(options);
  return make_simd_tokenizer(options, target);
}

}  // namespace

RecordParser::RecordParser(FormatOptions options, SimdTarget target,
                           std::shared_ptr<const Schema> schema)
    : options_(std::move(options)),
      schema_given_(schema != nullptr),
      schema_(std::move(schema)),
      target_(target),
      tokenizer_(make_tokenizer(options_, target_)),
      split_(std::make_shared<const ObjectVersion>()) {}

Result<void> RecordParser::reset_for_new_split(std::shared_ptr<const ObjectVersion> split,
                                               const Position& position) {
  split_ = std::move(split);
  stage_ = Stage::kStart;
  line_end_ = first_line_end(options_);
  lines_to_skip_ = options_.skip_lines;
  content_begin_ = 0;
  failed_.reset();
  finished_ = false;
  has_more_ = false;
  full_block_bytes_ = 0;
  carry_ = {};  // One large record must not hold its memory for ever.
  scanned_ = 0;
  line_end_waits_ = false;
  offset_ = position.offset;
  records_ = position.record;
  delivered_ = position;
  const auto refuse = [this](Error error) -> Result<void> {
    error.at.object = split_->key;
    failed_ = error;
    return error;
  };
  if (position.offset == 0 && position.parser_state.empty()) {
    if (position.record == 0) return {};
    return refuse({ErrorCode::kCorrupt, "a position at the start of an object after its records"});
  }

  Result<ParserState> state = ParserState::decode(position.parser_state, options_.kind);
  if (!state) return refuse(std::move(state).error());
  const bool by_place = state->stage == ParserState::Stage::kByPlace;
  if (by_place == options_.header) {
    return refuse({ErrorCode::kCorrupt,
                   options_.header ? "the position is in an object that was read without a header; "
                                     "set --no-header as before"
                                   : "the position is in an object that was read with a header; "
                                     "leave --no-header out as before"});
  }
  if (position.offset == 0) return {};
  const bool any = line_end_ == LineEnd::kAny;
  // An object that was begun with another --line-end goes on with the one that is set now.
  if (any != (state->line_end == LineEnd::kAny)) state->line_end = line_end_;
  line_end_ = state->line_end;
  lines_to_skip_ = 0;
  if (state->stage == ParserState::Stage::kHeaderPending) {
    stage_ = Stage::kHeader;
    return {};
  }
  if (Outcome failed = enter_rows(std::move(state->header))) {
    return refuse(std::move(failed->error));
  }
  return {};
}

Result<void> RecordParser::parse(const ByteChunk& chunk, RowChunk& out) {
  begin_chunk(out);
  if (failed_) return *failed_;
  const std::uint64_t expected = offset_ + carry_.size();
  if (chunk.offset != expected || finished_) {
    return *(failed_ = failure(ErrorCode::kInternal,
                               "bytes at " + std::to_string(chunk.offset) +
                                   " came where those at " + std::to_string(expected) + " were due",
                               offset_)
                           .error);
  }
  if (chunk.payload.size() > kPayloadBytesMax) {
    return *(failed_ = failure(ErrorCode::kInvalidArgument,
                               "a chunk of " + std::to_string(chunk.payload.size()) +
                                   " bytes; at most 512 MiB are taken at a time",
                               offset_)
                           .error);
  }
  return advance({reinterpret_cast<const char*>(chunk.payload.data()), chunk.payload.size()}, false,
                 out);
}

Result<void> RecordParser::finish(RowChunk& out) {
  begin_chunk(out);
  if (failed_) return *failed_;
  return advance({}, true, out);
}

void RecordParser::begin_chunk(RowChunk& out) {
  out = RowChunk();
  out.split = split_;
  out.bytes = {delivered_.offset, delivered_.offset};
  out.records = {delivered_.record, delivered_.record};
  out.end = delivered_;
  shape_columns(out);
}

void RecordParser::end_chunk(std::uint64_t end_offset, RowChunk& out) {
  delivered_ = position_at(end_offset);
  out.bytes.end = delivered_.offset;
  out.records.end = delivered_.record;
  if (stage_ == Stage::kRows) out.drift = drift_;
  out.end = delivered_;
}

std::size_t RecordParser::whole_records(std::string_view bytes) const noexcept {
  if (stage_ != Stage::kRows) return 0;
  return tokenizer_->whole_records(bytes, line_end_);
}

std::size_t RecordParser::likely_whole_records(std::string_view bytes,
                                               RecordEndGuess guess) const noexcept {
  if (stage_ != Stage::kRows) return 0;
  return tokenizer_->likely_whole_records(bytes, line_end_, guess);
}

/// Gives `out` the schema's columns, without rows, as soon as there is a schema.
void RecordParser::shape_columns(RowChunk& out) const {
  if (schema_ == nullptr || !out.columns.empty()) return;
  out.schema = schema_;
  out.columns.resize(schema_->fields.size());
  for (std::size_t i = 0; i < out.columns.size(); ++i) {
    if (schema_->fields[i].type.is_variable()) out.columns[i].offsets.push_back(std::int32_t{0});
  }
}

/// False when the bytes so far cannot hold more complete records than were taken, or when it is too
/// early to look.
bool RecordParser::can_complete_something(std::string_view payload) {
  const std::size_t total = carry_.size() + payload.size();
  if (carry_.empty() || stage_ == Stage::kStart || stage_ == Stage::kSkipLines) return true;
  if (total > options_.record_bytes_max) return true;
  line_end_waits_ = line_end_waits_ || holds_line_end(payload);
  return line_end_waits_ && (scanned_ < kRescanDoublesFromBytes || total >= 2 * scanned_);
}

Result<void> RecordParser::advance(std::string_view payload, bool final, RowChunk& out) {
  if (!final && !has_more_ && !can_complete_something(payload)) {
    carry_.append(payload);
    return {};
  }
  // What waits is completed with as little of the payload as will do; the rest is read in place.
  Outcome failed;
  bool in_place = true;
  has_more_ = false;
  while (!carry_.empty() && in_place && !failed) {
    const std::size_t size = std::min(payload.size(), std::max(carry_.size(), kCarryStepBytes));
    carry_.append(payload.substr(0, size));
    payload.remove_prefix(size);
    in_place = !payload.empty();
    failed = take_input(carry_, final && !in_place, out);
    const std::size_t left = carry_.size() - used_;
    if (has_more_) {
      carry_.erase(0, used_);
      carry_.append(payload);
      in_place = false;
    } else if (in_place && left <= size) {
      payload = {payload.data() - left, payload.size() + left};
      carry_.clear();
    } else {
      carry_.erase(0, used_);
    }
  }
  if (in_place && !failed) {
    failed = take_input(payload, final, out);
    carry_.assign(payload.substr(used_));
  }
  if (final && !failed) finished_ = true;
  end_chunk(failed ? failed->offset : offset_, out);
  scanned_ = has_more_ ? 0 : carry_.size();
  line_end_waits_ = false;
  if (!failed) return {};
  carry_ = {};
  failed_ = std::move(failed->error);
  return *failed_;
}

/// Takes what it can from the front of `input`: `used_` bytes.
RecordParser::Outcome RecordParser::take_input(std::string_view input, bool final, RowChunk& out) {
  input_ = input;
  used_ = 0;
  Outcome failed = take_all(final, out);
  input_ = {};
  offset_ += used_;
  return failed;
}

RecordParser::Outcome RecordParser::take_all(bool final, RowChunk& out) {
  if (stage_ == Stage::kStart) {
    if (Outcome failed = take_start(final)) return failed;
  }
  if (stage_ == Stage::kSkipLines) take_skipped_lines(final);
  if (stage_ == Stage::kHeader) {
    if (Outcome failed = take_header(final)) return failed;
  }
  return stage_ == Stage::kRows ? take_rows(final, out) : std::nullopt;
}

RecordParser::Outcome RecordParser::take_start(bool final) {
  if (!final && input_.size() < kSniffBytes) return std::nullopt;
  if (std::optional<std::string> why = describe_not_text(input_.substr(0, kSniffBytes), options_)) {
    return failure(ErrorCode::kNotText, std::move(*why), 0);
  }
  // To PostgreSQL it is data, unless it is in a header.
  if (input_.starts_with(kByteOrderMark) && (options_.header || !is_postgres(options_.kind))) {
    used_ = kByteOrderMark.size();
  }
  content_begin_ = used_;
  stage_ = Stage::kSkipLines;
  return std::nullopt;
}

/// Skipped lines are dropped as they come, however long they are.
void RecordParser::take_skipped_lines(bool final) {
  for (; lines_to_skip_ != 0 && used_ < input_.size(); --lines_to_skip_) {
    const std::optional<LineStop> stop = find_line_stop(input_, used_, final, line_end_);
    if (!stop) {
      // A CR at the end may be the first half of a line end.
      used_ = input_.size() - (input_.back() == '\r' ? 1 : 0);
      return;
    }
    if (stop->line_break.length != 0) line_end_ = stop->line_break.line_end;
    used_ = stop->end + stop->line_break.length;
  }
  if (lines_to_skip_ != 0) return;
  line_end_ = line_end_behind_skipped(options_, line_end_);
  stage_ = Stage::kHeader;
}

RecordParser::Outcome RecordParser::take_header(bool final) {
  if (!options_.header) return enter_rows({});
  // The keys of the first record name the columns; it is a record all the same.
  const bool json = options_.kind == Format::kJsonLines;
  if (json && schema_ != nullptr) return enter_rows(names_of(*schema_));
  const std::unique_ptr<Tokenizer> keys =
      json ? make_json_keys_tokenizer(options_, target_) : nullptr;
  const std::string what =
      json ? "the first record, whose keys name the columns: " : "the header: ";
  const Result<void> done =
      (json ? *keys : *tokenizer_)
          .tokenize(rest(), final, /*keep_blank=*/false, 1, line_end_, block_);
  const std::uint64_t begin = offset_here();
  used_ += json && !block_.record_begin.empty() ? block_.record_begin.front() : block_.consumed;
  if (!done) return failure(done.error().code, what + done.error().message, offset_here());
  if (!block_.bad.empty()) {
    return failure(ErrorCode::kMalformedRecord, what + block_.bad.front().reason,
                   begin + block_.bad.front().begin);
  }
  if (block_.record_begin.empty()) return std::nullopt;
  std::vector<std::string> header;
  for (FieldSpan field : block_.fields) {
    if (options_.trim) field = trimmed(block_.text, field);
    const std::string_view text(block_.text + field.begin, field.end - field.begin);
    if (field.escaped) {
      unescape(text, field.escaping, options_.quote, options_.escape, header.emplace_back());
    } else {
      header.emplace_back(text);
    }
  }
  Outcome failed = enter_rows(std::move(header));
  if (failed) failed->error.at.byte_offset = begin + block_.record_begin.front();
  return failed;
}

Result<ColumnMap> RecordParser::map_columns(const std::vector<std::string>& header) {
  if (!options_.header) return map_by_place(*schema_);
  ExtraColumns extra = options_.extra_columns;
  if (extra == ExtraColumns::kAuto) {
    extra = schema_given_ ? ExtraColumns::kIgnore : ExtraColumns::kFail;
  }
  if (schema_ == nullptr) {
    Result<Schema> made =
        schema_of_names(options_.kind == Format::kJsonLines ? header : distinct_names(header));
    if (!made) return std::move(made).error();
    schema_ = std::make_shared<const Schema>(*std::move(made));
  }
  if (options_.kind == Format::kJsonLines) {
    if (tokenizer_ == nullptr) {
      tokenizer_ = make_json_lines_tokenizer(options_, target_, schema_, extra);
    }
    return map_by_place(*schema_);
  }
  return map_by_name(header, *schema_, extra, options_.missing_columns);
}

RecordParser::Outcome RecordParser::enter_rows(std::vector<std::string> header) {
  if (converter_ && header == header_) {
    stage_ = Stage::kRows;
    return std::nullopt;
  }
  converter_.reset();
  Result<ColumnMap> map = map_columns(header);
  if (!map) return failure(map.error().code, map.error().message, offset_);
  header_ = std::move(header);
  drift_ = map->drift == ColumnDrift{} ? nullptr
                                       : std::make_shared<const ColumnDrift>(std::move(map->drift));
  if (options_.short_records == ShortRecords::kFault &&
      options_.long_records == LongRecords::kFault) {
    tokenizer_->expect_fields(map->record_fields);
  }
  converter_.emplace(options_, target_, schema_, *std::move(map));
  stage_ = Stage::kRows;
  return std::nullopt;
}

RecordParser::Outcome RecordParser::take_rows(bool final, RowChunk& out) {
  shape_columns(out);
  const std::size_t rows_max = rows_within_limit();
  const bool keep_blank = converter_->record_fields() == 1;
  if (full_block_bytes_ == 0) {
    // A tokenized record of JSON has all of the schema's fields, be they missing.
    const bool dense = options_.kind == Format::kJsonLines && rows_max < kBlockBytes;
    full_block_bytes_ = dense ? std::min(kBlockBytes, rows_max * kRecordBytesMin) : kBlockBytes;
    full_block_bytes_ = std::max<std::size_t>(full_block_bytes_, 1);
  }
  bool has_grown = false;  // The block: half of it holds no whole record.
  for (std::size_t block_bytes = full_block_bytes_; used_ < input_.size();) {
    const std::string_view block = rest().substr(0, block_bytes);
    const bool last = block.size() == rest().size();
    const LineEnd line_end = line_end_;
    const Result<void> done =
        tokenizer_->tokenize(block, final && last, keep_blank, SIZE_MAX, line_end_, block_);
    const std::size_t records = block_.record_count();
    const std::size_t rows = static_cast<std::size_t>(out.rows) + records;
    const bool too_many = rows > rows_max && !final;
    if (too_many && out.rows != 0) {
      line_end_ = line_end;
      has_more_ = true;
      break;
    }
    if (too_many && records > 1 && !has_grown) {
      // In fields of JSON a block takes a multiple of its rows' memory, so the next ones are
      // smaller, too.
      line_end_ = line_end;
      block_bytes = full_block_bytes_ = std::max<std::size_t>(block.size() / 2, 1);
      continue;
    }
    if (records < rows_max / 4) {
      full_block_bytes_ = std::min(2 * full_block_bytes_, kBlockBytes);
    }
    const BlockPlace place{block, offset_here(), records_, input_,
                           rows_max - std::min(rows_max, rows)};
    if (std::optional<RecordFault> fault = converter_->append(block_, place, out)) {
      records_ += fault->ordinal;
      used_ += fault->begin;
      return failure(*std::move(fault), place);
    }
    records_ += block_.record_count();
    used_ += block_.consumed;
    if (!done) {
      Failure failed = failure(done.error().code, done.error().message, offset_here());
      failed.error.at.record = records_ + 1;
      return failed;
    }
    if (last) break;
    // A record that is larger than the block needs a larger block.
    has_grown = block_.consumed == 0;
    block_bytes = has_grown ? 2 * block_bytes : full_block_bytes_;
  }
  return std::nullopt;
}

/// How many rows of the schema take the memory that is allowed.
std::size_t RecordParser::rows_within_limit() const noexcept {
  if (rows_bytes_max_ == SIZE_MAX) return SIZE_MAX;
  std::size_t row_bytes = 1;
  for (const Field& field : schema_->fields) {
    row_bytes += field.type.is_variable() ? sizeof(std::int32_t)
                                          : std::max<std::size_t>(field.type.width(), 1);
  }
  return rows_bytes_max_ / row_bytes;
}

/// Before its first record ends, an object is begun anew: there is nothing to go on from.
Position RecordParser::position_at(std::uint64_t offset) const {
  if (!finished_ && (stage_ != Stage::kRows || offset <= content_begin_)) return {};
  ParserState state{line_end_, ParserState::Stage::kByPlace, {}, options_.kind};
  if (options_.header) {
    const bool known = stage_ == Stage::kRows;
    state.stage = known ? ParserState::Stage::kHeader : ParserState::Stage::kHeaderPending;
    if (known) state.header = header_;
  }
  return {offset, records_, state.encode(), {}};
}

RecordParser::Failure RecordParser::failure(ErrorCode code, std::string message,
                                            std::uint64_t offset) const {
  Failure failed{{code, std::move(message)}, offset};
  failed.error.at.object = split_->key;
  failed.error.at.byte_offset = offset;
  return failed;
}

RecordParser::Failure RecordParser::failure(RecordFault fault, const BlockPlace& place) const {
  Failure failed = failure(fault.code, std::move(fault.reason), place.offset + fault.begin);
  failed.error.at.record = place.records + fault.ordinal + 1;
  failed.error.at.column = std::move(fault.column);
  failed.error.message +=
      fault.code == ErrorCode::kBadValue
          ? "; --on-error reject sets such records aside, --on-error null reads "
            "such values as null"
          : "; --on-error reject sets such records aside";
  return failed;
}

}  // namespace leat::parser
