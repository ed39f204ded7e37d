#include "connector/s3/credentials/source.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

namespace leat::connector::s3 {
namespace {

constexpr std::size_t kTokenBytesMax = std::size_t{1} << 20;

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

class StaticSource final : public CredentialSource {
 public:
  StaticSource(S3Credentials credentials, std::string description)
      : credentials_(std::move(credentials)), description_(std::move(description)) {}
  Result<FetchedCredentials> fetch() override {
    return FetchedCredentials{credentials_, std::nullopt};
  }
  std::string description() const override { return description_; }

 private:
  const S3Credentials credentials_;
  const std::string description_;
};

struct CloseFile {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};

}  // namespace

std::string variable(const Environment& environment, const char* name) {
  return trimmed(environment(name).value_or(""));
}

std::unique_ptr<CredentialSource> static_source(S3Credentials credentials,
                                                std::string description) {
  return std::make_unique<StaticSource>(std::move(credentials), std::move(description));
}

Result<std::string> read_token_file(const std::string& path, const std::string& what) {
  const auto failed = [&](const std::string& why) {
    return Error{.code = ErrorCode::kIo,
                 .message = what + " cannot be read from " + path + ": " + why};
  };
  errno = 0;
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "rbe"));
  if (file == nullptr) return failed(std::generic_category().message(errno));
  std::string text;
  std::array<char, 4096> buffer;
  while (const std::size_t length = std::fread(buffer.data(), 1, buffer.size(), file.get())) {
    text.append(buffer.data(), length);
    if (text.size() > kTokenBytesMax) return failed("it is longer than 1 MiB");
  }
  if (std::ferror(file.get()) != 0) return failed(std::generic_category().message(errno));
  text = trimmed(text);
  if (text.empty()) return failed("it is empty");
  return text;
}

}  // namespace leat::connector::s3
