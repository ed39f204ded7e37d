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
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "leat/result.h"
#include "leat/split.h"

namespace leat::state {

/// What the ledger knows about a listed object.
enum class Match : std::uint8_t {
  kNew,              ///< Nothing: to be read.
  kActive,           ///< In flight as of the last commit, in this version.
  kFinished,         ///< Finished in this very version.
  kChanged,          ///< Loaded (wholly, or partly) in another version: not reported yet.
  kChangedReported,  ///< The same, and this version was reported in an earlier commit.
  kAttention,        ///< Quarantined, gone or changed, in this very version.
  kRetry,            ///< Needs attention in another version of which no row was delivered: to be
                     ///< read. Gone objects of which no row was delivered, listed again, too.
};

struct LedgerOptions {
  std::filesystem::path dir;
  bool read_only = false;  ///< Opens a snapshot without the lock, beside a running loader.
};

/// Thread-safe, except that commit and put_meta are called by one thread at a time.
class Ledger {
 public:
  /// Opens the ledger, makes it when absent (not read_only).
  ///   kAlreadyOpen       Another process holds it; the message says what to do.
  ///   kUnsupported       Written by a later format version; the message names both.
  ///   kNotFound          read_only, and there is none.
  ///   kPermissionDenied, kIo, kDiskFull, kCorrupt
  static Result<std::unique_ptr<Ledger>> open(const LedgerOptions& options);
  ~Ledger();
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  /// Last committed epoch; 0 in a new ledger.
  std::uint64_t epoch() const noexcept;

  /// Facts of the pipeline that are fixed at first start: "pipeline", "store", "schema", …
  std::optional<std::string> meta(std::string_view name) const;
  /// Synced before it returns.
  Result<void> put_meta(std::string_view name, std::string_view value);

  /// Writes the epoch, and each split's entry under the kind of its state, in one synced batch.
  /// A kFinished entry replaces the active and attention entries of its key. A kChanged entry for a
  /// key that has a finished entry only notes the new version in that entry.
  ///   kInvalidArgument  checkpoint.epoch <= epoch().
  ///   kDiskFull, kIo    Nothing was written; the call may be repeated after space was freed.
  Result<void> commit(const Checkpoint& checkpoint);

  /// Classifies a page of a listing: out[i] is about page[i]. With `sorted` (keys ascending in byte
  /// order) this is one merge-join with an iterator, else point look-ups (MultiGet).
  /// Reads a snapshot taken inside the call.
  Result<void> classify(std::span<const ObjectVersion> page, bool sorted,
                        std::vector<Match>& out) const;

  /// Visits every entry, kinds in the order active, attention, finished, each in key order, until
  /// `visit` answers false. A finished entry whose object was seen in another version carries
  /// Error{kObjectChanged}.
  Result<void> scan(const std::function<bool(const SplitProgress&)>& visit) const;
  /// Active entries only: the splits to resume.
  Result<std::vector<SplitProgress>> active() const;


 private:
  struct Impl;
  explicit Ledger(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace leat::state
