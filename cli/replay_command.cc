#include <CLI/CLI.hpp>
#include <charconv>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/quantities.h"
#include "cli/repair_command.h"
#include "executor/replay.h"

namespace leat::cli {
namespace {

using nlohmann::ordered_json;

constexpr const char* kReplayExamples = R"(Examples:
  leat replay --config leat.toml --key 'in/2026-11-20/**'
  leat replay --config leat.toml --key in/a.csv --bytes 1000-2000 --into - --format jsonl
  leat replay --config leat.toml --all --into sqlite:copy.db

Takes the flags of the load. Into the own table the rows take the place of the former ones, object by
object, each in one transaction; that needs --lineage.)";

/// "1000-2000" or "1000-": the first byte, and the one behind the last.
Result<Range> parse_range(const std::string& text) {
  Range range{0, UINT64_MAX};
  const char* const end = text.data() + text.size();
  const auto [dash, bad_begin] = std::from_chars(text.data(), end, range.begin);
  if (bad_begin == std::errc() && dash != end && *dash == '-') {
    if (dash + 1 == end) return range;
    const auto [last, bad_end] = std::from_chars(dash + 1, end, range.end);
    if (bad_end == std::errc() && last == end && range.end > range.begin) return range;
  }
  return Error{ErrorCode::kInvalidArgument,
               "--bytes: \"" + text +
                   "\" is no range; write 1000-2000 (the second is the first byte behind it) or "
                   "1000-"};
}

struct ReplayFlags : RepairCommand {
  std::string bytes, into, into_table;
  bool append = false, all = false;
};

int run_replay(const ReplayFlags& flags) {
  Result<LoaderOptions> options = flags.options();
  if (!options) return report_error(options.error());
  Result<executor::SplitFilter> filter = flags.selection.filter(options->source.state_dir);
  if (!filter) return report_error(filter.error());
  if (filter->empty() && !flags.all) {
    return report_error({ErrorCode::kInvalidArgument,
                         "say what to replay: --key GLOB, --to-epoch N, --since TIME, or --all"});
  }
  executor::ReplayOptions replay{.filter = std::move(*filter),
                                 .into = flags.into,
                                 .append = flags.append,
                                 .dry_run = flags.dry_run};
  if (!flags.bytes.empty()) {
    Result<Range> range = parse_range(flags.bytes);
    if (!range) return report_error(range.error());
    replay.bytes = *range;
  }
  replay.into_options = options->sink;
  replay.into_options.table = flags.into_table.empty() ? options->sink.table : flags.into_table;
  if (flags.into == options->to && replay.into_options.table == options->sink.table) {
    replay.into.clear();  // The pipeline's own table.
  }
  const bool to_stdout = flags.into == "-";
  const RepairOutput output(flags, "replay", "");
  const Result<executor::ReplayReport> report = executor::replay(
      *options, replay,
      to_stdout && !flags.dry_run ? executor::SplitVisitor([](const SplitProgress&) {})
                                  : output.visitor(),
      tell_failure);
  if (!report) return report_error(report.error());
  const std::string undo =
      replay.into.empty()
          ? (flags.append ? "to undo: leat replay of the same objects without --append (with "
                            "lineage), or take the rows out by hand"
                          : "to undo: nothing is needed; the rows are those of the same objects")
          : "to undo: take the rows out of " +
                std::string(to_stdout ? "what you did with them" : "the other table");
  std::ostream& out = to_stdout ? std::cerr : std::cout;
  if (flags.json) {
    out << ordered_json{{"command", "replay"},
                        {"dry_run", flags.dry_run},
                        {"objects", report->objects},
                        {"failed", report->failed},
                        {"rows", report->rows},
                        {"rejected", report->rejected},
                        {"rows_removed", report->rows_removed},
                        {"epoch", report->epoch},
                        {"undo", undo}}
               .dump()
        << "\n";
  } else if (flags.dry_run) {
    out << format_count(report->objects, "object") << " of " << format_count(report->rows, "row")
        << " would be replayed; nothing was\n";
  } else {
    out << format_count(report->objects, "object")
        << " replayed: " << format_count(report->rows, "row") << " written, "
        << format_count(report->rows_removed) << " taken out first"
        << (report->failed > 0 ? ", " + format_count(report->failed, "object") + " failed" : "")
        << "\n"
        << undo << "\n";
  }
  return flushed(report->failed > 0 ? kExitAttention : kExitOk);
}

}  // namespace

CommandRun define_replay(CLI::App& app) {
  auto flags = std::make_shared<ReplayFlags>();
  flags->add_to(app, kReplayExamples);
  flags->selection.add_key(app);
  flags->selection.add_history(app);
  flags->add_dry_run(app);
  app.add_flag("--all", flags->all, "All objects");
  app.add_option("--bytes", flags->bytes,
                 "Only records that begin in this range of the decoded object: 1000-2000");
  app.add_option("--into", flags->into, "Another sink (default: the pipeline's own table)");
  app.add_option("--into-table", flags->into_table,
                 "Its table (default: of the same name as --table)");
  app.add_flag("--append", flags->append,
               "Own table: add the rows to those that are there, so that they are there twice");
  return [flags] { return run_replay(*flags); };
}

}  // namespace leat::cli
