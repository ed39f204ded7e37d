// The flags that describe a pipeline, shared by the commands that run one.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "leat/loader.h"
#include "leat/result.h"

namespace CLI {
class App;
}

namespace leat::cli {

/// Flags, each bound to the option that it sets; options() puts together what several of them say.
class PipelineFlags {
 public:
  PipelineFlags();
  ~PipelineFlags();

  /// All flags of `leat load`.
  void add_all(CLI::App& app);
  /// --connection, --endpoint-url, --region, --profile, …: how to reach the store.
  void add_store_flags(CLI::App& app);
  /// --delimiter, --quote, --no-header, …: how records and fields are written.
  void add_dialect_flags(CLI::App& app);
  /// Those, and --schema, --on-error, …: what the bytes mean.
  void add_format_flags(CLI::App& app);
  /// --threads, --memory.
  void add_resource_flags(CLI::App& app);
  /// --discovery, --poll-interval, --list-budget, …: part of the load flags.
  void add_discovery_flags(CLI::App& app);
  /// --from, --to, --table, --state, …: the rest of `leat load`.
  void add_load_flags(CLI::App& app);
  /// --format, --rejects.
  void add_output_flags(CLI::App& app);

  /// Sets the source where it is no flag but an argument.
  void set_from(const std::string& from);

  ///   kInvalidArgument  The message names the flag.
  Result<LoaderOptions> options() const;
  /// How to reach S3: the connection, and the flags over it.
  ///   kInvalidArgument, kNotFound  See read_connection.
  Result<S3Options> s3_options() const;
  SourceOptions::LogLevel log_level() const noexcept;
  const std::string& report_file() const noexcept;
  /// What a listing request costs; nullopt: not said.
  std::optional<double> list_price() const noexcept;
  /// What of the dialect no flag says.
  SniffedSettings unsaid() const noexcept;

 private:
  struct Given;

  Result<FormatOptions> format_options() const;

  std::unique_ptr<Given> given_;
};

}  // namespace leat::cli
