#include "state/ledger.h"

#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/snapshot.h>
#include <rocksdb/utilities/write_batch_with_index.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <exception>
#include <map>
#include <mutex>
#include <numeric>
#include <shared_mutex>
#include <utility>

#include "core/wire.h"
#include "state/absence.h"
#include "state/database.h"
#include "state/entry_batch.h"
#include "state/ledger_entry.h"
#include "state/ledger_folder.h"

namespace leat::state {
namespace {

using rocksdb::Slice;

// 2: entries of format 2 may be there.
constexpr std::uint64_t kFormatVersion = 2;

// Keys in no order from which on sorting them pays: below, nearly each is in a block of its own.
constexpr std::size_t kKeysToSortMin = 16'384;
// Entries for each of them, up to which they lie in every second block, or closer: reading all
// blocks costs less than asking for those.
constexpr std::uint64_t kEntriesToReadAheadMax = 128;
constexpr std::size_t kReadAheadBytes = 128u << 10;

std::string_view view(const Slice& slice) noexcept { return {slice.data(), slice.size()}; }

// RocksDB reports through Status, yet what it builds on (threads, memory) can throw.
template <class Call>
auto guarded(const std::filesystem::path& dir, std::string_view doing, Call call) noexcept
    -> decltype(call()) {
  try {
    return call();
  } catch (const std::exception& e) {
    return Error{.code = ErrorCode::kIo,
                 .message = "Could not " + std::string(doing) + " the state folder " +
                            dir.string() + ": " + e.what()};
  }
}

/// Of the encoded entries of its key.
Result<Match> match_encoded(const ObjectVersion& listed, std::optional<std::string_view> open,
                            std::optional<std::string_view> finished) {
  std::optional<EntryHead> open_head;
  std::optional<EntryHead> finished_head;
  if (open) {
    auto head = EntryHead::read(listed.key, *open);
    if (!head) return std::move(head).error();
    open_head = *head;
  }
  if (finished) {
    auto head = EntryHead::read(listed.key, *finished);
    if (!head) return std::move(head).error();
    finished_head = *head;
  }
  return match(listed, open_head ? &*open_head : nullptr,
               finished_head ? &*finished_head : nullptr);
}

/// One side of a merge-join with a listing.
class EntryCursors {
 public:
  EntryCursors(rocksdb::DB& db, const rocksdb::ReadOptions& read)
      : active_(db, read, kActiveKind),
        attention_(db, read, kAttentionKind),
        finished_(db, read, kFinishedKind) {}

  /// @param listed  Its key must not lie before that of an earlier call.
  /// @param far     Many finished entries lie between them.
  Result<Match> match(const ObjectVersion& listed, bool far) {
    std::optional<std::string_view> open;
    for (KindCursor* cursor : {&active_, &attention_}) {
      if (!open && cursor->find(listed.key)) open = cursor->value();
    }
    std::optional<std::string_view> finished;
    if (far ? finished_.find_far(listed.key) : finished_.find(listed.key)) {
      finished = finished_.value();
    }
    return match_encoded(listed, open, finished);
  }
  rocksdb::Status status() const {
    for (const KindCursor* cursor : {&active_, &attention_, &finished_}) {
      if (auto status = cursor->status(); !status.ok()) return status;
    }
    return {};
  }

 private:
  // Of the first two there are few: they step.
  KindCursor active_;
  KindCursor attention_;
  KindCursor finished_;
};

SplitProgress with_note_as_error(LedgerEntry entry) {
  if (entry.noted && !entry.progress.error) {
    entry.progress.error = Error{
        .code = ErrorCode::kObjectChanged,
        .message = "The object is now listed in version " + entry.noted->version + " of " +
                   std::to_string(entry.noted->size) + " bytes; its rows are from version " +
                   entry.progress.object.version + " of " +
                   std::to_string(entry.progress.object.size) + " bytes.",
        .at = {.object = entry.progress.object.key, .record = {}, .byte_offset = {}, .column = {}}};
  }
  return std::move(entry.progress);
}

/// All objects' entries and marks; the outbox and the pipeline's facts stay.
void delete_entries(rocksdb::WriteBatch& batch) {
  for (const char kind : {kFinishedKind, kActiveKind, kAttentionKind, kAbsentKind}) {
    batch.DeleteRange(std::string(1, kind), std::string(1, static_cast<char>(kind + 1)));
  }
}

/// Names with a point in front are the ledger's own.
Result<void> callers_names(const std::map<std::string, std::string>& facts) {
  for (const auto& [name, value] : facts) {
    if (!name.empty() && name.front() != '.') continue;
    return Error{.code = ErrorCode::kInvalidArgument,
                 .message = "\"" + name + "\" cannot name a fact of a pipeline."};
  }
  return {};
}

}  // namespace

struct Ledger::Impl {
  /// The ledger's own facts, as they were when it was opened.
  struct OwnFacts {
    std::uint64_t format = 0;  ///< 0: none is written.
    std::uint64_t epoch = 0;
    std::uint64_t epoch_token = 0;
    bool restoring = false;
  };

