#include "executor/lineage.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>

namespace leat::executor {
namespace {

/// The same text in many rows: made once, and shared by the chunks of an object.
class RepeatedText {
 public:
  Column column(std::string_view text, std::size_t rows) {
    if (text != text_ || rows >= rows_) fill(text, rows + rows / 8 + 1);
    Column column;
    column.offsets = offsets_.share((rows + 1) * sizeof(std::int32_t));
    column.values = values_.share(rows * text.size());
    if (values_.size() > kKeptBytesMax) *this = RepeatedText();
    return column;
  }

 private:
  static constexpr std::size_t kKeptBytesMax = 4u << 20;

  void fill(std::string_view text, std::size_t rows) {
    text_ = text;
    rows_ = rows;
    offsets_ = Buffer((rows + 1) * sizeof(std::int32_t));
    auto* const offsets = offsets_.as<std::int32_t>();
    for (std::size_t row = 0; row <= rows; ++row) {
      offsets[row] = static_cast<std::int32_t>(row * text.size());
    }
    values_ = Buffer(rows * text.size());
    if (text.empty()) return;
    // What is there is copied behind itself until there is enough of it.
    std::byte* const to = values_.data();
    std::memcpy(to, text.data(), text.size());
    for (std::size_t size = text.size(); size < values_.size(); size *= 2) {
      std::memcpy(to + size, to, std::min(size, values_.size() - size));
    }
  }

  std::string text_;
  std::size_t rows_ = 0;
  Buffer offsets_;
  Buffer values_;
};

Buffer record_numbers(RowChunk& chunk) {
  const auto rows = static_cast<std::size_t>(chunk.rows);
  if (chunk.record_numbers.size() != 0) {
    return chunk.record_numbers.share(rows * sizeof(std::int64_t));
  }
  Buffer numbers(rows * sizeof(std::int64_t));
  std::iota(numbers.as<std::int64_t>(), numbers.as<std::int64_t>() + rows,
            static_cast<std::int64_t>(chunk.records.begin) + 1);
  return numbers;
}

}  // namespace

Result<std::shared_ptr<const Schema>> with_lineage(const std::shared_ptr<const Schema>& schema,
                                                   bool modified) {
  auto extended = std::make_shared<Schema>(*schema);
  for (const auto& [name, type] :
       {std::pair{"_object", TypeId::kText}, std::pair{"_version", TypeId::kText},
        std::pair{"_offset", TypeId::kInt64}, std::pair{"_record", TypeId::kInt64},
        std::pair{"_modified", TypeId::kTimestampTz}}) {
    if (!modified && type == TypeId::kTimestampTz) break;
    if (schema->find(name) >= 0) {
      return Error{
          ErrorCode::kInvalidArgument,
          "column " + std::string(name) +
              " is both in the data and a lineage column; rename it in the schema or leave "
              "out --lineage",
          {.column = name}};
    }
    extended->fields.push_back({name, {type}, false});
  }
  return std::shared_ptr<const Schema>(std::move(extended));
}

void append_lineage(const std::shared_ptr<const Schema>& extended, RowChunk& chunk) {
  // A thread handles many chunks of an object.
  thread_local RepeatedText key;
  thread_local RepeatedText version;
  const auto rows = static_cast<std::size_t>(chunk.rows);
  const auto add = [&chunk](Buffer values) {
    chunk.columns.emplace_back().values = std::move(values);
  };
  chunk.columns.push_back(key.column(chunk.split->key, rows));
  chunk.columns.push_back(version.column(chunk.split->version, rows));
  add(chunk.record_offsets.share(rows * sizeof(std::int64_t)));
  add(record_numbers(chunk));
  if (chunk.columns.size() < extended->fields.size()) {
    Buffer modified(rows * sizeof(std::int64_t));
    std::fill_n(modified.as<std::int64_t>(), rows, chunk.split->modified_ms * 1'000);
    add(std::move(modified));
  }
  chunk.schema = extended;
}

}  // namespace leat::executor
