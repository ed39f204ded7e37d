#include "parser/records/block_rows.h"

#include <algorithm>

namespace leat::parser {

bool RowRules::take_rest(const TokenizedBlock& block, std::size_t record,
                         std::size_t count) const noexcept {
  if (more != LongRecords::kIgnoreEmpty) return more == LongRecords::kIgnore;
  for (std::size_t i = fields; i < count; ++i) {
    FieldSpan span = block.field(record, i);
    if (trim) span = trimmed(block.text, span);
    if (span.quoted || span.begin != span.end) return false;
  }
  return true;
}

void BlockRows::assign(const TokenizedBlock& block, const RowRules& rules, std::string_view input,
                       std::string_view readable, std::size_t rows_left) {
  block_ = &block;
  const std::size_t bytes_left =
      static_cast<std::size_t>(readable.data() + readable.size() - input.data()) - block.consumed;
  records_.clear();
  const std::size_t records = block.record_begin.size();
  // Records of more fields than rows have are as good a matrix, if all of them are rows.
  whole_ = block.is_matrix() && block.matrix.fields >= rules.fields;
  for (std::size_t record = 0; whole_ && block.matrix.fields != rules.fields && record < records;
       ++record) {
    whole_ = rules.take_rest(block, record, block.matrix.fields);
  }
  ragged_ = false;
  trim_ = rules.trim;
  for (std::size_t record = 0; !whole_ && record < records; ++record) {
    if (!rules.take(block, record)) continue;
    records_.push_back(record);
    ragged_ = ragged_ || block.field_count(record) != rules.fields;
  }

  const auto in_this = [](std::size_t all, std::size_t here) {
    return static_cast<double>(all) / static_cast<double>(std::max<std::size_t>(1, here));
  };
  blocks_left_ = std::min(in_this(bytes_left, block.consumed), in_this(rows_left, count()));

  vector_begin_ = vector_end_ = 0;
  if (block.text != input.data() || (block.is_matrix() && !whole_) || ragged_ || trim_) return;
  // How far vectors reach around a field.
  constexpr std::size_t kReachBytes = 64;
  const auto before = static_cast<std::size_t>(input.data() - readable.data());
  vector_end_ = count();
  while (vector_begin_ != vector_end_ &&
         before + block.record_begin[record(vector_begin_)] < kReachBytes) {
    ++vector_begin_;
  }
  while (vector_end_ != vector_begin_ &&
         before + block.end_of(record(vector_end_ - 1)) + kReachBytes > readable.size()) {
    --vector_end_;
  }
  if (!whole_ || block.matrix.gapless) return;
  before_records_.resize(records);
  for (std::size_t record = 0; record < records; ++record) {
    before_records_[record] = block.record_begin[record] - 1;
  }
}

simd::FieldColumn BlockRows::matrix_fields(std::size_t index) const noexcept {
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

simd::FieldColumn BlockRows::vector_fields(std::size_t index, Quotes quotes) {
  const std::size_t count = vector_end_ - vector_begin_;
  const auto side_by_side = [&] {
    return simd::FieldColumn{block_->text, bounds_.data(), 2, bounds_.data() + 1, 2, count};
  };
  if (!whole_) {
    bounds_.resize(2 * count);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t at = record(vector_begin_ + i);
      FieldSpan span = block_->field(at, index);
      // A field that its record lacks (JSON) is an empty one anywhere.
      if (span.begin < block_->record_begin[at]) span.begin = span.end = block_->record_begin[at];
      const std::uint32_t kept = quotes == Quotes::kKept && span.quoted ? 1 : 0;
      bounds_[2 * i] = span.begin - kept - 1;
      bounds_[2 * i + 1] = span.end + kept;
    }
    return side_by_side();
  }
  const simd::FieldColumn fields = matrix_fields(index);
  const char quote = block_->matrix.quote;
  // Where the first field is quoted, all are taken to be: those that are not lose nothing.
  if (quotes == Quotes::kKept || quote == '\0' || fields.text[fields.begins[0] + 1] != quote) {
    return fields;
  }
  bounds_.resize(2 * count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t before = fields.begins[i * fields.begin_stride];
    const std::uint32_t end = fields.ends[i * fields.end_stride];
    const std::uint32_t removed = fields.text[before + 1] == quote ? 1 : 0;
    bounds_[2 * i] = before + removed;
    bounds_[2 * i + 1] = end - removed;
  }
  return side_by_side();
}

void BlockRows::reserve(Buffer& buffer, std::size_t size, std::size_t added) const {
  if (size <= buffer.capacity()) return;
  // An eighth too much is cheaper than to copy it all.
  buffer.reserve(size +
                 static_cast<std::size_t>(static_cast<double>(added) * blocks_left_ * 1.125));
}

}  // namespace leat::parser
