// The ledger's RocksDB database: how it is opened, how its keys are made, how its errors are told.
//
// RocksDB is only declared here; its headers stay in the .cc files.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "leat/result.h"

namespace rocksdb {
class DB;
class Env;
class Iterator;
class Slice;
class Status;
struct ReadOptions;
}  // namespace rocksdb

namespace leat::state {

/// First byte of every key.
enum Kind : char {
  kFinishedKind = 'f',
  kActiveKind = 'a',
  kAttentionKind = 'q',
  kMetaKind = 'm',
  kAbsentKind = 'x',
  kOutboxKind = 'o',
};

/// Names of the ledger's own facts, of kMetaKind. Those of the pipeline begin with no point.
inline constexpr std::string_view kFormatMeta = ".format";
inline constexpr std::string_view kEpochMeta = ".epoch";
inline constexpr std::string_view kEpochTokenMeta = ".epoch_token";
inline constexpr std::string_view kRestoringMeta = ".restoring";
inline constexpr std::string_view kListingMeta = ".listing";

/// The kind's byte, then the object's key or the name of a fact.
std::string entry_key(Kind kind, std::string_view name);

/// Opens the database, makes it when absent (not read_only). `env` as in LedgerOptions. May throw
/// what the standard library does when memory or threads run out.
///   kAlreadyOpen, kPermissionDenied, kIo, kDiskFull, kCorrupt
Result<std::unique_ptr<rocksdb::DB>> open_database(const std::filesystem::path& dir, bool read_only,
                                                   rocksdb::Env* env);

/// A failed status as leat's error; `doing` completes "Could not … the state folder".
Error database_error(const rocksdb::Status& status, const std::filesystem::path& dir,
                     std::string_view doing);

/// Walks the entries of one kind in key order; also one side of the merge-join with a listing.
/// Must not outlive the database. Used by one thread.
class KindCursor {
 public:
  KindCursor(rocksdb::DB& db, rocksdb::ReadOptions options, Kind kind);
  KindCursor(const KindCursor&) = delete;
  KindCursor& operator=(const KindCursor&) = delete;
  ~KindCursor();

  /// True when there is an entry of this name: then value() is it. The name must not lie before one
  /// that the cursor was moved to or asked for; a near one costs some steps, a far one a seek.
  bool find(std::string_view name);

  /// The same by a seek, for any name, and for those with many others between them.
  bool find_far(std::string_view name);

  void seek_to_first();
  /// To the first entry whose name is not before `name`.
  void seek(std::string_view name);
  void next();
  bool valid() const noexcept { return valid_; }
  /// Borrowed until the cursor moves.
  std::string_view name() const noexcept { return name_; }
  std::string_view value() const;
  /// ok when the cursor came to the end without an error.
  rocksdb::Status status() const;

 private:
  void moved();

  const Kind kind_;
  const std::string end_key_;
  const std::unique_ptr<const rocksdb::Slice> end_;  ///< Borrowed by the iterator.
  std::unique_ptr<rocksdb::Iterator> iterator_;
  bool positioned_ = false;  ///< False before the first seek.
  bool valid_ = false;       ///< Of the iterator, which is asked once for each move; name_ too.
  std::string_view name_;
  std::string sought_;  ///< Buffer of seek().
};

}  // namespace leat::state
