// The kernels of every target convert what values.h converts, bit for bit, or leave it over.
#include "parser/convert/simd/column_kernels.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "parser/simd/target.h"
#include "tests/fuzz/choices.h"
#include "tests/fuzz/targets.h"

namespace leat::fuzz {
namespace {

using parser::simd::ColumnKernels;
using parser::simd::FieldColumn;

/// Fields of a text, split at line feeds, with 64 readable bytes around them and no more.
class Fields {
 public:
  explicit Fields(std::string_view text)
      : memory_(std::make_unique<char[]>(text.size() + 2 * kPadding)) {
    std::memset(memory_.get(), '7', text.size() + 2 * kPadding);
    std::memcpy(memory_.get() + kPadding, text.data(), text.size());
    bounds_.push_back(static_cast<std::uint32_t>(-1));
    for (std::size_t at = 0; at <= text.size(); ++at) {
      if (at == text.size() || text[at] == '\n') bounds_.push_back(static_cast<std::uint32_t>(at));
    }
    column_ = {memory_.get() + kPadding, bounds_.data(), 1, bounds_.data() + 1, 1,
               bounds_.size() - 1};
  }

  const FieldColumn& column() const { return column_; }
  std::string_view field(std::size_t i) const {
    return {column_.text + (bounds_[i] + 1), bounds_[i + 1] - (bounds_[i] + 1)};
  }

 private:
  static constexpr std::size_t kPadding = 64;

  std::unique_ptr<char[]> memory_;
  std::vector<std::uint32_t> bounds_;
  FieldColumn column_;
};

template <class Value>
void check(const Fields& fields, ColumnKernels::Convert<Value> ColumnKernels::*kernel,
           std::string_view (*parse)(std::string_view, Value&) noexcept) {
  const std::size_t count = fields.column().count;
  for (const parser::SimdTarget target : parser::available_simd_targets()) {
    const auto values = std::make_unique<Value[]>(count);
    const auto abnormal = std::make_unique<std::uint32_t[]>(count);
    const std::size_t left_over = (parser::simd::column_kernels(target).*kernel)(
        fields.column(), values.get(), abnormal.get());
    require(std::is_sorted(abnormal.get(), abnormal.get() + left_over),
            "rows left over come in order");
    for (std::size_t i = 0, next = 0; i < count; ++i) {
      if (next < left_over && abnormal[next] == i) {
        ++next;
        continue;
      }
      Value expected = {};
      const bool valid = parse(fields.field(i), expected).empty();
      require(valid && std::memcmp(&expected, &values[i], sizeof expected) == 0,
              "a kernel converts what values.h converts", fields.field(i));
    }
  }
}

}  // namespace

void column_kernels(std::string_view input) {
  const Fields fields(input);
  check(fields, &ColumnKernels::convert_int16, parser::parse_int<std::int16_t>);
  check(fields, &ColumnKernels::convert_int32, parser::parse_int<std::int32_t>);
  check(fields, &ColumnKernels::convert_int64, parser::parse_int<std::int64_t>);
  check(fields, &ColumnKernels::convert_float32, parser::parse_float<float>);
  check(fields, &ColumnKernels::convert_float64, parser::parse_float<double>);
  check(fields, &ColumnKernels::convert_date, parser::parse_date);
  check(fields, &ColumnKernels::convert_timestamp, parser::parse_timestamp);
}

}  // namespace leat::fuzz
