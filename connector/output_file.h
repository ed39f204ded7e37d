// Writing all of a buffer to a file descriptor, and what its errors mean.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "leat/result.h"

namespace leat::connector {

/// Writes all of `bytes`, in as many pieces as it takes; waits where the descriptor does not block.
/// A closed pipe is an error, never a signal, whatever the process does with SIGPIPE.
///
/// @param name  For messages: "standard output", a path.
///   kIo        EPIPE ("the reader of … went away") and all else.
///   kDiskFull  ENOSPC, EDQUOT, EFBIG.
Result<void> write_all(int fd, std::string_view bytes, std::string_view name);
/// The same; `rest` becomes what was not written.
Result<void> write_rest(int fd, std::string_view& rest, std::string_view name);

/// Standard output, or the like: nothing that was written can be taken back, so what a failed write
/// left over is written first the next time, and no row is cut in two.
class OutputStream {
 public:
  /// `fd` is borrowed and stays open.
  OutputStream(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}

  /// Errors of write_all.
  Result<void> write(std::string_view bytes);
  bool has_written() const noexcept { return has_written_; }

 private:
  const int fd_;
  const std::string name_;
  std::string left_over_;
  bool has_written_ = false;
};

/// Makes the names in a file's folder durable, as far as the file system lets it: a new file's name
/// is only as durable as its folder.
void sync_folder_of(const std::filesystem::path& path);

/// errno as an error: "Cannot `doing` `name`: …".
///   kNotFound, kPermissionDenied, kDiskFull, kIo, by its number.
Error system_error(int number, std::string_view doing, std::string_view name);

}  // namespace leat::connector
