// A file system that loses its power: what was not synced is then gone, wholly or in part.
//
// Between RocksDB and the real one. While the power is on it only takes notes: how much of each
// file is synced, which names their folder does not have for certain.
#pragma once

#include <rocksdb/file_system.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace leat::test {

class PowerLossFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  PowerLossFileSystem() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "PowerLossFileSystem"; }

  /// The power goes with the n-th change from here on; that one is made in part.
  void cut_power_after(std::uint64_t changes) {
    const std::lock_guard lock(mutex_);
    changes_left_ = changes;
  }
  bool power_is_on() const {
    const std::lock_guard lock(mutex_);
    return on_;
  }

  /// With every file closed: leaves on the disk what may be there after the power went, and turns
  /// it on again. Of bytes that were not synced any front may be left, with sectors of zeros in it;
  /// a new name and a renamed one may be lost when their folder was not synced.
  void lose_what_was_not_synced(std::mt19937_64& random) {
    namespace fs = std::filesystem;
    const std::lock_guard lock(mutex_);
    for (auto& [path, file] : files_) {
      std::error_code code;
      const std::uint64_t bytes = fs::file_size(path, code);
      if (code || bytes <= file.synced) continue;
      const std::uint64_t kept = file.synced + random() % (bytes - file.synced + 1);
      fs::resize_file(path, kept);
      if (kept > file.synced && random() % 2 == 0) {
        // A disk writes a sector or it does not: none has zeros in its middle.
        const std::uint64_t sector = kSectorBytes;
        const std::uint64_t at = file.synced + random() % (kept - file.synced);
        const std::uint64_t from = (at + sector - 1) / sector * sector;
        if (from >= kept) continue;
        const std::string zeros(static_cast<std::size_t>(std::min(sector, kept - from)), '\0');
        std::fstream torn(path, std::ios::in | std::ios::out | std::ios::binary);
        torn.seekp(static_cast<std::streamoff>(from));
        torn.write(zeros.data(), static_cast<std::streamsize>(zeros.size()));
      }
    }
    // From the last to the first: each was made of what the ones before had left.
    for (auto it = names_.rbegin(); it != names_.rend(); ++it) {
      if (random() % 2 == 0) break;
      std::error_code ignored;
      if (it->from.empty()) {
        fs::remove(it->to, ignored);
        continue;
      }
      fs::rename(it->to, it->from, ignored);
      if (it->before) std::ofstream(it->to, std::ios::binary) << *it->before;
    }
    files_.clear();
    names_.clear();
    changes_left_.reset();
    on_ = true;
  }

  using FileSystemWrapper::NewWritableFile;
  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* debug) override {
    return open(name, file,
                [&](auto* out) { return target()->NewWritableFile(name, options, out, debug); });
  }
  rocksdb::IOStatus ReopenWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                       std::unique_ptr<rocksdb::FSWritableFile>* file,
                                       rocksdb::IODebugContext* debug) override {
    return open(name, file,
                [&](auto* out) { return target()->ReopenWritableFile(name, options, out, debug); });
  }
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to,
                               const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override {
    const std::lock_guard lock(mutex_);
    if (change() != Change::kWhole) return dark();
    std::optional<std::string> before;
    if (std::ifstream in(to, std::ios::binary); in)
      before.emplace(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    const rocksdb::IOStatus status = target()->RenameFile(from, to, options, debug);
    if (!status.ok()) return status;
    names_.push_back({.from = from, .to = to, .before = std::move(before)});
    files_[to] = files_[from];
    files_.erase(from);
    return status;
  }
  rocksdb::IOStatus DeleteFile(const std::string& name, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override {
    const std::lock_guard lock(mutex_);
    if (change() != Change::kWhole) return dark();
    files_.erase(name);
    std::erase_if(names_, [&name](const Named& named) { return named.to == name; });
    return target()->DeleteFile(name, options, debug);
  }
  rocksdb::IOStatus NewDirectory(const std::string& name, const rocksdb::IOOptions& options,
                                 std::unique_ptr<rocksdb::FSDirectory>* folder,
                                 rocksdb::IODebugContext* debug) override {
    std::unique_ptr<rocksdb::FSDirectory> real;
    const rocksdb::IOStatus status = target()->NewDirectory(name, options, &real, debug);
    if (status.ok()) *folder = std::make_unique<Folder>(std::move(real), *this);
    return status;
  }

 private:
  static constexpr std::uint64_t kSectorBytes = 512;

  struct Synced {
    std::uint64_t synced = 0;
  };
  /// A name that its folder may not have: of a new file, or of one that was renamed.
  struct Named {
    std::string from;  ///< Empty: new.
    std::string to;
    std::optional<std::string> before;  ///< What the name stood for.
  };
  enum class Change { kWhole, kInPart, kNone };

  class File final : public rocksdb::FSWritableFileOwnerWrapper {
   public:
    File(std::unique_ptr<rocksdb::FSWritableFile>&& real, std::string name,
         PowerLossFileSystem& system)
        : FSWritableFileOwnerWrapper(std::move(real)), name_(std::move(name)), system_(system) {}

    rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* debug) override {
      const std::lock_guard lock(system_.mutex_);
      const Change change = system_.change();
      if (change == Change::kNone) return dark();
      if (change == Change::kWhole) return FSWritableFileOwnerWrapper::Append(data, options, debug);
      (void)FSWritableFileOwnerWrapper::Append({data.data(), data.size() / 2}, options, debug);
      (void)FSWritableFileOwnerWrapper::Flush(options, debug);
      return dark();
    }
    rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                             const rocksdb::DataVerificationInfo& /*info*/,
                             rocksdb::IODebugContext* debug) override {
      return Append(data, options, debug);
    }
    rocksdb::IOStatus Sync(const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* debug) override {
      return synced(options, debug);
    }
    rocksdb::IOStatus Fsync(const rocksdb::IOOptions& options,
                            rocksdb::IODebugContext* debug) override {
      return synced(options, debug);
    }

   private:
    // The real sync is left out: what counts is what it would have saved.
    rocksdb::IOStatus synced(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) {
      const std::lock_guard lock(system_.mutex_);
      if (system_.change() != Change::kWhole) return dark();
      const rocksdb::IOStatus status = FSWritableFileOwnerWrapper::Flush(options, debug);
      if (status.ok()) system_.files_[name_].synced = GetFileSize(options, debug);
      return status;
    }

    const std::string name_;
    PowerLossFileSystem& system_;
  };

  class Folder final : public rocksdb::FSDirectoryWrapper {
   public:
    Folder(std::unique_ptr<rocksdb::FSDirectory>&& real, PowerLossFileSystem& system)
        : FSDirectoryWrapper(std::move(real)), system_(system) {}
    rocksdb::IOStatus Fsync(const rocksdb::IOOptions& /*options*/,
                            rocksdb::IODebugContext* /*debug*/) override {
      const std::lock_guard lock(system_.mutex_);
      if (system_.change() != Change::kWhole) return dark();
      system_.names_.clear();
      return rocksdb::IOStatus::OK();
    }
    rocksdb::IOStatus FsyncWithDirOptions(const rocksdb::IOOptions& options,
                                          rocksdb::IODebugContext* debug,
                                          const rocksdb::DirFsyncOptions& /*which*/) override {
      return Fsync(options, debug);
    }

   private:
    PowerLossFileSystem& system_;
  };

  static rocksdb::IOStatus dark() { return rocksdb::IOStatus::IOError("the power is off"); }

  /// With the lock held: how much of the next change is made.
  Change change() {
    if (!on_) return Change::kNone;
    if (!changes_left_) return Change::kWhole;
    if (*changes_left_ == 0) {
      on_ = false;
      return Change::kInPart;
    }
    --*changes_left_;
    return Change::kWhole;
  }

  template <class Open>
  rocksdb::IOStatus open(const std::string& name, std::unique_ptr<rocksdb::FSWritableFile>* file,
                         Open open_real) {
    const std::lock_guard lock(mutex_);
    if (change() != Change::kWhole) return dark();
    std::error_code code;
    const std::uint64_t there = std::filesystem::file_size(name, code);
    std::unique_ptr<rocksdb::FSWritableFile> real;
    const rocksdb::IOStatus status = open_real(&real);
    if (!status.ok()) return status;
    if (code) names_.push_back({.from = {}, .to = name, .before = {}});
    files_[name].synced = code ? 0 : there;
    *file = std::make_unique<File>(std::move(real), name, *this);
    return status;
  }

  mutable std::mutex mutex_;
  bool on_ = true;
  std::optional<std::uint64_t> changes_left_;
  std::map<std::string, Synced> files_;
  std::vector<Named> names_;  ///< In the order in which they were made.
};

}  // namespace leat::test
