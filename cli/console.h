// What the command says on standard error: log lines, and on a terminal one live line below them.
#pragma once

#include <memory>
#include <string>

#include "leat/source.h"

namespace leat::cli {

/// Thread-safe.
class Console {
 public:
  explicit Console(SourceOptions::LogLevel level);
  ~Console();
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  /// True when standard error is a terminal: then progress is a live line, else log lines.
  bool is_terminal() const noexcept { return terminal_; }

  void log(SourceOptions::LogLevel level, const std::string& message);
  /// Replaces the live line. Terminals only.
  void show(const std::string& line);
  /// Ends the live line: what follows begins below it.
  void end_line();

 private:
  struct Impl;
  const bool terminal_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace leat::cli
