#include "connector/stdout/text_sink.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "connector/json_text.h"
#include "core/value_text.h"

namespace leat::connector {
namespace {

constexpr std::size_t kBufferBytes = 1u << 20;

constexpr auto kQuotedInCsv = [] {
  std::array<bool, 256> quoted{};
  for (const unsigned char c : {',', '"', '\n', '\r'}) quoted[c] = true;
  return quoted;
}();

constexpr std::size_t csv_bytes_max(std::size_t text_bytes) { return 2 * text_bytes + 2; }

// All that write take where to, with room enough, and return the end of what they wrote.

char* write_csv_text(std::string_view text, char* to) {
  std::size_t plain = 0;
  for (; plain < text.size() && !kQuotedInCsv[static_cast<unsigned char>(text[plain])]; ++plain) {
    to[plain] = text[plain];
  }
  if (plain == text.size() && plain > 0) return to + plain;  // Most texts.
  std::copy_backward(to, to + plain, to + plain + 1);
  *to = '"';
  to += plain + 1;
  for (const char c : text.substr(plain)) {
    if (c == '"') *to++ = '"';
    *to++ = c;
  }
  *to++ = '"';
  return to;
}

// A line end in a JSON text can only be white space between tokens; in JSON lines it would end the
// row.
char* write_json_in_one_line(std::string_view json, char* to) {
  return std::transform(json.begin(), json.end(), to,
                        [](char c) { return c == '\n' || c == '\r' ? ' ' : c; });
}

char* write_quoted(const DataType& type, const Column& column, std::int64_t row, char* to) {
  *to++ = '"';
  to = write_fixed_value(type, column, row, to);
  *to++ = '"';
  return to;
}

char* write_json_value(const DataType& type, const Column& column, std::int64_t row, char* to) {
  switch (type.id) {
    case TypeId::kBool:
    case TypeId::kInt16:
    case TypeId::kInt32:
    case TypeId::kInt64:
    case TypeId::kDecimal:
      return write_fixed_value(type, column, row, to);
    case TypeId::kFloat32:
      return std::isfinite(column.at<float>(row)) ? write_fixed_value(type, column, row, to)
                                                  : write_quoted(type, column, row, to);
    case TypeId::kFloat64:
      return std::isfinite(column.at<double>(row)) ? write_fixed_value(type, column, row, to)
                                                   : write_quoted(type, column, row, to);
    case TypeId::kText:
      return write_json_string(column.text_at(row), to);
    case TypeId::kJson:
      return write_json_in_one_line(column.text_at(row), to);
    case TypeId::kBytes: {
      *to++ = '"';
      *to++ = '\\';  // The one of \x, escaped.
      to = write_bytes_value(column.text_at(row), to);
      *to++ = '"';
      return to;
    }
    case TypeId::kDate:
    case TypeId::kTime:
    case TypeId::kTimestamp:
    case TypeId::kTimestampTz:
    case TypeId::kUuid:
      break;
  }
  // Digits, letters and signs, none of which JSON escapes.
  return write_quoted(type, column, row, to);
}

}  // namespace

Result<EpochMark> TextSink::open(std::string_view /*pipeline*/, const EpochMark& ledger,
                                 const ProgressVisitor& /*visit*/) {
  return ledger;
}

Result<void> TextSink::write(const RowChunk& chunk) {
  if (!begun_ && chunk.schema) {
    if (Result<void> begun = begin(*chunk.schema); !begun) return begun;
  }
  for (std::int64_t row = 0; row < chunk.rows; ++row) {
    const std::size_t bytes_max = row_bytes_max(chunk, row);
    if (capacity_ - size_ < bytes_max) {
      if (Result<void> room = make_room(bytes_max); !room) return room;
    }
    char* const to = buffer_.get() + size_;
    const char* const end = format_ == SinkOptions::Format::kCsv ? write_csv_row(chunk, row, to)
                                                                 : write_json_row(chunk, row, to);
    size_ += static_cast<std::size_t>(end - to);
  }
  return size_ < kBufferBytes ? Result<void>() : flush();
}

Result<void> TextSink::discard(const ObjectVersion& split) {
  return Error{.code = ErrorCode::kUnsupported,
               .message = "Rows of " + split.key +
                          " that are on standard output already cannot be taken back."};
}

Result<void> TextSink::commit(const Checkpoint& /*checkpoint*/) { return flush(); }

Result<void> TextSink::close() {
  size_ = 0;
  // The header comes again with the rows.
  if (!out_.has_written()) begun_ = false;
  return {};
}

Result<void> TextSink::begin(const Schema& schema) {
  begun_ = true;
  texts_.clear();
  json_names_.clear();
  row_bytes_ = 2 + schema.fields.size() * (kFixedValueTextMax + 3);
  std::string header;
  for (const Field& field : schema.fields) {
    if (field.type.is_variable())
      texts_.push_back(static_cast<std::size_t>(&field - &schema.fields.front()));
    if (format_ == SinkOptions::Format::kCsv) {
      if (!header.empty()) header.push_back(',');
      const std::size_t begin = header.size();
      header.resize(begin + csv_bytes_max(field.name.size()));
      header.resize(
          static_cast<std::size_t>(write_csv_text(field.name, &header[begin]) - header.data()));
    } else {
      std::string name = json_names_.empty() ? "{" : ",";
      append_json_string(field.name, name);
      name.push_back(':');
      row_bytes_ += name.size();
      json_names_.push_back(std::move(name));
    }
  }
  if (format_ != SinkOptions::Format::kCsv) return {};
  header.push_back('\n');
  if (Result<void> room = make_room(header.size()); !room) return room;
  std::copy(header.begin(), header.end(), buffer_.get());
  size_ = header.size();
  return {};
}

std::size_t TextSink::row_bytes_max(const RowChunk& chunk, std::int64_t row) const {
  std::size_t texts = 0;
  for (const std::size_t c : texts_) texts += chunk.columns[c].text_at(row).size();
  // JSON's longest escape has six characters; CSV doubles what it quotes, hex has two digits.
  return row_bytes_ + (format_ == SinkOptions::Format::kCsv ? 2 : 6) * texts;
}

char* TextSink::write_csv_row(const RowChunk& chunk, std::int64_t row, char* to) const {
  for (std::size_t c = 0; c < chunk.columns.size(); ++c) {
    if (c > 0) *to++ = ',';
    const Column& column = chunk.columns[c];
    if (column.is_null(row)) continue;
    const DataType& type = chunk.schema->fields[c].type;
    switch (type.id) {
      case TypeId::kText:
      case TypeId::kJson:
        to = write_csv_text(column.text_at(row), to);
        break;
      case TypeId::kBytes:
        to = write_bytes_value(column.text_at(row), to);
        break;
      default:
        // Numbers, times and the like hold nothing that would need quotes, and are never empty.
        to = write_fixed_value(type, column, row, to);
    }
  }
  *to++ = '\n';
  return to;
}

char* TextSink::write_json_row(const RowChunk& chunk, std::int64_t row, char* to) const {
  for (std::size_t c = 0; c < chunk.columns.size(); ++c) {
    to = std::copy(json_names_[c].begin(), json_names_[c].end(), to);
    const Column& column = chunk.columns[c];
    if (column.is_null(row)) {
      constexpr std::string_view kNull = "null";
      to = std::copy(kNull.begin(), kNull.end(), to);
    } else {
      to = write_json_value(chunk.schema->fields[c].type, column, row, to);
    }
  }
  *to++ = '}';
  *to++ = '\n';
  return to;
}

/// So many bytes do not fit behind size_: what is there is written out.
Result<void> TextSink::make_room(std::size_t bytes) {
  if (Result<void> flushed = flush(); !flushed) return flushed;
  if (capacity_ >= bytes) return {};
  capacity_ = std::max(kBufferBytes, bytes);
  buffer_.reset(new char[capacity_]);  // Not set to zero first.
  return {};
}

Result<void> TextSink::flush() {
  if (size_ == 0) return {};
  Result<void> written = out_.write({buffer_.get(), size_});
  size_ = 0;
  return written;
}

}  // namespace leat::connector
