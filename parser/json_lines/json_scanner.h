// Reads JSON (RFC 8259) front to back: where values stand, and whether they are well formed.
//
// It checks all of the grammar, in values that nobody asks for too, but neither UTF-8 nor the
// uniqueness of keys, and it converts nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace leat::parser {

/// One value, or one key.
struct JsonToken {
  enum class Kind : std::uint8_t { kNull, kTrue, kFalse, kNumber, kString, kArray, kObject };

  Kind kind = Kind::kNull;
  std::size_t begin = 0;  ///< Range of the text; a string's quotes are part of it.
  std::size_t end = 0;
  bool escaped = false;         ///< A string with escape sequences.
  bool lone_surrogate = false;  ///< One of them is half of a pair.
};

/// One text at a time. A function that returns false has met a fault; nothing works from there on.
class JsonScanner {
 public:
  /// Begins `text`, which is borrowed.
  void start(std::string_view text) noexcept {
    text_ = text;
    at_ = 0;
  }

  std::size_t at() const noexcept { return at_; }
  bool at_end() const noexcept { return at_ == text_.size(); }
  void skip_space() noexcept {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }
  /// Takes the byte, if it is the next one.
  bool take(char byte) noexcept {
    if (at_ == text_.size() || text_[at_] != byte) return false;
    ++at_;
    return true;
  }

  /// Takes the string that begins here.
  bool take_string(JsonToken& out) noexcept;
  /// Takes the value that begins here, with all that is in it.
  bool take_value(JsonToken& out);

  /// Where and why, of static storage.
  std::size_t fault_at() const noexcept { return fault_at_; }
  std::string_view fault_reason() const noexcept { return fault_reason_; }

 private:
  static bool is_space(char c) noexcept { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

  bool fault(std::size_t at, std::string_view reason) noexcept {
    fault_at_ = at;
    fault_reason_ = reason;
    return false;
  }
  bool take_escape(JsonToken& token) noexcept;
  bool take_hex4(unsigned& out) noexcept;
  bool take_word(std::string_view word) noexcept;
  bool take_number() noexcept;
  bool take_digits() noexcept;
  bool take_scalar(JsonToken& out) noexcept;
  bool take_key_and_colon() noexcept;
  bool take_nested();

  std::string_view text_;
  std::size_t at_ = 0;
  std::string open_;  ///< Brackets not yet closed, outermost first.
  std::size_t fault_at_ = 0;
  std::string_view fault_reason_;
};

/// Appends the text of a well-formed string, given without its quotes. Half of a surrogate pair
/// becomes three bytes that are not UTF-8.
void unescape_json(std::string_view text, std::string& out);

}  // namespace leat::parser
