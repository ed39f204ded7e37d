#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "cli/commands.h"
#include "cli/console.h"
#include "cli/exit_codes.h"
#include "cli/ls_summary.h"
#include "cli/pipeline_flags.h"
#include "cli/printable.h"
#include "cli/quantities.h"
#include "cli/signals.h"
#include "cli/wait_notice.h"
#include "leat/loader.h"

namespace leat::cli {
namespace {

using std::chrono::milliseconds;

constexpr const char* kLoadExamples = R"(Examples:
  leat load --once --from 'data/**/*.csv' --to sqlite:rows.db --table t --state st
  leat load --from 's3://bucket/in/**/*.csv' --schema 'id bigint, name text, at timestamptz' \
            --to sqlite:rows.db --table events --state /var/lib/leat/events
  leat load --config leat.toml        # from = "s3://…", once = true, … : the flags' names

Exit codes: 0 done (or stopped by a signal, all committed), 1 failure, 2 usage,
3 done but objects are quarantined, gone or changed, 4 another loader holds the pipeline.)";

milliseconds lag_of(const SourceStats& stats) {
  if (stats.oldest_pending_modified_ms == 0) return milliseconds(0);
  return milliseconds(
      std::max<std::int64_t>(0, system_clock().wall_ms() - stats.oldest_pending_modified_ms));
}

/// When all that is there was last listed.
std::string listed_text(const SourceStats& stats) {
  if (stats.last_complete_listing_ms == 0) return "never";
  return format_duration(milliseconds(std::max<std::int64_t>(
             0, system_clock().wall_ms() - stats.last_complete_listing_ms))) +
         " ago";
}

std::string attention_text(const SourceStats& stats) {
  std::string text;
  const auto add = [&text](std::uint64_t count, const char* what, const char* state) {
    if (count == 0) return;
    text += ", " + format_count(count, what) + " " + state;
  };
  add(stats.rows_rejected, "row", "rejected");
  add(stats.values_nulled, "value", "read as null");
  add(stats.objects_quarantined, "object", "quarantined");
  add(stats.objects_gone, "object", "gone");
  add(stats.objects_changed, "object", "changed");
  add(stats.objects_replaced, "object", "replaced");
  add(stats.objects_grown, "object", "grown");
  add(stats.objects_open_ended, "object", "with a last record that has no end yet");
  add(stats.after_actions_failing, "after-action", "failing");
  add(stats.objects_unsettled, "object", "still being written");
  add(stats.objects_with_extra_columns, "object", "with extra columns");
  add(stats.objects_with_missing_columns, "object", "with missing columns");
  add(stats.objects_with_misfits, "object", "with values that do not fit");
  return text;
}

/// Rows a second since the last call.
class RateMeter {
 public:
  double update(const LoadReport& report) {
    const double seconds = report.seconds - seconds_;
    if (seconds >= 0.4) {
      rate_ =
          static_cast<double>(report.source.rows - std::min(rows_, report.source.rows)) / seconds;
      rows_ = report.source.rows;
      seconds_ = report.seconds;
    }
    return rate_;
  }

