#include "connector/s3/credentials/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>

#include "connector/s3/credentials/json_credentials.h"

extern "C" char** environ;

namespace leat::connector::s3 {
namespace {

constexpr std::size_t kOutputBytesMax = std::size_t{64} << 10;
constexpr int kPollMs = 100;

/// A shell that runs a command in a process group of its own, with a pipe on its standard output.
/// Ends the group when it goes.
class Shell {
 public:
  explicit Shell(const std::string& command) {
    std::array<int, 2> pipe{};
    if (::pipe2(pipe.data(), O_CLOEXEC) != 0) {
      error_ = errno;
      return;
    }
    output_ = pipe[0];
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, pipe[1], 1);
    posix_spawnattr_init(&attributes);
    sigset_t defaults;
    sigemptyset(&defaults);
    for (const int signal : {SIGPIPE, SIGXFSZ}) sigaddset(&defaults, signal);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    std::string shell = "sh";
    std::string option = "-c";
    std::string copy = command;
    std::array<char*, 4> arguments = {shell.data(), option.data(), copy.data(), nullptr};
    error_ = ::posix_spawn(&pid_, "/bin/sh", &actions, &attributes, arguments.data(), environ);
    if (error_ != 0) pid_ = -1;
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    ::close(pipe[1]);
  }
  Shell(const Shell&) = delete;
  Shell& operator=(const Shell&) = delete;
  ~Shell() {
    if (output_ >= 0) ::close(output_);
    if (pid_ <= 0) return;
    ::kill(-pid_, SIGKILL);
    ::kill(pid_, SIGKILL);  // It may have left its group.
    static_cast<void>(wait(0));
  }

  int error() const noexcept { return error_; }
  int output() const noexcept { return output_; }

  /// Its status, as waitpid has it; nullopt: it has not ended yet.
  std::optional<int> status() noexcept { return wait(WNOHANG); }

 private:
  std::optional<int> wait(int options) noexcept {
    int status = 0;
    pid_t ended = 0;
    do {
      ended = ::waitpid(pid_, &status, options);
    } while (ended < 0 && errno == EINTR);
    if (ended == 0) return std::nullopt;
    pid_ = -1;
    return status;
  }

  pid_t pid_ = -1;
  int output_ = -1;
  int error_ = 0;
};

class ProcessSource final : public CredentialSource {
 public:
  ProcessSource(CredentialContext context, std::string owner, std::string command,
                std::chrono::milliseconds timeout)
      : context_(std::move(context)),
        owner_(std::move(owner)),
        command_(std::move(command)),
        timeout_(timeout) {}

  Result<FetchedCredentials> fetch() override {
    auto output = run();
    if (!output) return std::move(output).error();
    const std::string who = description();
    const std::string version = json_text_field(*output, "Version");
    if (!version.empty() && version != "1") {
      return Error{.code = ErrorCode::kUnsupported,
                   .message = who + " prints a document of another version than 1"};
    }
    return parse_json_credentials(*output, who);
  }
  std::string description() const override { return "the credential_process of " + owner_; }

 private:
  Error failed(ErrorCode code, const std::string& what) const {
    return {.code = code, .message = description() + " " + what};
  }

  Result<std::string> run() const {
    Shell shell(command_);
    if (shell.error() != 0) {
      return failed(ErrorCode::kIo,
                    "cannot be run: " + std::generic_category().message(shell.error()));
    }
    const Clock::Duration end = context_.clock->monotonic() + timeout_;
    std::string text;
    std::array<char, 4096> buffer;
    while (true) {
      if (Result<void> ok = may_go_on(end); !ok) return std::move(ok).error();
      pollfd ready{.fd = shell.output(), .events = POLLIN, .revents = 0};
      if (::poll(&ready, 1, kPollMs) <= 0) continue;
      const ssize_t length = ::read(shell.output(), buffer.data(), buffer.size());
      if (length < 0 && errno == EINTR) continue;
      if (length <= 0) break;
      text.append(buffer.data(), static_cast<std::size_t>(length));
      if (text.size() > kOutputBytesMax) {
        return failed(ErrorCode::kCorrupt, "prints more than 64 KiB");
      }
    }
    // Most end at once; others close their output and stay.
    std::optional<int> status = shell.status();
    for (int pause_ms = 1; !status; pause_ms = std::min(2 * pause_ms, kPollMs)) {
      if (Result<void> ok = may_go_on(end); !ok) return std::move(ok).error();
      ::poll(nullptr, 0, pause_ms);
      status = shell.status();
    }
    if (WIFEXITED(*status) && WEXITSTATUS(*status) == 0) return text;
    return failed(ErrorCode::kPermissionDenied,
                  WIFEXITED(*status) ? "ends with status " + std::to_string(WEXITSTATUS(*status)) +
                                           "; run it by hand to see why"
                                     : "was ended by signal " + std::to_string(WTERMSIG(*status)));
  }

  /// Neither is a stop requested nor the time over.
  Result<void> may_go_on(Clock::Duration end) const {
    if (context_.stop.stop_requested()) return failed(ErrorCode::kCancelled, "was stopped");
    if (context_.clock->monotonic() < end) return {};
    Error error = failed(ErrorCode::kTimeout, "takes longer than " +
                                                  std::to_string(timeout_.count() / 1'000) +
                                                  " s; run it by hand to see what it waits for");
    error.retryable = true;
    return error;
  }

  const CredentialContext context_;
  const std::string owner_;
  const std::string command_;
  const std::chrono::milliseconds timeout_;
};

}  // namespace

std::unique_ptr<CredentialSource> process_source(CredentialContext context, std::string owner,
                                                 std::string command,
                                                 std::chrono::milliseconds timeout) {
  return std::make_unique<ProcessSource>(std::move(context), std::move(owner), std::move(command),
                                         timeout);
}

}  // namespace leat::connector::s3
