// A part of a chunk holds the same values as the whole does at those rows.

#include "executor/chunk_rows.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/connector/chunk_builder.h"

namespace leat::executor {
namespace {

TEST(ChunkRows, EveryRangeOfRecordsKeepsItsValues) {
  constexpr int kRows = 21;
  connector::ChunkBuilder builder("a bool, b int, c text, d double precision, e uuid, f text");
  for (int i = 0; i < kRows; ++i) {
    const std::string text(static_cast<std::size_t>(i % 4), static_cast<char>('a' + i));
    if (i % 3 == 0) {
      builder.row(nullptr, nullptr, nullptr, nullptr, nullptr, text);
    } else {
      builder.row(i % 2, i, text, i / 2.0, std::string(16, static_cast<char>(i)), text);
    }
  }
  builder.reject({.record = 5, .byte_offset = 45});
  const RowChunk whole = builder.build();
  for (int first = 0; first <= kRows; ++first) {
    for (int last = first; last <= kRows; ++last) {
      RowChunk part = builder.build();
      // Records begin ten bytes apart; a range may begin and end between them.
      keep_records_in({static_cast<std::uint64_t>(first * 10 - (first > 0 ? 3 : 0)),
                       static_cast<std::uint64_t>(last * 10)},
                      part);
      ASSERT_EQ(part.rows, last - first);
      ASSERT_EQ(part.rejects.size(), first * 10 - 3 <= 45 && 45 < last * 10 ? 1u : 0u);
      for (std::size_t c = 0; c < whole.columns.size(); ++c) {
        std::int64_t nulls = 0;
        for (std::int64_t row = 0; row < part.rows; ++row) {
          ASSERT_EQ(part.columns[c].is_null(row), whole.columns[c].is_null(first + row));
          nulls += part.columns[c].is_null(row) ? 1 : 0;
          if (part.columns[c].is_null(row)) continue;
          std::string got;
          std::string wanted;
          const DataType& type = whole.schema->fields[c].type;
          append_value_text(type, part.columns[c], row, got);
          append_value_text(type, whole.columns[c], first + row, wanted);
          ASSERT_EQ(got, wanted);
        }
        ASSERT_EQ(part.columns[c].null_count, nulls);
      }
      for (std::int64_t row = 0; row < part.rows; ++row) {
        ASSERT_EQ(part.record_number(row), static_cast<std::uint64_t>(first + row + 1));
        ASSERT_EQ(part.record_offset(row), static_cast<std::uint64_t>((first + row) * 10));
      }
    }
  }
}

}  // namespace
}  // namespace leat::executor
