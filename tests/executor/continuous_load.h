// A load that goes on until it is told to stop, for tests.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

#include "leat/loader.h"

namespace leat {

/// On a thread of its own.
class ContinuousLoad {
 public:
  explicit ContinuousLoad(LoaderOptions options) {
    options.source.once = false;
    options.source.poll_interval = std::chrono::milliseconds(20);
    options.checkpoint_interval = std::chrono::milliseconds(20);
    options.source.log = [this](SourceOptions::LogLevel level, const std::string& message) {
      if (level < SourceOptions::LogLevel::kWarning) return;
      const std::lock_guard lock(mutex_);
      messages_ += message + "\n";
      changed_.notify_all();
    };
    loader_ = *Loader::create(std::move(options));
    thread_ = std::jthread([this](std::stop_token stop) {
      result_ = loader_->run(stop, [this](const LoadReport& report) {
        const std::lock_guard lock(mutex_);
        rows_ = report.source.rows;
        changed_.notify_all();
      });
      const std::lock_guard lock(mutex_);
      ended_ = true;
      changed_.notify_all();
    });
  }

  /// False when it ended, or a minute passed, before.
  bool says(const std::string& text) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::minutes(1), [&] {
      return ended_ || messages_.find(text) != std::string::npos;
    }) && messages_.find(text) != std::string::npos;
  }
  bool has_rows(std::uint64_t rows) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::minutes(1), [&] {
      return ended_ || rows_ >= rows;
    }) && rows_ >= rows;
  }
  /// Waits until it ends by itself.
  Result<LoadReport> ended() {
    thread_.join();
    return *result_;
  }
  Result<LoadReport> stop() {
    thread_.request_stop();
    thread_.join();
    return *result_;
  }
  std::string messages() {
    const std::lock_guard lock(mutex_);
    return messages_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string messages_;
  std::uint64_t rows_ = 0;
  bool ended_ = false;
  std::unique_ptr<Loader> loader_;
  std::optional<Result<LoadReport>> result_;
  std::jthread thread_;
};

inline std::string many_rows(int first, int rows) {
  std::string text = "id,name\n";
  for (int i = first; i < first + rows; ++i) {
    text += std::to_string(i) + "," + std::string(200, 'x') + "\n";
  }
  return text;
}

}  // namespace leat
