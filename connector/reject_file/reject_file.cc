#include "connector/reject_file/reject_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "connector/json_text.h"
#include "connector/output_file.h"

namespace leat::connector {
namespace {

constexpr std::size_t kBufferBytes = 256u << 10;

void append_member(std::string_view name, std::string_view value, std::string& out) {
  const bool text = is_utf8(value);
  out += out.back() == '{' ? "\"" : ",\"";
  out += name;
  out += text ? "\":" : "_base64\":";
  if (text) {
    append_json_string(value, out);
    return;
  }
  out.push_back('"');
  append_base64(value, out);
  out.push_back('"');
}

void append_member(std::string_view name, std::uint64_t value, std::string& out) {
  out += ",\"";
  out += name;
  out += "\":";
  out += std::to_string(value);
}

// The name of a new file is only as durable as its folder.
void sync_folder_of(const std::filesystem::path& path) {
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

bool ends_a_line_at(int fd, std::uint64_t length) {
  char last = 0;
  return length == 0 ||
         (::pread(fd, &last, 1, static_cast<off_t>(length - 1)) == 1 && last == '\n');
}

}  // namespace

Result<RejectFile> RejectFile::open(const std::filesystem::path& path,
                                    std::optional<std::uint64_t> committed_bytes) {
  const std::string name = "the reject file " + path.string();
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (fd < 0) return system_error(errno, "open", name);
  RejectFile file(fd, name, 0);
  struct stat status {};
  if (::fstat(fd, &status) != 0) return system_error(errno, "look at", name);
  file.length_ = static_cast<std::uint64_t>(status.st_size);
  if (file.length_ == 0) sync_folder_of(path);
  if (!S_ISREG(status.st_mode) || !committed_bytes || file.length_ <= *committed_bytes ||
      !ends_a_line_at(fd, *committed_bytes)) {
    return file;
  }
  if (::ftruncate(fd, static_cast<off_t>(*committed_bytes)) != 0) {
    return system_error(errno, "cut", name);
  }
  file.length_ = *committed_bytes;
  return file;
}

RejectFile::RejectFile(RejectFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      name_(std::move(other.name_)),
      buffer_(std::move(other.buffer_)),
      length_(other.length_) {}

RejectFile& RejectFile::operator=(RejectFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(name_, other.name_);
  std::swap(buffer_, other.buffer_);
  std::swap(length_, other.length_);
  return *this;
}

RejectFile::~RejectFile() {
  if (fd_ >= 0) ::close(fd_);
}

Result<void> RejectFile::append(std::string_view object, const RowChunk& chunk) {
  for (const RejectedRow& reject : chunk.rejects) {
    buffer_.push_back('{');
    append_member("object", object, buffer_);
    append_member("version", chunk.split->version, buffer_);
    append_member("record", reject.record, buffer_);
    append_member("byte_offset", reject.byte_offset, buffer_);
    if (!reject.column.empty()) append_member("column", reject.column, buffer_);
    append_member("text", reject.text, buffer_);
    append_member("raw", reject.raw, buffer_);
    append_member("code", error_code_name(reject.code), buffer_);
    append_member("reason", reject.reason, buffer_);
    buffer_ += "}\n";
    if (buffer_.size() < kBufferBytes) continue;
    if (Result<void> flushed = flush(); !flushed) return flushed;
  }
  return {};
}

Result<std::uint64_t> RejectFile::sync() {
  if (Result<void> flushed = flush(); !flushed) return std::move(flushed).error();
  // Pipes and the like cannot be synced, and need not.
  if (::fdatasync(fd_) != 0 && errno != EINVAL && errno != EROFS) {
    return system_error(errno, "sync", name_);
  }
  return length_;
}

Result<void> RejectFile::flush() {
  if (buffer_.empty()) return {};
  if (Result<void> written = write_all(fd_, buffer_, name_); !written) {
    // Half a line must not be left for the next one to be glued to. Where this fails as well, the
    // next start cuts it off.
    [[maybe_unused]] const int cut = ::ftruncate(fd_, static_cast<off_t>(length_));
    return written;
  }
  length_ += buffer_.size();
  buffer_.clear();
  return {};
}

}  // namespace leat::connector
