#include "connector/owner_token.h"

#include <sys/random.h>

#include <array>
#include <string_view>

namespace leat::connector {

Result<std::string> random_owner_token() {
  std::array<unsigned char, 16> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    return Error{ErrorCode::kIo, "The operating system gave no random bytes for an owner token."};
  }
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string token;
  for (const unsigned char byte : bytes) {
    token.push_back(kHex[byte >> 4]);
    token.push_back(kHex[byte & 15]);
  }
  return token;
}

}  // namespace leat::connector
