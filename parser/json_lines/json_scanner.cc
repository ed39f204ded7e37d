#include "parser/json_lines/json_scanner.h"

#include <bit>
#include <cstring>

#include "core/hex_digit.h"

namespace leat::parser {
namespace {

constexpr std::uint64_t kEveryByte = 0x0101010101010101;
constexpr std::uint64_t kTopBits = kEveryByte << 7;

/// Top bit of each byte below `limit`; bytes above the first one may be marked falsely.
constexpr std::uint64_t bytes_below(std::uint64_t word, unsigned char limit) noexcept {
  return (word - kEveryByte * limit) & ~word & kTopBits;
}

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

constexpr bool is_high_surrogate(unsigned unit) noexcept { return unit >> 10 == 0xd800 >> 10; }
constexpr bool is_low_surrogate(unsigned unit) noexcept { return unit >> 10 == 0xdc00 >> 10; }

/// The first quote, backslash or control character at or after `from`.
std::size_t find_in_string(std::string_view text, std::size_t from) noexcept {
  static_assert(std::endian::native == std::endian::little, "it counts from the low end");
  std::size_t at = from;
  for (; text.size() - at >= sizeof(std::uint64_t); at += sizeof(std::uint64_t)) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + at, sizeof word);
    const std::uint64_t found = bytes_below(word ^ (kEveryByte * '"'), 1) |
                                bytes_below(word ^ (kEveryByte * '\\'), 1) |
                                bytes_below(word, 0x20);
    if (found != 0) return at + static_cast<std::size_t>(std::countr_zero(found)) / 8;
  }
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20) break;
  }
  return at;
}

void append_utf8(unsigned code_point, std::string& out) {
  const auto byte = [&](unsigned value) { out.push_back(static_cast<char>(value)); };
  if (code_point < 0x80) return byte(code_point);
  if (code_point < 0x800) {
    byte(0xc0 | code_point >> 6);
  } else {
    if (code_point < 0x10000) {
      byte(0xe0 | code_point >> 12);
    } else {
      byte(0xf0 | code_point >> 18);
      byte(0x80 | (code_point >> 12 & 0x3f));
    }
    byte(0x80 | (code_point >> 6 & 0x3f));
  }
  byte(0x80 | (code_point & 0x3f));
}

/// Four hexadecimal digits at the front.
unsigned read_hex4(std::string_view text) noexcept {
  unsigned value = 0;
  for (std::size_t i = 0; i < 4; ++i)
    value = value << 4 | static_cast<unsigned>(core::hex_digit(text[i]));
  return value;
}

}  // namespace

bool JsonScanner::take_hex4(unsigned& out) noexcept {
  unsigned value = 0;
  for (std::size_t i = 0; i < 4; ++i, ++at_) {
    const int digit = at_ < text_.size() ? core::hex_digit(text_[at_]) : -1;
    if (digit < 0) return fault(at_, "\\u without four hexadecimal digits");
    value = value << 4 | static_cast<unsigned>(digit);
  }
  out = value;
  return true;
}

/// The sequence behind a backslash.
bool JsonScanner::take_escape(JsonToken& token) noexcept {
  token.escaped = true;
  if (at_ == text_.size()) return fault(at_, "a string that does not end");
  const char kind = text_[at_++];
  if (kind != 'u') {
    if (std::string_view("\"\\/bfnrt").find(kind) != std::string_view::npos) return true;
    return fault(at_ - 1, "an escape sequence that JSON does not have");
  }
  unsigned unit = 0;
  if (!take_hex4(unit)) return false;
  if (is_low_surrogate(unit)) token.lone_surrogate = true;
  if (!is_high_surrogate(unit)) return true;
  // Only a low half that follows at once makes it whole; anything else is looked at by itself.
  const std::string_view next = text_.substr(at_, 6);
  const bool paired = next.size() == 6 && next.starts_with("\\u") &&
                      core::hex_digit(next[2]) >= 0 && core::hex_digit(next[3]) >= 0 &&
                      core::hex_digit(next[4]) >= 0 && core::hex_digit(next[5]) >= 0 &&
                      is_low_surrogate(read_hex4(next.substr(2)));
  if (paired) {
    at_ += 6;
  } else {
    token.lone_surrogate = true;
  }
  return true;
}

