#include "leat/split.h"

#include <algorithm>
#include <limits>

#include "core/wire.h"

namespace leat {
namespace {

using core::append_bytes;
using core::append_signed;
using core::append_varint;
using core::WireReader;

constexpr char kFormatVersion = 1;
// Of checkpoints, which others than leat keep: with a checksum.
constexpr char kCheckpointVersion = 2;
constexpr std::size_t kChecksumBytes = 8;

enum ProgressFlag : std::uint8_t { kErrorFollows = 1, kFingerprintFollows = 2 };
constexpr std::uint8_t kProgressFlagsAll = kErrorFollows | kFingerprintFollows;

enum ErrorFlag : std::uint8_t { kRetryableFlag = 1, kRecordFlag = 2, kByteOffsetFlag = 4 };
constexpr std::uint8_t kErrorFlagsAll = kRetryableFlag | kRecordFlag | kByteOffsetFlag;

// The shortest encoded SplitProgress: 15 fields of one byte each, without error.
constexpr std::size_t kProgressBytesMin = 15;

Error corrupt(std::string_view what, std::string_view bytes, char version = kFormatVersion) {
  if (!bytes.empty() && (bytes.front() < kFormatVersion || bytes.front() > version)) {
    return {ErrorCode::kCorrupt, "An encoded " + std::string(what) + " has format version " +
                                     std::to_string(static_cast<unsigned char>(bytes.front())) +
                                     "; this leat reads version " + std::to_string(version) +
                                     (version == kFormatVersion ? "" : " and those before") +
                                     ". Was it written by a later leat?"};
  }
  return {ErrorCode::kCorrupt, "An encoded " + std::string(what) + " of " +
                                   std::to_string(bytes.size()) +
                                   " bytes breaks its format: it is cut or damaged."};
}

/// FNV-1a of 64 bits, little-endian: no change of a single byte leaves it as it is.
std::string checksum_of(std::string_view bytes) {
  std::uint64_t hash = 0xcbf2'9ce4'8422'2325;
  for (const char c : bytes) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100'0000'01b3;
  }
  std::string checksum;
  for (std::size_t i = 0; i < kChecksumBytes; ++i) {
    checksum.push_back(static_cast<char>(hash >> (8 * i)));
  }
  return checksum;
}

void append_position(const Position& position, std::string& out) {
  append_varint(position.offset, out);
  append_varint(position.record, out);
  append_bytes(position.parser_state, out);
  append_bytes(position.decoder_state, out);
}

Position read_position(WireReader& reader) {
  Position position;
  position.offset = reader.varint();
  position.record = reader.varint();
  position.parser_state = reader.bytes();
  position.decoder_state = reader.bytes();
  return position;
}

void append_error(const Error& error, std::string& out) {
  append_varint(static_cast<std::uint16_t>(error.code), out);
  std::uint8_t flags = 0;
  if (error.retryable) flags |= kRetryableFlag;
  if (error.at.record) flags |= kRecordFlag;
  if (error.at.byte_offset) flags |= kByteOffsetFlag;
  out.push_back(static_cast<char>(flags));
  append_bytes(error.message, out);
  append_bytes(error.at.object, out);
  append_bytes(error.at.column, out);
  if (error.at.record) append_varint(*error.at.record, out);
  if (error.at.byte_offset) append_varint(*error.at.byte_offset, out);
}

Error read_error(WireReader& reader) {
  Error error;
  // Codes that this leat does not know are kept: a later one may have written them.
  const std::uint64_t code = reader.varint();
  if (code > std::numeric_limits<std::uint16_t>::max()) reader.fail();
  error.code = static_cast<ErrorCode>(code);
  const std::uint8_t flags = reader.byte();
  if ((flags & ~kErrorFlagsAll) != 0) reader.fail();
  error.retryable = (flags & kRetryableFlag) != 0;
  error.message = reader.bytes();
  error.at.object = reader.bytes();
  error.at.column = reader.bytes();
  if ((flags & kRecordFlag) != 0) error.at.record = reader.varint();
  if ((flags & kByteOffsetFlag) != 0) error.at.byte_offset = reader.varint();
  return error;
}

void append_progress(const SplitProgress& progress, std::string& out) {
  out.push_back(static_cast<char>(progress.state));
  append_bytes(progress.object.key, out);
  append_bytes(progress.object.version, out);
  append_varint(progress.object.size, out);
  append_signed(progress.object.modified_ms, out);
  append_position(progress.position, out);
  append_varint(progress.rows, out);
  append_varint(progress.rejected, out);
  append_varint(progress.epoch, out);
  append_signed(progress.updated_ms, out);
  append_bytes(progress.offending, out);
  std::uint8_t flags = 0;
  if (progress.error) flags |= kErrorFollows;
  if (progress.fingerprint) flags |= kFingerprintFollows;
  out.push_back(static_cast<char>(flags));
  if (progress.error) append_error(*progress.error, out);
  if (progress.fingerprint) {
    append_varint(progress.fingerprint->bytes, out);
    append_bytes(progress.fingerprint->digest, out);
  }
}

SplitProgress read_progress(WireReader& reader) {
  SplitProgress progress;
  const std::uint8_t state = reader.byte();
  if (state < static_cast<std::uint8_t>(SplitState::kReading) ||
      state > static_cast<std::uint8_t>(SplitState::kNoted)) {
    reader.fail();
  }
  progress.state = static_cast<SplitState>(state);
  progress.object.key = reader.bytes();
  progress.object.version = reader.bytes();
  progress.object.size = reader.varint();
  progress.object.modified_ms = reader.signed_varint();
  progress.position = read_position(reader);
  progress.rows = reader.varint();
  progress.rejected = reader.varint();
  progress.epoch = reader.varint();
  progress.updated_ms = reader.signed_varint();
  progress.offending = reader.bytes();
  const std::uint8_t flags = reader.byte();
  if ((flags & ~kProgressFlagsAll) != 0) reader.fail();
  if ((flags & kErrorFollows) != 0) progress.error = read_error(reader);
  if ((flags & kFingerprintFollows) != 0) {
    Fingerprint fingerprint{.bytes = reader.varint()};
    fingerprint.digest = reader.bytes();
    progress.fingerprint = std::move(fingerprint);
  }
  return progress;
}

}  // namespace

