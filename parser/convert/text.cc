#include <array>
#include <cstring>
#include <nlohmann/json.hpp>

#include "parser/convert/values.h"

namespace leat::parser {
namespace {

constexpr std::uint8_t kNotHex = 0xff;

constexpr std::array<std::uint8_t, 256> make_hex_table() {
  std::array<std::uint8_t, 256> table{};
  for (auto& entry : table) entry = kNotHex;
  for (std::uint8_t i = 0; i < 10; ++i) table['0' + i] = i;
  for (std::uint8_t i = 0; i < 6; ++i) {
    table['a' + i] = static_cast<std::uint8_t>(10 + i);
    table['A' + i] = static_cast<std::uint8_t>(10 + i);
  }
  return table;
}

constexpr auto kHexValues = make_hex_table();

// Decodes two digits; false when they are no such digits.
bool decode_hex_pair(const char* text, std::uint8_t& out) noexcept {
  const std::uint8_t high = kHexValues[static_cast<std::uint8_t>(text[0])];
  const std::uint8_t low = kHexValues[static_cast<std::uint8_t>(text[1])];
  out = static_cast<std::uint8_t>(high << 4 | low);
  return (high | low) != kNotHex;
}

constexpr bool is_continuation(std::uint8_t byte) { return (byte & 0xc0) == 0x80; }

// Length of the well-formed sequence of several bytes at the front; 0 when there is none.
std::size_t sequence_length(const std::uint8_t* at, const std::uint8_t* end) noexcept {
  const auto left = static_cast<std::size_t>(end - at);
  const std::uint8_t lead = at[0];
  if (lead >= 0xc2 && lead <= 0xdf) {  // 0xc0 and 0xc1 would be overlong.
    return left >= 2 && is_continuation(at[1]) ? 2 : 0;
  }
  if (lead >= 0xe0 && lead <= 0xef) {
    if (left < 3 || !is_continuation(at[1]) || !is_continuation(at[2])) return 0;
    if (lead == 0xe0 && at[1] < 0xa0) return 0;   // Overlong.
    if (lead == 0xed && at[1] >= 0xa0) return 0;  // Surrogates.
    return 3;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    if (left < 4 || !is_continuation(at[1]) || !is_continuation(at[2]) || !is_continuation(at[3])) {
      return 0;
    }
    if (lead == 0xf0 && at[1] < 0x90) return 0;   // Overlong.
    if (lead == 0xf4 && at[1] >= 0x90) return 0;  // Above U+10FFFF.
    return 4;
  }
  return 0;
}

}  // namespace

std::string_view parse_uuid(std::string_view text, std::uint8_t* out) noexcept {
  constexpr std::string_view kNotUuid = "not a UUID (xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx)";
  if (text.starts_with('{') && text.ends_with('}')) text = text.substr(1, text.size() - 2);
  const bool hyphens = text.size() == 36;
  if (!hyphens && text.size() != 32) return kNotUuid;
  std::array<std::uint8_t, 16> bytes;
  const char* at = text.data();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (hyphens && (i == 4 || i == 6 || i == 8 || i == 10) && *at++ != '-') return kNotUuid;
    if (!decode_hex_pair(at, bytes[i])) return kNotUuid;
    at += 2;
  }
  std::memcpy(out, bytes.data(), bytes.size());
  return {};
}

std::string_view parse_bytes(std::string_view text, Buffer& out) noexcept {
  if (!text.starts_with("\\x")) {
    out.append(text.data(), text.size());
    return {};
  }
  text.remove_prefix(2);
  if (text.size() % 2 != 0) return "odd number of hexadecimal digits after \\x";
  const std::size_t begin = out.size();
  out.resize(begin + text.size() / 2);
  auto* to = out.as<std::uint8_t>() + begin;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    if (!decode_hex_pair(text.data() + i, *to++)) {
      out.resize(begin);
      return "something other than hexadecimal digits after \\x";
    }
  }
  return {};
}

bool valid_json(std::string_view text) noexcept {
  // The library takes a NUL for the end of the text, and skips a byte order mark.
  if (text.find('\0') != std::string_view::npos || text.starts_with("\xef\xbb\xbf")) return false;
  return nlohmann::json::accept(text.begin(), text.end());
}

bool valid_utf8(std::string_view text) noexcept {
  const auto* at = reinterpret_cast<const std::uint8_t*>(text.data());
  const auto* const end = at + text.size();
  while (at != end) {
    if (*at < 0x80) {
      constexpr std::uint64_t kHighBits = 0x8080808080808080;
      std::uint64_t words[2];
      if (static_cast<std::size_t>(end - at) >= sizeof words) {
        std::memcpy(words, at, sizeof words);
        if (((words[0] | words[1]) & kHighBits) == 0) {
          at += sizeof words;
          continue;
        }
      }
      ++at;
      continue;
    }
    const std::size_t length = sequence_length(at, end);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

}  // namespace leat::parser