 private:
  std::uint64_t rows_ = 0;
  double seconds_ = 0;
  double rate_ = 0;
};

std::string progress_text(const LoadReport& report, double rows_per_second,
                          std::optional<double> list_price) {
  const SourceStats& stats = report.source;
  const std::uint64_t pending = stats.objects_pending + stats.objects_reading;
  return format_count(stats.objects_finished, "object") + " done, " + format_count(pending) +
         (stats.listing && pending > 0 ? "+ pending (" : " pending (") +
         format_bytes(stats.bytes_pending) + "), " + format_bytes(stats.bytes) + ", " +
         format_count(stats.rows, "row") + ", " +
         format_count(static_cast<std::uint64_t>(rows_per_second)) + " rows/s, lag " +
         format_duration(lag_of(stats)) + ", listed " + listed_text(stats) + ", listing " +
         listing_cost_text(stats.list_requests_per_minute, list_price) + attention_text(stats);
}

std::string summary_text(const LoadReport& report) {
  const SourceStats& stats = report.source;
  return format_count(stats.rows, "row") + " of " + format_count(stats.objects_finished, "object") +
         " (" + format_bytes(stats.bytes) + ") in " +
         format_duration(milliseconds(static_cast<std::int64_t>(report.seconds * 1000))) +
         ", epoch " + std::to_string(report.epoch) + attention_text(stats);
}

Result<void> write_report(const std::string& path, const LoadReport& report,
                          std::optional<double> list_price) {
  const SourceStats& stats = report.source;
  nlohmann::ordered_json json = {
      {"rows", stats.rows},
      {"bytes", stats.bytes},
      {"objects_finished", stats.objects_finished},
      {"objects_quarantined", stats.objects_quarantined},
      {"objects_gone", stats.objects_gone},
      {"objects_changed", stats.objects_changed},
      {"objects_forgotten", stats.objects_forgotten},
      {"objects_replaced", stats.objects_replaced},
      {"objects_grown", stats.objects_grown},
      {"objects_open_ended", stats.objects_open_ended},
      {"objects_unsettled", stats.objects_unsettled},
      {"rows_rejected", stats.rows_rejected},
      {"values_nulled", stats.values_nulled},
      {"objects_with_extra_columns", stats.objects_with_extra_columns},
      {"objects_with_missing_columns", stats.objects_with_missing_columns},
      {"objects_with_misfits", stats.objects_with_misfits},
      {"after_actions_done", stats.after_actions_done},
      {"after_actions_failing", stats.after_actions_failing},
      {"seconds", report.seconds},
      {"objects_pending", stats.objects_pending + stats.objects_reading},
      {"bytes_pending", stats.bytes_pending},
      {"oldest_pending_modified_ms", stats.oldest_pending_modified_ms},
      {"last_complete_listing_ms", stats.last_complete_listing_ms},
      {"list_requests", stats.store.list_requests},
      {"list_requests_per_minute", stats.list_requests_per_minute},
      {"get_requests", stats.store.get_requests},
      {"retries", stats.store.retries},
      {"epoch", report.epoch},
  };
  if (list_price) {
    json["list_cost"] = static_cast<double>(stats.store.list_requests) * *list_price;
    json["list_cost_per_day"] = price_of_day(stats.list_requests_per_minute, *list_price);
  }
  std::ofstream file(path, std::ios::trunc);
  file << json.dump(2) << "\n";
  file.close();
  if (!file) {
    return Error{ErrorCode::kIo,
                 "the report " + path + " cannot be written: " + std::string(std::strerror(errno))};
  }
  return {};
}

int run_load(const PipelineFlags& flags) {
  Result<LoaderOptions> options = flags.options();
  if (!options) return report_error(options.error());
  const std::optional<double> list_price = flags.list_price();

  if (options->source.from.empty()) {
    return report_error({ErrorCode::kInvalidArgument,
                         "no source: --from says what to read, e.g. 's3://bucket/in/**/*.csv'"});
  }
  if (options->source.state_dir.empty()) {
    return report_error({ErrorCode::kInvalidArgument,
                         "no state folder: --state DIR says where progress is kept, so that the "
                         "next run goes on where this one stops"});
  }

  StopOnSignal stop;
  Console console(flags.log_level());
  options->source.log = [&console](SourceOptions::LogLevel message_level,
                                   const std::string& message) {
    console.log(message_level, message);
  };
  Result<std::unique_ptr<Loader>> loader = Loader::create(std::move(*options));
  if (!loader) return report_error(loader.error());

  WaitNotice waiting(console);
  RateMeter rate;
  LoadReport last;
  milliseconds last_logged{0};
  constexpr milliseconds kLogInterval{10'000};
  Result<LoadReport> report = (*loader)->run(stop.token(), [&](const LoadReport& now) {
    waiting.moved();
    last = now;
    const std::string text = progress_text(now, rate.update(now), list_price);
    const milliseconds elapsed(static_cast<std::int64_t>(now.seconds * 1000));
    if (console.is_terminal()) {
      console.show(text);
    } else if (elapsed - last_logged >= kLogInterval) {
      console.log(SourceOptions::LogLevel::kInfo, text);
      last_logged = elapsed;
    }
  });
  console.end_line();
  const LoadReport& totals = report ? *report : last;
  if (!flags.report_file().empty()) {
    if (Result<void> written = write_report(flags.report_file(), totals, list_price); !written) {
      report_error(written.error());
      if (report) return kExitFailure;
    }
  }
  if (!report) return report_error(report.error());
  console.log(SourceOptions::LogLevel::kInfo, summary_text(totals));
  return needing_attention(totals.source) > 0 ? kExitAttention : kExitOk;
}

}  // namespace

std::uint64_t needing_attention(const SourceStats& stats) {
  return stats.objects_quarantined + stats.objects_gone + stats.objects_changed;
}

int flushed(int status) {
  std::cout.flush();
  if (std::cout) return status;
  return report_error({ErrorCode::kIo, "standard output cannot be written to"});
}

int report_error(const Error& error) {
  std::cerr << "leat: " << printable(error.to_string()) << "\n";
  switch (error.code) {
    case ErrorCode::kInvalidArgument:
      return kExitUsage;
    case ErrorCode::kAlreadyOpen:
    case ErrorCode::kFenced:
      return kExitTakenOver;
    default:
      return kExitFailure;
  }
}

CommandRun define_load(CLI::App& command) {
  auto flags = std::make_shared<PipelineFlags>();
  flags->add_all(command);
  command.footer(kLoadExamples);
  return [flags] { return run_load(*flags); };
}

}  // namespace leat::cli
