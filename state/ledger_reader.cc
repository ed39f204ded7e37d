#include "state/ledger_reader.h"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <exception>
#include <system_error>
#include <utility>

#include "core/wire.h"
#include "state/database.h"
#include "state/ledger_entry.h"
#include "state/ledger_folder.h"

namespace leat::state {
namespace {

namespace fs = std::filesystem;

Error failed(const fs::path& dir, std::string_view doing, std::string_view why) {
  return {.code = ErrorCode::kIo,
          .message = "Could not " + std::string(doing) + " the state folder " + dir.string() +
                     ": " + std::string(why)};
}

/// Where a folder is made, before it gets its name.
fs::path unfinished(fs::path dir) {
  if (!dir.has_filename()) dir = dir.parent_path();
  return dir += ".importing";
}

}  // namespace

struct LedgerReader::Impl {
  fs::path dir;
  std::unique_ptr<rocksdb::DB> db;
  std::map<std::string, std::string, std::less<>> meta;
  std::uint64_t epoch = 0;
  // After the database, so that they go before it.
  std::array<std::unique_ptr<KindCursor>, 3> cursors;  ///< Active, attention, finished.
};

LedgerReader::LedgerReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LedgerReader::LedgerReader(LedgerReader&&) noexcept = default;
LedgerReader& LedgerReader::operator=(LedgerReader&&) noexcept = default;
LedgerReader::~LedgerReader() = default;

Result<LedgerReader> LedgerReader::open(const fs::path& dir) {
  // Checks the folder's format, which is all that is wanted of it.
  Result<std::unique_ptr<Ledger>> ledger = Ledger::open({.dir = dir, .read_only = true});
  if (!ledger) return std::move(ledger).error();
  ledger->reset();
  try {
    auto impl = std::make_unique<Impl>();
    impl->dir = dir;
    auto database = open_database(dir, true, nullptr);
    if (!database) return std::move(database).error();
    impl->db = *std::move(database);
    KindCursor facts(*impl->db, {}, kMetaKind);
    for (facts.seek_to_first(); facts.valid(); facts.next()) {
      impl->meta.emplace(facts.name(), facts.value());
      if (facts.name() == kEpochMeta) impl->epoch = core::WireReader(facts.value()).varint();
    }
    if (!facts.status().ok()) return database_error(facts.status(), dir, "read");
    rocksdb::ReadOptions read;
    read.fill_cache = false;
    constexpr std::array kKinds{kActiveKind, kAttentionKind, kFinishedKind};
    for (std::size_t i = 0; i < kKinds.size(); ++i) {
      impl->cursors[i] = std::make_unique<KindCursor>(*impl->db, read, kKinds[i]);
      impl->cursors[i]->seek_to_first();
    }
    return LedgerReader(std::move(impl));
  } catch (const std::exception& e) {
    return failed(dir, "open", e.what());
  }
}

std::uint64_t LedgerReader::epoch() const noexcept { return impl_->epoch; }

std::optional<std::string> LedgerReader::meta(std::string_view name) const {
  const auto found = impl_->meta.find(name);
  if (found == impl_->meta.end()) return std::nullopt;
  return found->second;
}

Result<std::optional<LedgerRecord>> LedgerReader::next() {
  std::optional<std::string> key;
  for (const auto& cursor : impl_->cursors) {
    if (cursor->valid() && (!key || cursor->name() < *key)) key = cursor->name();
  }
  for (const auto& cursor : impl_->cursors) {
    if (!cursor->status().ok()) return database_error(cursor->status(), impl_->dir, "read");
  }
  if (!key) return std::optional<LedgerRecord>();
  LedgerRecord record{.key = *key, .open = {}, .finished = {}};
  for (std::size_t i = 0; i < impl_->cursors.size(); ++i) {
    KindCursor& cursor = *impl_->cursors[i];
    if (!cursor.valid() || cursor.name() != *key) continue;
    auto entry = LedgerEntry::decode(*key, cursor.value());
    if (!entry) return std::move(entry).error();
    if (entry->noted && !entry->progress.error) {
      entry->progress.error = Error{ErrorCode::kObjectChanged,
                                    "it is now listed in version " + entry->noted->version +
                                        " of " + std::to_string(entry->noted->size) + " bytes"};
    }
    (i == 2 ? record.finished : record.open) = std::move(entry->progress);
    cursor.next();
  }
  return std::optional<LedgerRecord>(std::move(record));
}

Result<void> LedgerReader::visit_raw(
    const std::function<Result<void>(std::string_view, std::string_view)>& visit) const {
  try {
    rocksdb::ReadOptions read;
    read.fill_cache = false;
    read.total_order_seek = true;
    const std::unique_ptr<rocksdb::Iterator> at(impl_->db->NewIterator(read));
    for (at->SeekToFirst(); at->Valid(); at->Next()) {
      if (auto visited =
              visit({at->key().data(), at->key().size()}, {at->value().data(), at->value().size()});
          !visited) {
        return visited;
      }
    }
    if (!at->status().ok()) return database_error(at->status(), impl_->dir, "read");
    return {};
  } catch (const std::exception& e) {
    return failed(impl_->dir, "read", e.what());
  }
}

struct LedgerWriter::Impl {
  fs::path dir;
  std::unique_ptr<rocksdb::DB> db;
  rocksdb::WriteBatch batch;

