// Choices taken from the front of a fuzz input; what is left is data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "leat/parser.h"

namespace leat::fuzz {

/// Reads one byte for each choice; zero where the input is over.
class Choices {
 public:
  explicit Choices(std::string_view input) noexcept : rest_(input) {}

  std::uint8_t byte() noexcept {
    if (rest_.empty()) return 0;
    const auto first = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return first;
  }
  std::size_t below(std::size_t limit) noexcept { return byte() % limit; }
  bool one_in(std::size_t count) noexcept { return byte() % count == count - 1; }
  char character_of(std::string_view characters) noexcept {
    return characters[below(characters.size())];
  }

  /// Ascending places in a text of `size` bytes.
  std::vector<std::size_t> cuts(std::size_t size);
  /// Options that validate.
  FormatOptions csv_options();

  std::string_view rest() const noexcept { return rest_; }

 private:
  std::string_view rest_;
};

}  // namespace leat::fuzz
