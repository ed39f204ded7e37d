// The leat command: parses flags, runs one command, returns its exit code.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <exception>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/commands.h"
#include "cli/config_file.h"
#include "cli/exit_codes.h"
#include "cli/flags_page.h"
#include "cli/last_words.h"
#include "cli/malloc_arena.h"
#include "leat/version.h"

namespace leat::cli {
namespace {

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

struct Command {
  const char* name;
  const char* what;
  CommandRun (*define)(CLI::App&);
  bool configured = false;  ///< By the flags in a configuration file.
};

constexpr Command kCommands[] = {
    {"load", "Keep a table in step with the files that land", define_load, true},
    {"cat", "Print the rows of objects on standard output", define_cat},
    {"ls", "List the objects that a state folder knows", define_ls},
    {"sniff", "Find delimiter, header, columns and types of objects, from samples", define_sniff},
    {"validate", "Show which credentials are used, who they are and what they may",
     define_validate},
    {"audit", "Hold listing, ledger and table against one another, object by object", define_audit,
     true},
    {"retry", "Let the next load take quarantined objects up again", define_retry, true},
    {"rewind", "Forget objects and take their rows out, so that they are loaded again",
     define_rewind, true},
    {"replay", "Emit rows of finished objects once more", define_replay, true},
    {"redrive", "Parse rejects again, after data or options were mended", define_redrive, true},
    {"state", "Write a state folder out, or make one", define_state},
};

/// Prints docs/flags.md.
int print_flags() {
  CLI::App app;
  std::vector<const CLI::App*> commands;
  for (const Command& known : kCommands) {
    CLI::App* const command = app.add_subcommand(known.name, known.what);
    known.define(*command);
    commands.push_back(command);
  }
  std::cout << flags_page(commands);
  return flushed(kExitOk);
}

/// "load, cat and ls"
std::string command_names() {
  std::string names;
  for (const Command& known : kCommands) {
    const bool last = &known == std::end(kCommands) - 1;
    names += std::string(names.empty() ? "" : last ? " and " : ", ") + known.name;
  }
  return names;
}

int run(std::vector<std::string> arguments) {
  CLI::App app{"leat: files that land in an object store become rows in a table, each exactly once",
               "leat"};
  app.set_version_flag("--version", "leat " + std::string(version()));
  app.require_subcommand(1);
  app.footer("'leat COMMAND --help' shows a command's flags and examples.");

  if (!arguments.empty() && arguments.front() == "help") arguments.front() = "--help";
  const std::string asked = arguments.empty() ? "" : arguments.front();
  if (asked == "flags" && arguments.size() == 1) return print_flags();
  const Command* found = nullptr;
  CLI::App* command = nullptr;
  CommandRun run_command;
  for (const Command& known : kCommands) {
    CLI::App* const listed = app.add_subcommand(known.name, known.what);
    if (asked != known.name) continue;
    found = &known;
    command = listed;
    run_command = known.define(*listed);  // Of all commands it would take a millisecond.
  }
  if (found == nullptr && !asked.empty() && !asked.starts_with('-')) {
    return report_error(
        {ErrorCode::kInvalidArgument,
         "there is no command \"" + asked + "\"; the commands are " + command_names()});
  }
  if (found != nullptr && found->configured) {
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
  } catch (const CLI::Success& success) {  // --help, --version
    app.exit(success);
    return kExitOk;
  } catch (const CLI::ExtrasError& extra) {
    app.exit(extra, std::cout, std::cerr);
    const std::vector<std::string> unexpected = app.remaining(/*recurse=*/true);
    if (std::none_of(unexpected.begin(), unexpected.end(),
                     [](const std::string& argument) { return argument.starts_with('-'); })) {
      std::cerr << "If a pattern such as dir/*.csv was meant, write it in quotes: the shell puts "
                   "the names of files in the place of one without them.\n";
    }
    return kExitUsage;
  } catch (const CLI::ParseError& bad) {
    app.exit(bad, std::cout, std::cerr);
    return kExitUsage;
  }
  return run_command();
}

}  // namespace
}  // namespace leat::cli

int main(int argc, char** argv) {
  // A write beyond a limit on the size of files is an error like that of a full disk.
  std::signal(SIGXFSZ, SIG_IGN);
  leat::cli::use_one_malloc_arena();
  std::set_terminate(&leat::cli::end_with_message);
  try {
    return leat::cli::run(std::vector<std::string>(argv + 1, argv + argc));
  } catch (const std::exception&) {
    leat::cli::end_with_message();
  }
}
