// From a kernel, which converts kLanes fields, to a conversion of whole columns.
//
// Included once for each target, behind <hwy/highway.h>, by column_kernels.cc.
HWY_BEFORE_NAMESPACE();
namespace leat::parser::simd::HWY_NAMESPACE {

// One bit for each lane that is not `good`.
HWY_INLINE unsigned bits_of_others(LaneMask good) {
  const Lanes lanes;
  if (HWY_LIKELY(hn::AllTrue(lanes, good))) return 0;
  std::uint8_t bits[8] = {};
  hn::StoreMaskBits(lanes, hn::Not(good), bits);
  return bits[0];
}

// Converts whole groups: the fields from `first_row` of `row_count` ones, whose bounds are as those
// of FieldGroup. Kernel::convert(group, values) stores kLanes values and returns a bit for each one
// that is void.
// @return  Behind the last abnormal row.
//
// Not inlined: among other code GCC runs out of registers for the addresses.
template <class Kernel>
HWY_NOINLINE std::uint32_t* convert_groups(FieldGroup group, std::size_t first_row,
                                           std::size_t row_count, typename Kernel::Value* values,
                                           std::uint32_t* abnormal) {
  for (std::size_t i = 0; i < row_count; i += kLanes) {
    unsigned others = Kernel::convert(group, values + i);
    for (; HWY_UNLIKELY(others != 0); others &= others - 1) {
      const auto lane = static_cast<unsigned>(std::countr_zero(others));
      *abnormal++ = static_cast<std::uint32_t>(first_row + i + lane);
    }
    group.bounds += kLanes * group.stride;
  }
  return abnormal;
}

template <class Kernel>
std::size_t convert_column(const FieldColumn& column, typename Kernel::Value* values,
                           std::uint32_t* abnormal) noexcept {
  std::size_t row = 0;
  std::uint32_t* abnormal_end = abnormal;
  if (column.ends == column.begins + 1 && column.begin_stride == column.end_stride) {
    row = column.count - column.count % kLanes;
    abnormal_end = convert_groups<Kernel>({column.text, column.begins, column.begin_stride}, 0, row,
                                          values, abnormal);
  }

  // Other columns, and the last rows: side by side in a copy. The last field fills up its group.
  constexpr std::size_t kCopied = 64;
  while (row < column.count) {
    std::uint32_t bounds[2 * kCopied];
    for (std::size_t i = 0; i < kCopied; ++i) {
      const std::size_t field = std::min(row + i, column.count - 1);
      bounds[2 * i] = column.begins[field * column.begin_stride];
      bounds[2 * i + 1] = column.ends[field * column.end_stride];
    }
    const std::size_t rows = std::min(kCopied, column.count - row);
    const std::size_t whole = rows - rows % kLanes;
    abnormal_end =
        convert_groups<Kernel>({column.text, bounds, 2}, row, whole, values + row, abnormal_end);
    if (whole < rows) {
      typename Kernel::Value last_values[kLanes];
      std::uint32_t last_abnormal[kLanes];
      std::uint32_t* const last_end = convert_groups<Kernel>(
          {column.text, bounds + 2 * whole, 2}, row + whole, kLanes, last_values, last_abnormal);
      std::copy_n(last_values, rows - whole, values + row + whole);
      abnormal_end = std::copy_if(+last_abnormal, last_end, abnormal_end,
                                  [&](std::uint32_t index) { return index < column.count; });
    }
    row += rows;
  }
  return static_cast<std::size_t>(abnormal_end - abnormal);
}

}  // namespace leat::parser::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
