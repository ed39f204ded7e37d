// Export through the Arrow C Data Interface.
//
// Every exported struct owns what it points to through its private_data, and nothing else: a column
// that a consumer moved out lives on after its parent was released, on whatever thread. No state is
// shared, so that nothing has to be counted or locked.
#include <array>
#include <cassert>
#include <cstring>

#include "leat/row_chunk.h"

namespace leat {
namespace {

// The storage of child structs and the array of pointers to them that the interface asks for.
template <class T>
class Children {
 public:
  explicit Children(std::size_t count) : structs_(count), pointers_(count) {
    for (std::size_t i = 0; i < count; ++i) pointers_[i] = &structs_[i];
  }

  std::int64_t count() const noexcept { return static_cast<std::int64_t>(structs_.size()); }
  T** pointers() noexcept { return pointers_.empty() ? nullptr : pointers_.data(); }
  T* at(std::size_t index) noexcept { return &structs_[index]; }

  // A consumer that moved a child out has marked the one left behind as released.
  void release() noexcept {
    for (T& child : structs_) {
      if (child.release != nullptr) child.release(&child);
    }
  }

 private:
  std::vector<T> structs_;
  std::vector<T*> pointers_;
};

std::string format_of(const DataType& type) {
  switch (type.id) {
    case TypeId::kBool:
      return "b";
    case TypeId::kInt16:
      return "s";
    case TypeId::kInt32:
      return "i";
    case TypeId::kInt64:
      return "l";
    case TypeId::kFloat32:
      return "f";
    case TypeId::kFloat64:
      return "g";
    case TypeId::kDecimal:
      return "d:" + std::to_string(type.precision) + "," + std::to_string(type.scale);
    case TypeId::kDate:
      return "tdD";
    case TypeId::kTime:
      return "ttu";
    case TypeId::kTimestamp:
      return "tsu:";
    case TypeId::kTimestampTz:
      return "tsu:UTC";
    case TypeId::kText:
    case TypeId::kJson:
      return "u";
    case TypeId::kBytes:
      return "z";
    case TypeId::kUuid:
      return "w:16";
  }
  return "n";
}

// Number of pairs, then each key and value with its length before it; all numbers are int32 in the
// machine's byte order.
std::string encode_metadata(std::initializer_list<std::string_view> keys_and_values) {
  std::string encoded;
  const auto add_number = [&encoded](std::size_t number) {
    const auto value = static_cast<std::int32_t>(number);
    char bytes[sizeof value];
    std::memcpy(bytes, &value, sizeof value);
    encoded.append(bytes, sizeof value);
  };
  add_number(keys_and_values.size() / 2);
  for (const std::string_view text : keys_and_values) {
    add_number(text.size());
    encoded += text;
  }
  return encoded;
}

std::string extension_metadata(std::string_view extension_name) {
  return encode_metadata({"ARROW:extension:name", extension_name, "ARROW:extension:metadata", ""});
}

struct SchemaOwner {
  std::string format;
  std::string name;
  std::string metadata;
  Children<ArrowSchema> children;
};

void release_schema(ArrowSchema* schema) noexcept {
  auto* owner = static_cast<SchemaOwner*>(schema->private_data);
  owner->children.release();
  delete owner;
  schema->release = nullptr;
}

// Hands `owner` over to `out`.
void fill_schema(SchemaOwner* owner, std::int64_t flags, ArrowSchema* out) {
  *out = {};
  out->format = owner->format.c_str();
  out->name = owner->name.c_str();
  out->metadata = owner->metadata.empty() ? nullptr : owner->metadata.data();
  out->flags = flags;
  out->n_children = owner->children.count();
  out->children = owner->children.pointers();
  out->release = release_schema;
  out->private_data = owner;
}

void export_field(const Field& field, ArrowSchema* out) {
  std::string metadata;
  if (field.type.id == TypeId::kUuid) metadata = extension_metadata("arrow.uuid");
  if (field.type.id == TypeId::kJson) metadata = extension_metadata("arrow.json");
  auto* owner = new SchemaOwner{format_of(field.type), field.name, std::move(metadata),
                                Children<ArrowSchema>(0)};
  fill_schema(owner, field.nullable ? ARROW_FLAG_NULLABLE : 0, out);
}

struct ArrayOwner {
  Column column;  // Empty for the struct array itself.
  std::array<const void*, 3> buffers = {};
  Children<ArrowArray> children;
};

void release_array(ArrowArray* array) noexcept {
  auto* owner = static_cast<ArrayOwner*>(array->private_data);
  owner->children.release();
  delete owner;
  array->release = nullptr;
}

// Hands `owner` over to `out`.
void fill_array(ArrayOwner* owner, std::int64_t rows, std::int64_t buffer_count, ArrowArray* out) {
  *out = {};
  out->length = rows;
  out->null_count = owner->column.null_count;
  out->n_buffers = buffer_count;
  out->buffers = owner->buffers.data();
  out->n_children = owner->children.count();
  out->children = owner->children.pointers();
  out->release = release_array;
  out->private_data = owner;
}

// The buffer's memory, never null, with its padding zeroed: consumers may copy or hash that too.
// Behind a shared one lie the bytes of others.
const void* exported(Buffer& buffer) {
  buffer.reserve(1);
  if (!buffer.is_shared()) std::memset(buffer.data() + buffer.size(), 0, Buffer::kPadding);
  return buffer.data();
}

void export_column(const DataType& type, std::int64_t rows, Column&& column, ArrowArray* out) {
  auto* owner = new ArrayOwner{std::move(column), {}, Children<ArrowArray>(0)};
  Column& own = owner->column;
  if (own.validity.size() != 0) {
    assert(own.validity.size() >= static_cast<std::size_t>(rows + 7) / 8);
    owner->buffers[0] = exported(own.validity);
  } else {
    own.null_count = 0;
  }
  if (type.is_variable()) {
    if (own.offsets.size() == 0) own.offsets.push_back<std::int32_t>(0);
    assert(own.offsets.size() >= static_cast<std::size_t>(rows + 1) * sizeof(std::int32_t));
    owner->buffers[1] = exported(own.offsets);
    owner->buffers[2] = exported(own.values);
    fill_array(owner, rows, 3, out);
  } else {
    assert(own.values.size() >= (type.id == TypeId::kBool ? static_cast<std::size_t>(rows + 7) / 8
                                                          : rows * type.width()));
    owner->buffers[1] = exported(own.values);
    fill_array(owner, rows, 2, out);
  }
}

}  // namespace

void export_schema(const Schema& schema, ArrowSchema* out) {
  auto* owner = new SchemaOwner{"+s", "", "", Children<ArrowSchema>(schema.fields.size())};
  for (std::size_t i = 0; i < schema.fields.size(); ++i) {
    export_field(schema.fields[i], owner->children.at(i));
  }
  fill_schema(owner, 0, out);
}

void export_chunk(RowChunk&& chunk, ArrowArray* out) {
  // A chunk without rows need not have its columns made.
  const std::size_t count = chunk.schema == nullptr ? 0 : chunk.schema->fields.size();
  assert(chunk.columns.size() == count || chunk.rows == 0);
  chunk.columns.resize(count);
  auto* owner = new ArrayOwner{{}, {}, Children<ArrowArray>(count)};
  for (std::size_t i = 0; i < count; ++i) {
    export_column(chunk.schema->fields[i].type, chunk.rows, std::move(chunk.columns[i]),
                  owner->children.at(i));
  }
  fill_array(owner, chunk.rows, 1, out);
  chunk.columns.clear();
  chunk.rows = 0;
}

}  // namespace leat
