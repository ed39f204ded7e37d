// Reads an Arrow IPC stream back into row chunks, strictly: from the format's specification and not
// from the code that writes it. What is out of bounds, misaligned, or no stream of leat's types
// throws.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "leat/row_chunk.h"

namespace leat::testing {

/// What stands in a flatbuffer. Every read is checked for bounds and alignment.
class FlatTable {
 public:
  static FlatTable root(std::string_view buffer) {
    return {buffer, FlatTable(buffer, 0).follow(0)};
  }

  template <class T>
  T scalar(std::uint16_t slot, T otherwise) const {
    const std::size_t at = place(slot, sizeof(T));
    return at == 0 ? otherwise : read<T>(at);
  }
  bool has(std::uint16_t slot) const { return place(slot, 4) != 0; }
  FlatTable table(std::uint16_t slot) const { return {buffer_, follow(needed(slot))}; }
  std::string_view string(std::uint16_t slot) const {
    const std::size_t at = follow(needed(slot));
    const auto size = read<std::uint32_t>(at);
    check(size < buffer_.size() && at + 4 + size < buffer_.size(), "string out of bounds");
    check(buffer_[at + 4 + size] == '\0', "string without its NUL");
    return buffer_.substr(at + 4, size);
  }
  std::vector<FlatTable> tables(std::uint16_t slot) const {
    std::vector<FlatTable> all;
    const std::size_t at = follow(needed(slot));
    const auto count = read<std::uint32_t>(at);
    for (std::size_t i = 0; i < count; ++i) all.push_back({buffer_, follow(at + 4 + 4 * i)});
    return all;
  }
  struct Pair {
    std::int64_t first, second;
  };
  std::vector<Pair> pairs(std::uint16_t slot) const {
    std::vector<Pair> all;
    const std::size_t at = follow(needed(slot));
    const auto count = read<std::uint32_t>(at);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t pair = at + 4 + 16 * i;
      all.push_back({read<std::int64_t>(pair), read<std::int64_t>(pair + 8)});
    }
    return all;
  }

  static void check(bool holds, const char* what) {
    if (!holds) throw std::runtime_error(what);
  }

 private:
  FlatTable(std::string_view buffer, std::size_t at) : buffer_(buffer), at_(at) {}

  template <class T>
  T read(std::size_t at) const {
    check(at <= buffer_.size() && sizeof(T) <= buffer_.size() - at, "read out of bounds");
    check(at % sizeof(T) == 0, "misaligned");
    T value;
    std::memcpy(&value, buffer_.data() + at, sizeof value);
    return value;
  }
  std::size_t follow(std::size_t at) const {
    const auto distance = read<std::uint32_t>(at);
    check(distance >= 4, "a reference to itself");
    return at + distance;
  }
  /// Where the member stands; 0: it is left out.
  std::size_t place(std::uint16_t slot, std::size_t bytes) const {
    const std::size_t vtable = at_ - static_cast<std::size_t>(read<std::int32_t>(at_));
    const auto vtable_bytes = read<std::uint16_t>(vtable);
    const auto table_bytes = read<std::uint16_t>(vtable + 2);
    check(vtable_bytes >= 4 && vtable_bytes % 2 == 0 && table_bytes >= 4, "vtable");
    if (4u + 2u * slot + 2u > vtable_bytes) return 0;
    const auto distance = read<std::uint16_t>(vtable + 4 + 2u * slot);
    if (distance == 0) return 0;
    check(distance >= 4 && distance + bytes <= table_bytes, "member out of its table");
    return at_ + distance;
  }
  std::size_t needed(std::uint16_t slot) const {
    const std::size_t at = place(slot, 4);
    check(at != 0, "a member is missing");
    return at;
  }

  std::string_view buffer_;
  std::size_t at_;
};

struct ArrowStream {
  std::shared_ptr<const Schema> schema;
  std::vector<RowChunk> batches;
  bool ended = false;  ///< By the mark, not just by the last byte.
};

class ArrowStreamReader {
 public:
  explicit ArrowStreamReader(std::string_view stream) : stream_(stream) {}

