#include "connector/owner_token.h"

#include <sys/random.h>

#include <array>

#include "core/hex_digit.h"

namespace leat::connector {

Result<std::string> random_owner_token() {
  std::array<unsigned char, 16> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    return Error{ErrorCode::kIo, "The operating system gave no random bytes for an owner token."};
  }
  std::string token;
  for (const unsigned char byte : bytes) {
    token.push_back(core::kHexDigits[byte >> 4]);
    token.push_back(core::kHexDigits[byte & 15]);
  }
  return token;
}

}  // namespace leat::connector
