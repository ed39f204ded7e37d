#include "parser/decode/text_decoder.h"

#include <iconv.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <deque>
#include <utility>

#include "core/wire.h"
#include "parser/convert/values.h"
#include "parser/decode/restart_state.h"

namespace leat::parser {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kBufferBytes = 64u << 10;
constexpr std::uint64_t kPointEveryBytes = 256u << 10;

/// Not UTF-8 anywhere.
constexpr char kNoCharacter = '\xff';

/// The state begins as RestartState's does, with an encoding of its own.
constexpr char kVersion = 1;
constexpr char kText = 6;

struct Known {
  std::string_view name;
  std::string_view iconv;
};

/// Those that need no state between characters, so that any place between two is one to go on from.
constexpr Known kKnown[] = {
    {"auto", "auto"},           {"utf-8", "UTF-8"},         {"utf8", "UTF-8"},
    {"ascii", "UTF-8"},         {"utf-16", "utf-16"},       {"utf-16le", "UTF-16LE"},
    {"utf-16be", "UTF-16BE"},   {"utf-32", "utf-32"},       {"utf-32le", "UTF-32LE"},
    {"utf-32be", "UTF-32BE"},   {"latin-1", "ISO-8859-1"},  {"latin1", "ISO-8859-1"},
    {"latin-9", "ISO-8859-15"}, {"shift_jis", "CP932"},     {"cp932", "CP932"},
    {"euc-jp", "EUC-JP"},       {"euc-kr", "EUC-KR"},       {"gbk", "GBK"},
    {"gb18030", "GB18030"},     {"big5", "BIG5"},           {"koi8-r", "KOI8-R"},
    {"koi8-u", "KOI8-U"},       {"macintosh", "MACINTOSH"}, {"cp437", "CP437"},
    {"cp850", "CP850"},         {"cp852", "CP852"},         {"cp858", "CP858"},
    {"cp866", "CP866"},         {"cp874", "CP874"},
};

constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kMarks = {{
    {"\xff\xfe\0\0"sv, "UTF-32LE"},  // Before UTF-16LE, which begins alike.
    {"\0\0\xfe\xff"sv, "UTF-32BE"},
    {"\xff\xfe"sv, "UTF-16LE"},
    {"\xfe\xff"sv, "UTF-16BE"},
    {"\xef\xbb\xbf"sv, ""},
}};

/// "cp1250" to "cp1257", "windows-1250" to …, "iso-8859-1" to "iso-8859-16". Not Hebrew's 1255 and
/// Vietnamese's 1258: iconv holds a letter back until it knows whether a mark follows it.
std::optional<std::string> numbered(std::string_view lower) {
  const auto number_behind = [&](std::string_view prefix) {
    int number = 0;
    if (!lower.starts_with(prefix)) return 0;
    for (const char c : lower.substr(prefix.size())) {
      if (c < '0' || c > '9' || number > 9999) return 0;
      number = number * 10 + (c - '0');
    }
    return number;
  };
  for (const std::string_view prefix : {"windows-"sv, "cp"sv}) {
    const int page = number_behind(prefix);
    if (page >= 1250 && page <= 1257 && page != 1255) return "CP" + std::to_string(page);
  }
  const int part = number_behind("iso-8859-");
  if (part >= 1 && part <= 16 && part != 12) return "ISO-8859-" + std::to_string(part);
  return std::nullopt;
}

/// Bytes of the smallest character: by so many decoding goes on behind what is none.
std::size_t unit_bytes(std::string_view encoding) noexcept {
  return encoding.starts_with("UTF-16") ? 2 : encoding.starts_with("UTF-32") ? 4 : 1;
}

/// Whether `front`, the beginning of a text or all of it, is text of single bytes (UTF-8, or
/// letters of some other encoding among ASCII) rather than of units of two or four. Those have zero
/// bytes: half of each line end and of each comma is one.
bool has_single_bytes(std::string_view front) noexcept {
  constexpr std::size_t kTooFewBytes = 8;  // To tell.
  constexpr std::size_t kCharacterBytesMax = 4;
  if (front.size() < kTooFewBytes || front.find('\0') != front.npos) return false;
  for (std::size_t cut = 0; cut < kCharacterBytesMax; ++cut) {
    if (valid_utf8(front.substr(0, front.size() - cut))) return true;
  }
  const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
  return std::count_if(front.begin(), front.end(), is_ascii) * 10 >=
         static_cast<std::ptrdiff_t>(front.size()) * 9;
}

class TextDecoder final : public Decoder {
 public:
  struct Place {
    std::uint64_t source = 0;  ///< In the text as it is encoded, without compression.
    std::uint64_t decoded = 0;
  };

