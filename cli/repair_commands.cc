#include <CLI/CLI.hpp>
#include <charconv>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/pipeline_flags.h"
#include "cli/printable.h"
#include "cli/quantities.h"
#include "cli/split_selection.h"
#include "cli/state_transfer.h"
#include "executor/audit.h"
#include "executor/pipeline_binding.h"
#include "executor/repair.h"
#include "executor/replay.h"

namespace leat::cli {
namespace {

using nlohmann::ordered_json;

constexpr const char* kAuditExamples = R"(Examples:
  leat audit --config leat.toml
  leat audit --from 's3://bucket/in/**/*.csv' --to sqlite:rows.db --table t --state st --json

Takes the flags of the load. Changes nothing, and may run beside it. Exit code 1 on any difference.)";

constexpr const char* kRetryExamples = R"(Examples:
  leat retry --config leat.toml --dry-run
  leat retry --config leat.toml --key '**/2026-11-2*.csv'

Takes the flags of the load. Each object goes on where it stopped.)";

constexpr const char* kRewindExamples = R"(Examples:
  leat rewind --config leat.toml --key 'in/2026-11-20/**' --dry-run
  leat rewind --config leat.toml --to-epoch 1200        # what was changed in later epochs
  leat rewind --config leat.toml --since 2026-11-20T08:00:00Z

Takes the flags of the load. Rows can be taken out of tables that are loaded with --lineage.)";

constexpr const char* kReplayExamples = R"(Examples:
  leat replay --config leat.toml --key 'in/2026-11-20/**'
  leat replay --config leat.toml --key in/a.csv --bytes 1000-2000 --into - --format jsonl
  leat replay --config leat.toml --all --into sqlite:copy.db

Takes the flags of the load. Into the own table the rows take the place of the former ones, object by
object, each in one transaction; that needs --lineage.)";

constexpr const char* kRedriveExamples = R"(Examples:
  leat redrive --config leat.toml --on-error reject --dry-run
  leat redrive --config leat.toml --schema 'id bigint, amount numeric(12,2)'
  leat redrive --config leat.toml --rejects rejects.jsonl

Takes the flags of the load. Rejects are those of the sink's reject table, or with --rejects FILE those of
the file (which needs --lineage); raw holds the record, or where the table refused a row the row as JSON, and
may be corrected there.)";

constexpr const char* kStateExamples = R"(Examples:
  leat state export --state st > st.jsonl
  leat state import --state st2 < st.jsonl)";

constexpr const char* kRewindUndo =
    "to undo: run the load again; it loads the same objects anew, as long as they are there";
constexpr const char* kRewindKeptUndo =
    "to undo: take the rows of these objects out of the table, then run the load again; it adds "
    "them to those that are there";
constexpr const char* kRetryUndo =
    "to undo: run the load again; what still cannot be read is quarantined again";

void print(const ordered_json& json) {
  // Keys are bytes: those that are not UTF-8 are shown with replacement characters.
  std::cout << json.dump(-1, ' ', false, ordered_json::error_handler_t::replace) << "\n";
}

/// What most of the commands have in common: a pipeline, named by the flags of its load.
struct Command {
  std::string name;
  PipelineFlags pipeline;
  SelectionFlags selection;
  bool dry_run = false;
  bool json = false;

  void add_to(CLI::App& app, const char* examples) {
    name = app.get_name();
    app.add_flag("--json", json, "JSON lines");
    pipeline.add_all(app);
    app.footer(examples);
  }
  void add_dry_run(CLI::App& app) {
    app.add_flag("--dry-run", dry_run, "Only show what would be done");
  }

  Result<LoaderOptions> options() const {
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
};

/// Shows each split of a repair, then what became of all of them.
class RepairOutput {
 public:
  RepairOutput(const Command& command, std::string verb, const char* undo)
      : command_(command), verb_(std::move(verb)), undo_(undo) {}

  executor::SplitVisitor visitor() const {
    return [this](const SplitProgress& split) {
      if (command_.json) {
        print({{"key", split.object.key},
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

  int finish(const Result<executor::RepairReport>& report, const std::string& done) const {
    if (!report) {
      std::cout.flush();
      return report_error(report.error());
    }
    if (command_.json) {
      print({{"command", command_.name},
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

 private:
  const Command& command_;
  std::string verb_;
  const char* undo_;
};

int run_retry(const Command& command) {
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

int run_rewind(const Command& command, const std::string& rows, bool all) {
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

void tell_failure(const std::string& object, const Error& why) {
  std::cerr << "leat: " << printable(object) << ": " << printable(why.to_string()) << "\n";
}

struct ReplayFlags : Command {
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

int run_redrive(const Command& command) {
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
    print({{"command", "redrive"},
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

int run_audit(const Command& command) {
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
          print({{"finding", executor::finding_name(finding)}, {"key", key}, {"why", why}});
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
    print(json);
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
  auto command = std::make_shared<Command>();
  command->add_to(app, kAuditExamples);
  return [command] { return run_audit(*command); };
}

CommandRun define_retry(CLI::App& app) {
  auto command = std::make_shared<Command>();
  command->add_to(app, kRetryExamples);
  command->selection.add_key(app);
  command->add_dry_run(app);
  return [command] { return run_retry(*command); };
}

CommandRun define_rewind(CLI::App& app) {
  struct Flags : Command {
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

CommandRun define_redrive(CLI::App& app) {
  auto command = std::make_shared<Command>();
  command->add_to(app, kRedriveExamples);
  command->selection.add_key(app);
  command->add_dry_run(app);
  return [command] { return run_redrive(*command); };
}

CommandRun define_state(CLI::App& app) {
  auto state_dir = std::make_shared<std::string>();
  app.require_subcommand(1);
  CLI::App* const out =
      app.add_subcommand("export", "Print the ledger as JSON lines, beside the loader or after it");
  CLI::App* const in =
      app.add_subcommand("import", "Make a state folder of such lines, from standard input");
  for (CLI::App* command : {out, in}) {
    command->add_option("--state", *state_dir, "State folder")->required();
  }
  app.footer(kStateExamples);
  return [state_dir, out] {
    return out->parsed() ? flushed(export_state(*state_dir, std::cout))
                         : import_state(*state_dir, std::cin);
  };
}

}  // namespace leat::cli
