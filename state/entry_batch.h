// What the progress of splits changes in the ledger's entries.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "leat/result.h"
#include "leat/split.h"
#include "state/database.h"
#include "state/ledger_entry.h"

namespace rocksdb {
class DB;
class WriteBatchWithIndex;
}  // namespace rocksdb

namespace leat::state {

/// Collects changes in a batch, and sees those before. Borrows all that it is given. Used by one
/// thread.
class EntryBatch {
 public:
  /// @param dir  The state folder, for errors.
  EntryBatch(rocksdb::DB& db, rocksdb::WriteBatchWithIndex& batch, const std::filesystem::path& dir)
      : db_(db), batch_(batch), dir_(dir) {}

  /// As Ledger::commit has it of each state.
  ///   kIo, kCorrupt  An entry cannot be read.
  Result<void> add(const SplitProgress& progress);

  /// nullopt: there is none.
  ///   kIo, kCorrupt
  Result<std::optional<LedgerEntry>> load(Kind kind, std::string_view key);

 private:
  /// Those of one key.
  struct Entries {
    std::optional<LedgerEntry> active;
    std::optional<LedgerEntry> attention;
    std::optional<LedgerEntry> finished;
  };

  Result<bool> add_note(const SplitProgress& listed);
  Result<Entries> load_all(std::string_view key, bool finished_too);
  void forget(std::string_view key, const Entries& entries);
  void rewind(std::string_view key, const Entries& entries);
  void put(const SplitProgress& progress, const Entries& entries);

  rocksdb::DB& db_;
  rocksdb::WriteBatchWithIndex& batch_;
  const std::filesystem::path& dir_;
};

}  // namespace leat::state
