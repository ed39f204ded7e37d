#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <utility>

#include "cli/commands.h"
#include "cli/quantities.h"
#include "cli/repair_command.h"
#include "executor/repair.h"

namespace leat::cli {
namespace {

constexpr const char* kRewindExamples = R"(Examples:
  leat rewind --config leat.toml --key 'in/2026-11-20/**' --dry-run
  leat rewind --config leat.toml --to-epoch 1200        # what was changed in later epochs
  leat rewind --config leat.toml --since 2026-11-20T08:00:00Z

Takes the flags of the load. Rows can be taken out of tables that are loaded with --lineage.)";

constexpr const char* kRewindUndo =
    "to undo: run the load again; it loads the same objects anew, as long as they are there";
constexpr const char* kRewindKeptUndo =
    "to undo: take the rows of these objects out of the table, then run the load again; it adds "
    "them to those that are there";

int run_rewind(const RepairCommand& command, const std::string& rows, bool all) {
  Result<LoaderOptions> options = command.options();
  if (!options) return report_error(options.error());
  executor::RewindOptions rewind;
  Result<executor::SplitFilter> filter = command.selection.filter(options->source.state_dir);
  if (!filter) return report_error(filter.error());
  rewind.filter = std::move(*filter);
  if (rewind.filter.empty() && !all) {
    return report_error(
        {ErrorCode::kInvalidArgument,
         "say what to rewind: --to-epoch N, --since TIME, --key GLOB, --only STATE, "
         "or --all"});
  }
  rewind.keep_rows = rows == "keep";
  rewind.dry_run = command.dry_run;
  const RepairOutput output(command, "forget", rewind.keep_rows ? kRewindKeptUndo : kRewindUndo);
  const Result<executor::RepairReport> report =
      executor::rewind(*options, rewind, output.visitor());
  return output.finish(report, report ? format_count(report->objects, "object") + " forgotten, " +
                                            (rewind.keep_rows ? "their rows left in the table"
                                                              : format_count(report->rows, "row") +
                                                                    " taken out of the table") +
                                            ", epoch " + std::to_string(report->epoch) +
                                            "; the next load takes them for new"
                                      : "");
}

}  // namespace

CommandRun define_rewind(CLI::App& app) {
  struct Flags : RepairCommand {
    std::string rows = "remove";
    bool all = false;
  };
  auto flags = std::make_shared<Flags>();
  flags->add_to(app, kRewindExamples);
  flags->selection.add_key(app);
  flags->selection.add_history(app);
  flags->selection.add_state(app);
  flags->add_dry_run(app);
  app.add_flag("--all", flags->all, "All objects");
  app.add_option("--rows", flags->rows,
                 "remove (default): take their rows out; keep: leave the table as it is, because "
                 "you have taken them out")
      ->check(CLI::IsMember({"remove", "keep"}));
  return [flags] { return run_rewind(*flags, flags->rows, flags->all); };
}

}  // namespace leat::cli
