// The ledger: what is finished, in flight, or needs attention. One RocksDB folder for a pipeline.
//
// Keys are one byte of kind followed by the object's key, so that no object's name can collide with
// a marker, and finished splits lie together in the byte order of their keys: the order in which S3
// lists. docs/format/ledger.md documents every byte.
//
// Invariants:
//  - commit() is one synced WriteBatch: an epoch is in the ledger as a whole or not at all.
//  - An object key has at most one finished entry, and at most one of {active, attention}.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "leat/result.h"
#include "leat/split.h"
#include "state/outbox.h"

namespace rocksdb {
class Env;
}  // namespace rocksdb

namespace leat::state {

/// What the ledger knows about a listed object. "Delivered" counts rows and rejects.
enum class Match : std::uint8_t {
  kNew,               ///< Nothing: to be read.
  kActive,            ///< In flight as of the last commit, in this version.
  kFinished,          ///< Finished in this very version.
  kChanged,           ///< Loaded (wholly, or partly) in another version: not reported yet.
  kChangedReported,   ///< The same, and this version was reported in an earlier commit.
  kChangedWhileRead,  ///< Loaded in part in another version: that it changed is on record, the
                      ///< version that it has now is not.
  kAttention,         ///< Quarantined or changed, in this very version.
  kReturned,  ///< Gone after some of it was delivered, and listed again in this very version:
              ///< to be gone on with.
  kRetry,     ///< Known only in another version, of which nothing was delivered, whatever
              ///< its state: to be read, there is nothing to double. Gone objects of which
              ///< nothing was delivered, listed again in any version, too.
};

struct LedgerOptions {
  std::filesystem::path dir;
  /// Opens the state as of now without the lock and without writing a byte, beside a running
  /// loader or after it. Later commits of that loader are not seen.
  bool read_only = false;
  /// What RocksDB reads and writes through; must outlive the ledger. nullptr: the system's.
  rocksdb::Env* env = nullptr;
};

/// What one complete listing says about the entries.
struct Absence {
  /// Whether the listing would have shown an object of this key, and did not.
  std::function<bool(std::string_view key)> absent;
  /// The ledger's epoch when the listing began. Entries written later are left alone: their objects
  /// may have been found in other ways.
  std::uint64_t epoch_before = 0;
  std::int64_t now_ms = 0;    ///< Unix time.
  std::int64_t grace_ms = 0;  ///< How long listings must not show an object before it is due.
  /// Judge only the entries that have a mark: costs no more than there are of them.
  bool marked_only = false;
};

/// What came of a part of the entries.
struct AbsenceStep {
  /// To be forgotten: as they stand in the ledger, in key order. At most 1,000.
  std::vector<ObjectVersion> due;
  std::string next;   ///< Where to go on.
  bool last = false;  ///< All entries were judged.
};

/// Thread-safe.
class Ledger {
 public:
  /// Opens the ledger, makes it when absent (not read_only).
  ///   kAlreadyOpen       Another process holds it; the message says what to do.
  ///   kUnsupported       Written by a later format version; the message names both.
  ///   kNotFound          read_only, and there is none.
  ///   kInvalidArgument   The path is no folder, or a folder that holds other things.
  ///   kPermissionDenied, kIo, kDiskFull, kCorrupt
  static Result<std::unique_ptr<Ledger>> open(const LedgerOptions& options);
  ~Ledger();
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  /// Last committed epoch; 0 in a new ledger.
  std::uint64_t epoch() const noexcept;
  /// The token of that epoch, see EpochMark; 0 in a new ledger.
  std::uint64_t epoch_token() const noexcept;

  /// Facts of the pipeline that are fixed at first start: "pipeline", "store", "schema", …
  std::optional<std::string> meta(std::string_view name) const;
  /// Synced before it returns. Names that start with '.' are the ledger's own.
  ///   kInvalidArgument   Such a name, or opened read_only.
  ///   kDiskFull, kIo
  Result<void> put_meta(std::string_view name, std::string_view value) {
    return put_meta({{std::string(name), std::string(value)}});
  }
  /// Several facts at once: all of them, or none.
  Result<void> put_meta(const std::map<std::string, std::string>& facts);
  /// Not synced: a crash may take it back. Else as put_meta().
  Result<void> put_note(std::string_view name, std::string_view value);

  /// What the last put_listing() wrote; none: nothing, or a split was rewound since, or all began
  /// anew.
  std::optional<std::string> listing() const;
  /// How far the listing has come, in its owner's words. Not synced: a crash may take back the last
  /// ones, and never one alone whose commits before it are kept.
  ///   kInvalidArgument   Opened read_only.
  ///   kDiskFull, kIo
  Result<void> put_listing(std::string_view record);

