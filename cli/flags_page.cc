#include "cli/flags_page.h"

#include <CLI/CLI.hpp>
#include <algorithm>

namespace leat::cli {
namespace {

using Options = std::vector<const CLI::Option*>;

constexpr const char* kTop =
    "# Flags\n\n"
    "What `leat COMMAND --help` prints, on one page. This file is what `leat flags` prints: a test "
    "holds the two against one another.\n\n"
    "A configuration file has the flags of `leat load` without their dashes: see "
    "[operating](operating.md).\n";

/// All names, as in "--header, --no-header".
std::string names_of(const CLI::Option& option) {
  std::string names = option.get_name(option.get_positional(), true);
  constexpr std::string_view kNegated = "{false}";
  for (std::size_t at = 0; (at = names.find(kNegated, at)) != std::string::npos;) {
    names.erase(at, kNegated.size());
  }
  for (std::size_t at = 0; (at = names.find(',', at)) != std::string::npos; at += 2) {
    names.insert(at + 1, " ");
  }
  return names;
}

/// With what value they take.
std::string usage_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const bool takes_value = option.get_items_expected_max() != 0 && !type.empty();
  return names_of(option) + (takes_value ? " " + type : "");
}

/// In a cell of a table.
std::string cell(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '|') escaped += '\\';
    escaped += c == '\n' ? ' ' : c;
  }
  return escaped;
}

bool has_name_of(const Options& options, const CLI::Option& option) {
  return std::any_of(options.begin(), options.end(), [&](const CLI::Option* other) {
    return names_of(*other) == names_of(option);
  });
}

bool has_equal_of(const Options& options, const CLI::Option& option) {
  return std::any_of(options.begin(), options.end(), [&](const CLI::Option* other) {
    return usage_of(*other) == usage_of(option) &&
           other->get_description() == option.get_description();
  });
}

std::string list_of(const Options& options) {
  std::string list;
  for (const CLI::Option* option : options) {
    list += (list.empty() ? "`" : ", `") + option->get_name(false, false) + "`";
  }
  return list;
}

void add_table(const Options& options, std::string& page) {
  page += "\n| flag | what it does |\n|---|---|\n";
  for (const CLI::Option* option : options) {
    page += "| `" + cell(usage_of(*option)) + "` | " + cell(option->get_description()) +
            (option->get_required() ? " (needed)" : "") + " |\n";
  }
}

Options options_of(const CLI::App& command) {
  Options options = command.get_options();
  std::erase_if(options, [&](const CLI::Option* option) {
    return option == command.get_help_ptr() || option->get_group().empty();
  });
  return options;
}

/// The command's own flags, group by group.
void add_groups(const Options& options, std::string& page) {
  std::vector<std::string> groups;
  for (const CLI::Option* option : options) {
    if (std::find(groups.begin(), groups.end(), option->get_group()) == groups.end()) {
      groups.push_back(option->get_group());
    }
  }
  for (const std::string& group : groups) {
    Options of_group = options;
    std::erase_if(of_group, [&](const CLI::Option* o) { return o->get_group() != group; });
    if (groups.size() > 1) page += "\n### " + group + "\n";
    add_table(of_group, page);
  }
}

void add_command(const CLI::App& command, const std::string& name, const Options& first,
                 std::string& page) {
  page += "\n## leat " + name + "\n\n" + command.get_description() + ".\n";
  Options own;
  Options shared;
  const Options options = options_of(command);
  for (const CLI::Option* option : options) {
    (has_equal_of(first, *option) ? shared : own).push_back(option);
  }
  if (!own.empty()) add_groups(own, page);
  if (shared.empty()) return;
  Options absent = first;
  std::erase_if(absent, [&](const CLI::Option* option) { return has_name_of(options, *option); });
  page += absent.empty() ? "\nAnd the flags of `leat load`.\n"
                         : "\nAnd these of `leat load`: " + list_of(shared) + ".\n";
}

}  // namespace

std::string flags_page(const std::vector<const CLI::App*>& commands) {
  std::string page = kTop;
  const Options first = options_of(*commands.front());
  for (const CLI::App* command : commands) {
    const auto parts = command->get_subcommands([](const CLI::App*) { return true; });
    for (const CLI::App* part : parts) {
      add_command(*part, command->get_name() + " " + part->get_name(), first, page);
    }
    if (parts.empty()) {
      add_command(*command, command->get_name(), command == commands.front() ? Options() : first,
                  page);
    }
  }
  return page;
}

}  // namespace leat::cli
