// Kills a program at random moments until it has been killed often enough, then lets it finish.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace leat::crash {

struct CrashPlan {
  int kills = 0;
  std::uint64_t seed = 0;
  /// Longest time that a run is given before it is killed; the moment is drawn evenly from it.
  std::chrono::microseconds longest_life{0};
};

struct CrashOutcome {
  int kills = 0;                      ///< Runs that died of SIGKILL.
  int finished = 0;                   ///< Runs that ended by themselves before their kill.
  std::vector<std::string> failures;  ///< Runs that ended with another status than 0.
};

/// Runs `command` again and again, each time killed after a random time; a run that finishes first
/// is followed by more_work(), so that there is something to do for the next one. Ends with one run
/// that is left alone.
CrashOutcome run_with_kills(const std::vector<std::string>& command, const CrashPlan& plan,
                            const std::function<void()>& more_work);

/// A command that runs. Throws when it cannot be started.
class RunningCommand {
 public:
  explicit RunningCommand(const std::vector<std::string>& command);
  RunningCommand(const RunningCommand&) = delete;
  RunningCommand& operator=(const RunningCommand&) = delete;
  ~RunningCommand();

  pid_t pid() const noexcept { return pid_; }
  /// True when it ended by itself within this time.
  bool ends_within(std::chrono::microseconds time) const;
  void signal(int number) const;
  /// Waits for its end. @return  Its exit status; 128 + signal when killed.
  int wait();
  /// Waits until it stands still; false: it ended instead.
  bool wait_until_stopped();

 private:
  pid_t pid_ = 0;
};

/// Runs a command to its end. @return  Its exit status; 128 + signal when killed.
int run_to_end(const std::vector<std::string>& command);

}  // namespace leat::crash