  ArrowStream read() {
    ArrowStream result;
    while (at_ < stream_.size()) {
      check(at_ % 64 == 0, "a message that begins at no multiple of 64");
      check(word(at_) == 0xffffffff, "no continuation mark");
      const std::uint32_t metadata_bytes = word(at_ + 4);
      at_ += 8;
      if (metadata_bytes == 0) {
        result.ended = true;
        break;
      }
      const FlatTable message = FlatTable::root(take(metadata_bytes));
      check(at_ % 64 == 0, "a body that begins at no multiple of 64");
      check(message.scalar<std::int16_t>(0, 0) == 4, "not metadata version 5");
      const std::string_view body =
          take(static_cast<std::size_t>(message.scalar<std::int64_t>(3, 0)));
      const auto header = message.scalar<std::uint8_t>(1, 0);
      if (result.schema == nullptr) {
        check(header == 1, "the first message is no schema");
        check(body.empty(), "a schema with a body");
        result.schema = std::make_shared<const Schema>(schema_of(message.table(2)));
      } else {
        check(header == 3, "neither a record batch nor the end");
        result.batches.push_back(batch_of(message.table(2), body, result.schema));
      }
    }
    check(at_ == stream_.size(), "bytes after the end");
    return result;
  }

 private:
  static void check(bool holds, const char* what) { FlatTable::check(holds, what); }

  std::uint32_t word(std::size_t at) const {
    check(at + 4 <= stream_.size(), "the stream is cut off");
    std::uint32_t value;
    std::memcpy(&value, stream_.data() + at, sizeof value);
    return value;
  }
  std::string_view take(std::size_t bytes) {
    check(bytes <= stream_.size() - at_, "the stream is cut off");
    at_ += bytes;
    return stream_.substr(at_ - bytes, bytes);
  }

  static Schema schema_of(const FlatTable& table) {
    check(table.scalar<std::int16_t>(0, 0) == 0, "not little-endian");
    Schema schema;
    for (const FlatTable& field : table.tables(1)) {
      check(field.tables(5).empty(), "a column with children");
      std::map<std::string, std::string> metadata;
      if (field.has(6)) {
        for (const FlatTable& pair : field.tables(6)) {
          metadata[std::string(pair.string(0))] = pair.string(1);
        }
      }
      schema.fields.push_back({std::string(field.string(0)),
                               type_of(field.scalar<std::uint8_t>(2, 0), field.table(3), metadata),
                               field.scalar<std::uint8_t>(1, 0) != 0});
    }
    return schema;
  }

  static DataType type_of(std::uint8_t type, const FlatTable& table,
                          const std::map<std::string, std::string>& metadata) {
    constexpr std::int16_t kMicroseconds = 2;
    const auto extension = metadata.find("ARROW:extension:name");
    if (extension != metadata.end()) {
      check(metadata.at("ARROW:extension:metadata").empty(), "an extension's metadata");
      if (extension->second == "arrow.json" && type == 5) return {TypeId::kJson};
      check(extension->second == "arrow.uuid" && type == 15, "an unknown extension");
      check(table.scalar<std::int32_t>(0, 0) == 16, "a UUID of another width");
      return {TypeId::kUuid};
    }
    check(metadata.empty(), "unknown metadata");
    switch (type) {
      case 2: {
        check(table.scalar<std::uint8_t>(1, 0) == 1, "an unsigned integer");
        const auto bits = table.scalar<std::int32_t>(0, 0);
        check(bits == 16 || bits == 32 || bits == 64, "width of an integer");
        return {bits == 16 ? TypeId::kInt16 : bits == 32 ? TypeId::kInt32 : TypeId::kInt64};
      }
      case 3: {
        const auto precision = table.scalar<std::int16_t>(0, 0);
        check(precision == 1 || precision == 2, "half a float");
        return {precision == 1 ? TypeId::kFloat32 : TypeId::kFloat64};
      }
      case 4:
        return {TypeId::kBytes};
      case 5:
        return {TypeId::kText};
      case 6:
        return {TypeId::kBool};
      case 7:
        check(table.scalar<std::int32_t>(2, 128) == 128, "width of a decimal");
        return {TypeId::kDecimal, static_cast<std::uint8_t>(table.scalar<std::int32_t>(0, 0)),
                static_cast<std::uint8_t>(table.scalar<std::int32_t>(1, 0))};
      case 8:
        check(table.scalar<std::int16_t>(0, 1) == 0, "a date that is not in days");
        return {TypeId::kDate};
      case 9:
        check(table.scalar<std::int16_t>(0, 1) == kMicroseconds, "unit of a time");
        check(table.scalar<std::int32_t>(1, 32) == 64, "width of a time");
        return {TypeId::kTime};
      case 10:
        check(table.scalar<std::int16_t>(0, 0) == kMicroseconds, "unit of a timestamp");
        if (!table.has(1)) return {TypeId::kTimestamp};
        check(table.string(1) == "UTC", "another time zone");
        return {TypeId::kTimestampTz};
      default:
        throw std::runtime_error("unknown type " + std::to_string(type));
    }
  }