  explicit Impl(const LedgerOptions& given) : options(given) {}

  Result<void> load();
  Result<OwnFacts> load_meta();
  Result<void> check_format(std::uint64_t format) const;
  Result<void> write_format();
  Result<void> reopen_after_failure();
  Result<void> ready_to_write();
  Result<std::shared_lock<std::shared_mutex>> ready_to_read();
  Result<void> write(rocksdb::WriteBatch& batch, bool sync = true);
  Result<void> put_facts(const std::map<std::string, std::string>& facts, bool sync);
  Result<void> drop_entries();
  Result<void> classify_sorted(const rocksdb::ReadOptions& read,
                               std::span<const ObjectVersion> page, std::vector<Match>& out) const;
  Result<void> classify_by_lookup(const rocksdb::ReadOptions& read,
                                  std::span<const ObjectVersion> page,
                                  std::vector<Match>& out) const;
  Result<void> classify_sorting(rocksdb::ReadOptions read, std::span<const ObjectVersion> page,
                                std::vector<Match>& out) const;
  std::uint64_t estimated_entries() const {
    std::uint64_t keys = 0;
    (void)db->GetIntProperty("rocksdb.estimate-num-keys", &keys);
    return keys;
  }
  Result<bool> scan_kind(const rocksdb::ReadOptions& read, Kind kind,
                         const std::function<bool(LedgerEntry)>& visit) const;

  Error read_only_error() const {
    return {.code = ErrorCode::kInvalidArgument,
            .message = "The state folder " + options.dir.string() + " is open for reading only."};
  }
  Error error(const rocksdb::Status& status, std::string_view doing) const {
    return database_error(status, options.dir, doing);
  }

