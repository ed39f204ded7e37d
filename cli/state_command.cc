#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>

#include "cli/commands.h"
#include "cli/state_transfer.h"

namespace leat::cli {
namespace {

constexpr const char* kStateExamples = R"(Examples:
  leat state export --state st > st.jsonl
  leat state import --state st2 < st.jsonl)";

}  // namespace

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
