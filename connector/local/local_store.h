// Files below folders of this machine as an object store.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "leat/clock.h"
#include "leat/object_store.h"

struct stat;

namespace leat::connector {

/// Keys are absolute paths, byte for byte. Thread-safe. Borrows the clock.
///
/// A listing starts in the deepest folder that its prefix names; this root may be, or be reached
/// through, a symbolic link. Below it, regular files count and nothing else: symbolic links to
/// files or folders are not followed, so that a loop cannot be endless and a file not be there
/// twice; sockets, pipes and devices are never opened.
///
/// Files whose modification time is less than `settle_ms` from now, before or after, may still be
/// written to: they are left out and counted. Farther in the future a time says nothing about the
/// writer (copied from a machine with a wrong clock), and the file is listed.
class LocalStore final : public ObjectStore {
 public:
  struct Counters {
    std::atomic<std::uint64_t> pages{0};
    std::atomic<std::uint64_t> files_opened{0};
    std::atomic<std::uint64_t> bytes_read{0};
  };

  LocalStore(LocalOptions options, const Clock& clock);

  std::string uri() const override { return "file://"; }
  std::string uri_of(std::string_view key) const override { return std::string(key); }
  std::unique_ptr<ObjectLister> list(std::string_view prefix,
                                     std::string_view start_after = {}) const override;
  std::unique_ptr<ObjectLister> list_level(std::string_view prefix) const override;
  /// Opens the file at once.
  ///   kNotFound, kObjectChanged, kPermissionDenied, kIo
  ///   kInvalidArgument  offset > object.size.
  ///   kUnavailable      Too many open files. Retryable.
  Result<std::unique_ptr<ObjectReader>> open(const ObjectVersion& object,
                                             std::uint64_t offset) const override;
  /// A file that is replaced in the instant between the look at its version and the removal or
  /// move goes in its new version: file systems have no call that does both.
  Result<void> remove(const ObjectVersion& object) override;
  /// Makes the folders that are missing.
  ///   kUnsupported  new_key is on another file system.
  Result<void> move(const ObjectVersion& object, std::string_view new_key) override;
  StoreStats stats() const noexcept override;

 private:
  LocalOptions options_;
  const Clock& clock_;
  mutable Counters counters_;
};

/// "mtime_ns-inode": changes with every write and with every replacement by another file.
std::string local_version(const struct stat& status);

}  // namespace leat::connector
