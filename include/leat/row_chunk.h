// Rows in columnar form, in Arrow memory layout, with their lineage.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "leat/arrow_c.h"
#include "leat/result.h"
#include "leat/schema.h"
#include "leat/split.h"

namespace leat {

/// Owned bytes, aligned to 64 and readable (not meaningful) for 64 bytes past size().
///
/// Growing keeps the content; new bytes are uninitialised. Until the first growth there is no
/// memory at all: data() is null. Not thread-safe.
class Buffer {
 public:
  static constexpr std::size_t kAlignment = 64;
  static constexpr std::size_t kPadding = 64;

  Buffer() = default;
  explicit Buffer(std::size_t size) { resize(size); }
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&& other) noexcept;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer();

  std::byte* data() noexcept { return data_; }
  const std::byte* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }
  std::size_t capacity() const noexcept { return capacity_; }

  /// Typed view of the front. T is trivial; the buffer's alignment suits every T.
  template <class T>
  T* as() noexcept {
    return reinterpret_cast<T*>(data_);
  }
  template <class T>
  const T* as() const noexcept {
    return reinterpret_cast<const T*>(data_);
  }

  /// Grows geometrically; aborts when memory is exhausted, as operator new would without handlers.
  void reserve(std::size_t capacity);
  void resize(std::size_t size) {
    reserve(size);
    size_ = size;
  }
  /// `bytes` lie outside of this buffer.
  void append(const void* bytes, std::size_t size) {
    if (size == 0) return;
    if (size > capacity_ - size_) reserve(size_ + size);
    std::memcpy(data_ + size_, bytes, size);
    size_ += size;
  }
  template <class T>
  void push_back(T value) {
    append(&value, sizeof value);
  }
  void clear() noexcept { size_ = 0; }

  /// The first `size` <= size() bytes once more, without a copy: the memory lives until the last of
  /// its buffers is gone, on whatever thread. None of them may write to this memory any more, nor
  /// behind its own bytes; one that grows takes a copy.
  Buffer share(std::size_t size);
  bool is_shared() const noexcept { return shared_ != nullptr; }

 private:
  struct Shared;

  void release() noexcept;

  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  Shared* shared_ = nullptr;  ///< Null: the memory is this buffer's alone.
};

/// One column of a chunk. Which buffers are used follows from its type (see TypeId).
struct Column {
  Buffer validity;  ///< Bits, LSB first, 1 = valid. Empty: all rows are valid.
  Buffer offsets;   ///< int32 × (rows + 1), variable types only.
  Buffer values;    ///< Fixed-width values, bits (kBool), or bytes (variable types).
  std::int64_t null_count = 0;

  bool is_null(std::int64_t row) const noexcept {
    return validity.size() != 0 && ((validity.as<std::uint8_t>()[row >> 3] >> (row & 7)) & 1) == 0;
  }
  template <class T>
  T at(std::int64_t row) const noexcept {
    return values.as<T>()[row];
  }
  bool bool_at(std::int64_t row) const noexcept {
    return ((values.as<std::uint8_t>()[row >> 3] >> (row & 7)) & 1) != 0;
  }
  /// Bytes of a variable-width value; borrowed from the column.
  std::string_view text_at(std::int64_t row) const noexcept {
    const auto* o = offsets.as<std::int32_t>();
    return {values.as<char>() + o[row], static_cast<std::size_t>(o[row + 1] - o[row])};
  }
};

/// A record that did not become a row.
struct RejectedRow {
  std::uint64_t record = 0;       ///< In the object, counted from 1.
  std::uint64_t byte_offset = 0;  ///< Of the record's first byte.
  std::string column = {};        ///< Empty when the record as a whole is at fault.
  std::string text = {};          ///< The offending field's text, <= 1 KiB.
  std::string raw = {};  ///< The whole record as it stands in the object, without line end.
  ErrorCode code = ErrorCode::kBadValue;
  std::string reason = {};  ///< One sentence.
};

/// How the header of an object differs from the schema.
struct ColumnDrift {
  std::vector<std::string> extra;    ///< Names that no column has: ignored.
  std::vector<std::string> missing;  ///< Columns without a name: null in each row.

  bool operator==(const ColumnDrift&) const = default;
};

/// OnError::kNull: values of one column that did not fit its type, and were read as null.
struct NulledValues {
  std::size_t column = 0;          ///< In the schema.
  std::uint64_t count = 0;         ///< In rows of this chunk.
  std::uint64_t first_record = 0;  ///< Counted from 1.
  std::string first_text = {};     ///< <= 1 KiB.
};

/// Rows of one split, in their order. Movable; exported without a copy.
///
/// Rows in [0, rows) come from records in `records`, whose bytes lie in `bytes`; both ranges also
/// cover rejected records, the header and skipped lines, so that the ranges of successive chunks of
/// a split join without a gap. `end` is the position after the chunk.
struct RowChunk {
  std::shared_ptr<const Schema> schema;
  std::int64_t rows = 0;
  std::vector<Column> columns;  ///< One for each field of the schema.

  std::shared_ptr<const ObjectVersion> split;
  Range bytes;            ///< Decoded bytes of the object.
  Range records;          ///< Data records, counted from 0: record number n is index n - 1.
  Buffer record_offsets;  ///< int64 × rows: first byte of each row's record.
  /// int64 × rows: number of each row's record. Empty: each record is a row; see record_number().
  Buffer record_numbers;
  std::vector<RejectedRow> rejects;
  std::vector<NulledValues> nulled;          ///< By column, in ascending order.
  std::shared_ptr<const ColumnDrift> drift;  ///< Of the split, the same in each chunk; null: none.
  Position end;

  /// First byte of the row's record.
  std::uint64_t record_offset(std::int64_t row) const noexcept {
    return static_cast<std::uint64_t>(record_offsets.as<std::int64_t>()[row]);
  }
  /// Of the row's record, counted from 1.
  std::uint64_t record_number(std::int64_t row) const noexcept {
    return record_numbers.size() == 0
               ? records.begin + static_cast<std::uint64_t>(row) + 1
               : static_cast<std::uint64_t>(record_numbers.as<std::int64_t>()[row]);
  }

  /// Heap bytes held, for memory budgets. Shared ones count in each of their buffers.
  std::size_t memory_bytes() const noexcept;
};

/// Fills `out` with the schema as a struct type. The caller owns it and calls out->release.
/// uuid and json carry their Arrow extension names as metadata.
/// @see https://arrow.apache.org/docs/format/CDataInterface.html
void export_schema(const Schema& schema, ArrowSchema* out);

/// Moves the chunk's columns into `out` as a struct array without copying them. The caller owns it
/// and calls out->release; children may be moved out and released on their own, in any order and on
/// any thread.
void export_chunk(RowChunk&& chunk, ArrowArray* out);

/// Appends the value's canonical text to `out`: what PostgreSQL prints with ISO date style and UTC
/// (true/false for bool, "2026-11-20 10:30:00.5+00" for timestamptz, \x-hex for bytes, shortest
/// round-trip digits for floats). The value must not be null.
void append_value_text(const DataType& type, const Column& column, std::int64_t row,
                       std::string& out);

}  // namespace leat
