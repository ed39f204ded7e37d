#include <CLI/CLI.hpp>
#include <memory>

#include "cli/commands.h"
#include "cli/quantities.h"
#include "cli/repair_command.h"
#include "executor/repair.h"

namespace leat::cli {
namespace {

constexpr const char* kRetryExamples = R"(Examples:
  leat retry --config leat.toml --dry-run
  leat retry --config leat.toml --key '**/2026-11-2*.csv'

Takes the flags of the load. Each object goes on where it stopped.)";

constexpr const char* kRetryUndo =
    "to undo: run the load again; what still cannot be read is quarantined again";

int run_retry(const RepairCommand& command) {
  Result<LoaderOptions> options = command.options();
  if (!options) return report_error(options.error());
  Result<executor::SplitFilter> filter = command.selection.filter(options->source.state_dir);
  if (!filter) return report_error(filter.error());
  const RepairOutput output(command, "retry", kRetryUndo);
  const Result<executor::RepairReport> report =
      executor::retry(*options, *filter, command.dry_run, output.visitor());
  return output.finish(report, report ? format_count(report->objects, "quarantined object") +
                                            " set back to reading; the next load goes on where "
                                            "they stopped"
                                      : "");
}

}  // namespace

CommandRun define_retry(CLI::App& app) {
  auto command = std::make_shared<RepairCommand>();
  command->add_to(app, kRetryExamples);
  command->selection.add_key(app);
  command->add_dry_run(app);
  return [command] { return run_retry(*command); };
}

}  // namespace leat::cli