  const LedgerOptions options;
  /// Shared to use `db`, exclusive to replace it. Taken after write_mutex.
  mutable std::shared_mutex db_mutex;
  std::unique_ptr<rocksdb::DB> db;  ///< Null after a failed write, until it could be opened again.
  std::mutex write_mutex;           ///< Held by each call that writes.
  bool write_failed = false;        ///< Guarded by write_mutex.
  bool restoring = false;  ///< Guarded by write_mutex: restore() was called, and no commit().
  std::atomic<std::uint64_t> epoch{0};
  std::atomic<std::uint64_t> epoch_token{0};
  mutable std::mutex meta_mutex;
  std::map<std::string, std::string, std::less<>> meta;
};

// Checks that this is a ledger, of a format that is known, and reads its facts.
Result<void> Ledger::Impl::load() {
  auto own = load_meta();
  if (!own) return std::move(own).error();
  if (auto known = check_format(own->format); !known) return known;
  epoch = own->epoch;
  epoch_token = own->epoch_token;
  if (own->format < kFormatVersion && !options.read_only) {
    if (auto written = write_format(); !written) return written;
  }
  if (own->restoring && !options.read_only) return drop_entries();
  return {};
}

// The pipeline's facts go to `meta`.
Result<Ledger::Impl::OwnFacts> Ledger::Impl::load_meta() {
  KindCursor cursor(*db, {}, kMetaKind);
  const auto number = [](std::string_view bytes, std::uint64_t& out) {
    core::WireReader reader(bytes);
    out = reader.varint();
    return reader.complete();
  };
  OwnFacts own;
  bool whole = true;
  for (cursor.seek_to_first(); cursor.valid() && whole; cursor.next()) {
    const std::string_view name = cursor.name();
    if (name == kFormatMeta) {
      whole = number(cursor.value(), own.format);
    } else if (name == kEpochMeta) {
      whole = number(cursor.value(), own.epoch);
    } else if (name == kEpochTokenMeta) {
      whole = number(cursor.value(), own.epoch_token);
    } else if (name == kRestoringMeta) {
      own.restoring = true;
    } else {
      meta.emplace(name, cursor.value());
    }
  }
  if (!whole) {
    return Error{.code = ErrorCode::kCorrupt,
                 .message = "The state folder " + options.dir.string() +
                            " is damaged: its own facts break their format. Restore it from a "
                            "backup, or start with an empty one."};
  }
  if (!cursor.status().ok()) return error(cursor.status(), "read");
  return own;
}

Result<void> Ledger::Impl::check_format(std::uint64_t format) const {
  if (format > kFormatVersion) {
    return Error{.code = ErrorCode::kUnsupported,
                 .message = "The state folder " + options.dir.string() + " has format version " +
                            std::to_string(format) + ", this leat reads versions up to " +
                            std::to_string(kFormatVersion) +
                            ". Use the leat that wrote it, or a later one."};
  }
  if (format != 0) return {};

  // New, or its creation was cut short, or somebody else's database.
  const std::unique_ptr<rocksdb::Iterator> any(db->NewIterator({}));
  any->SeekToFirst();
  if (any->Valid()) {
    return Error{.code = ErrorCode::kInvalidArgument,
                 .message = "The folder " + options.dir.string() +
                            " holds a RocksDB database that is not leat's. Choose another folder "
                            "with --state."};
  }
  if (!any->status().ok()) return error(any->status(), "read");
  if (options.read_only) {
    return Error{.code = ErrorCode::kNotFound,
                 .message = "The state folder " + options.dir.string() + " is still being made."};
  }
  return {};
}

Result<void> Ledger::Impl::write_format() {
  rocksdb::WriteBatch batch;
  std::string value;
  core::append_varint(kFormatVersion, value);
  batch.Put(entry_key(kMetaKind, kFormatMeta), value);
  return write(batch);
}

// What a restore that was cut short has left: of a record that may have been taken back since.
Result<void> Ledger::Impl::drop_entries() {
  rocksdb::WriteBatch batch;
  delete_entries(batch);
  batch.Delete(entry_key(kMetaKind, kRestoringMeta));
  batch.Delete(entry_key(kMetaKind, kListingMeta));
  meta.erase(std::string(kListingMeta));
  return write(batch);
}

Result<void> Ledger::Impl::ready_to_write() {
  if (options.read_only) return read_only_error();
  return write_failed ? reopen_after_failure() : Result<void>();
}

// After a failed write RocksDB 7.8 refuses all later ones; its Resume() does not help where the log
// itself could not be written. Opening anew does: the log is replayed to its last whole batch.
Result<void> Ledger::Impl::reopen_after_failure() {
  const std::unique_lock lock(db_mutex);
  db.reset();
  auto opened = open_database(options.dir, options.read_only, options.env);
  if (!opened) return std::move(opened).error();
  db = *std::move(opened);
  write_failed = false;
  return {};
}

// Whoever comes next opens it again: a write that failed may be the last one until something is
// read.
Result<std::shared_lock<std::shared_mutex>> Ledger::Impl::ready_to_read() {
  while (true) {
    std::shared_lock lock(db_mutex);
    if (db) return lock;
    lock.unlock();
    const std::lock_guard writing(write_mutex);
    if (!write_failed) continue;
    if (auto reopened = reopen_after_failure(); !reopened) return std::move(reopened).error();
  }
}

Result<void> Ledger::Impl::write(rocksdb::WriteBatch& batch, bool sync) {
  rocksdb::WriteOptions write_options;
  write_options.sync = sync;
  const std::shared_lock lock(db_mutex);
  const rocksdb::Status status = db->Write(write_options, &batch);
  if (status.ok()) return {};
  write_failed = true;
  return error(status, "write to");
}

Result<void> Ledger::Impl::classify_sorted(const rocksdb::ReadOptions& read,
                                           std::span<const ObjectVersion> page,
                                           std::vector<Match>& out) const {
  const auto before = [](const ObjectVersion& a, const ObjectVersion& b) { return a.key < b.key; };
  if (!std::is_sorted(page.begin(), page.end(), before)) {
    return classify_by_lookup(read, page, out);
  }
  EntryCursors cursors(*db, read);
  for (const ObjectVersion& object : page) {
    auto matched = cursors.match(object, /*far=*/false);
    if (!matched) return std::move(matched).error();
    out.push_back(*matched);
  }
  if (auto status = cursors.status(); !status.ok()) return error(status, "read");
  return {};
}

Result<void> Ledger::Impl::classify_by_lookup(const rocksdb::ReadOptions& read,
                                              std::span<const ObjectVersion> page,
                                              std::vector<Match>& out) const {
  constexpr std::array kKinds{kActiveKind, kAttentionKind, kFinishedKind};
  std::vector<std::string> keys;
  keys.reserve(page.size() * kKinds.size());
  for (const Kind kind : kKinds) {
    for (const ObjectVersion& object : page) keys.push_back(entry_key(kind, object.key));
  }
  const std::vector<Slice> slices(keys.begin(), keys.end());
  std::vector<rocksdb::PinnableSlice> values(keys.size());
  std::vector<rocksdb::Status> statuses(keys.size());
  db->MultiGet(read, db->DefaultColumnFamily(), keys.size(), slices.data(), values.data(),
               statuses.data());
  for (std::size_t row = 0; row < page.size(); ++row) {
    std::array<std::optional<std::string_view>, 3> found;
    for (std::size_t i = 0; i < kKinds.size(); ++i) {
      const std::size_t at = i * page.size() + row;
      if (statuses[at].IsNotFound()) continue;
      if (!statuses[at].ok()) return error(statuses[at], "read");
      found[i] = view(values[at]);
    }
    auto matched = match_encoded(page[row], found[0] ? found[0] : found[1], found[2]);
    if (!matched) return std::move(matched).error();
    out.push_back(*matched);
  }
  return {};
}

// Sorted, so that each block is read and decompressed once for all of its keys.
Result<void> Ledger::Impl::classify_sorting(rocksdb::ReadOptions read,
                                            std::span<const ObjectVersion> page,
                                            std::vector<Match>& out) const {
  std::vector<std::uint32_t> order(page.size());
  std::iota(order.begin(), order.end(), std::uint32_t{0});
  std::sort(order.begin(), order.end(),
            [&page](std::uint32_t a, std::uint32_t b) { return page[a].key < page[b].key; });
  read.fill_cache = false;
  if (estimated_entries() / page.size() < kEntriesToReadAheadMax) {
    read.readahead_size = kReadAheadBytes;
  }
  EntryCursors cursors(*db, read);
  out.resize(page.size());
  for (const std::uint32_t at : order) {
    auto matched = cursors.match(page[at], /*far=*/true);
    if (!matched) return std::move(matched).error();
    out[at] = *matched;
  }
  if (auto status = cursors.status(); !status.ok()) return error(status, "read");
  return {};
}

// The value is false when `visit` asked to stop.
Result<bool> Ledger::Impl::scan_kind(const rocksdb::ReadOptions& read, Kind kind,
                                     const std::function<bool(LedgerEntry)>& visit) const {
  KindCursor cursor(*db, read, kind);
  for (cursor.seek_to_first(); cursor.valid(); cursor.next()) {
    auto entry = LedgerEntry::decode(cursor.name(), cursor.value());
    if (!entry) return std::move(entry).error();
    if (!visit(*std::move(entry))) return false;
  }
  if (!cursor.status().ok()) return error(cursor.status(), "read");
  return true;
}

Ledger::Ledger(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Ledger::~Ledger() = default;

Result<std::unique_ptr<Ledger>> Ledger::open(const LedgerOptions& options) {
  return guarded(options.dir, "open", [&]() -> Result<std::unique_ptr<Ledger>> {
    if (auto ready = prepare_ledger_folder(options.dir, options.read_only); !ready) {
      return std::move(ready).error();
    }
    auto impl = std::make_unique<Impl>(options);
    auto database = open_database(options.dir, options.read_only, options.env);
    if (!database) return std::move(database).error();
    impl->db = *std::move(database);
    if (auto loaded = impl->load(); !loaded) return std::move(loaded).error();
    return std::unique_ptr<Ledger>(new Ledger(std::move(impl)));
  });
}

std::uint64_t Ledger::epoch() const noexcept { return impl_->epoch; }

std::uint64_t Ledger::epoch_token() const noexcept { return impl_->epoch_token; }

std::optional<std::string> Ledger::meta(std::string_view name) const {
  const std::lock_guard lock(impl_->meta_mutex);
  const auto found = impl_->meta.find(name);
  if (found == impl_->meta.end()) return std::nullopt;
  return found->second;
}

Result<void> Ledger::put_meta(const std::map<std::string, std::string>& facts) {
  if (Result<void> own = callers_names(facts); !own) return own;
  return impl_->put_facts(facts, /*sync=*/true);
}

Result<void> Ledger::put_note(std::string_view name, std::string_view value) {
  const std::map<std::string, std::string> note = {{std::string(name), std::string(value)}};
  if (Result<void> own = callers_names(note); !own) return own;
  return impl_->put_facts(note, /*sync=*/false);
}

std::optional<std::string> Ledger::listing() const { return meta(kListingMeta); }

Result<void> Ledger::put_listing(std::string_view record) {
  return impl_->put_facts({{std::string(kListingMeta), std::string(record)}}, /*sync=*/false);
}

Result<void> Ledger::Impl::put_facts(const std::map<std::string, std::string>& facts, bool sync) {
  return guarded(options.dir, "write to", [&]() -> Result<void> {
    rocksdb::WriteBatch batch;
    for (const auto& [name, value] : facts) batch.Put(entry_key(kMetaKind, name), value);
    const std::lock_guard writing(write_mutex);
    if (auto ready = ready_to_write(); !ready) return ready;
    if (auto written = write(batch, sync); !written) return written;
    const std::lock_guard lock(meta_mutex);
    for (const auto& [name, value] : facts) meta.insert_or_assign(name, value);
    return {};
  });
}

Result<void> Ledger::commit(const Checkpoint& checkpoint, std::span<const OutboxEntry> outbox) {
  return guarded(impl_->options.dir, "write to", [&]() -> Result<void> {
    const std::lock_guard writing(impl_->write_mutex);
    if (auto ready = impl_->ready_to_write(); !ready) return ready;
    // Against the epoch that commit() reported last: what a failed write left behind is written
    // over by its repetition.
    if (checkpoint.epoch <= impl_->epoch) {
      return Error{.code = ErrorCode::kInvalidArgument,
                   .message = "Epoch " + std::to_string(checkpoint.epoch) +
                              " cannot be committed after epoch " + std::to_string(impl_->epoch) +
                              "."};
    }
    rocksdb::WriteBatchWithIndex batch(rocksdb::BytewiseComparator(), 0, true);
    EntryBatch entries(*impl_->db, batch, impl_->options.dir);
    for (const SplitProgress& split : checkpoint.splits) {
      if (auto added = entries.add(split); !added) return added;
    }
    for (const OutboxEntry& entry : outbox) {
      batch.Put(entry_key(kOutboxKind, entry.object.key), entry.encode());
    }
    const auto put_number = [&batch](std::string_view name, std::uint64_t number) {
      std::string value;
      core::append_varint(number, value);
      batch.Put(entry_key(kMetaKind, name), value);
    };
    put_number(kEpochMeta, checkpoint.epoch);
    put_number(kEpochTokenMeta, checkpoint.token);
    if (impl_->restoring) batch.Delete(entry_key(kMetaKind, kRestoringMeta));
    const bool rewound =
        std::any_of(checkpoint.splits.begin(), checkpoint.splits.end(),
                    [](const SplitProgress& split) { return split.state == SplitState::kRewound; });
    if (rewound) batch.Delete(entry_key(kMetaKind, kListingMeta));
    if (auto written = impl_->write(*batch.GetWriteBatch()); !written) return written;
    if (rewound) {
      const std::lock_guard lock(impl_->meta_mutex);
      impl_->meta.erase(std::string(kListingMeta));
    }
    impl_->restoring = false;
    impl_->epoch = checkpoint.epoch;
    impl_->epoch_token = checkpoint.token;
    return {};
  });
}

Result<void> Ledger::restore(std::span<const SplitProgress> splits) {
  return guarded(impl_->options.dir, "write to", [&]() -> Result<void> {
    const std::lock_guard writing(impl_->write_mutex);
    if (auto ready = impl_->ready_to_write(); !ready) return ready;
    if (impl_->epoch != 0) {
      return Error{.code = ErrorCode::kInvalidArgument,
                   .message = "The state folder " + impl_->options.dir.string() +
                              " is not new: a whole record cannot be restored into it."};
    }
    rocksdb::WriteBatchWithIndex batch(rocksdb::BytewiseComparator(), 0, true);
    EntryBatch entries(*impl_->db, batch, impl_->options.dir);
    for (const SplitProgress& split : splits) {
      if (auto added = entries.add(split); !added) return added;
    }
    batch.Put(entry_key(kMetaKind, kRestoringMeta), "");
    // The commit that completes it syncs: the log keeps its order.
    if (auto written = impl_->write(*batch.GetWriteBatch(), /*sync=*/false); !written) {
      return written;
    }
    impl_->restoring = true;
    return {};
  });
}

Result<void> Ledger::start_anew() {
  return guarded(impl_->options.dir, "write to", [&]() -> Result<void> {
    const std::lock_guard writing(impl_->write_mutex);
    if (auto ready = impl_->ready_to_write(); !ready) return ready;
    rocksdb::WriteBatch batch;
    delete_entries(batch);
    batch.Delete(entry_key(kMetaKind, kEpochMeta));
    batch.Delete(entry_key(kMetaKind, kEpochTokenMeta));
    batch.Delete(entry_key(kMetaKind, kListingMeta));
    if (auto written = impl_->write(batch); !written) return written;
    {
      const std::lock_guard lock(impl_->meta_mutex);
      impl_->meta.erase(std::string(kListingMeta));
    }
    impl_->epoch = 0;
    impl_->epoch_token = 0;
    return {};
  });
}

Result<void> Ledger::drop_unfounded_outbox() {
  std::string after;
  while (true) {
    auto page = outbox(after, 1'000);
    if (!page) return std::move(page).error();
    if (page->empty()) return {};
    for (const OutboxEntry& entry : *page) {
      auto known = find(entry.object.key);
      if (!known) return std::move(known).error();
      bool founded = false;
      for (const SplitProgress& split : *known) {
        founded = founded ||
                  (split.state == SplitState::kFinished && split.object.same_version(entry.object));
      }
      if (founded) continue;
      if (auto dropped = settle_outbox(entry, /*done=*/true); !dropped) return dropped;
    }
    after = page->back().object.key;
  }
}

Result<AbsenceStep> Ledger::note_absence(const Absence& absence, std::string_view from) {
  return guarded(impl_->options.dir, "write to", [&]() -> Result<AbsenceStep> {
    if (impl_->options.read_only) return impl_->read_only_error();
    rocksdb::WriteBatch batch;
    rocksdb::Status status;
    Result<AbsenceStep> step = AbsenceStep();
    {
      const auto lock = impl_->ready_to_read();
      if (!lock) return lock.error();
      step = judge_absence(*impl_->db, absence, from, batch, status);
    }
    if (!status.ok()) return impl_->error(status, "read");
    if (!step || batch.Count() == 0) return step;
    const std::lock_guard writing(impl_->write_mutex);
    if (auto ready = impl_->ready_to_write(); !ready) return std::move(ready).error();
    // A mark that a crash takes away is made again.
    if (auto written = impl_->write(batch, /*sync=*/false); !written) {
      return std::move(written).error();
    }
    return step;
  });
}

Result<bool> Ledger::any_marked() const {
  return guarded(impl_->options.dir, "read", [&]() -> Result<bool> {
    const auto lock = impl_->ready_to_read();
    if (!lock) return lock.error();
    KindCursor marks(*impl_->db, {}, kAbsentKind);
    marks.seek_to_first();
    if (!marks.status().ok()) return impl_->error(marks.status(), "read");
    return marks.valid();
  });
}

std::uint64_t Ledger::estimated_entries() const {
  const auto lock = impl_->ready_to_read();
  return lock ? impl_->estimated_entries() : 0;
}

Result<void> Ledger::classify(std::span<const ObjectVersion> page, bool sorted,
                              std::vector<Match>& out) const {
  out.clear();
  return guarded(impl_->options.dir, "read", [&]() -> Result<void> {
    const auto lock = impl_->ready_to_read();
    if (!lock) return lock.error();
    out.reserve(page.size());
    rocksdb::ManagedSnapshot snapshot(impl_->db.get());
    rocksdb::ReadOptions read;
    read.snapshot = snapshot.snapshot();
    if (sorted) return impl_->classify_sorted(read, page, out);
    return page.size() < kKeysToSortMin ? impl_->classify_by_lookup(read, page, out)
                                        : impl_->classify_sorting(read, page, out);
  });
}

Result<void> Ledger::scan(const std::function<bool(const SplitProgress&)>& visit) const {
  return guarded(impl_->options.dir, "read", [&]() -> Result<void> {
    const auto lock = impl_->ready_to_read();
    if (!lock) return lock.error();
    rocksdb::ManagedSnapshot snapshot(impl_->db.get());
    rocksdb::ReadOptions read;
    read.snapshot = snapshot.snapshot();
    read.fill_cache = false;
    for (const Kind kind : {kActiveKind, kAttentionKind, kFinishedKind}) {
      auto went_on = impl_->scan_kind(read, kind, [&visit](LedgerEntry entry) {
        return visit(with_note_as_error(std::move(entry)));
      });
      if (!went_on) return std::move(went_on).error();
      if (!*went_on) break;
    }
    return {};
  });
}

Result<std::vector<SplitProgress>> Ledger::active() const {
  return guarded(impl_->options.dir, "read", [&]() -> Result<std::vector<SplitProgress>> {
    const auto lock = impl_->ready_to_read();
    if (!lock) return lock.error();
    std::vector<SplitProgress> splits;
    auto scanned = impl_->scan_kind({}, kActiveKind, [&splits](LedgerEntry entry) {
      splits.push_back(std::move(entry.progress));
      return true;
    });
    if (!scanned) return std::move(scanned).error();
    return splits;
  });
}

Result<std::vector<OutboxEntry>> Ledger::outbox(std::string_view after_key,
                                                std::size_t count) const {
  return guarded(impl_->options.dir, "read", [&]() -> Result<std::vector<OutboxEntry>> {
    const auto lock = impl_->ready_to_read();
    if (!lock) return lock.error();
    std::vector<OutboxEntry> entries;
    KindCursor cursor(*impl_->db, {}, kOutboxKind);
    if (after_key.empty()) {
      cursor.seek_to_first();
    } else if (cursor.find(after_key)) {
      cursor.next();
    }
    for (; cursor.valid() && entries.size() < count; cursor.next()) {
      auto entry = OutboxEntry::decode(cursor.name(), cursor.value());
      if (!entry) return std::move(entry).error();
      entries.push_back(*std::move(entry));
    }
    if (!cursor.status().ok()) return impl_->error(cursor.status(), "read");
    return entries;
  });
}

Result<void> Ledger::settle_outbox(const OutboxEntry& entry, bool done) {
  return guarded(impl_->options.dir, "write to", [&]() -> Result<void> {
    const std::lock_guard writing(impl_->write_mutex);
    if (auto ready = impl_->ready_to_write(); !ready) return ready;
    const std::string key = entry_key(kOutboxKind, entry.object.key);
    std::string value;
    const rocksdb::Status read = impl_->db->Get({}, key, &value);
    if (read.IsNotFound()) return {};
    if (!read.ok()) return impl_->error(read, "read");
    auto kept = OutboxEntry::decode(entry.object.key, value);
    if (!kept) return std::move(kept).error();
    if (!kept->object.same_version(entry.object) || kept->action != entry.action) return {};
    rocksdb::WriteBatch batch;
    done ? batch.Delete(key) : batch.Put(key, entry.encode());
    return impl_->write(batch, /*sync=*/false);
  });
}

Result<std::vector<SplitProgress>> Ledger::find(std::string_view key) const {
  return guarded(impl_->options.dir, "read", [&]() -> Result<std::vector<SplitProgress>> {
    const auto lock = impl_->ready_to_read();
    if (!lock) return lock.error();
    rocksdb::WriteBatchWithIndex none;
    EntryBatch entries(*impl_->db, none, impl_->options.dir);
    std::vector<SplitProgress> found;
    for (const Kind kind : {kActiveKind, kAttentionKind, kFinishedKind}) {
      auto entry = entries.load(kind, key);
      if (!entry) return std::move(entry).error();
      if (*entry) found.push_back(with_note_as_error(**std::move(entry)));
    }
    return found;
  });
}

}  // namespace leat::state
