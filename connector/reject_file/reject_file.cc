#include "connector/reject_file/reject_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
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
  out += out.back() == '{' || out.back() == ',' ? "\"" : ",\"";
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

/// A file's content, read only. Empty when it cannot be had.
class MappedFile {
 public:
  MappedFile(int fd, std::size_t length) : length_(length) {
    void* mapped =
        length == 0 ? MAP_FAILED : ::mmap(nullptr, length, PROT_READ, MAP_PRIVATE, fd, 0);
    if (mapped != MAP_FAILED) begin_ = static_cast<const char*>(mapped);
  }
  ~MappedFile() {
    if (begin_ != nullptr) ::munmap(const_cast<char*>(begin_), length_);
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::string_view text() const {
    return begin_ == nullptr ? std::string_view() : std::string_view(begin_, length_);
  }

 private:
  const char* begin_ = nullptr;
  std::size_t length_;
};

/// Length of `text` without the lines at its end that begin with `begin`. The last line may be cut
/// short, even before it shows its whole beginning.
std::size_t length_without_lines(std::string_view text, std::string_view begin) {
  std::size_t length = text.size();
  while (length > 0) {
    const std::size_t search = text[length - 1] == '\n' ? length - 1 : length;
    const std::size_t before = text.substr(0, search).rfind('\n');
    const std::size_t line = before == std::string_view::npos ? 0 : before + 1;
    const std::string_view last = text.substr(line, length - line);
    const bool cut_short = length == text.size() && begin.starts_with(last);
    if (!last.starts_with(begin) && !cut_short) break;
    length = line;
  }
  return length;
}

}  // namespace

RejectFile::RejectFile(int fd, std::string name, std::string_view pipeline)
    : fd_(fd), name_(std::move(name)), line_begin_("{") {
  append_member("pipeline", pipeline, line_begin_);
  line_begin_ += ",\"epoch\":";
}

void RejectFile::begin_epoch(std::uint64_t epoch) {
  epoch_begin_ = line_begin_ + std::to_string(epoch) + ",";
}

Result<RejectFile> RejectFile::open(const std::filesystem::path& path, std::string_view pipeline,
                                    std::uint64_t epoch) {
  const std::string name = "the reject file " + path.string();
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (fd < 0) return system_error(errno, "open", name);
  RejectFile file(fd, name, pipeline);
  file.begin_epoch(epoch + 1);
  struct stat status {};
  if (::fstat(fd, &status) != 0) return system_error(errno, "look at", name);
  if (!S_ISREG(status.st_mode)) return file;
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    return Error{ErrorCode::kAlreadyOpen,
                 "another loader writes to " + name + "; give each its own --rejects file"};
  }
  file.length_ = static_cast<std::uint64_t>(status.st_size);
  if (file.length_ == 0) sync_folder_of(path);
  if (Result<void> cut = file.cut_uncommitted(); !cut) return std::move(cut).error();
  return file;
}

Result<void> RejectFile::cut_uncommitted() {
  if (length_ == 0) return {};
  const MappedFile content(fd_, static_cast<std::size_t>(length_));
  if (content.text().empty()) return system_error(errno, "read", name_);
  const std::size_t kept = length_without_lines(content.text(), epoch_begin_);
  if (kept == length_) return {};
  if (::ftruncate(fd_, static_cast<off_t>(kept)) != 0) return system_error(errno, "cut", name_);
  length_ = kept;
  return {};
}

RejectFile::RejectFile(RejectFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      name_(std::move(other.name_)),
      line_begin_(std::move(other.line_begin_)),
      epoch_begin_(std::move(other.epoch_begin_)),
      buffer_(std::move(other.buffer_)),
      length_(other.length_) {}

RejectFile& RejectFile::operator=(RejectFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(name_, other.name_);
  std::swap(line_begin_, other.line_begin_);
  std::swap(epoch_begin_, other.epoch_begin_);
  std::swap(buffer_, other.buffer_);
  std::swap(length_, other.length_);
  return *this;
}

RejectFile::~RejectFile() {
  if (fd_ >= 0) ::close(fd_);
}

Result<void> RejectFile::append(std::string_view object, const RowChunk& chunk) {
  for (const RejectedRow& reject : chunk.rejects) {
    buffer_ += epoch_begin_;
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

Result<void> RejectFile::roll_back() {
  buffer_.clear();
  return cut_uncommitted();
}

Result<void> RejectFile::sync() {
  if (Result<void> flushed = flush(); !flushed) return flushed;
  // Pipes and the like cannot be synced, and need not.
  if (::fdatasync(fd_) != 0 && errno != EINVAL && errno != EROFS) {
    return system_error(errno, "sync", name_);
  }
  return {};
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
