#include "state/database.h"

#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>

#include <algorithm>
#include <cstdarg>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace leat::state {
namespace {

// Entries that a merge-join steps over before it seeks: about where a seek becomes the cheaper.
constexpr int kStepsBeforeSeek = 16;

// A loader that compacts while a reader opens can remove a file between the reader's looking up its
// name and opening it. The next attempt sees the loader's newer list of files.
constexpr int kReadOnlyOpenAttempts = 10;

std::string_view view(const rocksdb::Slice& slice) noexcept { return {slice.data(), slice.size()}; }

// No log files: RocksDB 7.8 as Debian builds it aborts the process when a full disk keeps it from
// writing to its log, and readers beside a loader must not write into its folder at all. What goes
// wrong comes back as a Status, and is told.
class SilentLogger : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

// RocksDB's own recovery in the background would go on with a log file that it failed to write,
// which 7.8 answers with an assertion. The ledger opens its files anew instead.
class NoRecoveryInBackground : public rocksdb::EventListener {
 public:
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason /*reason*/, rocksdb::Status /*error*/,
                            bool* auto_recovery) override {
    *auto_recovery = false;
  }
};

// RocksDB writes its options down, syncs and reads them again at each start, which took a tenth of
// it; leat sets all of them itself. That they cannot be written is no error to RocksDB.
class NoOptionsFiles : public rocksdb::FileSystemWrapper {
 public:
  using rocksdb::FileSystemWrapper::FileSystemWrapper;

  const char* Name() const override { return "NoOptionsFiles"; }
  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* context) override {
    const std::string_view name = std::string_view(path).substr(path.rfind('/') + 1);
    if (name.starts_with("OPTIONS-")) return rocksdb::IOStatus::NotSupported(path);
    return FileSystemWrapper::NewWritableFile(path, options, file, context);
  }
};

rocksdb::Env* database_env() {
  // Never destroyed, as RocksDB's own is not: a ledger may be closed by the last of all
  // destructors.
  static rocksdb::Env* const env =
      rocksdb::NewCompositeEnv(std::make_shared<NoOptionsFiles>(rocksdb::FileSystem::Default()))
          .release();
  return env;
}

// zstd makes the folder a quarter smaller, but a listing in no order is then compared half as fast.
rocksdb::CompressionType best_compression() {
  const auto supported = rocksdb::GetSupportedCompressions();
  for (const auto type : {rocksdb::kLZ4Compression, rocksdb::kZSTD}) {
    if (std::find(supported.begin(), supported.end(), type) != supported.end()) return type;
  }
  return rocksdb::kNoCompression;
}

// Sized for ten million finished splits in well under 100 MiB of memory.
rocksdb::Options database_options(bool read_only) {
  rocksdb::Options options;
  options.create_if_missing = !read_only;
  options.write_buffer_size = 8u << 20;
  options.max_write_buffer_number = 2;
  options.max_total_wal_size = 32u << 20;
  options.target_file_size_base = 32u << 20;
  options.max_bytes_for_level_base = 64u << 20;
  options.level_compaction_dynamic_level_bytes = true;
  options.max_background_jobs = 2;
  options.compression = best_compression();
  // A reader needs every file open at once: the loader may delete any of them.
  options.max_open_files = read_only ? -1 : 128;
  // Sixteen threads, by default, for a few files: most of what opening a new folder took.
  options.max_file_opening_threads = 1;
  options.skip_stats_update_on_db_open = true;
  // Ahead of need it would take 12 MB of a small disk, and on tmpfs fill them with zeros.
  options.allow_fallocate = false;
  options.max_manifest_file_size = 4u << 20;
  // The default, spelt out: a torn end of the log is cut off at an epoch's border. What is lost
  // with it is in the sink, which outranks the ledger.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;

  options.info_log = std::make_shared<SilentLogger>();
  options.listeners.push_back(std::make_shared<NoRecoveryInBackground>());
  options.max_bgerror_resume_count = 0;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;

  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(64u << 20);
  // Small enough for look-ups in no order, which read a block each; large enough for the index over
  // ten million entries to fit into the cache with the filters.
  table.block_size = 8u << 10;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  // Filters and indexes count against the cache, so that memory does not follow the bucket's size.
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

}  // namespace

