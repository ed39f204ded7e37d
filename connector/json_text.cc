#include "connector/json_text.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "core/hex_digit.h"

namespace leat::connector {
namespace {

// Bytes that a JSON string cannot hold as they are.
constexpr auto kEscaped = [] {
  std::array<bool, 256> escaped{};
  for (std::size_t c = 0; c < 0x20; ++c) escaped[c] = true;
  escaped['"'] = true;
  escaped['\\'] = true;
  return escaped;
}();

/// Of one byte: \n or \u001f.
struct Escape {
  std::array<char, 6> text = {'\\', 'u', '0', '0'};
  std::size_t size = 6;

  explicit constexpr Escape(unsigned char c) {
    constexpr std::string_view kShort = "\"\\\n\r\t";
    constexpr std::string_view kLetters = "\"\\nrt";
    text[4] = core::kHexDigits[c >> 4];
    text[5] = core::kHexDigits[c & 15];
    if (const std::size_t i = kShort.find(static_cast<char>(c)); i != kShort.npos) {
      text[1] = kLetters[i];
      size = 2;
    }
  }
};

constexpr std::string_view kBase64Digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

bool is_utf8(std::string_view bytes) noexcept {
  const auto at = [&bytes](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const auto in = [&](std::size_t i, unsigned char low, unsigned char high) {
    return i < bytes.size() && at(i) >= low && at(i) <= high;
  };
  const auto tail = [&in](std::size_t i) { return in(i, 0x80, 0xbf); };
  for (std::size_t i = 0; i < bytes.size();) {
    const unsigned char c = at(i);
    if (c < 0x80) {
      i += 1;
    } else if (c >= 0xc2 && c <= 0xdf && tail(i + 1)) {
      i += 2;
    } else if (c >= 0xe0 && c <= 0xef &&
               in(i + 1, c == 0xe0 ? 0xa0 : 0x80, c == 0xed ? 0x9f : 0xbf) && tail(i + 2)) {
      i += 3;
    } else if (c >= 0xf0 && c <= 0xf4 &&
               in(i + 1, c == 0xf0 ? 0x90 : 0x80, c == 0xf4 ? 0x8f : 0xbf) && tail(i + 2) &&
               tail(i + 3)) {
      i += 4;
    } else {
      return false;
    }
  }
  return true;
}

void append_json_string(std::string_view text, std::string& out) {
  out.push_back('"');
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (!kEscaped[c]) continue;
    out.append(text, begin, i - begin);
    const Escape escape(c);
    out.append(escape.text.data(), escape.size);
    begin = i + 1;
  }
  out.append(text, begin, text.size() - begin);
  out.push_back('"');
}

char* write_json_string(std::string_view text, char* to) {
  *to++ = '"';
  for (const char c : text) {
    if (kEscaped[static_cast<unsigned char>(c)]) {
      const Escape escape(static_cast<unsigned char>(c));
      to = std::copy_n(escape.text.data(), escape.size, to);
    } else {
      *to++ = c;
    }
  }
  *to++ = '"';
  return to;
}

void append_base64(std::string_view bytes, std::string& out) {
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      group = group << 8 | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0u);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      const bool padding = i + j > bytes.size();
      out.push_back(padding ? '=' : kBase64Digits[(group >> (18 - 6 * j)) & 63]);
    }
  }
}

std::optional<std::string> decode_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string bytes;
  std::uint32_t group = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t padding = text.size() - i;  // Where this one and all behind it are '='.
    const bool padded = padding <= 2 && text.substr(i) == std::string_view("==").substr(0, padding);
    const std::size_t digit = padded ? 0 : kBase64Digits.find(text[i]);
    if (digit == std::string_view::npos) return std::nullopt;
    group = group << 6 | static_cast<std::uint32_t>(digit);
    if (i % 4 != 3) continue;
    for (int shift = 16; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(group >> shift));
    group = 0;
  }
  if (text.ends_with("==")) {
    bytes.resize(bytes.size() - 2);
  } else if (text.ends_with('=')) {
    bytes.pop_back();
  }
  return bytes;
}

}  // namespace leat::connector
