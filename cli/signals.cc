#include "cli/signals.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <system_error>

namespace leat::cli {
namespace {

constexpr int kExitBySecondSignal = 130;

sigset_t stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

}  // namespace

StopOnSignal::StopOnSignal() {
  ::signal(SIGPIPE, SIG_IGN);
  const sigset_t signals = stop_signals();
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  try {
    waiter_ = std::jthread([this](std::stop_token ended) {
      const sigset_t waited = stop_signals();
      int signal = 0;
      while (::sigwait(&waited, &signal) == 0 && !ended.stop_requested()) {
        if (stop_.stop_requested()) ::_exit(kExitBySecondSignal);
        stop_.request_stop();
      }
    });
  } catch (const std::system_error&) {
    // No thread can be started. Without one signals end the process where it is, which no row is
    // lost by.
    ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  }
}

StopOnSignal::~StopOnSignal() {
  if (!waiter_.joinable()) return;
  waiter_.request_stop();
  // To the waiting thread alone, which takes it for the end it was told of.
  ::pthread_kill(waiter_.native_handle(), SIGTERM);  // NOLINT(bugprone-bad-signal-to-kill-thread)
  waiter_.join();
  const sigset_t signals = stop_signals();
  ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

}  // namespace leat::cli
