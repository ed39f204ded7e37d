// How far each split in flight has come, as the consumer saw it: what checkpoints are made of.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "leat/result.h"
#include "leat/row_chunk.h"
#include "leat/split.h"

namespace leat::executor {

/// Used by the consumer's thread alone.
///
/// Invariant: a split's entry describes exactly the rows that were handed out; a checkpoint is a
/// copy of the entries that changed since the last commit, and so is a consistent cut at any time.
class ProgressTracker {
 public:
  /// A split that is in flight as of the last committed epoch.
  void restore(SplitProgress progress);

  /// A split begins, or goes on after an interruption, with what `progress` says of it.
  void opened(SplitProgress progress);

  /// The chunk was handed out.
  void delivered(const ObjectVersion& object, const RowChunk& chunk);
  /// Of the rows that were handed out, the consumer made `count` rejects.
  void refused(const std::string& key, std::uint64_t count);
  /// Nothing more comes of this split.
  void finished(const ObjectVersion& object);
  /// The split is at an end without being finished: `state` is kQuarantined, kGone or kChanged.
  void stopped(const ObjectVersion& object, SplitState state, Error error, Position at,
               std::string offending);
  /// The split is left where it is, in flight, for its object's next version to go on with. It is
  /// held until all of it is committed.
  /// @return  True: it is, and was dropped. False: the next committed() settles it.
  bool interrupted(const std::string& key);
  /// An object that was loaded in another version is listed in the version `object`.
  void noted(const ObjectVersion& object);
  /// `object` is no longer listed, and to be forgotten.
  void forgotten(const ObjectVersion& object);

  /// True when rows or rejects of the split are, or may be, durable at the consumer's: as of the
  /// last commit or in a checkpoint that was made since.
  bool may_be_durable(const std::string& key) const;
  /// Drops a split of which nothing is durable.
  void forget(const std::string& key);
  /// Rows and rejects handed out of this split so far.
  const SplitProgress* find(const std::string& key) const;

  /// Splits whose outcome the next committed() settles.
  std::size_t settled() const noexcept { return settled_; }

  /// The entries that changed since the last committed().
  std::vector<SplitProgress> changes(std::uint64_t epoch, std::int64_t now_ms);
  /// `checkpoint` (made of changes()) is durable.
  /// @return  The keys whose outcome is settled by it.
  std::vector<std::string> committed(const Checkpoint& checkpoint);

 private:
  struct Entry {
    SplitProgress progress;
    std::uint64_t changes = 1;        ///< Counts changes of `progress`.
    std::uint64_t changes_cut = 0;    ///< `changes` as of the latest checkpoint …
    std::uint64_t changes_saved = 0;  ///< … and as of the latest commit.
    bool rows_cut = false;            ///< Rows or rejects were part of a checkpoint.
    bool interrupted = false;
  };
  Entry& entry(const ObjectVersion& object);
  void settle(Entry& entry, SplitState state);

  std::map<std::string, Entry> entries_;
  std::size_t settled_ = 0;  ///< Of entries_, in another state than kReading.
};

}  // namespace leat::executor
