#include "connector/reject_file/reject_lines.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "connector/json_text.h"
#include "connector/output_file.h"

namespace leat::connector {
namespace {

constexpr std::size_t kWriteBytes = 256u << 10;

/// A value that is no UTF-8 stands in base64 under its name with "_base64" appended.
std::optional<std::string> text_member(const nlohmann::json& line, const std::string& name) {
  if (const auto plain = line.find(name); plain != line.end()) {
    if (!plain->is_string()) return std::nullopt;
    return plain->get<std::string>();
  }
  const auto encoded = line.find(name + "_base64");
  if (encoded == line.end() || !encoded->is_string()) return std::nullopt;
  return decode_base64(encoded->get_ref<const std::string&>());
}

std::optional<std::uint64_t> number_member(const nlohmann::json& line, const char* name) {
  const auto found = line.find(name);
  if (found == line.end() || !found->is_number_unsigned()) return std::nullopt;
  return found->get<std::uint64_t>();
}

/// A file that is there only once it is whole.
class ReplacementFile {
 public:
  explicit ReplacementFile(const std::filesystem::path& path)
      : path_(path), new_path_(path.native() + ".new"), name_("the reject file " + path.string()) {}
  ReplacementFile(const ReplacementFile&) = delete;
  ReplacementFile& operator=(const ReplacementFile&) = delete;
  ~ReplacementFile() {
    if (fd_ < 0) return;
    ::close(fd_);
    ::unlink(new_path_.c_str());
  }

  Result<void> create() {
    struct stat status {};
    if (::stat(path_.c_str(), &status) != 0) return system_error(errno, "look at", name_);
    fd_ = ::open(new_path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd_ < 0 || ::fchmod(fd_, status.st_mode & 07777) != 0) {
      return system_error(errno, "write anew", name_);
    }
    return {};
  }
  Result<void> append(std::string_view bytes) {
    buffer_ += bytes;
    return buffer_.size() < kWriteBytes ? Result<void>() : flush();
  }
  Result<void> take_its_place() {
    if (Result<void> written = flush(); !written) return written;
    if (::fsync(fd_) != 0 || ::rename(new_path_.c_str(), path_.c_str()) != 0) {
      return system_error(errno, "write anew", name_);
    }
    ::close(std::exchange(fd_, -1));
    sync_folder_of(path_);
    return {};
  }

 private:
  Result<void> flush() {
    Result<void> written = write_all(fd_, buffer_, name_);
    buffer_.clear();
    return written;
  }

  const std::filesystem::path path_;
  const std::string new_path_;
  const std::string name_;
  std::string buffer_;
  int fd_ = -1;
};

}  // namespace

Result<RejectLines> RejectLines::open(const std::filesystem::path& path) {
  const std::string name = "the reject file " + path.string();
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) return system_error(errno == 0 ? EIO : errno, "open", name);
  return RejectLines(std::move(in), name);
}

Result<std::optional<RejectLine>> RejectLines::next() {
  do {
    if (!std::getline(in_, text_)) {
      if (in_.bad()) return system_error(EIO, "read", name_);
      return std::optional<RejectLine>();
    }
    ++number_;
  } while (text_.empty());
  const nlohmann::json json = nlohmann::json::parse(text_, nullptr, false);
  const Error corrupt{ErrorCode::kCorrupt,
                      "Line " + std::to_string(number_) + " of " + name_ +
                          " is no reject: correct it, or take it out of the file."};
  if (!json.is_object()) return corrupt;
  const auto pipeline = text_member(json, "pipeline");
  const auto object = text_member(json, "object");
  const auto version = text_member(json, "version");
  const auto raw = text_member(json, "raw");
  const auto code = text_member(json, "code");
  const auto record = number_member(json, "record");
  const auto offset = number_member(json, "byte_offset");
  if (!pipeline || !object || !version || !raw || !record || !offset) return corrupt;
  return std::optional<RejectLine>(
      RejectLine{.number = number_,
                 .pipeline = *pipeline,
                 .object = *object,
                 .version = *version,
                 .reject = {.record = *record,
                            .byte_offset = *offset,
                            .column = text_member(json, "column").value_or(""),
                            .text = text_member(json, "text").value_or(""),
                            .raw = *raw,
                            .code = error_code_of(code.value_or("")).value_or(ErrorCode::kBadValue),
                            .reason = text_member(json, "reason").value_or("")}});
}

Result<void> drop_lines(const std::filesystem::path& path, std::span<const std::uint64_t> numbers) {
  if (numbers.empty()) return {};
  // Where the name is a link, the file behind it is meant.
  std::error_code failed;
  const std::filesystem::path file = std::filesystem::canonical(path, failed);
  if (failed) return system_error(failed.value(), "find", "the reject file " + path.string());
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    return system_error(errno == 0 ? EIO : errno, "open", "the reject file " + path.string());
  }
  ReplacementFile out(file);
  if (Result<void> made = out.create(); !made) return made;
  std::string text;
  std::uint64_t number = 0;
  auto dropped = numbers.begin();
  while (std::getline(in, text)) {
    ++number;
    if (dropped != numbers.end() && *dropped == number) {
      ++dropped;
      continue;
    }
    if (!in.eof()) text.push_back('\n');
    if (Result<void> kept = out.append(text); !kept) return kept;
  }
  if (in.bad()) return system_error(EIO, "read", "the reject file " + path.string());
  return out.take_its_place();
}

}  // namespace leat::connector
