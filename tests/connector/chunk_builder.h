// Row chunks for tests of sinks, cell by cell.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "leat/row_chunk.h"
#include "leat/split.h"

namespace leat::connector {

/// One value: null, an integer (also bool, date, time, timestamps in their units, and decimals
/// without their point), a floating point number, or bytes (text, bytes, json, 16 of a uuid).
using Cell = std::variant<std::nullptr_t, std::int64_t, double, std::string>;

inline Cell to_cell(Cell value) { return value; }
inline Cell to_cell(std::nullptr_t) { return nullptr; }
inline Cell to_cell(std::int64_t value) { return value; }
inline Cell to_cell(int value) { return std::int64_t{value}; }
inline Cell to_cell(double value) { return value; }
inline Cell to_cell(std::string value) { return value; }
inline Cell to_cell(const char* value) { return std::string(value); }

class ChunkBuilder {
 public:
  /// `sql` as parse_schema reads it.
  explicit ChunkBuilder(const std::string& sql, std::string key = "in/a.csv",
                        std::string version = "v1") {
    schema_ = std::make_shared<Schema>(parse_schema(sql).value());
    split_ = std::make_shared<ObjectVersion>(ObjectVersion{
        .key = std::move(key), .version = std::move(version), .size = 1'000, .modified_ms = 5});
  }

  /// Records are numbered from here on, ten bytes apart.
  ChunkBuilder& first_record(std::int64_t number) {
    first_record_ = number;
    return *this;
  }
  ChunkBuilder& cells(std::vector<Cell> row) {
    rows_.push_back(std::move(row));
    return *this;
  }
  template <class... Values>
  ChunkBuilder& row(Values... values) {
    rows_.push_back({to_cell(std::move(values))...});
    return *this;
  }
  ChunkBuilder& reject(RejectedRow reject) {
    rejects_.push_back(std::move(reject));
    return *this;
  }

  RowChunk build() const {
    RowChunk chunk;
    chunk.schema = schema_;
    chunk.split = split_;
    chunk.rows = static_cast<std::int64_t>(rows_.size());
    chunk.rejects = rejects_;
    chunk.columns.resize(schema_->fields.size());
    for (std::size_t c = 0; c < chunk.columns.size(); ++c) fill(chunk.columns[c], c);
    for (std::int64_t row = 0; row < chunk.rows; ++row) {
      chunk.record_numbers.push_back(first_record_ + row);
      chunk.record_offsets.push_back((first_record_ + row - 1) * 10);
    }
    return chunk;
  }

  const std::shared_ptr<ObjectVersion>& split() const { return split_; }

 private:
  template <class T>
  static void push_number(const Cell& value, Buffer& out) {
    T number{};
    if (const auto* integer = std::get_if<std::int64_t>(&value)) number = static_cast<T>(*integer);
    if (const auto* real = std::get_if<double>(&value)) number = static_cast<T>(*real);
    out.push_back(number);
  }

  void fill(Column& column, std::size_t c) const {
    const DataType& type = schema_->fields[c].type;
    const std::size_t bitmap_bytes = (rows_.size() + 7) / 8;
    std::vector<std::uint8_t> valid(bitmap_bytes);
    std::vector<std::uint8_t> bits(bitmap_bytes);
    if (type.is_variable()) column.offsets.push_back(std::int32_t{0});
    for (std::size_t row = 0; row < rows_.size(); ++row) {
      const Cell& value = rows_[row].at(c);
      const bool null = std::holds_alternative<std::nullptr_t>(value);
      if (null) ++column.null_count;
      if (!null) valid[row / 8] = static_cast<std::uint8_t>(valid[row / 8] | 1u << (row % 8));
      const auto* text = std::get_if<std::string>(&value);
      switch (type.id) {
        case TypeId::kBool:
          if (!null && std::get<std::int64_t>(value) != 0) {
            bits[row / 8] = static_cast<std::uint8_t>(bits[row / 8] | 1u << (row % 8));
          }
          break;
        case TypeId::kInt16:
          push_number<std::int16_t>(value, column.values);
          break;
        case TypeId::kInt32:
        case TypeId::kDate:
          push_number<std::int32_t>(value, column.values);
          break;
        case TypeId::kFloat32:
          push_number<float>(value, column.values);
          break;
        case TypeId::kFloat64:
          push_number<double>(value, column.values);
          break;
        case TypeId::kDecimal: {
          const std::int64_t low = null ? 0 : std::get<std::int64_t>(value);
          column.values.push_back(low);
          column.values.push_back(std::int64_t{low < 0 ? -1 : 0});
          break;
        }
        case TypeId::kUuid: {
          const std::string bytes = null ? std::string(16, '\0') : *text;
          column.values.append(bytes.data(), 16);
          break;
        }
        case TypeId::kText:
        case TypeId::kBytes:
        case TypeId::kJson:
          if (text != nullptr) column.values.append(text->data(), text->size());
          column.offsets.push_back(static_cast<std::int32_t>(column.values.size()));
          break;
        default:
          push_number<std::int64_t>(value, column.values);
      }
    }
    if (type.id == TypeId::kBool) column.values.append(bits.data(), bits.size());
    if (column.null_count > 0) column.validity.append(valid.data(), valid.size());
  }

  std::shared_ptr<Schema> schema_;
  std::shared_ptr<ObjectVersion> split_;
  std::int64_t first_record_ = 1;
  std::vector<std::vector<Cell>> rows_;
  std::vector<RejectedRow> rejects_;
};

/// How far a split has come, with a position in which nothing is empty.
inline SplitProgress progress_of(const ObjectVersion& object, SplitState state, std::uint64_t epoch,
                                 std::uint64_t rows) {
  SplitProgress progress;
  progress.object = object;
  progress.state = state;
  progress.epoch = epoch;
  progress.rows = rows;
  progress.position = {.offset = 100, .record = rows, .parser_state = "ps", .decoder_state = "ds"};
  return progress;
}

}  // namespace leat::connector