  /// `drop`: bytes at the front of what is to come that lie before `place`.
  TextDecoder(std::string encoding, std::unique_ptr<Decoder> inner, std::string front, Place place,
              std::uint64_t drop)
      : encoding_(std::move(encoding)),
        inner_(std::move(inner)),
        converter_(iconv_open("UTF-8", encoding_.c_str())),
        source_(std::move(front)),
        place_(place),
        drop_(drop),
        probed_(place.source != 0 || unit_bytes(encoding_) == 1) {
    points_.push_back(place);
  }
  ~TextDecoder() override {
    if (usable()) iconv_close(converter_);
  }
  TextDecoder(const TextDecoder&) = delete;
  TextDecoder& operator=(const TextDecoder&) = delete;

  Result<Progress> decode(std::span<const std::byte> in, bool in_ends,
                          std::span<std::byte> out) override;
  std::string state_before(std::uint64_t offset) override;

 private:
  bool usable() const noexcept { return converter_ != iconv_t(-1); }
  Result<void> fill(std::span<const std::byte> in, bool in_ends, std::size_t& consumed);
  void convert();

  const std::string encoding_;
  const std::unique_ptr<Decoder> inner_;  ///< Null: the text is not compressed.
  const iconv_t converter_;
  std::string source_;  ///< Not yet converted.
  bool source_ends_ = false;
  std::string text_;  ///< Converted, from text_used_ on not yet given out.
  std::size_t text_used_ = 0;
  Place place_;               ///< Between source_ and text_.
  std::uint64_t drop_;        ///< Of what comes next into source_.
  bool probed_;               ///< The encoding is not plainly another one.
  std::deque<Place> points_;  ///< In order; as many as state_before may still want.
  std::optional<Error> fault_;
};

/// Brings more of the text, if there is any, into source_.
Result<void> TextDecoder::fill(std::span<const std::byte> in, bool in_ends, std::size_t& consumed) {
  const std::size_t before = source_.size();
  const std::span<const std::byte> rest = in.subspan(consumed);
  source_.resize(before + kBufferBytes);
  const std::span<std::byte> room =
      std::as_writable_bytes(std::span(source_.data() + before, kBufferBytes));
  Progress progress;
  if (inner_ == nullptr) {
    progress.consumed = progress.produced = std::min(rest.size(), room.size());
    std::copy_n(rest.begin(), progress.produced, room.begin());
    source_ends_ = in_ends && progress.consumed == rest.size();
  } else {
    Result<Progress> decoded = inner_->decode(rest, in_ends, room);
    if (!decoded) {
      source_.resize(before);
      return std::move(decoded).error();
    }
    progress = *decoded;
    source_ends_ = in_ends && progress.consumed == 0 && progress.produced == 0;
  }
  consumed += progress.consumed;
  source_.resize(before + progress.produced);
  const auto dropped = static_cast<std::size_t>(std::min<std::uint64_t>(drop_, progress.produced));
  source_.erase(before, dropped);
  drop_ -= dropped;
  return {};
}

/// Converts what can be of source_; text_ has been given out.
void TextDecoder::convert() {
  text_.resize(kBufferBytes);
  text_used_ = 0;
  char* from = source_.data();
  std::size_t left = source_.size();
  char* to = text_.data();
  std::size_t room = text_.size();
  while (left != 0 && usable()) {
    if (iconv(converter_, &from, &left, &to, &room) != static_cast<std::size_t>(-1)) break;
    const bool incomplete = errno == EINVAL;
    if (errno == E2BIG || room == 0 || (incomplete && !source_ends_)) break;
    *to++ = kNoCharacter;
    --room;
    const std::size_t skipped = incomplete ? left : std::min(left, unit_bytes(encoding_));
    from += skipped;
    left -= skipped;
  }
  text_.resize(text_.size() - room);
  place_.source += source_.size() - left;
  place_.decoded += text_.size();
  source_.erase(0, source_.size() - left);
  if (place_.decoded - points_.back().decoded >= kPointEveryBytes) points_.push_back(place_);
}

Result<Decoder::Progress> TextDecoder::decode(std::span<const std::byte> in, bool in_ends,
                                              std::span<std::byte> out) {
  Progress progress;
  if (!usable() && !fault_) {
    fault_ =
        Error{ErrorCode::kUnsupported, "this machine's iconv does not know the text encoding " +
                                           encoding_ + "; install its conversion modules"};
  }
  while (progress.produced < out.size()) {
    if (text_used_ == text_.size()) {
      const std::size_t consumed = progress.consumed;
      const std::size_t held = source_.size();
      if (!fault_ && !source_ends_ && held < kBufferBytes / 2) {
        if (Result<void> filled = fill(in, in_ends, progress.consumed); !filled) {
          fault_ = std::move(filled).error();
        }
      }
      if (!probed_ && !fault_) {
        if (!source_ends_ && source_.size() < kBufferBytes / 2) {
          if (progress.consumed == consumed && source_.size() == held) break;
          continue;
        }
        probed_ = true;
        // It would be read as one record of other letters, without an error.
        if (has_single_bytes(source_)) {
          fault_ = Error{ErrorCode::kCorrupt,
                         "the text is not " + encoding_ +
                             ": none of its first bytes is zero; name the encoding it has by "
                             "--encoding, or leave that out for UTF-8"};
          source_.clear();
        }
      }
      convert();
      if (text_.empty() && source_.size() == held && progress.consumed == consumed) break;
      continue;
    }
    const std::size_t size = std::min(out.size() - progress.produced, text_.size() - text_used_);
    std::memcpy(out.data() + progress.produced, text_.data() + text_used_, size);
    text_used_ += size;
    progress.produced += size;
  }
  if (fault_ && progress.produced == 0 && text_used_ == text_.size()) return *fault_;
  return progress;
}

std::string TextDecoder::state_before(std::uint64_t offset) {
  while (points_.size() > 1 && points_[1].decoded <= offset) points_.pop_front();
  const Place& place = points_.front();
  std::string out = {kVersion, kText};
  core::append_bytes(encoding_, out);
  core::append_varint(place.source, out);
  core::append_varint(place.decoded, out);
  core::append_bytes(inner_ == nullptr ? std::string() : inner_->state_before(place.source), out);
  return out;
}

}  // namespace

