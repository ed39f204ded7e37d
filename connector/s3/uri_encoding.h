// Percent-encoding, as S3 signs it and answers with it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace leat::connector::s3 {

/// Every byte but A-Z a-z 0-9 - _ . ~ becomes %XX, in capitals. What AWS calls UriEncode().
std::string percent_encode(std::string_view bytes);

/// As percent_encode, but '/' stays: for keys and paths.
std::string percent_encode_path(std::string_view bytes);

/// @param plus_is_space  '+' stands for a space, as in forms and in the listings of S3.
/// @return  nullopt when a '%' is not followed by two hexadecimal digits.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space = false);

}  // namespace leat::connector::s3