std::string entry_key(Kind kind, std::string_view name) {
  std::string key(1, kind);
  key += name;
  return key;
}

Result<std::unique_ptr<rocksdb::DB>> open_database(const std::filesystem::path& dir, bool read_only,
                                                   rocksdb::Env* env) {
  rocksdb::Options options = database_options(read_only);
  options.env = env != nullptr ? env : database_env();
  const std::string path = dir.string();
  rocksdb::DB* opened = nullptr;
  rocksdb::Status status;
  if (read_only) {
    for (int attempt = 0; attempt < kReadOnlyOpenAttempts; ++attempt) {
      status = rocksdb::DB::OpenForReadOnly(options, path, &opened);
      if (status.ok()) break;
    }
  } else {
    status = rocksdb::DB::Open(options, path, &opened);
  }
  std::unique_ptr<rocksdb::DB> db(opened);
  if (!status.ok()) return database_error(status, dir, "open");
  return db;
}

Error database_error(const rocksdb::Status& status, const std::filesystem::path& dir,
                     std::string_view doing) {
  const std::string text = status.ToString();
  const auto says = [&text](std::string_view part) { return text.find(part) != text.npos; };
  const std::string where = " the state folder " + dir.string();
  if (status.IsNoSpace() || says("No space left") || says("quota")) {
    return {.code = ErrorCode::kDiskFull,
            .message = "No space is left to " + std::string(doing) + where +
                       ". Free some; nothing of this epoch was recorded there, and it will be."};
  }
  if (says("While lock file") || says("lock hold by current process")) {
    return {
        .code = ErrorCode::kAlreadyOpen,
        .message = "Another leat process is using" + where + "; stop it or use another --state."};
  }
  if (says("Permission denied") || says("Operation not permitted") || says("Read-only file")) {
    return {.code = ErrorCode::kPermissionDenied,
            .message = "No permission to " + std::string(doing) + where + ": " + text};
  }
  if (status.IsCorruption()) {
    return {.code = ErrorCode::kCorrupt,
            .message = "Could not " + std::string(doing) + where + ", it is damaged: " + text +
                       ". Restore it from a backup, or start with an empty one: a transactional "
                       "sink tells it what is loaded."};
  }
  return {.code = ErrorCode::kIo,
          .message = "Could not " + std::string(doing) + where + ": " + text};
}

KindCursor::KindCursor(rocksdb::DB& db, rocksdb::ReadOptions options, Kind kind)
    : kind_(kind),
      end_key_(1, static_cast<char>(kind + 1)),
      end_(std::make_unique<const rocksdb::Slice>(end_key_)) {
  options.iterate_upper_bound = end_.get();
  iterator_.reset(db.NewIterator(options));
}

KindCursor::~KindCursor() = default;

void KindCursor::moved() {
  valid_ = iterator_->Valid();
  name_ = valid_ ? view(iterator_->key()).substr(1) : std::string_view();
}

bool KindCursor::find(std::string_view name) {
  if (!positioned_) return find_far(name);
  for (int steps = 0; valid_; ++steps) {
    const int order = name_.compare(name);
    if (order >= 0) return order == 0;
    if (steps == kStepsBeforeSeek) return find_far(name);
    next();
  }
  return false;
}

bool KindCursor::find_far(std::string_view name) {
  seek(name);
  return valid_ && name_ == name;
}

void KindCursor::seek_to_first() { seek({}); }
void KindCursor::seek(std::string_view name) {
  sought_.assign(1, kind_);
  sought_ += name;
  iterator_->Seek(sought_);
  positioned_ = true;
  moved();
}
void KindCursor::next() {
  iterator_->Next();
  moved();
}
std::string_view KindCursor::value() const { return view(iterator_->value()); }
rocksdb::Status KindCursor::status() const { return iterator_->status(); }

}  // namespace leat::state
