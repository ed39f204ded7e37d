// What the commands that look at a pipeline or mend it have in common.
#pragma once

#include <iostream>
#include <string>

#include "cli/pipeline_flags.h"
#include "cli/split_selection.h"
#include "executor/repair.h"
#include "leat/loader.h"
#include "leat/result.h"

namespace CLI {
class App;
}

namespace leat::cli {

/// A pipeline, named by the flags of its load.
struct RepairCommand {
  std::string name;
  PipelineFlags pipeline;
  SelectionFlags selection;
  bool dry_run = false;
  bool json = false;

  void add_to(CLI::App& app, const char* examples);
  void add_dry_run(CLI::App& app);
  ///   kInvalidArgument  State folder or sink are not named.
  Result<LoaderOptions> options() const;
};

/// Shows each split of a repair, then what became of all of them.
class RepairOutput {
 public:
  /// Borrows the command. `undo` is of static storage.
  RepairOutput(const RepairCommand& command, std::string verb, const char* undo);

  executor::SplitVisitor visitor() const;
  /// @param done  What was done, in a sentence.
  /// @return  The exit code.
  int finish(const Result<executor::RepairReport>& report, const std::string& done) const;

 private:
  const RepairCommand& command_;
  std::string verb_;
  const char* undo_;
};

/// One line on standard output, of an nlohmann::ordered_json.
template <class Json>
void print_json(const Json& json) {
  // Keys are bytes: those that are not UTF-8 are shown with replacement characters.
  std::cout << json.dump(-1, ' ', false, Json::error_handler_t::replace) << "\n";
}

/// That an object could not be taken, on standard error.
void tell_failure(const std::string& object, const Error& why);

}  // namespace leat::cli
