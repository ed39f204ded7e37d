#include "executor/chunk_rows.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace leat::executor {
namespace {

/// Bits [first, first + count) of `bits`, moved to the front.
Buffer bits_of(const Buffer& bits, std::int64_t first, std::int64_t count) {
  Buffer part(static_cast<std::size_t>((count + 7) / 8));
  std::fill_n(part.as<std::uint8_t>(), part.size(), std::uint8_t{0});
  const auto* from = bits.as<std::uint8_t>();
  auto* to = part.as<std::uint8_t>();
  for (std::int64_t i = 0; i < count; ++i) {
    const bool set = ((from[(first + i) >> 3] >> ((first + i) & 7)) & 1) != 0;
    if (set) to[i >> 3] = static_cast<std::uint8_t>(to[i >> 3] | 1u << (i & 7));
  }
  return part;
}

Buffer bytes_of(const Buffer& bytes, std::size_t first, std::size_t count) {
  Buffer part;
  part.append(bytes.data() + first, count);
  return part;
}

Column rows_of(const DataType& type, const Column& column, std::int64_t first, std::int64_t count,
               std::int64_t all) {
  Column part;
  if (column.validity.size() != 0) {
    part.validity = bits_of(column.validity, first, count);
    for (std::int64_t row = 0; row < count; ++row) part.null_count += part.is_null(row) ? 1 : 0;
  }
  if (type.id == TypeId::kBool) {
    part.values = bits_of(column.values, first, count);
  } else if (type.is_variable()) {
    const auto* offsets = column.offsets.as<std::int32_t>();
    part.offsets = Buffer(static_cast<std::size_t>(count + 1) * sizeof(std::int32_t));
    for (std::int64_t row = 0; row <= count; ++row) {
      part.offsets.as<std::int32_t>()[row] = offsets[first + row] - offsets[first];
    }
    part.values = bytes_of(column.values, static_cast<std::size_t>(offsets[first]),
                           static_cast<std::size_t>(offsets[first + count] - offsets[first]));
  } else if (all != 0) {
    const std::size_t width = column.values.size() / static_cast<std::size_t>(all);
    part.values = bytes_of(column.values, static_cast<std::size_t>(first) * width,
                           static_cast<std::size_t>(count) * width);
  }
  return part;
}

}  // namespace

void keep_records_in(Range bytes, RowChunk& chunk) {
  std::erase_if(chunk.rejects, [&bytes](const RejectedRow& reject) {
    return reject.byte_offset < bytes.begin || reject.byte_offset >= bytes.end;
  });
  const auto* offsets = chunk.record_offsets.as<std::int64_t>();
  const auto before = [&](std::uint64_t limit) {
    return std::lower_bound(offsets, offsets + chunk.rows, limit,
                            [](std::int64_t offset, std::uint64_t wanted) {
                              return static_cast<std::uint64_t>(offset) < wanted;
                            }) -
           offsets;
  };
  const std::int64_t first = before(bytes.begin);
  const std::int64_t count = std::max<std::int64_t>(before(bytes.end) - first, 0);
  if (first == 0 && count == chunk.rows) return;
  for (std::size_t i = 0; i < chunk.columns.size(); ++i) {
    chunk.columns[i] =
        rows_of(chunk.schema->fields[i].type, chunk.columns[i], first, count, chunk.rows);
  }
  Buffer numbers;
  for (std::int64_t row = first; row < first + count; ++row) {
    numbers.push_back(static_cast<std::int64_t>(chunk.record_number(row)));
  }
  chunk.record_numbers = std::move(numbers);
  chunk.record_offsets =
      bytes_of(chunk.record_offsets, static_cast<std::size_t>(first) * sizeof(std::int64_t),
               static_cast<std::size_t>(count) * sizeof(std::int64_t));
  chunk.rows = count;
}

}  // namespace leat::executor
