#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <numeric>
#include <thread>

#include "leat/row_chunk.h"

namespace leat {
namespace {

// Every type, with what its format string has to be.
struct TypeCase {
  const char* sql;
  const char* format;
  int buffers;
};

constexpr TypeCase kTypes[] = {
    {"boolean", "b", 2},
    {"smallint", "s", 2},
    {"integer", "i", 2},
    {"bigint", "l", 2},
    {"real", "f", 2},
    {"double precision", "g", 2},
    {"numeric(38,2)", "d:38,2", 2},
    {"date", "tdD", 2},
    {"time", "ttu", 2},
    {"timestamp", "tsu:", 2},
    {"timestamptz", "tsu:UTC", 2},
    {"text", "u", 3},
    {"bytea", "z", 3},
    {"uuid", "w:16", 2},
    {"json", "u", 3},
};

Schema every_type() {
  std::string sql;
  for (const TypeCase& type : kTypes) {
    if (!sql.empty()) sql += ", ";
    sql += "c" + std::to_string(&type - kTypes) + " " + type.sql;
  }
  auto schema = parse_schema(sql);
  EXPECT_TRUE(schema);
  return std::move(schema).value();
}

// The other way round: what a consumer takes a format string and its extension name for.
DataType type_of(const ArrowSchema& schema, const std::string& extension) {
  const std::string format = schema.format;
  const std::map<std::string, TypeId> plain = {
      {"b", TypeId::kBool},         {"s", TypeId::kInt16},
      {"i", TypeId::kInt32},        {"l", TypeId::kInt64},
      {"f", TypeId::kFloat32},      {"g", TypeId::kFloat64},
      {"tdD", TypeId::kDate},       {"ttu", TypeId::kTime},
      {"tsu:", TypeId::kTimestamp}, {"tsu:UTC", TypeId::kTimestampTz},
      {"z", TypeId::kBytes}};
  if (format == "u") return {extension == "arrow.json" ? TypeId::kJson : TypeId::kText};
  if (format == "w:16" && extension == "arrow.uuid") return {TypeId::kUuid};
  if (int precision = 0, scale = 0;
      std::sscanf(schema.format, "d:%d,%d", &precision, &scale) == 2) {
    return {TypeId::kDecimal, static_cast<std::uint8_t>(precision),
            static_cast<std::uint8_t>(scale)};
  }
  const auto found = plain.find(format);
  EXPECT_NE(found, plain.end()) << format;
  return {found == plain.end() ? TypeId{} : found->second};
}

// Reads the binary layout of the specification.
std::map<std::string, std::string> decode_metadata(const char* at) {
  std::map<std::string, std::string> pairs;
  if (at == nullptr) return pairs;
  const auto number = [&at] {
    std::int32_t value;
    std::memcpy(&value, at, sizeof value);
    at += sizeof value;
    return value;
  };
  const auto text = [&] {
    const auto size = static_cast<std::size_t>(number());
    std::string value(at, size);
    at += size;
    return value;
  };
  for (std::int32_t left = number(); left > 0; --left) {
    std::string key = text();
    pairs[key] = text();
  }
  return pairs;
}

// Three rows of each type; in every second column, row 1 is null.
RowChunk chunk_of(const Schema& schema, std::int64_t rows = 3) {
  RowChunk chunk;
  chunk.schema = std::make_shared<const Schema>(schema);
  chunk.rows = rows;
  for (std::size_t i = 0; i < schema.fields.size(); ++i) {
    Column& column = chunk.columns.emplace_back();
    const DataType& type = schema.fields[i].type;
    if (type.is_variable()) {
      column.offsets.push_back<std::int32_t>(0);
      for (std::int64_t row = 0; row < rows; ++row) {
        column.values.append("abcdef", 6);
        column.offsets.push_back(static_cast<std::int32_t>(column.values.size()));
      }
    } else {
      column.values.resize(type.id == TypeId::kBool ? static_cast<std::size_t>(rows + 7) / 8
                                                    : type.width() * rows);
      if (column.values.size() != 0) std::memset(column.values.data(), 5, column.values.size());
    }
    if (i % 2 == 1 && rows == 3) {
      column.validity.push_back<std::uint8_t>(0b101);
      column.null_count = 1;
    }
  }
  return chunk;
}

// Reads all that a consumer may read, padding included, so that a sanitizer can object.
std::uint64_t touch(const ArrowArray& array, const DataType& type) {
  std::uint64_t sum = 0;
  const auto add = [&sum](const void* buffer, std::size_t size) {
    if (buffer == nullptr) return;
    const auto* bytes = static_cast<const std::uint8_t*>(buffer);
    sum = std::accumulate(bytes, bytes + size, sum);
    for (std::size_t i = 0; i < Buffer::kPadding; ++i) EXPECT_EQ(bytes[size + i], 0);
  };
  const auto rows = static_cast<std::size_t>(array.length);
  add(array.buffers[0], (rows + 7) / 8);
  if (type.is_variable()) {
    const auto* offsets = static_cast<const std::int32_t*>(array.buffers[1]);
    add(offsets, (rows + 1) * sizeof *offsets);
    add(array.buffers[2], static_cast<std::size_t>(offsets[rows]));
  } else {
    add(array.buffers[1], type.id == TypeId::kBool ? (rows + 7) / 8 : rows * type.width());
  }
  return sum;
}

// Moves a child out as the specification says: bytes are copied, the source is marked released.
template <class T>
T move_out(T* child) {
  T moved = *child;
  child->release = nullptr;
  return moved;
}

TEST(ExportSchema, RoundTripsTheFormatOfEveryType) {
  const Schema schema = every_type();
  ArrowSchema exported;
  export_schema(schema, &exported);
  EXPECT_STREQ(exported.format, "+s");
  EXPECT_STREQ(exported.name, "");
  EXPECT_EQ(exported.metadata, nullptr);
  EXPECT_EQ(exported.flags, 0);
  EXPECT_EQ(exported.dictionary, nullptr);
  ASSERT_EQ(exported.n_children, static_cast<std::int64_t>(schema.fields.size()));
  for (std::size_t i = 0; i < schema.fields.size(); ++i) {
    const ArrowSchema& child = *exported.children[i];
    EXPECT_STREQ(child.format, kTypes[i].format);
    EXPECT_STREQ(child.name, schema.fields[i].name.c_str());
    EXPECT_EQ(child.n_children, 0);
    EXPECT_EQ(child.dictionary, nullptr);
    const auto metadata = decode_metadata(child.metadata);
    const auto extension = metadata.find("ARROW:extension:name");
    EXPECT_EQ(type_of(child, extension == metadata.end() ? "" : extension->second),
              schema.fields[i].type);
  }
  exported.release(&exported);
  EXPECT_EQ(exported.release, nullptr);
}

TEST(ExportSchema, EncodesExtensionsAsTheSpecificationSays) {
  const auto schema = parse_schema("u uuid, j json, t text");
  ASSERT_TRUE(schema);
  ArrowSchema exported;
  export_schema(*schema, &exported);
  const std::map<std::string, std::string> uuid = {{"ARROW:extension:name", "arrow.uuid"},
                                                   {"ARROW:extension:metadata", ""}};
  const std::map<std::string, std::string> json = {{"ARROW:extension:name", "arrow.json"},
                                                   {"ARROW:extension:metadata", ""}};
  EXPECT_EQ(decode_metadata(exported.children[0]->metadata), uuid);
  EXPECT_EQ(decode_metadata(exported.children[1]->metadata), json);
  EXPECT_EQ(exported.children[2]->metadata, nullptr);
  exported.release(&exported);
}

TEST(ExportSchema, MarksNullableColumns) {
  const auto schema = parse_schema("a int not null, b int");
  ASSERT_TRUE(schema);
  ArrowSchema exported;
  export_schema(*schema, &exported);
  EXPECT_EQ(exported.children[0]->flags, 0);
  EXPECT_EQ(exported.children[1]->flags, ARROW_FLAG_NULLABLE);
  exported.release(&exported);
}

TEST(ExportSchema, ChildrenOutliveTheirParentAndTheSchema) {
  ArrowSchema exported;
  {
    const auto schema = parse_schema("a_long_enough_name_for_the_heap uuid, b int, c text");
    ASSERT_TRUE(schema);
    export_schema(*schema, &exported);
  }
  ArrowSchema child = move_out(exported.children[0]);
  exported.release(&exported);
  EXPECT_STREQ(child.name, "a_long_enough_name_for_the_heap");
  EXPECT_STREQ(child.format, "w:16");
  EXPECT_EQ(decode_metadata(child.metadata).size(), 2U);
  child.release(&child);
  EXPECT_EQ(child.release, nullptr);
}

TEST(ExportSchema, OfNoColumns) {
  ArrowSchema exported;
  export_schema({}, &exported);
  EXPECT_EQ(exported.n_children, 0);
  exported.release(&exported);
}

TEST(ExportChunk, HandsOverTheColumnsWithoutACopy) {
  const Schema schema = every_type();
  RowChunk chunk = chunk_of(schema);
  std::vector<const void*> values;
  for (const Column& column : chunk.columns) values.push_back(column.values.data());
  ArrowArray exported;
  export_chunk(std::move(chunk), &exported);
  EXPECT_EQ(exported.length, 3);
  EXPECT_EQ(exported.null_count, 0);
  EXPECT_EQ(exported.offset, 0);
  EXPECT_EQ(exported.n_buffers, 1);
  EXPECT_EQ(exported.buffers[0], nullptr);
  EXPECT_EQ(exported.dictionary, nullptr);
  ASSERT_EQ(exported.n_children, static_cast<std::int64_t>(schema.fields.size()));
  for (std::size_t i = 0; i < schema.fields.size(); ++i) {
    const ArrowArray& child = *exported.children[i];
    EXPECT_EQ(child.length, 3);
    EXPECT_EQ(child.offset, 0);
    EXPECT_EQ(child.n_children, 0);
    EXPECT_EQ(child.dictionary, nullptr);
    ASSERT_EQ(child.n_buffers, kTypes[i].buffers);
    EXPECT_EQ(child.buffers[child.n_buffers - 1], values[i]);
    EXPECT_EQ(child.null_count, i % 2 == 1 ? 1 : 0);
    EXPECT_EQ(child.buffers[0] != nullptr, i % 2 == 1) << "no nulls, no validity";
    EXPECT_NE(touch(child, schema.fields[i].type), 0U);
  }
  exported.release(&exported);
  EXPECT_EQ(exported.release, nullptr);
}

TEST(ExportChunk, LeavesWhatLiesBehindSharedMemoryAlone) {
  Buffer whole(100 * sizeof(std::int64_t));
  std::iota(whole.as<std::int64_t>(), whole.as<std::int64_t>() + 100, 0);
  RowChunk chunk;
  chunk.rows = 10;
  const auto schema = parse_schema("n bigint");
  ASSERT_TRUE(schema);
  chunk.schema = std::make_shared<const Schema>(*schema);
  chunk.columns.emplace_back().values = whole.share(10 * sizeof(std::int64_t));
  ArrowArray exported;
  export_chunk(std::move(chunk), &exported);
  for (std::int64_t i = 0; i < 100; ++i) EXPECT_EQ(whole.as<std::int64_t>()[i], i);
  exported.release(&exported);
}

TEST(ExportChunk, WithoutRowsIsValid) {
  const Schema schema = every_type();
  for (const bool with_columns : {true, false}) {
    RowChunk chunk = chunk_of(schema, 0);
    if (!with_columns) chunk.columns.clear();
    ArrowArray exported;
    export_chunk(std::move(chunk), &exported);
    EXPECT_EQ(exported.length, 0);
    ASSERT_EQ(exported.n_children, static_cast<std::int64_t>(schema.fields.size()));
    for (std::size_t i = 0; i < schema.fields.size(); ++i) {
      const ArrowArray& child = *exported.children[i];
      EXPECT_EQ(child.length, 0);
      EXPECT_EQ(child.n_buffers, kTypes[i].buffers);
      EXPECT_EQ(child.buffers[0], nullptr);
      for (std::int64_t b = 1; b < child.n_buffers; ++b) EXPECT_NE(child.buffers[b], nullptr);
      if (schema.fields[i].type.is_variable()) {
        EXPECT_EQ(*static_cast<const std::int32_t*>(child.buffers[1]), 0);
      }
      EXPECT_EQ(touch(child, schema.fields[i].type), 0U);
    }
    exported.release(&exported);
  }
}

TEST(ExportChunk, WithoutSchemaIsAStructWithoutFields) {
  ArrowArray exported;
  export_chunk({}, &exported);
  EXPECT_EQ(exported.length, 0);
  EXPECT_EQ(exported.n_children, 0);
  exported.release(&exported);
}

TEST(ExportChunk, IsReleasedInAnyOrder) {
  const auto schema = parse_schema("a bigint, b text, c boolean");
  ASSERT_TRUE(schema);
  // 0, 1, 2: a moved-out child; 3: the parent.
  std::vector<int> order = {0, 1, 2, 3};
  do {
    // With each subset of the children moved out; the others go with the parent.
    for (unsigned moved = 0; moved < 8; ++moved) {
      ArrowArray parent;
      export_chunk(chunk_of(*schema), &parent);
      ArrowArray children[3] = {};
      for (unsigned i = 0; i < 3; ++i) {
        if ((moved >> i & 1) != 0) children[i] = move_out(parent.children[i]);
      }
      for (const int which : order) {
        if (which == 3) {
          parent.release(&parent);
          EXPECT_EQ(parent.release, nullptr);
        } else if (children[which].release != nullptr) {
          EXPECT_NE(touch(children[which], schema->fields[which].type), 0U);
          children[which].release(&children[which]);
          EXPECT_EQ(children[which].release, nullptr);
        }
      }
    }
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(ExportChunk, MovedOutChildrenLiveOnOtherThreads) {
  const Schema schema = every_type();
  ArrowArray parent;
  export_chunk(chunk_of(schema), &parent);
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < schema.fields.size(); ++i) {
    threads.emplace_back(
        [child = move_out(parent.children[i]), type = schema.fields[i].type]() mutable {
          EXPECT_NE(touch(child, type), 0U);
          child.release(&child);
          EXPECT_EQ(child.release, nullptr);
        });
  }
  parent.release(&parent);
}

TEST(ExportChunk, AMovedParentIsReleasedFromItsNewPlace) {
  const auto schema = parse_schema("a bigint, b text");
  ASSERT_TRUE(schema);
  ArrowArray first;
  export_chunk(chunk_of(*schema), &first);
  ArrowArray second = move_out(&first);
  EXPECT_NE(touch(*second.children[1], schema->fields[1].type), 0U);
  second.release(&second);
  EXPECT_EQ(second.release, nullptr);
}

}  // namespace
}  // namespace leat
