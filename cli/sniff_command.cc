#include <iostream>
#include <utility>

#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/sniff_output.h"
#include "leat/sniff.h"

namespace leat::cli {

int run_sniff(PipelineFlags& pipeline, const SniffFlags& flags) {
  Result<LoaderOptions> typed = pipeline.options();
  if (!typed) return report_error(typed.error());
  SniffOptions options;
  options.from = flags.from;
  options.format = std::move(typed->source.format);
  options.choose = pipeline.unsaid();
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
  std::cout.flush();
  if (!std::cout) {
    return report_error({ErrorCode::kIo, "standard output cannot be written to"});
  }
  return kExitOk;
}

}  // namespace leat::cli
