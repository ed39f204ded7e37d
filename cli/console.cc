#include "cli/console.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <unistd.h>

#include <cstdio>
#include <mutex>

#include "cli/printable.h"

namespace leat::cli {
namespace {

spdlog::level::level_enum spdlog_level(SourceOptions::LogLevel level) {
  switch (level) {
    case SourceOptions::LogLevel::kDebug:
      return spdlog::level::debug;
    case SourceOptions::LogLevel::kInfo:
      return spdlog::level::info;
    case SourceOptions::LogLevel::kWarning:
      return spdlog::level::warn;
    case SourceOptions::LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

constexpr const char* kClearLine = "\r\033[K";

}  // namespace

struct Console::Impl {
  std::mutex mutex;
  spdlog::logger logger{"leat", std::make_shared<spdlog::sinks::stderr_color_sink_st>()};
  std::string live_line;
};

Console::Console(SourceOptions::LogLevel level)
    : terminal_(::isatty(STDERR_FILENO) == 1), impl_(std::make_unique<Impl>()) {
  impl_->logger.set_level(spdlog_level(level));
  impl_->logger.set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
}

Console::~Console() { end_line(); }

void Console::log(SourceOptions::LogLevel level, const std::string& message) {
  const std::lock_guard lock(impl_->mutex);
  if (!impl_->live_line.empty()) std::fputs(kClearLine, stderr);
  impl_->logger.log(spdlog_level(level), "{}", printable(message));
  impl_->logger.flush();
  if (!impl_->live_line.empty()) std::fputs(impl_->live_line.c_str(), stderr);
}

void Console::show(const std::string& line) {
  if (!terminal_) return;
  const std::lock_guard lock(impl_->mutex);
  impl_->live_line = line;
  std::fputs(kClearLine, stderr);
  std::fputs(line.c_str(), stderr);
  std::fflush(stderr);
}

void Console::end_line() {
  const std::lock_guard lock(impl_->mutex);
  if (impl_->live_line.empty()) return;
  std::fputs("\n", stderr);
  impl_->live_line.clear();
}

}  // namespace leat::cli
