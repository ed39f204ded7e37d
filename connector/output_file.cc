#include "connector/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <system_error>

namespace leat::connector {
namespace {

// Keeps SIGPIPE from this thread, and takes it away if a write brought one about. The process's own
// way of handling the signal stays as it is.
class PipeSignalBlock {
 public:
  PipeSignalBlock() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  PipeSignalBlock(const PipeSignalBlock&) = delete;
  PipeSignalBlock& operator=(const PipeSignalBlock&) = delete;
  ~PipeSignalBlock() {
    if (broken && !was_pending_) {
      const timespec now{};
      while (sigtimedwait(&pipe_, nullptr, &now) < 0 && errno == EINTR) {
      }
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

  bool broken = false;

 private:
  sigset_t pipe_;
  sigset_t before_;
  bool was_pending_ = false;
};

}  // namespace

void sync_folder_of(const std::filesystem::path& path) {
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

Error system_error(int number, std::string_view doing, std::string_view name) {
  ErrorCode code = ErrorCode::kIo;
  switch (number) {
    case ENOENT:
      code = ErrorCode::kNotFound;
      break;
    case EACCES:
    case EPERM:
    case EROFS:
      code = ErrorCode::kPermissionDenied;
      break;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      code = ErrorCode::kDiskFull;
      break;
    default:
      break;
  }
  return {.code = code,
          .message = "Cannot " + std::string(doing) + " " + std::string(name) + ": " +
                     std::generic_category().message(number) + "."};
}

Result<void> write_all(int fd, std::string_view bytes, std::string_view name) {
  return write_rest(fd, bytes, name);
}

Result<void> OutputStream::write(std::string_view bytes) {
  if (!left_over_.empty()) {
    std::string_view left = left_over_;
    Result<void> written = write_rest(fd_, left, name_);
    left_over_ = std::string(left);
    if (!written) return written;
  }
  std::string_view left = bytes;
  Result<void> written = write_rest(fd_, left, name_);
  has_written_ = has_written_ || left.size() != bytes.size();
  // Of what did not begin at all, its writer has kept what has to come again.
  if (left.size() != bytes.size()) left_over_ = std::string(left);
  return written;
}

Result<void> write_rest(int fd, std::string_view& rest, std::string_view name) {
  PipeSignalBlock signals;
  while (!rest.empty()) {
    const ssize_t written = ::write(fd, rest.data(), rest.size());
    if (written >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(written));
      continue;
    }
    const int number = errno;
    if (number == EINTR) continue;
    if (number == EAGAIN || number == EWOULDBLOCK) {
      pollfd writable{.fd = fd, .events = POLLOUT, .revents = 0};
      ::poll(&writable, 1, -1);
      continue;
    }
    if (number == EPIPE) {
      signals.broken = true;
      return Error{.code = ErrorCode::kIo,
                   .message = "The reader of " + std::string(name) + " went away."};
    }
    return system_error(number, "write to", name);
  }
  return {};
}

}  // namespace leat::connector
