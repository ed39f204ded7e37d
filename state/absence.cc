#include "state/absence.h"

#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/snapshot.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/wire.h"
#include "state/database.h"
#include "state/ledger_entry.h"

namespace leat::state {
namespace {

constexpr char kMarkVersion = 1;

// In one step: bounds what is held, and for how long a snapshot is.
constexpr std::size_t kKeysMax = 200'000;
constexpr std::size_t kMarksMax = 10'000;
constexpr std::size_t kDueMax = 1'000;

struct Mark {
  std::uint64_t epoch = 0;  ///< Of the entry it is about: one that was written since has none.
  std::int64_t since_ms = std::numeric_limits<std::int64_t>::max();

  std::string encode() const {
    std::string out(1, kMarkVersion);
    core::append_varint(epoch, out);
    core::append_signed(since_ms, out);
    return out;
  }
  // Of what is no mark, one of the far future: nothing is lost but the time that has passed.
  static Mark decode(std::string_view bytes) {
    core::WireReader reader(bytes);
    Mark mark;
    if (reader.byte() != kMarkVersion) reader.fail();
    mark.epoch = reader.varint();
    mark.since_ms = reader.signed_varint();
    return reader.complete() ? mark : Mark();
  }
};

/// Judges the entries of one key after another, in ascending order.
class AbsenceJudge {
 public:
  AbsenceJudge(rocksdb::DB& db, const rocksdb::ReadOptions& read, const Absence& absence,
               std::string_view from, rocksdb::WriteBatch& batch)
      : absence_(absence),
        batch_(batch),
        active_(db, read, kActiveKind),
        merged_{KindCursor(db, read, kAbsentKind), KindCursor(db, read, kAttentionKind),
                KindCursor(db, read, kFinishedKind)} {
    for (KindCursor& cursor : sources()) cursor.seek(from);
  }

  /// The key to be judged next; nullopt: all were.
  std::optional<std::string_view> next_key() {
    std::optional<std::string_view> lowest;
    for (const KindCursor& cursor : sources()) {
      if (cursor.valid() && (!lowest || cursor.name() < *lowest)) lowest = cursor.name();
    }
    return lowest;
  }

  /// Judges the entries of `key`, which is next_key(). One that is due is added to `due`.
  Result<void> judge(const std::string& key, std::vector<ObjectVersion>& due) {
    Result<void> judged = judge_here(key, due);
    for (KindCursor& cursor : sources()) {
      if (cursor.valid() && cursor.name() == key) cursor.next();
    }
    return judged;
  }

  std::size_t marks_changed() const noexcept { return marks_changed_; }

  rocksdb::Status status() const {
    rocksdb::Status status = active_.status();
    for (const KindCursor& cursor : merged_) {
      if (status.ok()) status = cursor.status();
    }
    return status;
  }

 private:
  /// Those whose keys are judged; the others are only looked up.
  std::span<KindCursor> sources() {
    return absence_.marked_only ? std::span(merged_).first(1) : std::span(merged_);
  }

  Result<void> judge_here(const std::string& key, std::vector<ObjectVersion>& due) {
    auto& [marks, attention, finished] = merged_;
    const bool marked = marks.valid() && marks.name() == key;
    if (!absence_.absent(key)) {
      if (marked) remove_mark(key);
      return {};
    }
    const Mark mark = marked ? Mark::decode(marks.value()) : Mark();
    // One from the future was made by a clock that was wrong.
    const bool valid = mark.since_ms <= absence_.now_ms;
    const bool waits = valid && absence_.now_ms - mark.since_ms < absence_.grace_ms;
    if (waits && absence_.marked_only) return {};
    // Entries are read only here: of keys that are absent.
    std::optional<EntryHead> head;
    std::uint64_t epoch = 0;
    for (KindCursor* cursor : {&finished, &attention}) {
      if (!cursor->find(key)) continue;
      auto here = EntryHead::read(key, cursor->value());
      if (!here) return std::move(here).error();
      epoch = std::max(epoch, here->epoch);
      head = *here;
    }
    if (!head) {
      remove_mark(key);
    } else if (epoch > absence_.epoch_before || active_.find(key)) {
      return {};
    } else if (!valid || mark.epoch != epoch) {
      put_mark(key, {.epoch = epoch, .since_ms = absence_.now_ms});
    } else if (!waits) {
      due.push_back({.key = key,
                     .version = head->version.text(),
                     .size = head->size,
                     .modified_ms = head->modified_ms});
    }
    return {};
  }

  void put_mark(const std::string& key, const Mark& mark) {
    batch_.Put(entry_key(kAbsentKind, key), mark.encode());
    ++marks_changed_;
  }
  void remove_mark(const std::string& key) {
    batch_.Delete(entry_key(kAbsentKind, key));
    ++marks_changed_;
  }

  const Absence& absence_;
  rocksdb::WriteBatch& batch_;
  std::size_t marks_changed_ = 0;
  KindCursor active_;
  std::array<KindCursor, 3> merged_;  ///< Marks, attention, finished.
};

}  // namespace

Result<AbsenceStep> judge_absence(rocksdb::DB& db, const Absence& absence, std::string_view from,
                                  rocksdb::WriteBatch& batch, rocksdb::Status& status) {
  rocksdb::ManagedSnapshot snapshot(&db);
  rocksdb::ReadOptions read;
  read.snapshot = snapshot.snapshot();
  read.fill_cache = false;
  AbsenceJudge judge(db, read, absence, from, batch);
  AbsenceStep step;
  std::string key;
  for (std::size_t keys = 0;; ++keys) {
    const std::optional<std::string_view> next = judge.next_key();
    if (!next) {
      step.last = true;
      break;
    }
    key = *next;
    if (keys == kKeysMax || judge.marks_changed() == kMarksMax || step.due.size() == kDueMax) {
      step.next = std::move(key);
      break;
    }
    if (auto judged = judge.judge(key, step.due); !judged) return std::move(judged).error();
  }
  status = judge.status();
  return step;
}

}  // namespace leat::state
