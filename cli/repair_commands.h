// The commands that look at, and mend, what a pipeline has done.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace leat::cli {

/// audit, retry, rewind, replay, redrive, state: their flags, and which of them was asked for.
class RepairCommands {
 public:
  RepairCommands();
  ~RepairCommands();

  void add_to(CLI::App& app);
  /// Runs the one that was parsed; nullopt: none was.
  std::optional<int> run() const;
  /// Those that take the flags, and so the configuration file, of a load.
  std::vector<CLI::App*> with_pipeline_flags() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace leat::cli
