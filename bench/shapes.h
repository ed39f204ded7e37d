// The data that benchmarks read, the same bytes at each run:
//   a  20 columns of taxi rides: integers, doubles, two timestamps, short strings
//   b  quoted text with doubled quotes and line ends
//   c  four integers
#pragma once

#include <cstddef>
#include <random>
#include <string>
#include <string_view>

namespace leat::bench {

/// Writes one shape of CSV, record after record.
class ShapeWriter {
 public:
  /// @param shape  'a', 'b' or 'c'.
  explicit ShapeWriter(char shape) noexcept : shape_(shape) {}

  /// The columns, as SQL.
  std::string_view schema() const noexcept;

  /// The first record: column names, and a line end.
  std::string header() const;

  /// Appends whole records until `out` holds at least `bytes`.
  void append(std::size_t bytes, std::string& out);

 private:
  char shape_;
  std::mt19937_64 random_{42};
};

}  // namespace leat::bench
