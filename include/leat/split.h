// Splits, positions and checkpoints: the vocabulary of progress.
//
// A split is one version of one object. All types here are plain values; any thread may copy them.
// Their encoded forms are documented byte by byte in docs/format/ledger.md.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "leat/result.h"

namespace leat {

/// One version of one object. Two versions are the same when key, version and size are.
struct ObjectVersion {
  std::string key = {};          ///< Bytes, as the store gave them; never a path type.
  std::string version = {};      ///< Opaque: S3's ETag as sent; "mtime_ns-inode" for local files.
  std::uint64_t size = 0;        ///< Bytes as stored (compressed, if it is).
  std::int64_t modified_ms = 0;  ///< Unix time in ms. Information only: never part of the identity.

  bool same_version(const ObjectVersion& other) const noexcept {
    return size == other.size && version == other.version && key == other.key;
  }
};

/// Half-open range of bytes or of records.
struct Range {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;

  std::uint64_t length() const noexcept { return end - begin; }
  bool operator==(const Range&) const = default;
};

/// A record boundary in an object, with all that is needed to go on from there.
struct Position {
  std::uint64_t offset = 0;        ///< First byte of the next record, in decoded bytes.
  std::uint64_t record = 0;        ///< Data records before `offset`: the header does not count.
  std::string parser_state = {};   ///< Made and read by the parser alone: header names, line ends.
  std::string decoder_state = {};  ///< Made and read by the decoder alone; empty for plain bytes.

  bool operator==(const Position&) const = default;

  std::string encode() const;
  ///   kCorrupt  Not what encode() of this or an earlier version makes.
  static Result<Position> decode(std::string_view bytes);
};

/// Where a split stands. The numbers are persisted: never renumber.
enum class SplitState : std::uint8_t {
  kReading = 1,      ///< In flight: rows up to its position are committed.
  kFinished = 2,     ///< Every record was committed as a row or a reject.
  kQuarantined = 3,  ///< Content that cannot be read on; never taken for finished.
  kGone = 4,         ///< Listed, then no longer there.
  kChanged = 5,      ///< Its reading ended because it became another version; position and counts
                     ///< are what was loaded of this one.
  kForgotten = 6,    ///< Listings no longer show it: whoever keeps a record of it drops that.
  kRewound = 7,      ///< Its rows were taken out again: it is new. The sink keeps this as its
                     ///< record, so that a ledger that is an epoch behind learns of it.
  kNoted = 8,        ///< This version is listed, and another one is loaded: news for the ledger.
                     ///< The record of the loaded version stays as it is, in the sink too.
};

/// "reading", "finished", …; "changed" also for kNoted.
std::string_view split_state_name(SplitState state) noexcept;

/// The states that people are shown, in the order of a summary.
inline constexpr std::array kShownStates{SplitState::kFinished, SplitState::kReading,
                                         SplitState::kQuarantined, SplitState::kGone,
                                         SplitState::kChanged};

/// What the first `bytes` of an object were, so that a later version can be held against it: see
/// SourceOptions::OnChange::kAppend.
struct Fingerprint {
  std::uint64_t bytes = 0;
  std::string digest = {};  ///< Of the first and the last 64 KiB of them; opaque.

  bool operator==(const Fingerprint&) const = default;
};

/// A split's progress as of one checkpoint.
struct SplitProgress {
  ObjectVersion object = {};
  SplitState state = SplitState::kReading;
  Position position = {};           ///< Rows before it are in the sink.
  std::uint64_t rows = 0;           ///< Rows delivered so far, rejects not counted.
  std::uint64_t rejected = 0;       ///< Records rejected so far.
  std::uint64_t epoch = 0;          ///< The epoch that last changed this entry.
  std::int64_t updated_ms = 0;      ///< Unix time in ms of that change.
  std::optional<Error> error = {};  ///< kQuarantined, kGone, kChanged: why.
  std::string offending = {};       ///< kQuarantined: the first bytes of the bad record (<= 1 KiB).
  /// OnChange::kAppend: of the bytes that are read, or to be read, of this version: `position` is
  /// not behind them. Rows may be of several versions then, each of which begins with the former.
  std::optional<Fingerprint> fingerprint = {};

  std::string encode() const;
  ///   kCorrupt  Not what encode() of this or an earlier version makes.
  static Result<SplitProgress> decode(std::string_view bytes);
};

/// The state in which people are shown an entry of the ledger: a finished one whose object is
/// listed in another version, which is the only error that it can carry, counts as changed.
SplitState shown_state(const SplitProgress& split) noexcept;

/// An epoch as it was committed, told apart from any other of the same number: a table that was
/// restored from a backup and loaded on has another history from there.
struct EpochMark {
  std::uint64_t epoch = 0;   ///< 0: none yet.
  std::uint64_t token = 0;   ///< Random.
  std::uint64_t parent = 0;  ///< Token of the epoch before.

  bool operator==(const EpochMark&) const = default;

  /// True when this is `earlier`, or the very next epoch after it; or when `earlier` is none.
  bool follows(const EpochMark& earlier) const noexcept {
    if (earlier.epoch == 0) return true;
    if (epoch == earlier.epoch) return token == earlier.token;
    return epoch == earlier.epoch + 1 && parent == earlier.token;
  }
};

/// A consistent cut of the stream: everything that must be durable together with the rows.
///
/// `splits` holds each split whose progress changed since the last commit, not all splits: its size
/// follows the work done, not the bucket.
struct Checkpoint {
  std::uint64_t epoch = 0;  ///< One more than the last committed epoch.
  std::vector<SplitProgress> splits = {};
  std::uint64_t token = 0;   ///< See EpochMark.
  std::uint64_t parent = 0;  ///< See EpochMark.

  EpochMark mark() const noexcept { return {epoch, token, parent}; }

  /// Ends with a checksum, as it is kept by others.
  std::string encode() const;
  ///   kCorrupt  Not what encode() of this or an earlier version makes, or damaged.
  static Result<Checkpoint> decode(std::string_view bytes);
};

}  // namespace leat