  Result<void> flush() {
    rocksdb::WriteOptions options;
    options.sync = true;
    const rocksdb::Status written = db->Write(options, &batch);
    batch.Clear();
    if (!written.ok()) return database_error(written, unfinished(dir), "write to");
    return {};
  }
};

LedgerWriter::LedgerWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LedgerWriter::LedgerWriter(LedgerWriter&&) noexcept = default;
LedgerWriter& LedgerWriter::operator=(LedgerWriter&&) noexcept = default;
LedgerWriter::~LedgerWriter() = default;

Result<LedgerWriter> LedgerWriter::create(const fs::path& dir) {
  std::error_code code;
  const bool there = fs::exists(dir, code);
  if (there && (!fs::is_directory(dir, code) || !fs::is_empty(dir, code))) {
    return Error{ErrorCode::kInvalidArgument,
                 dir.string() +
                     " is there already. A state is imported into a new folder, and "
                     "never over another"};
  }
  try {
    auto impl = std::make_unique<Impl>();
    impl->dir = dir;
    const fs::path folder = unfinished(dir);
    // What an import left behind that did not come to its end.
    if (fs::exists(folder / "CURRENT", code)) fs::remove_all(folder, code);
    if (auto ready = prepare_ledger_folder(folder, false); !ready) return std::move(ready).error();
    auto database = open_database(folder, false, nullptr);
    if (!database) return std::move(database).error();
    impl->db = *std::move(database);
    return LedgerWriter(std::move(impl));
  } catch (const std::exception& e) {
    return failed(dir, "make", e.what());
  }
}

Result<void> LedgerWriter::add(std::string_view key, std::string_view value) {
  try {
    impl_->batch.Put({key.data(), key.size()}, {value.data(), value.size()});
    if (impl_->batch.GetDataSize() < (1u << 20)) return {};
    return impl_->flush();
  } catch (const std::exception& e) {
    return failed(impl_->dir, "write to", e.what());
  }
}

Result<void> LedgerWriter::finish() {
  try {
    if (auto flushed = impl_->flush(); !flushed) return flushed;
    if (const rocksdb::Status closed = impl_->db->Close(); !closed.ok()) {
      return database_error(closed, unfinished(impl_->dir), "close");
    }
    impl_->db.reset();
    std::error_code code;
    fs::rename(unfinished(impl_->dir), impl_->dir, code);  // Also over an empty folder.
    if (code) return failed(impl_->dir, "make", code.message());
    return {};
  } catch (const std::exception& e) {
    return failed(impl_->dir, "make", e.what());
  }
}

}  // namespace leat::state
