#include "connector/local/local_lister.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <utility>

#include "connector/local/file_error.h"

namespace leat::connector {
namespace {

struct CloseFolder {
  void operator()(DIR* folder) const noexcept { ::closedir(folder); }
};

bool went_away(int error_number) {
  // ELOOP: replaced by a symbolic link, which is not followed.
  return error_number == ENOENT || error_number == ENOTDIR || error_number == ELOOP;
}

}  // namespace

LocalLister::LocalLister(std::string_view prefix, std::string_view start_after,
                         std::uint32_t settle_ms, const Clock& clock,
                         LocalStore::Counters& counters, bool one_level)
    : prefix_(prefix.starts_with('/') ? std::string(prefix) : "/" + std::string(prefix)),
      start_after_(start_after),
      settle_ms_(settle_ms),
      one_level_(one_level),
      clock_(clock),
      counters_(counters) {}

Result<ListPage> LocalLister::next_page() {
  Result<ListPage> page = read_page();
  if (!page || page->last) {
    folders_.clear();
    started_ = false;
  }
  return page;
}

Result<ListPage> LocalLister::read_page() {
  counters_.pages.fetch_add(1, std::memory_order_relaxed);
  if (!started_) {
    const auto entered = enter(prefix_.substr(0, prefix_.rfind('/') + 1), /*is_root=*/true);
    if (!entered) return entered.error();
    started_ = true;
  }

  ListPage page;
  const std::int64_t now_ms = clock_.wall_ms();
  while (!folders_.empty() &&
         page.objects.size() + page.folders.size() + page.unsettled < kPageObjectsMax) {
    Folder& folder = folders_.back();
    if (folder.next == folder.names.size()) {
      folders_.pop_back();
      continue;
    }
    std::string path = folder.path + folder.names[folder.next++];
    if (!can_match(path)) continue;
    if (path.ends_with('/')) {
      if (one_level_) {
        page.folders.push_back(std::move(path));
        continue;
      }
      if (const auto entered = enter(path, /*is_root=*/false); !entered) {
        if (entered.error().code != ErrorCode::kPermissionDenied) return entered.error();
        page.unreadable.push_back(std::move(path));
      }
      continue;
    }
    struct stat status = {};
    if (::lstat(path.c_str(), &status) != 0) {
      if (went_away(errno)) continue;
      return file_error("cannot look at", path, errno);
    }
    if (!S_ISREG(status.st_mode)) continue;
    const std::int64_t modified_ms =
        std::int64_t{status.st_mtim.tv_sec} * 1'000 + status.st_mtim.tv_nsec / 1'000'000;
    if (std::abs(now_ms - modified_ms) < std::int64_t{settle_ms_}) {
      ++page.unsettled;
      page.unsettled_keys.push_back(std::move(path));
      continue;
    }
    page.objects.push_back({.key = std::move(path),
                            .version = local_version(status),
                            .size = static_cast<std::uint64_t>(status.st_size),
                            .modified_ms = modified_ms});
  }
  page.last = folders_.empty();
  return page;
}

Result<void> LocalLister::enter(std::string path, bool is_root) {
  const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK;
  // O_NOFOLLOW looks at the last name only when no '/' follows it.
  const std::string name = path.size() > 1 ? path.substr(0, path.size() - 1) : path;
  const int descriptor = ::open(name.c_str(), is_root ? flags : flags | O_NOFOLLOW);
  if (descriptor < 0) {
    const int error_number = errno;
    if (is_root && (error_number == ENOENT || error_number == ENOTDIR)) {
      Error error = file_error("there is no folder", name, error_number);
      error.message += "; make it, or correct the path";
      return error;
    }
    if (went_away(error_number)) return {};
    return file_error("cannot list the folder", name, error_number);
  }
  const std::unique_ptr<DIR, CloseFolder> stream(::fdopendir(descriptor));
  if (stream == nullptr) {
    const int error_number = errno;
    ::close(descriptor);
    return file_error("cannot list the folder", name, error_number);
  }

  Folder folder{.path = std::move(path), .names = {}};
  errno = 0;
  while (const dirent* entry = ::readdir(stream.get())) {
    std::string entry_name = entry->d_name;
    unsigned char type = entry->d_type;
    if (entry_name != "." && entry_name != "..") {
      if (type == DT_UNKNOWN) {  // Some file systems leave it to stat.
        struct stat status = {};
        if (::fstatat(descriptor, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0) {
          if (S_ISDIR(status.st_mode)) type = DT_DIR;
          if (S_ISREG(status.st_mode)) type = DT_REG;
        }
      }
      // With the '/' it is the order of the full paths below: "a-b" < "a/c" < "a0".
      if (type == DT_DIR) entry_name += '/';
      if (type == DT_DIR || type == DT_REG) folder.names.push_back(std::move(entry_name));
    }
    errno = 0;
  }
  if (errno != 0 && !went_away(errno)) return file_error("cannot list the folder", name, errno);
  std::sort(folder.names.begin(), folder.names.end());
  folders_.push_back(std::move(folder));
  return {};
}

bool LocalLister::can_match(std::string_view path) const {
  const bool is_folder = path.ends_with('/');
  const bool in_prefix =
      path.starts_with(prefix_) || (is_folder && std::string_view(prefix_).starts_with(path));
  const bool after_start =
      path > start_after_ || (is_folder && std::string_view(start_after_).starts_with(path));
  return in_prefix && after_start;
}

}  // namespace leat::connector
