#include "tests/crash/crash_run.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <random>
#include <stdexcept>
#include <utility>

namespace leat::crash {
namespace {

pid_t start(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  for (const std::string& argument : command) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  pid_t pid = 0;
  if (::posix_spawn(&pid, arguments[0], nullptr, nullptr, arguments.data(), environ) != 0) {
    throw std::runtime_error("cannot start " + command.front());
  }
  return pid;
}

int wait_for(pid_t pid) {
  int status = 0;
  if (::waitpid(pid, &status, 0) != pid) throw std::runtime_error("waitpid failed");
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/// True when the process ended by itself within its life.
bool ends_within(pid_t pid, std::chrono::microseconds life) {
  const int handle = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (handle < 0) throw std::runtime_error("pidfd_open failed");
  const timespec timeout{life.count() / 1'000'000, life.count() % 1'000'000 * 1'000};
  pollfd ended{handle, POLLIN, 0};
  const bool done = ::ppoll(&ended, 1, &timeout, nullptr) == 1;
  ::close(handle);
  return done;
}

}  // namespace

RunningCommand::RunningCommand(const std::vector<std::string>& command) : pid_(start(command)) {}

RunningCommand::~RunningCommand() {
  if (pid_ == 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

bool RunningCommand::ends_within(std::chrono::microseconds time) const {
  return crash::ends_within(pid_, time);
}

void RunningCommand::signal(int number) const { ::kill(pid_, number); }

int RunningCommand::wait() { return wait_for(std::exchange(pid_, 0)); }

bool RunningCommand::wait_until_stopped() {
  siginfo_t info{};
  if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WSTOPPED | WEXITED | WNOWAIT) != 0) {
    throw std::runtime_error("waitid failed");
  }
  return info.si_code == CLD_STOPPED;
}

int run_to_end(const std::vector<std::string>& command) { return wait_for(start(command)); }

CrashOutcome run_with_kills(const std::vector<std::string>& command, const CrashPlan& plan,
                            const std::function<void()>& more_work) {
  CrashOutcome outcome;
  std::mt19937_64 random(plan.seed);
  std::uniform_int_distribution<std::int64_t> life_us(0, plan.longest_life.count());
  while (outcome.kills < plan.kills) {
    const pid_t pid = start(command);
    const bool ended = ends_within(pid, std::chrono::microseconds(life_us(random)));
    if (!ended) ::kill(pid, SIGKILL);
    const int status = wait_for(pid);
    if (status == 128 + SIGKILL) {
      ++outcome.kills;
      continue;
    }
    ++outcome.finished;
    if (status != 0) {
      outcome.failures.push_back("a run ended with status " + std::to_string(status) + " after " +
                                 std::to_string(outcome.kills) + " kills");
      return outcome;
    }
    more_work();
  }
  if (const int status = run_to_end(command); status != 0) {
    outcome.failures.push_back("the last run ended with status " + std::to_string(status));
  }
  return outcome;
}

}  // namespace leat::crash
