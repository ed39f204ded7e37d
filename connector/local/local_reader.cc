#include "connector/local/local_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "connector/local/file_error.h"

namespace leat::connector {
namespace {

// A read() of Linux transfers at most this much.
constexpr std::uint64_t kReadBytesMax = 0x7ffff000;

}  // namespace

LocalReader::LocalReader(const ObjectVersion& object, std::uint64_t offset, int descriptor,
                         LocalStore::Counters& counters)
    : object_(object), offset_(offset), descriptor_(descriptor), counters_(counters) {}

LocalReader::~LocalReader() { ::close(descriptor_); }

Result<std::unique_ptr<LocalReader>> LocalReader::open(const ObjectVersion& object,
                                                       std::uint64_t offset,
                                                       LocalStore::Counters& counters) {
  if (offset > object.size) {
    Error error{.code = ErrorCode::kInvalidArgument,
                .message = "offset " + std::to_string(offset) + " is beyond the end of " +
                           object.key + " at " + std::to_string(object.size)};
    error.at.object = object.key;
    return error;
  }
  // O_NONBLOCK: a pipe that took the file's place must not block the open.
  const int descriptor = ::open(object.key.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (descriptor < 0) {
    const int error_number = errno;
    Error error = file_error("cannot open", object.key, error_number);
    // ELOOP: a symbolic link took its place. ENXIO: a socket did.
    if (error_number == ELOOP || error_number == ENXIO) error.code = ErrorCode::kObjectChanged;
    return error;
  }
  counters.files_opened.fetch_add(1, std::memory_order_relaxed);
  std::unique_ptr<LocalReader> reader(new LocalReader(object, offset, descriptor, counters));
  if (const auto same = reader->check_version(); !same) return same.error();
  ::posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL);  // A hint: failing is harmless.
  return reader;
}

Result<std::size_t> LocalReader::read(std::span<std::byte> out) {
  Result<std::size_t> bytes = read_at(offset_, out);
  if (bytes) offset_ += *bytes;
  return bytes;
}

Result<std::size_t> LocalReader::read_at(std::uint64_t offset, std::span<std::byte> out) const {
  const std::size_t wanted = static_cast<std::size_t>(
      std::min({std::uint64_t{out.size()}, object_.size - offset, kReadBytesMax}));
  ssize_t received = 0;
  do {
    received = ::pread(descriptor_, out.data(), wanted, static_cast<off_t>(offset));
  } while (received < 0 && errno == EINTR);
  if (received < 0) {
    Error error = file_error("cannot read", object_.key, errno);
    error.at.byte_offset = offset;
    return error;
  }
  if (const auto same = check_version(); !same) return same.error();
  if (received == 0 && wanted > 0) {
    Error error{.code = ErrorCode::kIo,
                .message = object_.key + " ends at byte " + std::to_string(offset) +
                           " although its size is " + std::to_string(object_.size) +
                           "; check the file system"};
    error.at.object = object_.key;
    return error;
  }
  counters_.bytes_read.fetch_add(static_cast<std::uint64_t>(received), std::memory_order_relaxed);
  return static_cast<std::size_t>(received);
}

Result<void> LocalReader::check_version() const {
  struct stat status = {};
  if (::fstat(descriptor_, &status) != 0) return file_error("cannot look at", object_.key, errno);
  if (S_ISREG(status.st_mode) && static_cast<std::uint64_t>(status.st_size) == object_.size &&
      local_version(status) == object_.version) {
    return {};
  }
  Error error{.code = ErrorCode::kObjectChanged,
              .message = object_.key + " was changed after it was listed: it is now version " +
                         local_version(status) + " with " + std::to_string(status.st_size) +
                         " bytes, no longer " + object_.version + " with " +
                         std::to_string(object_.size) +
                         "; write files under another name and rename them when complete"};
  error.at.object = object_.key;
  return error;
}

}  // namespace leat::connector
