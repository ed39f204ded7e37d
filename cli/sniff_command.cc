#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/pipeline_flags.h"
#include "cli/sniff_output.h"
#include "leat/sniff.h"

namespace leat::cli {
namespace {

constexpr const char* kSniffExamples = R"(Examples:
  leat sniff 's3://bucket/in/**/*.csv'                  # flags for leat load
  leat sniff data/orders.csv --output sql --table orders
  leat sniff 'data/*.csv' --output toml > leat.toml

The schema goes to standard output, what speaks for and against it to standard error.)";

struct SniffFlags {
  std::string from;
  std::uint32_t objects = 5;
  std::string output = "flags";
  std::string table = "t";  ///< In the statement of --output sql.
  PipelineFlags pipeline;   ///< Of them the dialect's and the store's.
};

/// Prints dialect and columns of the objects of `flags.from` on standard output, and on standard
/// error how sure that is.
int run_sniff(const SniffFlags& flags) {
  Result<LoaderOptions> typed = flags.pipeline.options();
  if (!typed) return report_error(typed.error());
  SniffOptions options;
  options.from = flags.from;
  options.format = std::move(typed->source.format);
  options.choose = flags.pipeline.unsaid();
  options.store = std::move(typed->source.store);
  // What is there now is what was asked for: nothing to wait for.
  options.store.local.settle_ms = 0;
  options.objects_max = flags.objects;
  Result<SniffReport> report = sniff(options);
  if (!report) return report_error(report.error());
  if (flags.output != "json") std::cerr << sniffed_evidence(*report);
  if (flags.output == "json") {
    std::cout << sniffed_json(flags.from, *report);
  } else if (flags.output == "toml") {
    std::cout << sniffed_toml(flags.from, *report);
  } else if (flags.output == "sql") {
    std::cout << sniffed_sql(flags.table, *report);
  } else {
    std::cout << sniffed_flags(flags.from, *report);
  }
  return flushed(kExitOk);
}

}  // namespace

CommandRun define_sniff(CLI::App& command) {
  auto flags = std::make_shared<SniffFlags>();
  command.add_option("FROM", flags->from, "Objects: 's3://bucket/in/**/*.csv', a path")->required();
  command
      .add_option("--objects", flags->objects,
                  "Objects to look at: first and last of the listing's first pages, others "
                  "between them (default 5)")
      ->check(CLI::Range(1, 1000));
  command.add_option("--output", flags->output, "flags (default), toml, sql or json")
      ->check(CLI::IsMember({"flags", "toml", "sql", "json"}));
  command.add_option("--table", flags->table, "Name in --output sql (default t)");
  flags->pipeline.add_dialect_flags(command);
  flags->pipeline.add_store_flags(command);
  command.footer(kSniffExamples);
  return [flags] { return run_sniff(*flags); };
}

}  // namespace leat::cli
