// How fast the fields of one column become values: each kernel on each target of this machine.
// "portable" is values.h, field by field: what the others are to be compared with.
//
// Columns lie as they do in a file: some thousand rows, with other columns around the one that is
// converted. items_per_second counts fields; ns is for one field.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "parser/convert/simd/column_kernels.h"

namespace leat::parser::simd {
namespace {

constexpr std::size_t kRows = 4096;
constexpr std::size_t kPadding = 64;

using Random = std::mt19937_64;

template <class... Values>
std::string printed(const char* format, Values... values) {
  char text[64];
  const int size = std::snprintf(text, sizeof text, format, values...);
  return {text, static_cast<std::size_t>(size)};
}

std::uint64_t below(Random& random, std::uint64_t limit) { return random() % limit; }

/// Rows of four columns; the third one is measured, or the first one.
class Block {
 public:
  Block(const std::function<std::string(Random&)>& field, bool is_first_column)
      : text_(kPadding, ',') {
    Random random(42);
    const std::size_t measured = is_first_column ? 0 : 2;
    for (std::size_t row = 0; row < kRows; ++row) {
      row_begins_.push_back(position() - 1);
      for (std::size_t column = 0; column < kColumns; ++column) {
        text_ += column == measured ? field(random) : printed("%u", unsigned(below(random, 1000)));
        ends_.push_back(position());
        text_ += column + 1 < kColumns ? ',' : '\n';
      }
    }
    text_.append(kPadding, ',');
    column_ = {text_.data() + kPadding,
               ends_.data() + measured - 1,
               kColumns,
               ends_.data() + measured,
               kColumns,
               kRows};
    // Without a row before it, the second row's is the first to have a beginning.
    if (is_first_column) {
      column_.begins = row_begins_.data();
      column_.begin_stride = 1;
    }
  }

  const FieldColumn& column() const { return column_; }

 private:
  static constexpr std::size_t kColumns = 4;

  std::uint32_t position() const { return static_cast<std::uint32_t>(text_.size() - kPadding); }

  std::string text_;
  std::vector<std::uint32_t> row_begins_;
  std::vector<std::uint32_t> ends_;
  FieldColumn column_;
};

/// `convert(kernels, column, values, left_over)` is what is measured.
template <class Value, class Convert>
void add(const std::string& name, Convert convert, const std::function<std::string(Random&)>& field,
         bool is_first_column = false) {
  for (const SimdTarget target : available_simd_targets()) {
    const ColumnKernels& kernels = column_kernels(target);
    benchmark::RegisterBenchmark(
        (name + "/" + std::string(simd_target_name(target))).c_str(),
        [=, &kernels](benchmark::State& state) {
          const Block block(field, is_first_column);
          std::vector<Value> values(kRows);
          std::vector<std::uint32_t> abnormal(kRows);
          std::size_t abnormal_count = 0;
          for (auto _ : state) {
            abnormal_count = convert(kernels, block.column(), values.data(), abnormal.data());
            benchmark::DoNotOptimize(values.data());
            benchmark::ClobberMemory();
          }
          const auto fields = static_cast<std::int64_t>(state.iterations() * kRows);
          state.SetItemsProcessed(fields);
          state.counters["ns"] =
              benchmark::Counter(static_cast<double>(fields) * 1e-9,
                                 benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
          state.counters["left_over"] = static_cast<double>(abnormal_count);
        });
  }
}

template <class Value>
void add(const std::string& name, ColumnKernels::Convert<Value> ColumnKernels::*kernel,
         const std::function<std::string(Random&)>& field, bool is_first_column = false) {
  const auto convert = [kernel](const ColumnKernels& kernels, const FieldColumn& column,
                                Value* values, std::uint32_t* abnormal) {
    return (kernels.*kernel)(column, values, abnormal);
  };
  add<Value>(name, convert, field, is_first_column);
}

void add_all() {
  using Kernels = ColumnKernels;
  const auto number_below = [](std::uint64_t limit) {
    return [limit](Random& random) { return std::to_string(below(random, limit)); };
  };
  add("int16/1-3 digits", &Kernels::convert_int16, number_below(300));
  add("int32/1-3 digits", &Kernels::convert_int32, number_below(300));
  add("int32/1-3 digits, first column", &Kernels::convert_int32, number_below(300), true);
  add("int32/1-9 digits, signed", &Kernels::convert_int32, [](Random& random) {
    return std::to_string(static_cast<std::int32_t>(random()) >> below(random, 30));
  });
  add("int64/9-10 digits", &Kernels::convert_int64, number_below(10'000'000'000));
  add("int64/18-19 digits", &Kernels::convert_int64, number_below(9'000'000'000'000'000'000));
  const auto amount = [](Random& random) {
    return printed("%.2f", static_cast<double>(below(random, 10'000)) / 100);
  };
  const auto coordinate = [](Random& random) {
    return printed("%.6f", -73.9 - static_cast<double>(below(random, 1'000'000)) / 1e7);
  };
  const auto long_coordinate = [](Random& random) {
    return printed("%.14f", -73.9 - static_cast<double>(below(random, 1'000'000)) / 1e7);
  };
  add("float64/12.34", &Kernels::convert_float64, amount);
  add("float64/-73.987654", &Kernels::convert_float64, coordinate);
  add("float64/-73.98765432109876", &Kernels::convert_float64, long_coordinate);
  add("float32/12.34", &Kernels::convert_float32, amount);
  add("float32/-73.987654", &Kernels::convert_float32, coordinate);
  const auto date = [](Random& random) {
    return printed("20%02u-%02u-%02u", unsigned(below(random, 100)),
                   unsigned(1 + below(random, 12)), unsigned(1 + below(random, 28)));
  };
  const auto timestamp = [=](Random& random) {
    return date(random) + printed(" %02u:%02u:%02u", unsigned(below(random, 24)),
                                  unsigned(below(random, 60)), unsigned(below(random, 60)));
  };
  const auto microseconds = [=](Random& random) {
    return timestamp(random) + printed(".%06u", unsigned(below(random, 1'000'000)));
  };
  add("date", &Kernels::convert_date, date);
  add("timestamp/seconds", &Kernels::convert_timestamp, timestamp);
  add("timestamp/microseconds", &Kernels::convert_timestamp, microseconds);
  add("timestamptz/+01:00", &Kernels::convert_timestamptz,
      [=](Random& random) { return timestamp(random) + "+01:00"; });
  add("time/microseconds", &Kernels::convert_time,
      [=](Random& random) { return microseconds(random).substr(11); });
  add("boolean/true, false", &Kernels::convert_bool,
      [](Random& random) { return std::string(below(random, 2) == 0 ? "true" : "false"); });
  add("uuid", &Kernels::convert_uuid, [](Random& random) {
    return printed("%08x-%04x-%04x-%04x-%012llx", unsigned(below(random, 1ull << 32)),
                   unsigned(below(random, 1 << 16)), unsigned(below(random, 1 << 16)),
                   unsigned(below(random, 1 << 16)),
                   static_cast<unsigned long long>(below(random, 1ull << 48)));
  });
  const auto to_decimal = [](const ColumnKernels& kernels, const FieldColumn& column,
                             Int128* values, std::uint32_t* abnormal) {
    return kernels.convert_decimal(column, 10, 2, values, abnormal);
  };
  add<Int128>("numeric(10,2)/12.34", to_decimal, amount);
}

}  // namespace
}  // namespace leat::parser::simd

int main(int argc, char** argv) {
  leat::parser::simd::add_all();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
