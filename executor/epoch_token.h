// The random number that names an epoch, whatever its number.
#pragma once

#include <cstdint>
#include <random>

namespace leat::executor {

inline std::uint64_t random_epoch_token() {
  std::random_device random;
  return (static_cast<std::uint64_t>(random()) << 32) | random();
}

}  // namespace leat::executor