  static RowChunk batch_of(const FlatTable& table, std::string_view body,
                           const std::shared_ptr<const Schema>& schema) {
    RowChunk chunk;
    chunk.schema = schema;
    chunk.rows = table.scalar<std::int64_t>(0, 0);
    const auto nodes = table.pairs(1);
    const auto places = table.pairs(2);
    check(nodes.size() == schema->fields.size(), "number of columns");
    std::size_t next = 0;
    std::size_t end = 0;
    const auto buffer = [&] {
      check(next < places.size(), "number of buffers");
      const auto at = static_cast<std::size_t>(places[next].first);
      const auto bytes = static_cast<std::size_t>(places[next++].second);
      check(at % 64 == 0, "a buffer at no multiple of 64");
      check(at == (end + 63) / 64 * 64, "a gap between buffers");
      check(at <= body.size() && bytes <= body.size() - at, "a buffer out of bounds");
      for (; end < at; ++end) check(body[end] == '\0', "padding that is not zero");
      end = at + bytes;
      Buffer copy;
      copy.append(body.data() + at, bytes);
      return copy;
    };
    const auto rows = static_cast<std::size_t>(chunk.rows);
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      const DataType& type = schema->fields[i].type;
      Column& column = chunk.columns.emplace_back();
      check(nodes[i].first == chunk.rows, "length of a column");
      column.null_count = nodes[i].second;
      column.validity = buffer();
      check(column.validity.size() == 0 || column.validity.size() == (rows + 7) / 8, "validity");
      std::int64_t nulls = 0;
      for (std::int64_t row = 0; row < chunk.rows; ++row) nulls += column.is_null(row) ? 1 : 0;
      check(nulls == column.null_count, "null count");
      if (type.is_variable()) {
        column.offsets = buffer();
        column.values = buffer();
        check(column.offsets.size() == (rows + 1) * 4 || (rows == 0 && column.offsets.size() == 0),
              "number of offsets");
        const auto* offsets = column.offsets.as<std::int32_t>();
        for (std::size_t row = 0; row < rows; ++row) {
          check(offsets[row] <= offsets[row + 1], "offsets that go back");
        }
        const std::size_t bytes =
            column.offsets.size() == 0 ? 0 : static_cast<std::size_t>(offsets[rows]);
        check(column.values.size() == bytes, "bytes of a column");
      } else {
        column.values = buffer();
        check(column.values.size() ==
                  (type.id == TypeId::kBool ? (rows + 7) / 8 : rows * type.width()),
              "bytes of a column");
      }
    }
    check(next == places.size(), "number of buffers");
    check(body.size() == (end + 63) / 64 * 64, "length of the body");
    return chunk;
  }

  std::string_view stream_;
  std::size_t at_ = 0;
};

/// Throws std::runtime_error with what is wrong.
inline ArrowStream read_arrow_stream(std::string_view stream) {
  return ArrowStreamReader(stream).read();
}

/// The values of each row as text; null as "NULL".
inline std::vector<std::vector<std::string>> texts_of(const RowChunk& chunk) {
  std::vector<std::vector<std::string>> rows(static_cast<std::size_t>(chunk.rows));
  for (std::size_t row = 0; row < rows.size(); ++row) {
    for (std::size_t i = 0; i < chunk.columns.size(); ++i) {
      const Column& column = chunk.columns[i];
      std::string text = "NULL";
      if (!column.is_null(static_cast<std::int64_t>(row))) {
        text.clear();
        append_value_text(chunk.schema->fields[i].type, column, static_cast<std::int64_t>(row),
                          text);
      }
      rows[row].push_back(std::move(text));
    }
  }
  return rows;
}

}  // namespace leat::testing
