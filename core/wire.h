// The primitives of leat's encoded structures: varints and length-prefixed bytes.
//
// docs/format/ledger.md is their specification. Each value has one encoding only, so that whatever
// decodes is byte for byte what encoding it again makes. Plain values; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace leat::core {

/// Unsigned LEB128: seven bits a byte, least significant first, the top bit set on all but the
/// last.
inline void append_varint(std::uint64_t value, std::string& out) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

/// Zigzag, then varint: small numbers of either sign stay short.
inline void append_signed(std::int64_t value, std::string& out) {
  const auto bits = static_cast<std::uint64_t>(value);
  append_varint((bits << 1) ^ (value < 0 ? ~std::uint64_t{0} : 0), out);
}

/// Length as varint, then the bytes.
inline void append_bytes(std::string_view bytes, std::string& out) {
  append_varint(bytes.size(), out);
  out.append(bytes);
}

/// Reads the same things back. After the first failure every read fails and gives zero or empty, so
/// that a caller can read a whole structure and ask ok() once. Borrows the bytes.
class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : at_(bytes.data()), end_(at_ + bytes.size()) {}

  bool ok() const noexcept { return ok_; }
  /// Everything was read and all of it was well-formed.
  bool complete() const noexcept { return ok_ && at_ == end_; }
  std::size_t remaining() const noexcept { return static_cast<std::size_t>(end_ - at_); }
  /// Marks the structure as malformed, for rules that the caller knows.
  void fail() noexcept {
    ok_ = false;
    at_ = end_;
  }

  std::uint8_t byte() noexcept {
    if (at_ == end_) {
      fail();
      return 0;
    }
    return static_cast<std::uint8_t>(*at_++);
  }

  std::uint64_t varint() noexcept {
    std::uint64_t value = 0;
    for (unsigned shift = 0; at_ != end_; shift += 7) {
      const std::uint64_t b = static_cast<std::uint8_t>(*at_++);
      // The tenth byte has room for one bit; a last byte of zero would be a second encoding.
      if ((shift == 63 && b > 1) || (b == 0 && shift > 0)) break;
      value |= (b & 0x7f) << shift;
      if (b < 0x80) return value;
    }
    fail();
    return 0;
  }

  std::int64_t signed_varint() noexcept {
    const std::uint64_t bits = varint();
    return static_cast<std::int64_t>((bits >> 1) ^ ((bits & 1) != 0 ? ~std::uint64_t{0} : 0));
  }

  /// Borrowed from the bytes given to the constructor. A length beyond them fails before anything
  /// is allocated.
  std::string_view bytes() noexcept { return bytes(varint()); }

  /// So many, without a length in front. Borrowed likewise.
  std::string_view bytes(std::uint64_t length) noexcept {
    if (length > remaining()) {
      fail();
      return {};
    }
    const std::string_view value(at_, static_cast<std::size_t>(length));
    at_ += length;
    return value;
  }

 private:
  const char* at_;
  const char* end_;
  bool ok_ = true;
};

}  // namespace leat::core
