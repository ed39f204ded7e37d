// The leat command: parses flags, runs one command, returns its exit code.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/commands.h"
#include "cli/config_file.h"
#include "cli/exit_codes.h"
#include "cli/malloc_arena.h"
#include "cli/pipeline_flags.h"
#include "cli/repair_commands.h"
#include "leat/version.h"

namespace leat::cli {
namespace {

constexpr const char* kLoadExamples = R"(Examples:
  leat load --once --from 'data/**/*.csv' --to sqlite:rows.db --table t --state st
  leat load --from 's3://bucket/in/**/*.csv' --schema 'id bigint, name text, at timestamptz' \
            --to sqlite:rows.db --table events --state /var/lib/leat/events
  leat load --config leat.toml        # from = "s3://…", once = true, … : the flags' names

Exit codes: 0 done (or stopped by a signal, all committed), 1 failure, 2 usage,
3 done but objects are quarantined, gone or changed, 4 another loader holds the pipeline.)";

constexpr const char* kCatExamples = R"(Examples:
  leat cat data/orders.csv
  leat cat 's3://bucket/in/*.csv' --format jsonl --schema 'id bigint, name text')";

constexpr const char* kLsExamples = R"(Examples:
  leat ls --state st
  leat ls --state st --only quarantined --json
  leat ls --state st --summary --list-price 0.005/1000)";

constexpr const char* kSniffExamples = R"(Examples:
  leat sniff 's3://bucket/in/**/*.csv'                  # flags for leat load
  leat sniff data/orders.csv --output sql --table orders
  leat sniff 'data/*.csv' --output toml > leat.toml

The schema goes to standard output, what speaks for and against it to standard error.)";

constexpr const char* kValidateExamples = R"(Examples:
  leat validate s3://bucket/in/
  leat validate 's3://bucket/in/*.csv' --connection archive --write --json

Steps: settings, credentials, identity, external id, list, region, clock, read, write, delete.
Exit codes: 0 none failed, 1 one failed, 2 usage.)";

/// The value of --config, when it is among the arguments.
std::string config_argument(const std::vector<std::string>& arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--config" && i + 1 < arguments.size()) return arguments[i + 1];
    if (arguments[i].starts_with("--config=")) return arguments[i].substr(9);
  }
  return {};
}

/// Puts what the configuration file says behind the command's name, in front of the flags.
/// Without --config and --from, ./leat.toml is the configuration file where there is one.
Result<void> apply_config_file(std::vector<std::string>& arguments, const IsFlag& is_flag) {
  std::string path = config_argument(arguments);
  if (path.empty()) {
    const bool has_from = std::any_of(arguments.begin(), arguments.end(), [](const auto& argument) {
      return argument == "--from" || argument.starts_with("--from=") || argument == "--help" ||
             argument == "-h";
    });
    std::error_code error;
    if (has_from || !std::filesystem::exists(kDefaultConfigFile, error)) return {};
    path = kDefaultConfigFile;
  }
  Result<std::vector<std::string>> configured = read_config_file(path, arguments, is_flag);
  if (!configured) {
    Error error = std::move(configured).error();
    error.code = ErrorCode::kInvalidArgument;
    return error;
  }
  arguments.insert(arguments.begin() + 1, configured->begin(), configured->end());
  return {};
}

/// CLI11 takes "--null=" for a flag whose value comes next; here it is a flag with an empty value.
void split_empty_values(std::vector<std::string>& arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (!arguments[i].starts_with("--") || !arguments[i].ends_with('=')) continue;
    arguments[i].pop_back();
    arguments.insert(arguments.begin() + static_cast<std::ptrdiff_t>(++i), std::string());
  }
}