std::string_view split_state_name(SplitState state) noexcept {
  switch (state) {
    case SplitState::kReading:
      return "reading";
    case SplitState::kFinished:
      return "finished";
    case SplitState::kQuarantined:
      return "quarantined";
    case SplitState::kGone:
      return "gone";
    case SplitState::kChanged:
    case SplitState::kNoted:
      return "changed";
    case SplitState::kRewound:
      return "rewound";
    case SplitState::kForgotten:
      return "forgotten";
  }
  return "unknown";
}

SplitState shown_state(const SplitProgress& split) noexcept {
  return split.state == SplitState::kFinished && split.error ? SplitState::kChanged : split.state;
}

std::string Position::encode() const {
  std::string out(1, kFormatVersion);
  append_position(*this, out);
  return out;
}

Result<Position> Position::decode(std::string_view bytes) {
  WireReader reader(bytes);
  if (reader.byte() != kFormatVersion) reader.fail();
  Position position = read_position(reader);
  if (!reader.complete()) return corrupt("position", bytes);
  return position;
}

std::string SplitProgress::encode() const {
  std::string out(1, kFormatVersion);
  append_progress(*this, out);
  return out;
}

Result<SplitProgress> SplitProgress::decode(std::string_view bytes) {
  WireReader reader(bytes);
  if (reader.byte() != kFormatVersion) reader.fail();
  SplitProgress progress = read_progress(reader);
  if (!reader.complete()) return corrupt("split progress", bytes);
  return progress;
}

std::string Checkpoint::encode() const {
  std::string out(1, kCheckpointVersion);
  append_varint(epoch, out);
  append_varint(token, out);
  append_varint(parent, out);
  append_varint(splits.size(), out);
  for (const SplitProgress& split : splits) append_progress(split, out);
  return out += checksum_of(out);
}

Result<Checkpoint> Checkpoint::decode(std::string_view bytes) {
  std::string_view summed = bytes;
  bool whole = true;
  if (bytes.starts_with(kCheckpointVersion)) {
    summed.remove_suffix(std::min(kChecksumBytes, bytes.size()));
    whole = bytes.substr(summed.size()) == checksum_of(summed);
  }
  WireReader reader(summed);
  const std::uint8_t version = reader.byte();
  if (version != kFormatVersion && version != kCheckpointVersion) reader.fail();
  if (!whole) reader.fail();
  Checkpoint checkpoint;
  checkpoint.epoch = reader.varint();
  checkpoint.token = reader.varint();
  checkpoint.parent = reader.varint();
  const std::uint64_t count = reader.varint();
  // A count that the bytes cannot hold is refused before it sizes anything.
  if (count > reader.remaining() / kProgressBytesMin) reader.fail();
  if (reader.ok()) checkpoint.splits.reserve(static_cast<std::size_t>(count));
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    checkpoint.splits.push_back(read_progress(reader));
  }
  if (!reader.complete()) return corrupt("checkpoint", bytes, kCheckpointVersion);
  return checkpoint;
}

}  // namespace leat
