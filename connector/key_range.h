// A part of a store's keys.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace leat::connector {

/// S3 takes no longer keys.
inline constexpr std::size_t kKeyBytesMax = 1'024;

/// The keys after one and before another, in byte order. Neither belongs to it.
struct KeyRange {
  std::string after = {};
  std::string until = {};  ///< Empty: there is no end.

  bool contains(std::string_view key) const {
    return key > after && (until.empty() || key < until);
  }
  bool operator==(const KeyRange&) const = default;
};

}  // namespace leat::connector
