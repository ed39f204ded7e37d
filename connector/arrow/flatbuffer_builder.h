// Writes a flatbuffer from front to back: the little of that format that Arrow's messages need.
//
// Each table, vector and string stands behind the one that refers to it, so that every reference is
// a distance forward that is set when what it refers to is written. All integers are little-endian
// and lie at multiples of their own size, counted from the buffer's front.
// https://flatbuffers.dev/internals
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace leat::connector {

class FlatbufferBuilder {
 public:
  /// Where a reference stands that something is still to be written for.
  using Reference = std::size_t;
  static constexpr Reference kRoot = 0;

  /// A member of a table. Its slot is its place in the table's declaration, from 0; a union takes
  /// two: its type and its value.
  struct Member {
    std::uint8_t slot;
    std::uint8_t bytes;  ///< 1, 2, 4 or 8.
    std::int64_t value;
  };
  /// A member that refers to a table, a vector or a string, to be written next.
  static Member reference(std::uint8_t slot) { return {slot, sizeof(std::uint32_t), 0}; }

  /// Two integers side by side, which is what both of Arrow's structs are.
  using Pair = std::array<std::int64_t, 2>;

  FlatbufferBuilder() : bytes_(sizeof(std::uint32_t), '\0') {}

  /// Writes a table for the reference `from`: its members in ascending slots; members left out have
  /// their default value. Returns the table's place.
  std::size_t table(Reference from, const std::vector<Member>& members);
  /// The place of a table's member that was made by reference().
  Reference member(std::size_t table, std::uint8_t slot) const;

  void string(Reference from, std::string_view text);
  void pairs(Reference from, std::span<const Pair> values);
  /// A vector of references to tables: returns the first one's place, the others follow it at a
  /// distance of kReferenceBytes.
  Reference references(Reference from, std::size_t count);
  static constexpr std::size_t kReferenceBytes = sizeof(std::uint32_t);

  const std::string& bytes() const noexcept { return bytes_; }

 private:
  void align(std::size_t alignment);
  template <class T>
  void append(T value);
  /// What is written next is what `from` refers to.
  void resolve(Reference from);
  void begin_vector(Reference from, std::size_t count, std::size_t alignment);

  std::string bytes_;
};

}  // namespace leat::connector
