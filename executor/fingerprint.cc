#include "executor/fingerprint.h"

#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "parser/decode/decoder.h"
#include "parser/decode/text_decoder.h"

namespace leat::executor {
namespace {

constexpr std::size_t kDigestBytes = 16;  // Of SHA-256: as many as no accident makes equal.

/// Bytes [begin, end) of this version.
Result<std::string> read_bytes(const FingerprintSource& source, const ObjectVersion& object,
                               std::uint64_t begin, std::uint64_t end) {
  std::string bytes(static_cast<std::size_t>(end - begin), '\0');
  if (bytes.empty()) return bytes;
  connector::SplitReader reader(source.store, source.clock, object, begin, source.reading,
                                source.stop);
  Result<std::size_t> read = reader.read(std::as_writable_bytes(std::span(bytes)));
  if (!read) return std::move(read).error();
  if (*read == bytes.size()) return bytes;
  return Error{.code = ErrorCode::kIo,
               .message = "the object ends at byte " + std::to_string(begin + *read) +
                          ", although its size is " + std::to_string(object.size)};
}

/// @param front  The first bytes: a window, or all up to `end`.
/// @param tail   The window in front of `end`, or as much of it as is not in `front`.
std::string digest_of(std::string_view front, std::string_view tail) {
  std::string both(front);
  both += tail;
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(both.data()), both.size(), digest.data());
  return {reinterpret_cast<const char*>(digest.data()), kDigestBytes};
}

std::uint64_t front_end(std::uint64_t bytes) { return std::min(bytes, kFingerprintWindowBytes); }

std::uint64_t tail_begin(std::uint64_t bytes) {
  return bytes - std::min(bytes - front_end(bytes), kFingerprintWindowBytes);
}

}  // namespace

Result<std::optional<Fingerprint>> fingerprint_of(const FingerprintSource& source,
                                                  const ObjectVersion& object,
                                                  std::string_view encoding,
                                                  std::uint64_t record_bytes_max) {
  Result<std::string> front = read_bytes(source, object, 0, front_end(object.size));
  if (!front) return std::move(front).error();
  if (parser::detect_encoding(std::as_bytes(std::span(*front))) != parser::Encoding::kIdentity ||
      !parser::choose_text_encoding(encoding,
                                    std::string_view(*front).substr(0, parser::kByteOrderMarkBytes))
           .empty()) {
    return std::optional<Fingerprint>();
  }
  // The last LF, from the back. Twice a window mostly holds it, and the window in front of it.
  std::uint64_t begin = object.size;
  std::uint64_t length = 2 * kFingerprintWindowBytes;
  std::string back;
  std::size_t line_end = std::string::npos;
  while (line_end == std::string::npos && begin != 0 && object.size - begin <= record_bytes_max) {
    begin = object.size - std::min(object.size, length);
    length *= 2;
    if (object.size == front->size()) {
      back = *front;
    } else {
      Result<std::string> read = read_bytes(source, object, begin, object.size);
      if (!read) return std::move(read).error();
      back = *std::move(read);
    }
    line_end = back.rfind('\n');
  }
  Fingerprint whole;
  if (line_end != std::string::npos) {
    whole.bytes = begin + line_end + 1;
  } else if (begin != 0) {
    whole.bytes = object.size;  // The parser says what is wrong with such a record.
  }
  front->resize(static_cast<std::size_t>(front_end(whole.bytes)));
  const std::uint64_t from = tail_begin(whole.bytes);
  std::string tail;
  if (from >= begin) {
    tail = back.substr(static_cast<std::size_t>(from - begin),
                       static_cast<std::size_t>(whole.bytes - from));
  } else {
    Result<std::string> read = read_bytes(source, object, from, whole.bytes);
    if (!read) return std::move(read).error();
    tail = *std::move(read);
  }
  whole.digest = digest_of(*front, tail);
  return std::optional<Fingerprint>(std::move(whole));
}

Result<bool> begins_with(const FingerprintSource& source, const ObjectVersion& object,
                         const Fingerprint& former) {
  if (object.size < former.bytes) return false;
  Result<std::string> front = read_bytes(source, object, 0, front_end(former.bytes));
  if (!front) return std::move(front).error();
  Result<std::string> tail = read_bytes(source, object, tail_begin(former.bytes), former.bytes);
  if (!tail) return std::move(tail).error();
  return digest_of(*front, *tail) == former.digest;
}

}  // namespace leat::executor