  /// Writes the epoch, and what became of each split, in one synced batch. By the split's state:
  ///
  ///   kFinished     Becomes the finished entry of its key, in place of every other entry.
  ///   kReading      Becomes the active entry, in place of the active or attention entry.
  ///   kQuarantined, kGone, kChanged
  ///                 Become the attention entry, in place of the active or attention entry.
  ///   kForgotten    Removes the finished and attention entries, unless there is an active one.
  ///   kRewound      Removes all entries, the after-action in the outbox, and the record of the
  ///                 listing: the object has to be found again.
  ///   kNoted        Is written into the entry of the version that is loaded, as the one that is
  ///                 listed now: the active or attention entry where something of it was delivered,
  ///                 else the finished one. A finished or attention entry keeps its own version,
  ///                 state and counts; an active one keeps version, position and counts, and
  ///                 becomes an attention entry in state kChanged with `error`. Nothing is written
  ///                 where there is no such entry, or where it is of this very version.
  ///
  /// An active or attention entry stands beside a finished one of an earlier version. It replaces
  /// that one, once something of its own version was delivered, in two cases: nothing of the
  /// finished version was delivered, or the split goes on with it (it has a fingerprint).
  ///
  /// Checkpoints of earlier versions of leat have kChanged for kNoted: kChanged without rows and
  /// rejects is read as kNoted when another version is loaded.
  ///
  /// `outbox` becomes part of the same batch; an entry replaces an earlier one of its key.
  ///   kInvalidArgument  checkpoint.epoch <= epoch(), or opened read_only.
  ///   kDiskFull, kIo    Nothing was written. The call may be repeated after space was freed: the
  ///                     ledger then opens its files anew. Until that succeeds, the other calls may
  ///                     fail with the same code.
  Result<void> commit(const Checkpoint& checkpoint, std::span<const OutboxEntry> outbox = {});

  /// The next after-actions that are due, at most `count`, by key, strictly after `after_key` when
  /// that is not empty.
  ///   kCorrupt, kIo
  Result<std::vector<OutboxEntry>> outbox(std::string_view after_key, std::size_t count) const;
  /// Takes the after-action out (`done`), or keeps how the attempt ended. Does nothing when another
  /// has taken its place. Not synced: what a crash takes back is carried out once more. Called by
  /// one thread at a time with commit and put_meta.
  ///   kDiskFull, kIo
  Result<void> settle_outbox(const OutboxEntry& entry, bool done);

  /// What is known about one object: its active or attention entry, then its finished one.
  ///   kCorrupt, kIo
  Result<std::vector<SplitProgress>> find(std::string_view key) const;

  /// Takes over a part of a consumer's whole record, in a ledger that is new (epoch 0): for records
  /// that are too large for one checkpoint. commit() of the record's epoch completes it. A ledger
  /// that is opened before that is new again.
  ///   kInvalidArgument  An epoch was committed, or opened read_only.
  ///   kDiskFull, kIo    As commit().
  Result<void> restore(std::span<const SplitProgress> splits);

  /// Forgets every object, and the epoch: the ledger is new again, in one synced write, but for the
  /// pipeline's facts and the outbox. For a record that outranks it wholly, which restore() and
  /// commit() then bring; a ledger that is opened before that is new.
  ///   kInvalidArgument  Opened read_only.
  ///   kDiskFull, kIo    As commit().
  Result<void> start_anew();
  /// Takes the after-actions out whose object is not finished in their very version.
  ///   kCorrupt, kDiskFull, kIo
  Result<void> drop_unfounded_outbox();

  /// Judges the finished and attention entries from key `from` on by a complete listing, some
  /// hundred thousand in a call. An entry that is absent gets a mark with the time, which it loses
  /// when it is not absent; one whose mark is as old as the grace time is due. In flight ones are
  /// left alone. Nothing is forgotten before a commit says so.
  ///   kInvalidArgument  Opened read_only.
  ///   kCorrupt, kDiskFull, kIo
  Result<AbsenceStep> note_absence(const Absence& absence, std::string_view from);
  /// Whether an entry has a mark.
  ///   kCorrupt, kIo
  Result<bool> any_marked() const;
  /// About how many entries there are.
  std::uint64_t estimated_entries() const;

  /// Classifies a page of a listing: out[i] is about page[i]. With `sorted` (keys ascending in byte
  /// order) this is one merge-join with an iterator, else point look-ups (MultiGet).
  /// Reads a snapshot taken inside the call. A page that is not sorted although `sorted` was said
  /// is classified correctly, but slower.
  ///   kCorrupt, kIo
  Result<void> classify(std::span<const ObjectVersion> page, bool sorted,
                        std::vector<Match>& out) const;

  /// Visits every entry, kinds in the order active, attention, finished, each in key order, until
  /// `visit` answers false. Finished entries carry no position, but with a fingerprint. An entry
  /// whose object was noted in another version carries Error{kObjectChanged}, unless it has an
  /// error of its own. `visit` must not call commit or put_meta.
  ///   kCorrupt, kIo
  Result<void> scan(const std::function<bool(const SplitProgress&)>& visit) const;
  /// Active entries only: the splits to resume.
  ///   kCorrupt, kIo
  Result<std::vector<SplitProgress>> active() const;

 private:
  struct Impl;
  explicit Ledger(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace leat::state
