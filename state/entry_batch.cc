#include "state/entry_batch.h"

#include <rocksdb/db.h>
#include <rocksdb/utilities/write_batch_with_index.h>

#include <string>
#include <utility>

namespace leat::state {

Result<std::optional<LedgerEntry>> EntryBatch::load(Kind kind, std::string_view key) {
  std::string value;
  const rocksdb::Status status = batch_.GetFromBatchAndDB(&db_, {}, entry_key(kind, key), &value);
  if (status.IsNotFound()) return std::optional<LedgerEntry>();
  if (!status.ok()) return database_error(status, dir_, "read");
  auto entry = LedgerEntry::decode(key, value);
  if (!entry) return std::move(entry).error();
  return std::optional<LedgerEntry>(*std::move(entry));
}

Result<EntryBatch::Entries> EntryBatch::load_all(std::string_view key, bool finished_too) {
  Entries entries;
  const auto load_into = [&](std::optional<LedgerEntry>& entry, Kind kind) -> Result<void> {
    auto loaded = load(kind, key);
    if (!loaded) return std::move(loaded).error();
    entry = *std::move(loaded);
    return {};
  };
  if (auto ok = load_into(entries.active, kActiveKind); !ok) return std::move(ok).error();
  if (auto ok = load_into(entries.attention, kAttentionKind); !ok) return std::move(ok).error();
  if (!finished_too) return entries;
  if (auto ok = load_into(entries.finished, kFinishedKind); !ok) return std::move(ok).error();
  return entries;
}

Result<void> EntryBatch::add(const SplitProgress& progress) {
  // A checkpoint of an earlier leat says kChanged of what is noted. Of that no row was loaded: rows
  // of a version that changed must be on record, or the next version would be loaded beside them.
  const bool has_rows = progress.rows + progress.rejected != 0;
  if (progress.state == SplitState::kNoted ||
      (progress.state == SplitState::kChanged && !has_rows)) {
    const auto noted = add_note(progress);
    if (!noted) return noted.error();
    if (*noted || progress.state == SplitState::kNoted) return {};
  }
  const std::string& key = progress.object.key;
  // The most frequent state asks for no more than it needs: it overwrites a finished entry.
  const auto entries = load_all(key, /*finished_too=*/progress.state != SplitState::kFinished);
  if (!entries) return entries.error();
  if (progress.state == SplitState::kForgotten) {
    forget(key, *entries);
  } else if (progress.state == SplitState::kRewound) {
    rewind(key, *entries);
  } else {
    put(progress, *entries);
  }
  return {};
}

// Of the same precedence as in match(): what made it another version gets to know of it. False:
// there is nothing that did.
Result<bool> EntryBatch::add_note(const SplitProgress& listed) {
  const std::string& key = listed.object.key;
  for (const Kind kind : {kActiveKind, kAttentionKind, kFinishedKind}) {
    auto entry = load(kind, key);
    if (!entry) return std::move(entry).error();
    if (!*entry || (kind != kFinishedKind && !(*entry)->delivered())) continue;
    if ((*entry)->progress.object.same_version(listed.object)) return false;
    (*entry)->note(listed);
    if (kind == kActiveKind) batch_.Delete(entry_key(kActiveKind, key));
    batch_.Put(entry_key(kind == kActiveKind ? kAttentionKind : kind, key), (*entry)->encode());
    return true;
  }
  return false;
}

// Only what is there is deleted, here and below: a tombstone for every split would outlive it.
void EntryBatch::forget(std::string_view key, const Entries& entries) {
  if (entries.active) return;
  if (entries.finished) batch_.Delete(entry_key(kFinishedKind, key));
  if (entries.attention) batch_.Delete(entry_key(kAttentionKind, key));
  if (entries.finished || entries.attention) batch_.Delete(entry_key(kAbsentKind, key));
}

void EntryBatch::rewind(std::string_view key, const Entries& entries) {
  if (entries.active) batch_.Delete(entry_key(kActiveKind, key));
  if (entries.attention) batch_.Delete(entry_key(kAttentionKind, key));
  if (entries.finished) batch_.Delete(entry_key(kFinishedKind, key));
  batch_.Delete(entry_key(kAbsentKind, key));
  // What is to be loaded again must still be there.
  batch_.Delete(entry_key(kOutboxKind, key));
}

void EntryBatch::put(const SplitProgress& progress, const Entries& entries) {
  const std::string& key = progress.object.key;
  Kind kind = kAttentionKind;
  LedgerEntry entry{.progress = progress, .noted = {}};
  if (progress.state == SplitState::kFinished) {
    kind = kFinishedKind;
  } else if (progress.state == SplitState::kReading) {
    kind = kActiveKind;
  } else if (progress.state == SplitState::kChanged) {
    const std::optional<LedgerEntry>& open = entries.active ? entries.active : entries.attention;
    if (open && open->delivered()) entry.noted = open->noted;
  }
  if (entries.active && kind != kActiveKind) batch_.Delete(entry_key(kActiveKind, key));
  if (entries.attention && kind != kAttentionKind) batch_.Delete(entry_key(kAttentionKind, key));
  // Of an empty version, of which nothing needs to be known once something of another is loaded; or
  // of one that this entry goes on with, and counts.
  const bool replaces_finished =
      entries.finished && (!entries.finished->delivered() || entry.progress.fingerprint);
  if (replaces_finished && entry.delivered()) batch_.Delete(entry_key(kFinishedKind, key));
  batch_.Put(entry_key(kind, key), entry.encode());
}

}  // namespace leat::state
