#include "parser/csv/block_rows.h"

#include <algorithm>

namespace leat::parser {

void BlockRows::assign(const TokenizedBlock& block, std::size_t fields, std::string_view input,
                       std::string_view readable) {
  block_ = &block;
  bytes_left_ =
      static_cast<std::size_t>(readable.data() + readable.size() - input.data()) - block.consumed;
  records_.clear();
  vector_begin_ = vector_end_ = 0;
  const std::size_t records = block.record_begin.size();
  whole_ = block.is_matrix() && block.matrix.fields == fields;
  if (!whole_) {
    for (std::size_t record = 0; record < records; ++record) {
      if (block.field_count(record) == fields) records_.push_back(record);
    }
    return;
  }
  // How far vectors reach around a field.
  constexpr std::size_t kReachBytes = 64;
  const auto before = static_cast<std::size_t>(input.data() - readable.data());
  vector_end_ = records;
  while (vector_begin_ != records && before + block.record_begin[vector_begin_] < kReachBytes) {
    ++vector_begin_;
  }
  while (vector_end_ > vector_begin_ &&
         before + block.end_of(vector_end_ - 1) + kReachBytes > readable.size()) {
    --vector_end_;
  }
  if (block.matrix.gapless) return;
  before_records_.resize(records);
  for (std::size_t record = 0; record < records; ++record) {
    before_records_[record] = block.record_begin[record] - 1;
  }
}

simd::FieldColumn BlockRows::vector_fields(std::size_t index) const noexcept {
  const FieldMatrix& matrix = block_->matrix;
  const std::size_t first = vector_begin_ * matrix.fields + index;
  simd::FieldColumn fields = {block_->text,  matrix.ends() + first - 1,
                              matrix.fields, matrix.ends() + first,
                              matrix.fields, vector_end_ - vector_begin_};
  if (index == 0 && !matrix.gapless) {
    fields.begins = before_records_.data() + vector_begin_;
    fields.begin_stride = 1;
  }
  return fields;
}

void BlockRows::reserve(Buffer& buffer, std::size_t size, std::size_t added) const {
  if (size <= buffer.capacity()) return;
  // An eighth too much is cheaper than to copy it all.
  const double blocks_left = static_cast<double>(bytes_left_) /
                             static_cast<double>(std::max<std::size_t>(1, block_->consumed));
  buffer.reserve(size + static_cast<std::size_t>(static_cast<double>(added) * blocks_left * 1.125));
}

}  // namespace leat::parser
