#include "cli/repair_command.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/printable.h"
#include "cli/quantities.h"
#include "executor/pipeline_binding.h"

namespace leat::cli {

using nlohmann::ordered_json;

void RepairCommand::add_to(CLI::App& app, const char* examples) {
  name = app.get_name();
  app.add_flag("--json", json, "JSON lines");
  pipeline.add_all(app);
  app.footer(examples);
}

void RepairCommand::add_dry_run(CLI::App& app) {
  app.add_flag("--dry-run", dry_run, "Only show what would be done");
}

Result<LoaderOptions> RepairCommand::options() const {
  Result<LoaderOptions> options = pipeline.options();
  if (!options) return options;
  if (options->source.state_dir.empty()) {
    return Error{ErrorCode::kInvalidArgument,
                 "no state folder: --state DIR names the one of the pipeline's load"};
  }
  if (options->to.empty()) {
    return Error{ErrorCode::kInvalidArgument,
                 "no sink: --to and --table name those of the pipeline's load; or give its "
                 "--config file"};
  }
  executor::settle_rejects(*options);
  return options;
}

RepairOutput::RepairOutput(const RepairCommand& command, std::string verb, const char* undo)
    : command_(command), verb_(std::move(verb)), undo_(undo) {}

executor::SplitVisitor RepairOutput::visitor() const {
  return [this](const SplitProgress& split) {
    if (command_.json) {
      print_json(ordered_json{{"key", split.object.key},
                              {"version", split.object.version},
                              {"state", split_state_name(split.state)},
                              {"rows", split.rows},
                              {"rejected", split.rejected},
                              {"epoch", split.epoch}});
    } else if (command_.dry_run) {
      std::cout << "would " << verb_ << " " << printable(split.object.key) << " ("
                << split_state_name(split.state) << ", " << format_count(split.rows, "row")
                << ")\n";
    }
  };
}

int RepairOutput::finish(const Result<executor::RepairReport>& report,
                         const std::string& done) const {
  if (!report) {
    std::cout.flush();
    return report_error(report.error());
  }
  if (command_.json) {
    print_json(ordered_json{{"command", command_.name},
                            {"dry_run", command_.dry_run},
                            {"objects", report->objects},
                            {"rows_removed", report->rows},
                            {"epoch", report->epoch},
                            {"undo", undo_}});
  } else if (command_.dry_run) {
    std::cout << format_count(report->objects, "object") << " would be changed; nothing was\n";
  } else if (report->objects == 0) {
    std::cout << "nothing fits: no object was changed\n";
  } else {
    std::cout << done << "\n" << undo_ << "\n";
  }
  return flushed(kExitOk);
}

void tell_failure(const std::string& object, const Error& why) {
  std::cerr << "leat: " << printable(object) << ": " << printable(why.to_string()) << "\n";
}

}  // namespace leat::cli
