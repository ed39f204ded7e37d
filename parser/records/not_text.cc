#include "parser/records/not_text.h"

#include <algorithm>

namespace leat::parser {
namespace {

using namespace std::string_view_literals;

struct Signature {
  std::string_view bytes;
  std::string_view name;
  bool compressed = false;
  bool printable = false;  ///< Could as well begin a header: counts only with control bytes near.
};

constexpr Signature kSignatures[] = {
    {"\x1f\x8b"sv, "gzip", true},
    {"\x28\xb5\x2f\xfd"sv, "zstd", true},
    {"BZh"sv, "bzip2", true},
    {"\xfd"
     "7zXZ\0"sv,
     "xz", true},
    {"\x04\x22\x4d\x18"sv, "lz4", true},
    {"\x02\x21\x4c\x18"sv, "lz4 (legacy frames)", true},
    {"\xff\x06\x00\x00sNaPpY"sv, "Snappy", true},
    {"PK\x03\x04"sv, "zip", true},
    {"PAR1"sv, "Parquet", false, true},
    {"ORC"sv, "ORC", false, true},
    {"Obj\x01"sv, "Avro"},
    {"\x7f"
     "ELF"sv,
     "an ELF program"},
    {"\x89PNG"sv, "a PNG image"},
    {"%PDF-"sv, "PDF"},
};

/// After "BZh" and a level: the start of a block, or the end of an empty stream.
constexpr std::string_view kBzip2Block = "\x31\x41\x59\x26\x53\x59"sv;
constexpr std::string_view kBzip2End = "\x17\x72\x45\x38\x50\x90"sv;

constexpr std::size_t kControlsNearBytes = 16;
constexpr std::size_t kControlsMin = 4;
// One byte in so many: of random bytes it is one in ten.
constexpr std::size_t kControlsShare = 16;

bool is_control(char byte) noexcept {
  return static_cast<unsigned char>(byte) < 0x20 && "\t\n\r\f\v\x1b"sv.find(byte) == ""sv.npos;
}

bool matches(const Signature& signature, std::string_view head) {
  if (!head.starts_with(signature.bytes)) return false;
  if (signature.name == "bzip2") {
    const std::string_view magic = head.substr(0, 10).substr(std::min<std::size_t>(4, head.size()));
    return magic == kBzip2Block || magic == kBzip2End;
  }
  if (!signature.printable) return true;
  const std::string_view near = head.substr(signature.bytes.size(), kControlsNearBytes);
  return std::any_of(near.begin(), near.end(), is_control);
}

/// Text of which nearly every second byte is zero; null: it is not. @return  A name of --encoding.
const char* utf16_without_mark(std::string_view head) {
  constexpr std::size_t kBytesMin = 8;
  if (head.size() < kBytesMin) return nullptr;
  std::size_t zeros[2] = {0, 0};
  for (std::size_t i = 0; i < head.size(); ++i) zeros[i % 2] += head[i] == '\0' ? 1 : 0;
  const std::size_t most = head.size() / 2 * 3 / 4;
  if (zeros[1] >= most && zeros[0] == 0) return "utf-16le";
  if (zeros[0] >= most && zeros[1] == 0) return "utf-16be";
  return nullptr;
}

}  // namespace

std::optional<std::string> describe_not_text(std::string_view head, const FormatOptions& options) {
  for (const Signature& signature : kSignatures) {
    if (!matches(signature, head)) continue;
    const std::string name(signature.name);
    if (signature.compressed) {
      return "the text is compressed (" + name +
             "), by a format that is not decoded or once more inside another; decompress it before "
             "it is uploaded";
    }
    return "the object is " + name + ", not CSV; narrow --from so that it is not listed";
  }
  // UTF-32LE begins as UTF-16LE does.
  if (head.starts_with("\xff\xfe\0\0"sv) || head.starts_with("\0\0\xfe\xff"sv)) {
    return "the object is UTF-32 text; only UTF-8 is read: convert it before it is uploaded";
  }
  if (head.starts_with("\xff\xfe"sv) || head.starts_with("\xfe\xff"sv)) {
    return "the object is UTF-16 text; only UTF-8 is read: convert it before it is uploaded";
  }
  if (const char* encoding = utf16_without_mark(head)) {
    return "the object looks like UTF-16 text without a byte order mark; if it is, set "
           "--encoding " +
           std::string(encoding);
  }
  const auto foreign = [&](char byte) {
    return is_control(byte) && byte != options.delimiter &&
           (options.quote == '\0' || (byte != options.quote && byte != options.escape)) &&
           byte != options.comment;
  };
  const auto controls = static_cast<std::size_t>(std::count_if(head.begin(), head.end(), foreign));
  if (controls >= kControlsMin && controls * kControlsShare >= head.size()) {
    return "the object is not text: " + std::to_string(controls) + " of its first " +
           std::to_string(head.size()) +
           " bytes are control characters; narrow --from so that it is not listed";
  }
  return std::nullopt;
}

}  // namespace leat::parser
