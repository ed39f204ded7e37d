#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/printable.h"
#include "cli/quantities.h"
#include "cli/repair_command.h"
#include "executor/audit.h"

namespace leat::cli {
namespace {

using nlohmann::ordered_json;

constexpr const char* kAuditExamples = R"(Examples:
  leat audit --config leat.toml
  leat audit --from 's3://bucket/in/**/*.csv' --to sqlite:rows.db --table t --state st --json

Takes the flags of the load. Changes nothing, and may run beside it. Exit code 1 on any difference.)";

int run_audit(const RepairCommand& command) {
  Result<LoaderOptions> options = command.options();
  if (!options) return report_error(options.error());
  if (options->source.from.empty()) {
    return report_error({ErrorCode::kInvalidArgument,
                         "no source: --from says what the listing is to show, as for the load"});
  }
  // What is there now is what is asked about.
  options->source.store.local.settle_ms = 0;
  using executor::Finding;
  const Result<executor::AuditReport> report = executor::audit(
      *options, [&](Finding finding, const std::string& key, const std::string& why) {
        if (command.json) {
          print_json(ordered_json{
              {"finding", executor::finding_name(finding)}, {"key", key}, {"why", why}});
        } else if (finding != Finding::kUnlisted) {
          std::cout << executor::finding_name(finding) << "  " << printable(key) << "  "
                    << printable(why) << "\n";
        }
      });
  if (!report) {
    std::cout.flush();
    return report_error(report.error());
  }
  if (command.json) {
    ordered_json json = {
        {"command", "audit"},
        {"listed", report->listed},
        {"known", report->known},
        {"finished", report->finished},
        {"rows_recorded", report->rows_recorded},
        {"rejected", report->rejected},
        {"rows_counted",
         report->rows_were_counted ? ordered_json(report->rows_counted) : ordered_json()},
        {"differences", report->differences()}};
    for (std::size_t i = 0; i < executor::kFindings; ++i) {
      json[std::string(executor::finding_name(static_cast<Finding>(i)))] = report->findings[i];
    }
    print_json(json);
  } else {
    std::cout << format_count(report->listed, "object") << " listed, "
              << format_count(report->known) << " known, " << format_count(report->finished)
              << " finished; " << format_count(report->rows_recorded, "row") << " and "
              << format_count(report->rejected, "reject") << " on record";
    if (report->rows_were_counted) {
      std::cout << ", " << format_count(report->rows_counted) << " in the table";
    } else if (report->record_was_read) {
      std::cout << "; rows were not counted: the table has no lineage columns";
    } else {
      std::cout << "; this sink keeps no record to compare with";
    }
    std::cout << "\n";
    std::string kinds;
    for (std::size_t i = 0; i < executor::kFindings; ++i) {
      if (report->findings[i] == 0) continue;
      kinds += (kinds.empty() ? "" : ", ") + format_count(report->findings[i]) + " " +
               std::string(executor::finding_name(static_cast<Finding>(i)));
    }
    std::cout << (report->differences() == 0 ? "no difference" : "DIFFERENT")
              << (kinds.empty() ? "" : ": " + kinds) << "\n";
    if (report->differences() > 0) std::cout << "what to do about each: docs/repair.md\n";
  }
  return flushed(report->differences() == 0 ? kExitOk : kExitFailure);
}

}  // namespace

CommandRun define_audit(CLI::App& app) {
  auto command = std::make_shared<RepairCommand>();
  command->add_to(app, kAuditExamples);
  return [command] { return run_audit(*command); };
}

}  // namespace leat::cli
