#include "connector/arrow/flatbuffer_builder.h"

#include <bit>
#include <cassert>
#include <cstring>

namespace leat::connector {

static_assert(std::endian::native == std::endian::little,
              "integers and columns are written as they lie in memory");

void FlatbufferBuilder::align(std::size_t alignment) {
  bytes_.resize((bytes_.size() + alignment - 1) / alignment * alignment);
}

template <class T>
void FlatbufferBuilder::append(T value) {
  std::array<char, sizeof value> bytes;
  std::memcpy(bytes.data(), &value, sizeof value);
  bytes_.append(bytes.data(), sizeof value);
}

void FlatbufferBuilder::resolve(Reference from) {
  const auto distance = static_cast<std::uint32_t>(bytes_.size() - from);
  std::memcpy(bytes_.data() + from, &distance, sizeof distance);
}

// A table begins with the distance back to its vtable, which tells where each member stands: its
// own size, the table's size, then for each slot the distance from the table, 0 where it is left
// out.
std::size_t FlatbufferBuilder::table(Reference from, const std::vector<Member>& members) {
  const std::size_t slots = members.empty() ? 0 : members.back().slot + 1u;
  const std::size_t vtable_bytes = (2 + slots) * sizeof(std::uint16_t);
  align(sizeof(std::uint16_t));
  const std::size_t vtable = bytes_.size();
  bytes_.resize(vtable + vtable_bytes);
  align(sizeof(std::uint32_t));
  const std::size_t table = bytes_.size();
  resolve(from);
  append(static_cast<std::int32_t>(table - vtable));
  const auto set_vtable = [&](std::size_t index, std::size_t value) {
    const auto entry = static_cast<std::uint16_t>(value);
    std::memcpy(bytes_.data() + vtable + index * sizeof entry, &entry, sizeof entry);
  };
  for (const Member& member : members) {
    align(member.bytes);
    set_vtable(2u + member.slot, bytes_.size() - table);
    std::array<char, sizeof member.value> value;
    std::memcpy(value.data(), &member.value, sizeof member.value);
    bytes_.append(value.data(), member.bytes);
  }
  set_vtable(0, vtable_bytes);
  set_vtable(1, bytes_.size() - table);
  return table;
}

FlatbufferBuilder::Reference FlatbufferBuilder::member(std::size_t table, std::uint8_t slot) const {
  std::int32_t to_vtable = 0;
  std::memcpy(&to_vtable, bytes_.data() + table, sizeof to_vtable);
  std::uint16_t distance = 0;
  const std::size_t entry =
      table - static_cast<std::size_t>(to_vtable) + (2u + slot) * sizeof distance;
  std::memcpy(&distance, bytes_.data() + entry, sizeof distance);
  assert(distance != 0);
  return table + distance;
}

// A vector is its length, 4 bytes, and then its elements, which have to be aligned.
void FlatbufferBuilder::begin_vector(Reference from, std::size_t count, std::size_t alignment) {
  align(sizeof(std::uint32_t));
  while ((bytes_.size() + sizeof(std::uint32_t)) % alignment != 0) append(std::uint32_t{0});
  resolve(from);
  append(static_cast<std::uint32_t>(count));
}

void FlatbufferBuilder::string(Reference from, std::string_view text) {
  begin_vector(from, text.size(), 1);
  bytes_ += text;
  bytes_ += '\0';
}

void FlatbufferBuilder::pairs(Reference from, std::span<const Pair> values) {
  begin_vector(from, values.size(), sizeof(std::int64_t));
  for (const auto& [first, second] : values) {
    append(first);
    append(second);
  }
}

FlatbufferBuilder::Reference FlatbufferBuilder::references(Reference from, std::size_t count) {
  begin_vector(from, count, kReferenceBytes);
  const Reference first = bytes_.size();
  bytes_.resize(first + count * kReferenceBytes);
  return first;
}

}  // namespace leat::connector
