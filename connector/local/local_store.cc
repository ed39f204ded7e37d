#include "connector/local/local_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <system_error>

#include "connector/local/file_error.h"
#include "connector/local/local_lister.h"
#include "connector/local/local_reader.h"

namespace leat::connector {
namespace {

/// Whether `path` is this version; nullopt when nothing is there.
Result<std::optional<bool>> is_version(const std::string& path, const ObjectVersion& object) {
  struct stat status = {};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::optional<bool>();
    return file_error("cannot look at", path, errno);
  }
  return std::optional<bool>(S_ISREG(status.st_mode) &&
                             static_cast<std::uint64_t>(status.st_size) == object.size &&
                             local_version(status) == object.version);
}

Error changed(const ObjectVersion& object) {
  Error error{.code = ErrorCode::kObjectChanged,
              .message = object.key + " is another version now and was left alone"};
  error.at.object = object.key;
  return error;
}

/// The name of a file is only as durable as its folder.
Result<void> sync_folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path();
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return file_error("cannot open the folder", folder, errno);
  const int synced = ::fsync(descriptor);
  const int error_number = errno;
  ::close(descriptor);
  // Some file systems have nothing to sync in a folder.
  if (synced == 0 || error_number == EINVAL || error_number == EROFS) return {};
  return file_error("cannot sync the folder", folder, error_number);
}

}  // namespace

LocalStore::LocalStore(LocalOptions options, const Clock& clock)
    : options_(options), clock_(clock) {}

std::unique_ptr<ObjectLister> LocalStore::list(std::string_view prefix,
                                               std::string_view start_after) const {
  return std::make_unique<LocalLister>(prefix, start_after, options_.settle_ms, clock_, counters_);
}

std::unique_ptr<ObjectLister> LocalStore::list_level(std::string_view prefix) const {
  return std::make_unique<LocalLister>(prefix, "", options_.settle_ms, clock_, counters_,
                                       /*one_level=*/true);
}

Result<std::unique_ptr<ObjectReader>> LocalStore::open(const ObjectVersion& object,
                                                       std::uint64_t offset) const {
  Result<std::unique_ptr<LocalReader>> reader = LocalReader::open(object, offset, counters_);
  if (!reader) return std::move(reader).error();
  return std::unique_ptr<ObjectReader>(*std::move(reader));
}

Result<void> LocalStore::remove(const ObjectVersion& object) {
  Result<std::optional<bool>> same = is_version(object.key, object);
  if (!same) return std::move(same).error();
  if (!*same) return {};
  if (!**same) return changed(object);
  if (::unlink(object.key.c_str()) != 0 && errno != ENOENT) {
    return file_error("cannot remove", object.key, errno);
  }
  return sync_folder_of(object.key);
}

Result<void> LocalStore::move(const ObjectVersion& object, std::string_view new_key) {
  const std::string to(new_key);
  if (!to.starts_with('/') || to.ends_with('/')) {
    return Error{ErrorCode::kInvalidArgument,
                 "\"" + to + "\" is no absolute path of a file to move " + object.key + " to"};
  }
  Result<std::optional<bool>> same = is_version(object.key, object);
  if (!same) return std::move(same).error();
  if (!*same) {
    // A file keeps its version when it is moved: so this tells whether it was, before a crash.
    Result<std::optional<bool>> moved = is_version(to, object);
    if (!moved) return std::move(moved).error();
    if (*moved && **moved) return {};
    return file_error("cannot move", object.key, ENOENT);
  }
  if (!**same) return changed(object);
  std::error_code failure;
  const std::string folder = std::filesystem::path(to).parent_path();
  std::filesystem::create_directories(folder, failure);
  if (failure) {
    Error error = file_error("cannot make the folder", folder, failure.value());
    // A file is in the folder's way: it is not the object that was not found.
    if (error.code == ErrorCode::kNotFound) error.code = ErrorCode::kIo;
    return error;
  }
  if (::rename(object.key.c_str(), to.c_str()) != 0) {
    Error error = file_error("cannot move " + object.key + " to", to, errno);
    if (errno == EXDEV) {
      error.code = ErrorCode::kUnsupported;
      error.message += "; choose a folder on the same file system";
    }
    return error;
  }
  // The new name first: a crash in between leaves two names rather than none.
  if (Result<void> synced = sync_folder_of(to); !synced) return synced;
  return sync_folder_of(object.key);
}

StoreStats LocalStore::stats() const noexcept {
  return {.list_requests = counters_.pages.load(std::memory_order_relaxed),
          .get_requests = counters_.files_opened.load(std::memory_order_relaxed),
          .retries = 0,
          .bytes_read = counters_.bytes_read.load(std::memory_order_relaxed)};
}

std::string local_version(const struct stat& status) {
  const std::int64_t modified_ns =
      std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
  return std::to_string(modified_ns) + "-" + std::to_string(status.st_ino);
}

}  // namespace leat::connector
