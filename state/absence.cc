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
#include <utility>

#include "core/wire.h"
#include "state/database.h"
#include "state/ledger_entry.h"

namespace leat::state {
namespace {

constexpr char kMarkVersion = 1;

// In one step: bounds what is held, and for how long a snapshot is.
constexpr std::size_t kEntriesMax = 200'000;
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

}  // namespace

Result<AbsenceStep> judge_absence(rocksdb::DB& db, const Absence& absence, std::string_view from,
                                  rocksdb::WriteBatch& batch, rocksdb::Status& status) {
  rocksdb::ManagedSnapshot snapshot(&db);
  rocksdb::ReadOptions read;
  read.snapshot = snapshot.snapshot();
  read.fill_cache = false;
  KindCursor active(db, read, kActiveKind);
  // Merged: what is said of a key by all three. Of the entries only those of absent keys are read.
  std::array<KindCursor, 3> cursors{KindCursor(db, read, kAbsentKind),
                                    KindCursor(db, read, kAttentionKind),
                                    KindCursor(db, read, kFinishedKind)};
  auto& [marks, attention, finished] = cursors;
  const std::span<KindCursor> merged =
      absence.marked_only ? std::span(cursors).first(1) : std::span(cursors);
  for (KindCursor& cursor : merged) cursor.seek(from);

  AbsenceStep step;
  std::string name;
  std::size_t marks_changed = 0;
  for (std::size_t entries = 0;; ++entries) {
    const KindCursor* least = nullptr;
    for (const KindCursor& cursor : merged) {
      if (cursor.valid() && (least == nullptr || cursor.name() < least->name())) least = &cursor;
    }
    if (least == nullptr) {
      step.last = true;
      break;
    }
    name.assign(least->name());
    if (entries == kEntriesMax || marks_changed == kMarksMax || step.due.size() == kDueMax) {
      step.next = std::move(name);
      break;
    }
    const bool marked = marks.valid() && marks.name() == name;
    const Mark mark = marked ? Mark::decode(marks.value()) : Mark();
    // One from the future was made by a clock that was wrong.
    const bool valid = mark.since_ms <= absence.now_ms;
    const bool waits = valid && absence.now_ms - mark.since_ms < absence.grace_ms;
    if (!absence.absent(name)) {
      if (marked) batch.Delete(entry_key(kAbsentKind, name));
      marks_changed += marked ? 1 : 0;
    } else if (!(waits && absence.marked_only)) {
      std::optional<EntryHead> head;
      std::uint64_t epoch = 0;
      for (KindCursor* cursor : {&finished, &attention}) {
        if (!cursor->find(name)) continue;
        auto here = EntryHead::read(name, cursor->value());
        if (!here) return std::move(here).error();
        epoch = std::max(epoch, here->epoch);
        head = *here;
      }
      if (!head) {
        batch.Delete(entry_key(kAbsentKind, name));
        ++marks_changed;
      } else if (epoch <= absence.epoch_before && !active.find(name)) {
        if (!valid || mark.epoch != epoch) {
          batch.Put(entry_key(kAbsentKind, name),
                    Mark{.epoch = epoch, .since_ms = absence.now_ms}.encode());
          ++marks_changed;
        } else if (!waits) {
          step.due.push_back({.key = name,
                              .version = head->version.text(),
                              .size = head->size,
                              .modified_ms = head->modified_ms});
        }
      }
    }
    for (KindCursor& cursor : merged) {
      if (cursor.valid() && cursor.name() == name) cursor.next();
    }
  }
  for (const KindCursor* cursor : {&active, &finished, &attention, &marks}) {
    if (status = cursor->status(); !status.ok()) break;
  }
  return step;
}

}  // namespace leat::state
