// A file system of a few MiB, to be filled to the last byte. Needs the right to mount.
#pragma once

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace leat::test {

class SmallDisk {
 public:
  explicit SmallDisk(std::size_t size_mib) {
    std::string pattern = (std::filesystem::temp_directory_path() / "leat-disk-XXXXXX").native();
    if (::mkdtemp(pattern.data()) == nullptr) return;
    path_ = pattern;
    const std::string options = "size=" + std::to_string(size_mib) + "m";
    mounted_ = ::mount("leat", path_.c_str(), "tmpfs", 0, options.c_str()) == 0;
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove(path_, ignored);
  }

  /// False where mounting is not allowed: skip the test.
  bool mounted() const { return mounted_; }
  const std::filesystem::path& path() const { return path_; }

  /// Leaves not one byte.
  void fill() {
    const int fd = ::open(ballast().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    for (std::size_t block = 1u << 20; fd >= 0 && block > 0; block /= 16) {
      const std::vector<char> zeros(block);
      while (::write(fd, zeros.data(), zeros.size()) > 0) {
      }
    }
    ::close(fd);
  }
  /// Another size. @return  False: it cannot be had.
  bool resize(std::size_t size_mib) {
    const std::string options = "size=" + std::to_string(size_mib) + "m";
    return ::mount("leat", path_.c_str(), "tmpfs", MS_REMOUNT, options.c_str()) == 0;
  }
  void free() {
    std::error_code ignored;
    std::filesystem::remove(ballast(), ignored);
  }

 private:
  std::string ballast() const { return (path_ / "ballast").native(); }

  std::filesystem::path path_;
  bool mounted_ = false;
};

}  // namespace leat::test
