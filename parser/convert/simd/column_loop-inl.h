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

// kernel.convert<Sign>(group, values) stores kLanes values and returns a bit for each one that is
// void. Bounds are as those of FieldGroup. The loops are not inlined, each for itself leaving GCC
// enough registers.

// Converts groups of fields without sign, up to the first group that has something else.
// @return  Their number.
template <class Kernel>
HWY_NOINLINE std::size_t convert_unsigned_groups(const Kernel& kernel, const char* text,
                                                 const std::uint32_t* bounds, std::size_t stride,
                                                 std::size_t groups,
                                                 typename Kernel::Value* values) {
  for (std::size_t i = 0; i < groups; ++i) {
    const FieldGroup group(text, bounds, stride);
    if (kernel.template convert<Sign::kNone>(group, values) != 0) return i;
    bounds += kLanes * stride;
    values += kLanes;
  }
  return groups;
}

// Converts groups, the first field of which is row `first_row`.
// @return  Behind the last abnormal row.
template <class Kernel>
HWY_NOINLINE std::uint32_t* convert_any_groups(const Kernel& kernel, const char* text,
                                               const std::uint32_t* bounds, std::size_t stride,
                                               std::size_t groups, std::size_t first_row,
                                               typename Kernel::Value* values,
                                               std::uint32_t* abnormal) {
  for (std::size_t i = 0; i < groups; ++i) {
    const FieldGroup group(text, bounds, stride);
    unsigned others = kernel.template convert<Sign::kOptional>(group, values);
    for (; HWY_UNLIKELY(others != 0); others &= others - 1) {
      const auto lane = static_cast<unsigned>(std::countr_zero(others));
      *abnormal++ = static_cast<std::uint32_t>(first_row + i * kLanes + lane);
    }
    bounds += kLanes * stride;
    values += kLanes;
  }
  return abnormal;
}

template <class Kernel>
std::uint32_t* convert_groups(const Kernel& kernel, const char* text, const std::uint32_t* bounds,
                              std::size_t stride, std::size_t groups, std::size_t first_row,
                              typename Kernel::Value* values, std::uint32_t* abnormal) {
  // Where one group has a minus, or nothing to convert, the next ones are likely to.
  constexpr std::size_t kAnyGroups = 16;
  std::size_t done = 0;
  while (done < groups) {
    done += convert_unsigned_groups(kernel, text, bounds + done * kLanes * stride, stride,
                                    groups - done, values + done * kLanes);
    const std::size_t any = std::min(kAnyGroups, groups - done);
    abnormal = convert_any_groups(kernel, text, bounds + done * kLanes * stride, stride, any,
                                  first_row + done * kLanes, values + done * kLanes, abnormal);
    done += any;
  }
  return abnormal;
}

template <class Kernel>
std::size_t convert_fields(const Kernel& kernel, const FieldColumn& column,
                           typename Kernel::Value* values, std::uint32_t* abnormal) noexcept {
  std::size_t row = 0;
  std::uint32_t* abnormal_end = abnormal;
  if (column.ends == column.begins + 1 && column.begin_stride == column.end_stride) {
    const std::size_t groups = column.count / kLanes;
    abnormal_end = convert_groups(kernel, column.text, column.begins, column.begin_stride, groups,
                                  0, values, abnormal);
    row = groups * kLanes;
  }

  // Other columns, and the last rows: side by side in a copy.
  constexpr std::size_t kCopied = 64;
  while (row < column.count) {
    const std::size_t rows = std::min(kCopied, column.count - row);
    const std::uint32_t* begin = column.begins + row * column.begin_stride;
    const std::uint32_t* end = column.ends + row * column.end_stride;
    std::uint32_t bounds[2 * kCopied];
    std::uint64_t both = 0;
    std::size_t copied = 0;
    for (; copied < rows; ++copied) {
      // Stored as it will be loaded: else the load would wait until two stores are done.
      both = *begin | static_cast<std::uint64_t>(*end) << 32;
      std::memcpy(bounds + 2 * copied, &both, sizeof both);
      begin += column.begin_stride;
      end += column.end_stride;
    }
    // The last field fills up its group.
    for (; copied % kLanes != 0; ++copied) std::memcpy(bounds + 2 * copied, &both, sizeof both);

    const std::size_t groups = rows / kLanes;
    abnormal_end =
        convert_groups(kernel, column.text, bounds, 2, groups, row, values + row, abnormal_end);
    const std::size_t whole = groups * kLanes;
    if (whole < rows) {
      typename Kernel::Value last_values[kLanes];
      std::uint32_t last_abnormal[kLanes];
      std::uint32_t* const last_end = convert_groups(kernel, column.text, bounds + 2 * whole, 2, 1,
                                                     row + whole, last_values, last_abnormal);
      std::copy_n(last_values, rows - whole, values + row + whole);
      abnormal_end = std::copy_if(+last_abnormal, last_end, abnormal_end,
                                  [&](std::uint32_t index) { return index < column.count; });
    }
    row += rows;
  }
  return static_cast<std::size_t>(abnormal_end - abnormal);
}

template <class Kernel>
std::size_t convert_column(const FieldColumn& column, typename Kernel::Value* values,
                           std::uint32_t* abnormal) noexcept {
  return convert_fields(Kernel(), column, values, abnormal);
}

}  // namespace leat::parser::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
