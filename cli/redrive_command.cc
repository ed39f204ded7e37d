#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/quantities.h"
#include "cli/repair_command.h"
#include "executor/replay.h"

namespace leat::cli {
namespace {

using nlohmann::ordered_json;

constexpr const char* kRedriveExamples = R"(Examples:
  leat redrive --config leat.toml --on-error reject --dry-run
  leat redrive --config leat.toml --schema 'id bigint, amount numeric(12,2)'
  leat redrive --config leat.toml --rejects rejects.jsonl

Takes the flags of the load. Rejects are those of the sink's reject table, or with --rejects FILE those of
the file (which needs --lineage); raw holds the record, or where the table refused a row the row as JSON, and
may be corrected there.)";

int run_redrive(const RepairCommand& command) {
  Result<LoaderOptions> options = command.options();
  if (!options) return report_error(options.error());
  Result<executor::SplitFilter> filter = command.selection.filter(options->source.state_dir);
  if (!filter) return report_error(filter.error());
  std::uint64_t failures = 0;
  const Result<executor::RedriveReport> report = executor::redrive(
      *options, *filter, command.dry_run, [&failures](const std::string& object, const Error& why) {
        ++failures;
        tell_failure(object, why);
      });
  if (!report) return report_error(report.error());
  const std::string undo =
      "to undo: leat replay of the same objects with the options they were loaded with";
  if (command.json) {
    print_json(ordered_json{{"command", "redrive"},
                            {"dry_run", command.dry_run},
                            {"rejects", report->rejects},
                            {"rows", report->rows},
                            {"refused", report->refused},
                            {"objects", report->objects},
                            {"objects_failed", failures},
                            {"epoch", report->epoch},
                            {"undo", undo}});
  } else {
    std::cout << format_count(report->rows) << " of " << format_count(report->rejects, "reject")
              << (command.dry_run ? " would become rows; nothing was changed\n" : " became rows\n");
    if (report->refused > 0) {
      std::cout << format_count(report->refused, "row")
                << " refused by the table's own rules again\n";
    }
    if (!command.dry_run && report->rows > 0) std::cout << undo << "\n";
  }
  return flushed(failures > 0 ? kExitAttention : kExitOk);
}

}  // namespace

CommandRun define_redrive(CLI::App& app) {
  auto command = std::make_shared<RepairCommand>();
  command->add_to(app, kRedriveExamples);
  command->selection.add_key(app);
  command->add_dry_run(app);
  return [command] { return run_redrive(*command); };
}

}  // namespace leat::cli
