#include <CLI/CLI.hpp>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "cli/commands.h"
#include "cli/console.h"
#include "cli/exit_codes.h"
#include "cli/pipeline_flags.h"
#include "cli/signals.h"
#include "leat/loader.h"

namespace leat::cli {
namespace {

constexpr const char* kCatExamples = R"(Examples:
  leat cat data/orders.csv
  leat cat 's3://bucket/in/*.csv' --format jsonl --schema 'id bigint, name text')";

/// A state folder for one run.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::error_code error;
    std::string path = std::filesystem::temp_directory_path(error) / "leat-cat-XXXXXX";
    if (!error && ::mkdtemp(path.data()) != nullptr) path_ = path;
  }
  ~TemporaryFolder() {
    std::error_code error;
    if (!path_.empty()) std::filesystem::remove_all(path_, error);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

/// Prints the rows of `from` on standard output; keeps no state.
int run_cat(PipelineFlags& flags, const std::string& from) {
  flags.set_from(from);
  Result<LoaderOptions> options = flags.options();
  if (!options) return report_error(options.error());
  const TemporaryFolder state;
  if (state.path().empty()) {
    return report_error({ErrorCode::kIo, "no temporary folder can be made; is TMPDIR writable?"});
  }
  StopOnSignal stop;
  Console console(SourceOptions::LogLevel::kWarning);
  options->source.log = [&console](SourceOptions::LogLevel level, const std::string& message) {
    console.log(level, message);
  };
  options->source.once = true;
  options->source.state_dir = state.path();
  // What is there now is what was asked for: nothing to wait for.
  options->source.store.local.settle_ms = 0;
  options->to = "-";
  options->sink_retry_for = std::chrono::milliseconds(0);
  Result<std::unique_ptr<Loader>> loader = Loader::create(std::move(*options));
  if (!loader) return report_error(loader.error());
  Result<LoadReport> report = (*loader)->run(stop.token(), {});
  if (!report) return report_error(report.error());
  return needing_attention(report->source) > 0 ? kExitAttention : kExitOk;
}

}  // namespace

CommandRun define_cat(CLI::App& command) {
  struct Flags {
    PipelineFlags pipeline;
    std::string from;
  };
  auto flags = std::make_shared<Flags>();
  command.add_option("FROM", flags->from, "Objects to read: 's3://bucket/in/**/*.csv', a path")
      ->required();
  flags->pipeline.add_output_flags(command);
  flags->pipeline.add_format_flags(command);
  flags->pipeline.add_store_flags(command);
  flags->pipeline.add_resource_flags(command);
  command.footer(kCatExamples);
  return [flags] { return run_cat(flags->pipeline, flags->from); };
}

}  // namespace leat::cli
