#include "state/ledger_entry.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "core/hex_digit.h"
#include "core/wire.h"

namespace leat::state {
namespace {

using core::append_bytes;
using core::append_signed;
using core::append_varint;
using core::WireReader;

constexpr char kTextFormat = 1;    ///< The version is text.
constexpr char kDigestFormat = 2;  ///< The version is the bytes of an ETag's digits.
constexpr std::uint8_t kNotedFlag = 1;
constexpr std::uint8_t kDetailFlag = 2;  ///< Of finished entries: they do not end with the head.

constexpr std::size_t kDigestBytes = 16;
// Quotes, digits, a dash and the digits of a number of 64 bits.
constexpr std::size_t kEtagBytesMax = 2 + 2 * kDigestBytes + 1 + 20;

/// @return  How many bytes of `out` are the ETag.
std::size_t write_etag(std::string_view digest, std::uint64_t parts,
                       std::array<char, kEtagBytesMax>& out) noexcept {
  char* at = out.data();
  *at++ = '"';
  for (const char c : digest) {
    const auto byte = static_cast<unsigned char>(c);
    *at++ = core::kHexDigits[byte >> 4];
    *at++ = core::kHexDigits[byte & 15];
  }
  if (parts != 0) {
    *at++ = '-';
    at = std::to_chars(at, out.data() + out.size() - 1, parts).ptr;
  }
  *at++ = '"';
  return static_cast<std::size_t>(at - out.data());
}

// What of the head a comparison with a listing does not ask for.
struct HeadRest {
  std::uint64_t rows = 0;
  std::uint64_t rejected = 0;
  std::int64_t updated_ms = 0;
  std::int64_t noted_modified_ms = 0;
  std::uint64_t noted_epoch = 0;
  std::int64_t noted_updated_ms = 0;
  bool detailed = false;
};

void read_head(WireReader& reader, EntryHead& head, HeadRest& rest) noexcept {
  const std::uint8_t format = reader.byte();
  if (format != kTextFormat && format != kDigestFormat) reader.fail();
  const std::uint8_t state = reader.byte();
  if (state < static_cast<std::uint8_t>(SplitState::kReading) ||
      state > static_cast<std::uint8_t>(SplitState::kChanged)) {
    reader.fail();
  }
  head.state = static_cast<SplitState>(state);
  const std::uint8_t flags = reader.byte();
  const bool finished = head.state == SplitState::kFinished;
  if ((flags & ~(finished ? kNotedFlag | kDetailFlag : kNotedFlag)) != 0) reader.fail();
  rest.detailed = !finished || (flags & kDetailFlag) != 0;
  if (format == kDigestFormat) {
    const std::string_view digest = reader.bytes(kDigestBytes);
    head.version = EntryVersion(digest, reader.varint());
  } else {
    head.version = EntryVersion(reader.bytes());
  }
  head.size = reader.varint();
  rest.rows = reader.varint();
  rest.rejected = reader.varint();
  head.delivered = rest.rows != 0 || rest.rejected != 0;
  head.epoch = reader.varint();
  rest.updated_ms = reader.signed_varint();
  head.modified_ms = reader.signed_varint();
  head.noted = (flags & kNotedFlag) != 0;
  if (head.noted) {
    head.noted_version = reader.bytes();
    head.noted_size = reader.varint();
    rest.noted_modified_ms = reader.signed_varint();
    rest.noted_epoch = reader.varint();
    rest.noted_updated_ms = reader.signed_varint();
  }
}

Error corrupt_entry(std::string_view key, std::string_view value) {
  return {.code = ErrorCode::kCorrupt,
          .message = "A ledger entry of " + std::to_string(value.size()) +
                     " bytes breaks its format. The state folder is damaged, or a later leat wrote "
                     "it; restore it from a backup, or start with an empty one: a transactional "
                     "sink tells it what is loaded.",
          .at = {.object = std::string(key), .record = {}, .byte_offset = {}, .column = {}}};
}

bool same(const ObjectVersion& listed, const EntryVersion& version, std::uint64_t size) noexcept {
  return listed.size == size && version.is(listed.version);
}
bool is_noted(const ObjectVersion& listed, const EntryHead& head) noexcept {
  return head.noted && listed.size == head.noted_size && listed.version == head.noted_version;
}

}  // namespace

std::optional<EntryVersion> EntryVersion::of_etag(std::string_view text, std::string& digest) {
  constexpr std::size_t kWholeBytes = 2 + 2 * kDigestBytes;
  if (text.size() < kWholeBytes || text.front() != '"' || text.back() != '"') return std::nullopt;
  digest.clear();
  for (std::size_t i = 1; i < kWholeBytes - 1; i += 2) {
    const int high = core::hex_digit(text[i]);
    const int low = core::hex_digit(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    digest.push_back(static_cast<char>(high << 4 | low));
  }
  EntryVersion version(digest, 0);
  if (text.size() > kWholeBytes) {
    const char* const end = text.data() + text.size() - 1;
    const auto number = std::from_chars(text.data() + kWholeBytes, end, version.parts_);
    if (number.ec != std::errc() || number.ptr != end) return std::nullopt;
  }
  // Another way to write the same bytes and number (capitals, leading zeros) is another version.
  if (!version.is(text)) return std::nullopt;
  return version;
}

bool EntryVersion::is(std::string_view text) const noexcept {
  if (!is_digest_) return text == bytes_;
  std::array<char, kEtagBytesMax> etag;
  return text == std::string_view(etag.data(), write_etag(bytes_, parts_, etag));
}

std::string EntryVersion::text() const {
  if (!is_digest_) return std::string(bytes_);
  std::array<char, kEtagBytesMax> etag;
  return {etag.data(), write_etag(bytes_, parts_, etag)};
}

void LedgerEntry::note(const SplitProgress& listed) {
  noted = NotedVersion{.version = listed.object.version,
                       .size = listed.object.size,
                       .modified_ms = listed.object.modified_ms,
                       .epoch = listed.epoch,
                       .updated_ms = listed.updated_ms};
  if (progress.state != SplitState::kReading) return;
  progress.state = SplitState::kChanged;
  progress.error = listed.error;
  progress.epoch = listed.epoch;
  progress.updated_ms = listed.updated_ms;
}

std::string LedgerEntry::encode() const {
  std::string out;
  std::string digest;
  const auto etag = EntryVersion::of_etag(progress.object.version, digest);
  out.push_back(etag ? kDigestFormat : kTextFormat);
  out.push_back(static_cast<char>(progress.state));
  // Finished entries are the many: they end with the head, but for those that may be gone on with.
  const bool finished = progress.state == SplitState::kFinished;
  const bool detailed = !finished || progress.fingerprint;
  out.push_back(
      static_cast<char>((noted ? kNotedFlag : 0) | (finished && detailed ? kDetailFlag : 0)));
  if (etag) {
    out += digest;
    append_varint(etag->parts(), out);
  } else {
    append_bytes(progress.object.version, out);
  }
  append_varint(progress.object.size, out);
  append_varint(progress.rows, out);
  append_varint(progress.rejected, out);
  append_varint(progress.epoch, out);
  append_signed(progress.updated_ms, out);
  append_signed(progress.object.modified_ms, out);
  if (noted) {
    append_bytes(noted->version, out);
    append_varint(noted->size, out);
    append_signed(noted->modified_ms, out);
    append_varint(noted->epoch, out);
    append_signed(noted->updated_ms, out);
  }
  // What a resume or a person needs.
  if (detailed) {
    SplitProgress detail;
    detail.state = progress.state;
    detail.position = progress.position;
    detail.error = progress.error;
    detail.offending = progress.offending;
    detail.fingerprint = progress.fingerprint;
    out += detail.encode();
  }
  return out;
}

Result<LedgerEntry> LedgerEntry::decode(std::string_view key, std::string_view value) {
  WireReader reader(value);
  EntryHead head;
  HeadRest rest;
  read_head(reader, head, rest);
  if (!reader.ok()) return corrupt_entry(key, value);
  LedgerEntry entry;
  if (!rest.detailed) {
    if (!reader.complete()) return corrupt_entry(key, value);
  } else {
    auto detail = SplitProgress::decode(value.substr(value.size() - reader.remaining()));
    if (!detail || detail->state != head.state ||
        (detail->state == SplitState::kFinished && !detail->fingerprint)) {
      return corrupt_entry(key, value);
    }
    entry.progress = *std::move(detail);
  }
  SplitProgress& progress = entry.progress;
  progress.object = {.key = std::string(key),
                     .version = head.version.text(),
                     .size = head.size,
                     .modified_ms = head.modified_ms};
  progress.state = head.state;
  progress.rows = rest.rows;
  progress.rejected = rest.rejected;
  progress.epoch = head.epoch;
  progress.updated_ms = rest.updated_ms;
  if (head.noted) {
    entry.noted = NotedVersion{.version = std::string(head.noted_version),
                               .size = head.noted_size,
                               .modified_ms = rest.noted_modified_ms,
                               .epoch = rest.noted_epoch,
                               .updated_ms = rest.noted_updated_ms};
  }
  return entry;
}

Result<EntryHead> EntryHead::read(std::string_view key, std::string_view value) {
  WireReader reader(value);
  EntryHead head;
  HeadRest rest;
  read_head(reader, head, rest);
  if (!reader.ok()) return corrupt_entry(key, value);
  return head;
}

Match match(const ObjectVersion& listed, const EntryHead* open,
            const EntryHead* finished) noexcept {
  // The open entry is the later one: it decides wherever something of it was delivered.
  if (open != nullptr) {
    if (same(listed, open->version, open->size)) {
      if (open->state == SplitState::kReading) return Match::kActive;
      if (open->state != SplitState::kGone) return Match::kAttention;
      if (open->delivered) return Match::kReturned;
    } else if (open->delivered) {
      if (is_noted(listed, *open)) return Match::kChangedReported;
      const bool met = open->state == SplitState::kChanged && !open->noted;
      return met ? Match::kChangedWhileRead : Match::kChanged;
    }
  }
  if (finished != nullptr) {
    if (same(listed, finished->version, finished->size)) return Match::kFinished;
    if (finished->delivered) {
      return is_noted(listed, *finished) ? Match::kChangedReported : Match::kChanged;
    }
    return Match::kRetry;
  }
  return open != nullptr ? Match::kRetry : Match::kNew;
}

}  // namespace leat::state