bool JsonScanner::take_string(JsonToken& out) noexcept {
  out = {JsonToken::Kind::kString, at_, 0, false, false};
  if (!take('"')) return fault(at_, "something other than a string in double quotes");
  for (;;) {
    at_ = find_in_string(text_, at_);
    if (at_ == text_.size()) return fault(out.begin, "a string that does not end");
    const char c = text_[at_];
    if (c == '"') break;
    if (c != '\\') return fault(at_, "a control character in a string, which must be escaped");
    ++at_;
    if (!take_escape(out)) return false;
  }
  out.end = ++at_;
  return true;
}

bool JsonScanner::take_word(std::string_view word) noexcept {
  if (!text_.substr(at_).starts_with(word)) return fault(at_, "something that is no JSON value");
  at_ += word.size();
  return true;
}

bool JsonScanner::take_digits() noexcept {
  const std::size_t begin = at_;
  while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
  return at_ != begin || fault(at_, "a number that lacks digits");
}

bool JsonScanner::take_number() noexcept {
  take('-');
  const std::size_t whole = at_;
  if (!take_digits()) return false;
  if (text_[whole] == '0' && at_ != whole + 1) return fault(whole, "a number that begins with 0");
  if (take('.') && !take_digits()) return false;
  if (take('e') || take('E')) {
    if (!take('+')) take('-');
    return take_digits();
  }
  return true;
}

bool JsonScanner::take_scalar(JsonToken& out) noexcept {
  if (at_ == text_.size()) return fault(at_, "a value is missing");
  using Kind = JsonToken::Kind;
  const std::size_t begin = at_;
  const char first = text_[at_];
  if (first == '"') return take_string(out);
  const Kind kind = first == 'n'   ? Kind::kNull
                    : first == 't' ? Kind::kTrue
                    : first == 'f' ? Kind::kFalse
                                   : Kind::kNumber;
  bool ok = false;
  if (kind == Kind::kNumber) {
    ok = is_digit(first) || first == '-' ? take_number()
                                         : fault(at_, "something that is no JSON value");
  } else {
    ok = take_word(kind == Kind::kNull ? "null" : kind == Kind::kTrue ? "true" : "false");
  }
  out = {kind, begin, at_, false, false};
  return ok;
}

bool JsonScanner::take_key_and_colon() noexcept {
  JsonToken key;
  skip_space();
  if (!take_string(key)) return false;
  skip_space();
  if (!take(':')) return fault(at_, "a key without a colon behind it");
  return true;
}

/// An array or object, without recursion: how deep it may be is no question of the stack.
bool JsonScanner::take_nested() {
  open_.clear();
  for (;;) {
    // At a value.
    skip_space();
    if (at_ < text_.size() && (text_[at_] == '{' || text_[at_] == '[')) {
      const bool object = text_[at_++] == '{';
      skip_space();
      if (!take(object ? '}' : ']')) {
        open_.push_back(object ? '}' : ']');
        if (object && !take_key_and_colon()) return false;
        continue;
      }
    } else {
      JsonToken scalar;
      if (!take_scalar(scalar)) return false;
    }
    // Behind a value.
    for (;;) {
      if (open_.empty()) return true;
      skip_space();
      if (take(',')) break;
      if (!take(open_.back())) return fault(at_, "neither a comma nor a closing bracket");
      open_.pop_back();
    }
    if (open_.back() == '}' && !take_key_and_colon()) return false;
  }
}

bool JsonScanner::take_value(JsonToken& out) {
  const char first = at_end() ? '\0' : text_[at_];
  if (first != '{' && first != '[') return take_scalar(out);
  const std::size_t begin = at_;
  if (!take_nested()) return false;
  out = {first == '{' ? JsonToken::Kind::kObject : JsonToken::Kind::kArray, begin, at_, false,
         false};
  return true;
}

void unescape_json(std::string_view text, std::string& out) {
  for (;;) {
    const std::size_t at = text.find('\\');
    out.append(text.substr(0, at));
    if (at == std::string_view::npos) return;
    const char kind = text[at + 1];
    text.remove_prefix(at + 2);
    if (kind != 'u') {
      constexpr std::string_view kLetters = "bfnrt";
      const std::size_t letter = kLetters.find(kind);
      out.push_back(letter == kLetters.npos ? kind : "\b\f\n\r\t"[letter]);
      continue;
    }
    unsigned code_point = read_hex4(text);
    text.remove_prefix(4);
    if (is_high_surrogate(code_point) && text.starts_with("\\u")) {
      const unsigned low = read_hex4(text.substr(2));
      if (is_low_surrogate(low)) {
        code_point = 0x10000 + ((code_point & 0x3ff) << 10 | (low & 0x3ff));
        text.remove_prefix(6);
      }
    }
    append_utf8(code_point, out);
  }
}

}  // namespace leat::parser
