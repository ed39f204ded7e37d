#include "executor/partitions.h"

#include <cstring>
#include <span>
#include <utility>

#include "core/hex_digit.h"

namespace leat::executor {
namespace {

constexpr std::string_view kHiveNull = "__HIVE_DEFAULT_PARTITION__";

/// What is no proper escape stays as it is: Hive escapes, other writers need not.
std::string percent_decoded(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && core::hex_digit(text[i + 1]) >= 0 &&
        core::hex_digit(text[i + 2]) >= 0) {
      decoded +=
          static_cast<char>(core::hex_digit(text[i + 1]) * 16 + core::hex_digit(text[i + 2]));
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

FormatOptions record_format() {
  FormatOptions format;
  format.header = false;
  format.tokenizer = "scalar";
  return format;
}

/// `values` of `one`'s single row in each of `rows` rows.
Column repeated(const DataType& type, const Column& one, std::size_t rows) {
  Column column;
  if (one.is_null(0)) {
    column.validity.resize((rows + 7) / 8);
    std::memset(column.validity.data(), 0, column.validity.size());
    column.null_count = static_cast<std::int64_t>(rows);
  }
  if (type.is_variable()) {
    const std::string_view text = one.is_null(0) ? std::string_view() : one.text_at(0);
    column.offsets.resize((rows + 1) * sizeof(std::int32_t));
    auto* const offsets = column.offsets.as<std::int32_t>();
    for (std::size_t row = 0; row <= rows; ++row) {
      offsets[row] = static_cast<std::int32_t>(row * text.size());
    }
    column.values.reserve(rows * text.size());
    for (std::size_t row = 0; row < rows; ++row) column.values.append(text.data(), text.size());
    return column;
  }
  if (type.id == TypeId::kBool) {
    column.values.resize((rows + 7) / 8);
    if (column.values.size() == 0) return column;
    const bool value = !one.is_null(0) && one.bool_at(0);
    std::memset(column.values.data(), value ? 0xff : 0, column.values.size());
    return column;
  }
  const std::size_t width = type.width();
  column.values.reserve(rows * width);
  for (std::size_t row = 0; row < rows; ++row) column.values.append(one.values.data(), width);
  return column;
}

}  // namespace

Result<std::shared_ptr<const Schema>> with_partitions(const std::shared_ptr<const Schema>& schema,
                                                      const Schema& partitions) {
  auto extended = std::make_shared<Schema>(*schema);
  for (const Field& field : partitions.fields) {
    if (schema->find(field.name) >= 0) {
      return Error{ErrorCode::kInvalidArgument,
                   "column " + field.name +
                       " is both in the data and a partition; leave it out of the schema or of the "
                       "partitions",
                   {.column = field.name}};
    }
    extended->fields.push_back(field);
  }
  return std::shared_ptr<const Schema>(std::move(extended));
}

PartitionReader::PartitionReader(Schema columns)
    : schema_(std::make_shared<const Schema>(std::move(columns))) {}

Result<const PartitionValues*> PartitionReader::read(std::string_view key) {
  const std::string_view folder = key.substr(0, key.rfind('/') + 1);
  if (!known_ || folder != folder_) {
    known_ = true;
    folder_ = folder;
    std::vector<std::string> decoded(schema_->fields.size());
    std::vector<const std::string*> texts(schema_->fields.size(), nullptr);
    for (std::size_t begin = 0; begin < folder.size();) {
      const std::size_t end = folder.find('/', begin);
      const std::string_view segment = folder.substr(begin, end - begin);
      begin = end + 1;
      const std::size_t equals = segment.find('=');
      if (equals == std::string_view::npos) continue;
      const int found = schema_->find(percent_decoded(segment.substr(0, equals)));
      if (found < 0) continue;
      const auto index = static_cast<std::size_t>(found);
      decoded[index] = percent_decoded(segment.substr(equals + 1));
      texts[index] = decoded[index] == kHiveNull ? nullptr : &decoded[index];
    }
    outcome_ = convert(texts);
  }
  if (!outcome_) return outcome_.error();
  return &values_;
}

/// As the one record of a CSV object: quoted fields, and nothing for null.
Result<void> PartitionReader::convert(const std::vector<const std::string*>& texts) {
  std::string record;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) record += ',';
    if (texts[i] == nullptr) continue;
    record += '"';
    for (const char c : *texts[i]) record.append(c == '"' ? 2 : 1, c);
    record += '"';
  }
  record += '\n';
  if (parser_ == nullptr) {
    Result<std::unique_ptr<ByteStreamParser>> made = make_parser(record_format(), schema_);
    if (!made) return std::move(made).error();
    parser_ = std::move(*made);
  }
  RowChunk rows;
  Result<void> parsed =
      parser_->reset_for_new_split(std::make_shared<const ObjectVersion>(), Position{});
  if (parsed) parsed = parser_->parse({0, std::as_bytes(std::span(record))}, rows);
  // Records near an object's front wait for its end: the row comes from one of the two calls.
  if (parsed && rows.rows == 0) parsed = parser_->finish(rows);
  if (parsed && rows.rows == 1) {
    values_.columns = std::move(rows.columns);
    return {};
  }
  if (parsed) {
    // One column that is null is an empty record.
    return Error{ErrorCode::kBadValue, "the partitions of the key cannot be read"};
  }
  Error error = std::move(parsed).error();
  return Error{
      ErrorCode::kBadValue,
      "the partitions in the key " + folder_ + " do not fit their columns: " + error.message,
      {.column = error.at.column}};
}

void append_partitions(const Schema& partitions, const PartitionValues& values, RowChunk& chunk) {
  for (std::size_t i = 0; i < partitions.fields.size(); ++i) {
    chunk.columns.push_back(repeated(partitions.fields[i].type, values.columns[i],
                                     static_cast<std::size_t>(chunk.rows)));
  }
}

}  // namespace leat::executor
