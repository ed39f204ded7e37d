#include "connector/arrow/ipc_stream.h"

#include <cassert>
#include <cstring>
#include <limits>
#include <string_view>
#include <vector>

#include "connector/arrow/flatbuffer_builder.h"

namespace leat::connector {
namespace {

using Reference = FlatbufferBuilder::Reference;

constexpr std::size_t kAlignment = 64;

// The enumerations of Arrow's Schema.fbs and Message.fbs.
constexpr std::int64_t kVersion5 = 4;
enum Header : std::int64_t { kSchemaHeader = 1, kRecordBatchHeader = 3 };
enum Type : std::int64_t {
  kInt = 2,
  kFloatingPoint = 3,
  kBinary = 4,
  kUtf8 = 5,
  kBool = 6,
  kDecimal = 7,
  kDate = 8,
  kTime = 9,
  kTimestamp = 10,
  kFixedSizeBinary = 15,
};
constexpr std::int64_t kSingle = 1;
constexpr std::int64_t kDouble = 2;
constexpr std::int64_t kDay = 0;
constexpr std::int64_t kMicrosecond = 2;

std::size_t padded(std::size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

/// Every message is framed by a mark, the length of its metadata, and padding.
void append_message(const std::string& metadata, std::string& out) {
  constexpr std::uint32_t kContinuation = 0xffffffff;
  std::uint32_t frame[] = {kContinuation, 0};
  const std::size_t length = padded(sizeof frame + metadata.size());
  frame[1] = static_cast<std::uint32_t>(length - sizeof frame);
  const std::size_t begin = out.size();
  out.append(reinterpret_cast<const char*>(frame), sizeof frame);
  out += metadata;
  out.resize(begin + length);
}

/// Begins a message whose header is written for the reference that is returned.
Reference begin_message(FlatbufferBuilder& builder, Header header, std::size_t body_bytes) {
  const std::size_t message =
      builder.table(FlatbufferBuilder::kRoot, {{.slot = 0, .bytes = 2, .value = kVersion5},
                                               {.slot = 1, .bytes = 1, .value = header},
                                               FlatbufferBuilder::reference(2),
                                               {3, 8, static_cast<std::int64_t>(body_bytes)}});
  return builder.member(message, 2);
}

Type type_of(TypeId id) {
  switch (id) {
    case TypeId::kBool:
      return kBool;
    case TypeId::kInt16:
    case TypeId::kInt32:
    case TypeId::kInt64:
      return kInt;
    case TypeId::kFloat32:
    case TypeId::kFloat64:
      return kFloatingPoint;
    case TypeId::kDecimal:
      return kDecimal;
    case TypeId::kDate:
      return kDate;
    case TypeId::kTime:
      return kTime;
    case TypeId::kTimestamp:
    case TypeId::kTimestampTz:
      return kTimestamp;
    case TypeId::kText:
    case TypeId::kJson:
      return kUtf8;
    case TypeId::kBytes:
      return kBinary;
    case TypeId::kUuid:
      return kFixedSizeBinary;
  }
  return kBinary;
}

/// The table that a type's parameters stand in. Members are written even where they have the
/// format's default value: those differ from unit to unit.
void write_type(FlatbufferBuilder& builder, Reference from, const DataType& type) {
  const auto bits = static_cast<std::int64_t>(8 * type.width());
  switch (type.id) {
    case TypeId::kBool:
    case TypeId::kText:
    case TypeId::kJson:
    case TypeId::kBytes:
      builder.table(from, {});
      break;
    case TypeId::kInt16:
    case TypeId::kInt32:
    case TypeId::kInt64:
      builder.table(from, {{0, 4, bits}, {1, 1, 1}});  // bitWidth, is_signed
      break;
    case TypeId::kFloat32:
    case TypeId::kFloat64:
      builder.table(from, {{0, 2, type.id == TypeId::kFloat32 ? kSingle : kDouble}});
      break;
    case TypeId::kDecimal:
      builder.table(from, {{0, 4, type.precision}, {1, 4, type.scale}, {2, 4, bits}});
      break;
    case TypeId::kDate:
      builder.table(from, {{0, 2, kDay}});
      break;
    case TypeId::kTime:
      builder.table(from, {{0, 2, kMicrosecond}, {1, 4, bits}});
      break;
    case TypeId::kTimestamp:
      builder.table(from, {{0, 2, kMicrosecond}});
      break;
    case TypeId::kTimestampTz: {
      const std::size_t table =
          builder.table(from, {{0, 2, kMicrosecond}, FlatbufferBuilder::reference(1)});
      builder.string(builder.member(table, 1), "UTC");
      break;
    }
    case TypeId::kUuid:
      builder.table(from, {{0, 4, static_cast<std::int64_t>(type.width())}});
      break;
  }
}

/// What Arrow calls the type where it is more than its layout; else empty.
std::string_view extension_of(TypeId id) {
  if (id == TypeId::kUuid) return "arrow.uuid";
  if (id == TypeId::kJson) return "arrow.json";
  return {};
}

void write_key_value(FlatbufferBuilder& builder, Reference from, std::string_view key,
                     std::string_view value) {
  const std::size_t table =
      builder.table(from, {FlatbufferBuilder::reference(0), FlatbufferBuilder::reference(1)});
  builder.string(builder.member(table, 0), key);
  builder.string(builder.member(table, 1), value);
}

void write_field(FlatbufferBuilder& builder, Reference from, const Field& field) {
  constexpr std::uint8_t kName = 0, kNullable = 1, kTypeType = 2, kTypeTable = 3, kChildren = 5,
                         kMetadata = 6;
  const std::string_view extension = extension_of(field.type.id);
  std::vector<FlatbufferBuilder::Member> members{
      FlatbufferBuilder::reference(kName),
      {.slot = kNullable, .bytes = 1, .value = field.nullable ? 1 : 0},
      {.slot = kTypeType, .bytes = 1, .value = type_of(field.type.id)},
      FlatbufferBuilder::reference(kTypeTable),
      FlatbufferBuilder::reference(kChildren)};
  if (!extension.empty()) members.push_back(FlatbufferBuilder::reference(kMetadata));
  const std::size_t table = builder.table(from, members);
  builder.string(builder.member(table, kName), field.name);
  write_type(builder, builder.member(table, kTypeTable), field.type);
  builder.references(builder.member(table, kChildren), 0);
  if (extension.empty()) return;
  const Reference first = builder.references(builder.member(table, kMetadata), 2);
  write_key_value(builder, first, "ARROW:extension:name", extension);
  write_key_value(builder, first + FlatbufferBuilder::kReferenceBytes, "ARROW:extension:metadata",
                  "");
}

/// The buffers of a record batch, in the order in which they are listed and follow one another.
class BatchBody {
 public:
  void add(const Buffer& buffer, std::size_t bytes) {
    assert(buffer.size() >= bytes);
    places_.push_back({static_cast<std::int64_t>(bytes_), static_cast<std::int64_t>(bytes)});
    sources_.push_back(buffer.data());
    bytes_ += padded(bytes);
  }

  std::size_t bytes() const noexcept { return bytes_; }
  const std::vector<FlatbufferBuilder::Pair>& places() const noexcept { return places_; }

  void append_to(std::string& out) const {
    out.reserve(out.size() + bytes_);
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      const auto bytes = static_cast<std::size_t>(places_[i][1]);
      if (bytes != 0) out.append(reinterpret_cast<const char*>(sources_[i]), bytes);
      out.append(padded(bytes) - bytes, '\0');
    }
  }

 private:
  std::vector<FlatbufferBuilder::Pair> places_;
  std::vector<const std::byte*> sources_;
  std::size_t bytes_ = 0;
};

void add_column(const DataType& type, const Column& column, std::size_t rows, BatchBody& body) {
  const std::size_t bitmap_bytes = (rows + 7) / 8;
  body.add(column.validity, column.validity.size() == 0 ? 0 : bitmap_bytes);
  if (type.is_variable()) {
    // Without rows, no offsets at all are allowed as well.
    const bool none = column.offsets.size() == 0;
    body.add(column.offsets, none ? 0 : (rows + 1) * sizeof(std::int32_t));
    body.add(column.values,
             none ? 0 : static_cast<std::size_t>(column.offsets.as<std::int32_t>()[rows]));
  } else {
    body.add(column.values, type.id == TypeId::kBool ? bitmap_bytes : rows * type.width());
  }
}

}  // namespace

void append_schema_message(const Schema& schema, std::string& out) {
  FlatbufferBuilder builder;
  const Reference header = begin_message(builder, kSchemaHeader, 0);
  // Its endianness is left at the default: little.
  const std::size_t table = builder.table(header, {FlatbufferBuilder::reference(1)});
  Reference field = builder.references(builder.member(table, 1), schema.fields.size());
  for (const Field& each : schema.fields) {
    write_field(builder, field, each);
    field += FlatbufferBuilder::kReferenceBytes;
  }
  append_message(builder.bytes(), out);
}

void append_record_batch(const RowChunk& chunk, std::string& out) {
  static const Column no_column;
  const std::vector<Field>& fields = chunk.schema->fields;
  assert(chunk.columns.size() == fields.size() || chunk.rows == 0);
  std::vector<FlatbufferBuilder::Pair> nodes;
  BatchBody body;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const Column& column = i < chunk.columns.size() ? chunk.columns[i] : no_column;
    nodes.push_back({chunk.rows, column.validity.size() == 0 ? 0 : column.null_count});
    add_column(fields[i].type, column, static_cast<std::size_t>(chunk.rows), body);
  }
  FlatbufferBuilder builder;
  const Reference header = begin_message(builder, kRecordBatchHeader, body.bytes());
  const std::size_t table = builder.table(header, {{.slot = 0, .bytes = 8, .value = chunk.rows},
                                                   FlatbufferBuilder::reference(1),
                                                   FlatbufferBuilder::reference(2)});
  builder.pairs(builder.member(table, 1), nodes);
  builder.pairs(builder.member(table, 2), body.places());
  append_message(builder.bytes(), out);
  body.append_to(out);
}

void append_end_of_stream(std::string& out) {
  constexpr std::uint32_t kMark[] = {0xffffffff, 0};
  out.append(reinterpret_cast<const char*>(kMark), sizeof kMark);
}

}  // namespace leat::connector
