#include "connector/stdout/text_sink.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>

#include "connector/json_text.h"
#include "connector/output_file.h"

namespace leat::connector {
namespace {

constexpr std::size_t kBufferBytes = 1u << 20;

constexpr auto kQuotedInCsv = [] {
  std::array<bool, 256> quoted{};
  for (const unsigned char c : {',', '"', '\n', '\r'}) quoted[c] = true;
  return quoted;
}();

void append_csv_text(std::string_view text, std::string& out) {
  bool plain = !text.empty();
  for (const char c : text) plain = plain && !kQuotedInCsv[static_cast<unsigned char>(c)];
  if (plain) {
    out += text;
    return;
  }
  out.push_back('"');
  for (std::size_t quote = text.find('"'); quote != std::string_view::npos;
       quote = text.find('"')) {
    out += text.substr(0, quote + 1);
    out.push_back('"');
    text.remove_prefix(quote + 1);
  }
  out += text;
  out.push_back('"');
}

template <class Int>
void append_integer(Int value, std::string& out) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

// False when the value is no integer: then it is written by its type's own rules.
bool append_if_integer(TypeId type, const Column& column, std::int64_t row, std::string& out) {
  switch (type) {
    case TypeId::kInt16:
      append_integer(column.at<std::int16_t>(row), out);
      return true;
    case TypeId::kInt32:
      append_integer(column.at<std::int32_t>(row), out);
      return true;
    case TypeId::kInt64:
      append_integer(column.at<std::int64_t>(row), out);
      return true;
    default:
      return false;
  }
}

// A line end in a JSON text can only be white space between tokens; in JSON lines it would end the
// row.
void append_json_in_one_line(std::string_view json, std::string& out) {
  const std::size_t begin = out.size();
  out += json;
  for (std::size_t i = begin; i < out.size(); ++i) {
    if (out[i] == '\n' || out[i] == '\r') out[i] = ' ';
  }
}

void append_json_value(const DataType& type, const Column& column, std::int64_t row,
                       std::string& scratch, std::string& out) {
  if (append_if_integer(type.id, column, row, out)) return;
  switch (type.id) {
    case TypeId::kBool:
      out += column.bool_at(row) ? "true" : "false";
      return;
    case TypeId::kDecimal:
      append_value_text(type, column, row, out);
      return;
    case TypeId::kFloat32:
    case TypeId::kFloat64: {
      const bool finite = type.id == TypeId::kFloat32 ? std::isfinite(column.at<float>(row))
                                                      : std::isfinite(column.at<double>(row));
      if (!finite) out.push_back('"');
      append_value_text(type, column, row, out);
      if (!finite) out.push_back('"');
      return;
    }
    case TypeId::kText:
      append_json_string(column.text_at(row), out);
      return;
    case TypeId::kJson:
      append_json_in_one_line(column.text_at(row), out);
      return;
    default:
      scratch.clear();
      append_value_text(type, column, row, scratch);
      append_json_string(scratch, out);
  }
}

}  // namespace

Result<EpochMark> TextSink::open(std::string_view /*pipeline*/, const EpochMark& ledger,
                                 const ProgressVisitor& /*visit*/) {
  return ledger;
}

Result<void> TextSink::write(const RowChunk& chunk) {
  if (!begun_ && chunk.schema) begin(*chunk.schema);
  for (std::int64_t row = 0; row < chunk.rows; ++row) {
    if (format_ == SinkOptions::Format::kCsv) {
      append_csv_row(chunk, row);
    } else {
      append_json_row(chunk, row);
    }
    if (buffer_.size() < kBufferBytes) continue;
    if (Result<void> flushed = flush(); !flushed) return flushed;
  }
  return {};
}

Result<void> TextSink::discard(const ObjectVersion& split) {
  return Error{.code = ErrorCode::kUnsupported,
               .message = "Rows of " + split.key +
                          " that are on standard output already cannot be taken back."};
}

Result<void> TextSink::commit(const Checkpoint& /*checkpoint*/) { return flush(); }

Result<void> TextSink::close() {
  buffer_.clear();
  return {};
}

void TextSink::begin(const Schema& schema) {
  begun_ = true;
  for (const Field& field : schema.fields) {
    if (format_ == SinkOptions::Format::kCsv) {
      if (&field != &schema.fields.front()) buffer_.push_back(',');
      append_csv_text(field.name, buffer_);
    } else {
      std::string name = json_names_.empty() ? "{" : ",";
      append_json_string(field.name, name);
      name.push_back(':');
      json_names_.push_back(std::move(name));
    }
  }
  if (format_ == SinkOptions::Format::kCsv) buffer_.push_back('\n');
}

void TextSink::append_csv_row(const RowChunk& chunk, std::int64_t row) {
  for (std::size_t c = 0; c < chunk.columns.size(); ++c) {
    if (c > 0) buffer_.push_back(',');
    const Column& column = chunk.columns[c];
    if (column.is_null(row)) continue;
    const DataType& type = chunk.schema->fields[c].type;
    if (append_if_integer(type.id, column, row, buffer_)) continue;
    if (type.id == TypeId::kText || type.id == TypeId::kJson) {
      append_csv_text(column.text_at(row), buffer_);
    } else {
      // Numbers, times, hex and the like hold nothing that would need quotes, and are never empty.
      append_value_text(type, column, row, buffer_);
    }
  }
  buffer_.push_back('\n');
}

void TextSink::append_json_row(const RowChunk& chunk, std::int64_t row) {
  for (std::size_t c = 0; c < chunk.columns.size(); ++c) {
    buffer_ += json_names_[c];
    const Column& column = chunk.columns[c];
    if (column.is_null(row)) {
      buffer_ += "null";
    } else {
      append_json_value(chunk.schema->fields[c].type, column, row, scratch_, buffer_);
    }
  }
  buffer_ += "}\n";
}

Result<void> TextSink::flush() {
  if (buffer_.empty()) return {};
  Result<void> written = write_all(fd_, buffer_, "standard output");
  buffer_.clear();
  return written;
}

}  // namespace leat::connector