std::optional<std::string> text_encoding(std::string_view name) {
  std::string lower(name);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  for (const Known& known : kKnown) {
    if (known.name == lower) return std::string(known.iconv);
  }
  return numbered(lower);
}

std::string choose_text_encoding(std::string_view name, std::string_view front) {
  for (const auto& [mark, encoding] : kMarks) {
    if (front.starts_with(mark)) return std::string(encoding);
  }
  std::string encoding = text_encoding(name).value_or("UTF-8");
  if (encoding == "utf-16") return "UTF-16LE";
  if (encoding == "utf-32") return "UTF-32LE";
  return encoding == "auto" || encoding == "UTF-8" ? std::string() : encoding;
}

std::unique_ptr<Decoder> make_text_decoder(std::string encoding, std::unique_ptr<Decoder> inner,
                                           std::string front) {
  return std::make_unique<TextDecoder>(std::move(encoding), std::move(inner), std::move(front),
                                       TextDecoder::Place{}, 0);
}

bool is_text_state(std::string_view state) noexcept {
  return state.size() > 2 && state[0] == kVersion && state[1] == kText;
}

Result<OpenedDecoder> resume_text_decoder(std::string_view state, const DecoderLimits& limits) {
  core::WireReader reader(state);
  static_cast<void>(reader.byte());
  static_cast<void>(reader.byte());
  std::string encoding(reader.bytes());
  TextDecoder::Place place;
  place.source = reader.varint();
  place.decoded = reader.varint();
  const std::string inner_state(reader.bytes());
  if (!reader.complete() || text_encoding(encoding) != encoding || is_text_state(inner_state)) {
    return restart_state_error();
  }
  OpenedDecoder inner{nullptr, place.source, place.source};
  if (!inner_state.empty()) {
    Result<OpenedDecoder> opened = resume_decoder(inner_state, limits);
    if (!opened || opened->decoded_offset > place.source) return restart_state_error();
    inner = *std::move(opened);
  }
  return OpenedDecoder{
      std::make_unique<TextDecoder>(std::move(encoding), std::move(inner.decoder), std::string(),
                                    place, place.source - inner.decoded_offset),
      inner.encoded_offset, place.decoded};
}

}  // namespace leat::parser