int run(std::vector<std::string> arguments) {
  CLI::App app{"leat: files that land in an object store become rows in a table, each exactly once",
               "leat"};
  app.set_version_flag("--version", "leat " + std::string(version()));
  app.require_subcommand(1);
  app.footer("'leat COMMAND --help' shows a command's flags and examples.");

  PipelineFlags load_flags;
  CLI::App* load = app.add_subcommand("load", "Keep a table in step with the files that land");
  load_flags.add_load_flags(*load);
  load_flags.add_output_flags(*load);
  load_flags.add_format_flags(*load);
  load_flags.add_store_flags(*load);
  load_flags.add_resource_flags(*load);
  load->footer(kLoadExamples);

  PipelineFlags cat_flags;
  std::string cat_from;
  CLI::App* cat = app.add_subcommand("cat", "Print the rows of objects on standard output");
  cat->add_option("FROM", cat_from, "Objects to read: 's3://bucket/in/**/*.csv', a path")
      ->required();
  cat_flags.add_output_flags(*cat);
  cat_flags.add_format_flags(*cat);
  cat_flags.add_store_flags(*cat);
  cat_flags.add_resource_flags(*cat);
  cat->footer(kCatExamples);

  LsFlags ls_flags;
  CLI::App* ls = app.add_subcommand("ls", "List the objects that a state folder knows");
  ls->add_option("--state", ls_flags.state, "State folder of the pipeline")->required();
  ls->add_option("--only", ls_flags.only,
                 "Only this state: reading, finished, quarantined, gone, changed; after: only "
                 "after-actions that are due")
      ->check(CLI::IsMember({"reading", "finished", "quarantined", "gone", "changed", "after"}));
  ls_flags.selection.add_key(*ls);
  ls_flags.selection.add_history(*ls);
  ls->add_flag("--json", ls_flags.json, "JSON lines");
  ls->add_flag("--summary", ls_flags.summary,
               "Totals for each state, and the backlog as the loader last noted it");
  ls->add_option("--list-price", ls_flags.list_price,
                 "What listing requests cost, e.g. 0.005/1000: --summary then estimates it");
  ls->footer(kLsExamples);

  PipelineFlags sniff_dialect;
  SniffFlags sniff_flags;
  CLI::App* sniff = app.add_subcommand(
      "sniff", "Find delimiter, header, columns and types of objects, from samples");
  sniff->add_option("FROM", sniff_flags.from, "Objects: 's3://bucket/in/**/*.csv', a path")
      ->required();
  sniff
      ->add_option("--objects", sniff_flags.objects,
                   "Objects to look at: first and last of the listing's first pages, others "
                   "between them (default 5)")
      ->check(CLI::Range(1, 1000));
  sniff->add_option("--output", sniff_flags.output, "flags (default), toml, sql or json")
      ->check(CLI::IsMember({"flags", "toml", "sql", "json"}));
  sniff->add_option("--table", sniff_flags.table, "Name in --output sql (default t)");
  sniff_dialect.add_dialect_flags(*sniff);
  sniff_dialect.add_store_flags(*sniff);
  sniff->footer(kSniffExamples);

  PipelineFlags validate_store;
  ValidateFlags validate_flags;
  CLI::App* validate = app.add_subcommand(
      "validate", "Show which credentials are used, who they are and what they may");
  validate->add_option("URI", validate_flags.uri, "What is to be read: s3://bucket/prefix, a path")
      ->required();
  validate->add_flag("--write", validate_flags.write, "Also write an object there, and delete it");
  validate->add_flag("--json", validate_flags.json, "One JSON document");
  validate_store.add_store_flags(*validate);
  validate->footer(kValidateExamples);

  RepairCommands repair;
  repair.add_to(app);

  if (!arguments.empty() && arguments.front() == "help") arguments.front() = "--help";
  const std::vector<CLI::App*> commands = app.get_subcommands({});
  const auto of_name = [](const std::vector<CLI::App*>& among, const std::string& name) {
    const auto found = std::find_if(among.begin(), among.end(), [&name](const CLI::App* command) {
      return command->get_name() == name;
    });
    return found == among.end() ? nullptr : *found;
  };
  if (!arguments.empty() && !arguments.front().starts_with('-') &&
      of_name(commands, arguments.front()) == nullptr) {
    std::string names;
    for (const CLI::App* command : commands) {
      names += (names.empty()                ? ""
                : command == commands.back() ? " and "
                                             : ", ") +
               command->get_name();
    }
    return report_error({ErrorCode::kInvalidArgument, "there is no command \"" + arguments.front() +
                                                          "\"; the commands are " + names});
  }
  std::vector<CLI::App*> configurable = repair.with_pipeline_flags();
  configurable.push_back(load);
  if (CLI::App* command = arguments.empty() ? nullptr : of_name(configurable, arguments.front())) {
    const auto is_flag = [command](const std::string& name) {
      return name != "config" && name != "help" &&
             command->get_option_no_throw("--" + name) != nullptr;
    };
    if (Result<void> applied = apply_config_file(arguments, is_flag); !applied) {
      return report_error(applied.error());
    }
  }
  split_empty_values(arguments);
  try {
    std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back.
    app.parse(std::move(arguments));
  } catch (const CLI::Success& asked) {  // --help, --version
    app.exit(asked);
    return kExitOk;
  } catch (const CLI::ParseError& bad) {
    app.exit(bad, std::cout, std::cerr);
    return kExitUsage;
  }
  if (load->parsed()) return run_load(load_flags);
  if (cat->parsed()) return run_cat(cat_flags, cat_from);
  if (sniff->parsed()) return run_sniff(sniff_dialect, sniff_flags);
  if (validate->parsed()) return run_validate(validate_store, validate_flags);
  if (const std::optional<int> status = repair.run()) return *status;
  return run_ls(ls_flags);
}

}  // namespace
}  // namespace leat::cli

int main(int argc, char** argv) {
  leat::cli::use_one_malloc_arena();
  return leat::cli::run(std::vector<std::string>(argv + 1, argv + argc));
}
