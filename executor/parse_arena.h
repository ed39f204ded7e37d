// The threads that parse slices beside those that read them, whatever the number of splits.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>

namespace leat::executor {

/// Thread-safe.
class ParseArena {
 public:
  explicit ParseArena(std::uint32_t threads);
  /// Tasks that are still to begin may do so later.
  ~ParseArena();
  ParseArena(const ParseArena&) = delete;
  ParseArena& operator=(const ParseArena&) = delete;

  std::uint32_t threads() const noexcept { return threads_; }

  /// Runs `task` on a parsing thread, in about the order of submission. It sees all that was done
  /// before the call. It does not throw, nor wait for what another task has still to begin.
  void submit(std::function<void()> task);

 private:
  class Implementation;
  const std::uint32_t threads_;
  std::once_flag first_task_;
  std::unique_ptr<Implementation> implementation_;  ///< Made for the first task.
};

}  // namespace leat::executor
