// SIGINT and SIGTERM as a request to stop; SIGPIPE as an error code of write.
#pragma once

#include <stop_token>
#include <thread>

namespace leat::cli {

/// While it lives, the first SIGINT or SIGTERM requests a stop, and a second one ends the process
/// at once, as a kill would: nothing is lost by it. One at a time; made before any other thread
/// starts, because threads inherit the signal mask.
class StopOnSignal {
 public:
  StopOnSignal();
  ~StopOnSignal();
  StopOnSignal(const StopOnSignal&) = delete;
  StopOnSignal& operator=(const StopOnSignal&) = delete;

  std::stop_token token() const { return stop_.get_token(); }

 private:
  std::stop_source stop_;
  std::jthread waiter_;
};

}  // namespace leat::cli
