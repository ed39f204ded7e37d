#include "executor/lineage.h"

#include <cstring>
#include <string_view>
#include <utility>

namespace leat::executor {
namespace {

Column repeated_text(std::string_view text, std::int64_t rows) {
  Column column;
  const auto count = static_cast<std::size_t>(rows);
  column.offsets.resize((count + 1) * sizeof(std::int32_t));
  column.values.resize(count * text.size());
  auto* offsets = column.offsets.as<std::int32_t>();
  std::byte* value = column.values.data();
  for (std::size_t row = 0; row < count; ++row) {
    offsets[row] = static_cast<std::int32_t>(row * text.size());
    std::memcpy(value + row * text.size(), text.data(), text.size());
  }
  offsets[count] = static_cast<std::int32_t>(count * text.size());
  return column;
}

Column copied(const Buffer& values) {
  Column column;
  column.values.append(values.data(), values.size());
  return column;
}

}  // namespace

Result<std::shared_ptr<const Schema>> with_lineage(const std::shared_ptr<const Schema>& schema) {
  auto extended = std::make_shared<Schema>(*schema);
  for (const auto& [name, type] :
       {std::pair{"_object", TypeId::kText}, std::pair{"_version", TypeId::kText},
        std::pair{"_offset", TypeId::kInt64}, std::pair{"_record", TypeId::kInt64}}) {
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
  chunk.columns.push_back(repeated_text(chunk.split->key, chunk.rows));
  chunk.columns.push_back(repeated_text(chunk.split->version, chunk.rows));
  chunk.columns.push_back(copied(chunk.record_offsets));
  chunk.columns.push_back(copied(chunk.record_numbers));
  chunk.schema = extended;
}

}  // namespace leat::executor
