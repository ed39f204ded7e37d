// A count with its noun, as messages say it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace leat::core {

/// "row" for one, "rows" for any other count.
inline std::string plural(std::uint64_t count, std::string_view noun) {
  return std::string(noun) + (count == 1 ? "" : "s");
}

/// "1 row", "2 rows".
inline std::string count_of(std::uint64_t count, std::string_view noun) {
  return std::to_string(count) + " " + plural(count, noun);
}

}  // namespace leat::core
