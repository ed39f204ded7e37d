// UTF-8 against a reading by code points, on every target; UUIDs, bytes, booleans and JSON: what is
// taken reads back.
#include <array>
#include <cstring>
#include <string>

#include "leat/row_chunk.h"
#include "parser/convert/values.h"
#include "parser/records/simd/utf8_check.h"
#include "tests/fuzz/targets.h"

namespace leat::fuzz {
namespace {

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = [&](std::size_t i) {
      return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0u;
    };
    const std::size_t length = byte(0) < 0x80   ? 1
                               : byte(0) < 0xc0 ? 0
                               : byte(0) < 0xe0 ? 2
                               : byte(0) < 0xf0 ? 3
                               : byte(0) < 0xf8 ? 4
                                                : 0;
    if (length == 0) return false;
    constexpr unsigned kLead[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    constexpr unsigned kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned point = byte(0) & kLead[length];
    for (std::size_t i = 1; i < length; ++i) {
      if ((byte(i) & 0xc0) != 0x80) return false;
      point = point << 6 | (byte(i) & 0x3f);
    }
    if (point < kSmallest[length] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) {
      return false;
    }
    at += length;
  }
  return true;
}

std::string canonical(const DataType& type, const Column& column) {
  std::string text;
  append_value_text(type, column, 0, text);
  return text;
}

void check_uuid(std::string_view input) {
  std::array<std::uint8_t, 16> value{};
  if (!parser::parse_uuid(input, value.data()).empty()) return;
  Column column;
  column.values.append(value.data(), value.size());
  std::array<std::uint8_t, 16> back{};
  require(parser::parse_uuid(canonical({TypeId::kUuid, 0, 0}, column), back.data()).empty() &&
              back == value,
          "a UUID reads back", input);
}

void check_bytes(std::string_view input) {
  Column column;
  if (!parser::parse_bytes(input, column.values).empty()) {
    require(column.values.size() == 0, "bytes that are refused leave nothing", input);
    require(input.starts_with("\\x"), "only broken hexadecimals are refused", input);
    return;
  }
  column.offsets.push_back(std::int32_t{0});
  column.offsets.push_back(static_cast<std::int32_t>(column.values.size()));
  Buffer back;
  require(
      parser::parse_bytes(canonical({TypeId::kBytes, 0, 0}, column), back).empty() &&
          back.size() == column.values.size() &&
          (back.size() == 0 || std::memcmp(back.data(), column.values.data(), back.size()) == 0),
      "bytes read back", input);
}

}  // namespace

void texts(std::string_view input) {
  const bool utf8 = is_utf8(input);
  require(parser::valid_utf8(input) == utf8, "UTF-8 is what its definition says", input);
  for (const parser::SimdTarget target : parser::available_simd_targets()) {
    require(parser::check_utf8_of(target)(input) == utf8, "vectors see the same UTF-8", input);
  }
  check_uuid(input);
  check_bytes(input);
  if (parser::valid_json(input)) {
    require(utf8, "JSON is UTF-8", input);
    require(parser::valid_json("[" + std::string(input) + "]"), "a JSON value fits an array",
            input);
    require(!parser::valid_json(std::string(input) + "]"), "and nothing may follow it", input);
  }
  bool value = false;
  if (parser::parse_bool(input, value).empty()) {
    require(input.size() <= 5, "booleans are short words", input);
  }
}

}  // namespace leat::fuzz
