// A load or a repair that ends, or stands still, at a chosen step of it.
//
//   leat_crash_child WHAT FROM ENDPOINT TO TABLE STATE [kill|stop STEP COUNT]
//
// WHAT: load, replace (a load that replaces changed objects), move:PLACE (one that moves what it
// loaded), redrive, audit, rewind:GLOB, replay:GLOB. ENDPOINT may be empty. Exits as the command
// does, but for a replay of objects that are gone: 0.

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>

#include "connector/glob.h"
#include "executor/audit.h"
#include "executor/repair.h"
#include "executor/replay.h"
#include "leat/loader.h"

namespace leat::crash {
namespace {

constexpr const char* kUsage =
    "usage: leat_crash_child WHAT FROM ENDPOINT TO TABLE STATE [kill|stop STEP COUNT]\n";

Result<void> done(const auto& result) {
  return result ? Result<void>() : Result<void>(result.error());
}

Result<void> load(const LoaderOptions& options) {
  auto loader = Loader::create(options);
  if (!loader) return std::move(loader).error();
  return done((*loader)->run({}, {}));
}

Result<void> audit(const LoaderOptions& options) {
  const auto report = executor::audit(
      options, [](executor::Finding finding, const std::string& key, const std::string& why) {
        if (finding == executor::Finding::kUnlisted) return;
        std::cerr << executor::finding_name(finding) << " " << key << ": " << why << "\n";
      });
  if (!report) return report.error();
  if (report->differences() == 0 && report->rows_were_counted) return {};
  return Error{ErrorCode::kStateMismatch, "the audit found differences"};
}

Result<void> perform(const std::string& what, LoaderOptions options) {
  const auto ignore_failure = [](const std::string&, const Error&) {};
  const auto ignore_split = [](const SplitProgress&) {};
  const std::size_t colon = what.find(':');
  const std::string name = what.substr(0, colon);
  if (name == "move") {
    options.source.after = {.kind = AfterAction::Kind::kMove, .name = what.substr(colon + 1)};
    return load(options);
  }
  executor::SplitFilter filter;
  if (colon != std::string::npos) {
    auto glob = connector::Glob::compile(what.substr(colon + 1));
    if (!glob) return std::move(glob).error();
    filter.key = *std::move(glob);
  }
  if (name == "load") return load(options);
  if (name == "replace") {
    options.source.on_change = SourceOptions::OnChange::kReplace;
    return load(options);
  }
  options.sink.keep_rejects = true;
  options.sink.reject_refused = true;
  if (name == "audit") return audit(options);
  if (name == "redrive") return done(executor::redrive(options, filter, false, ignore_failure));
  if (name == "rewind") return done(executor::rewind(options, {.filter = filter}, ignore_split));
  if (name == "replay") {
    return done(executor::replay(options, {.filter = filter}, ignore_split, ignore_failure));
  }
  return Error{ErrorCode::kInvalidArgument, kUsage};
}

int run(int argc, char** argv) {
  LoaderOptions options;
  options.source.from = argv[2];
  options.source.store.s3.endpoint_url = argv[3];
  options.to = argv[4];
  options.sink.table = argv[5];
  options.source.state_dir = argv[6];
  options.source.schema = *parse_schema("id bigint, name text, amount numeric(12,1)");
  options.source.lineage = true;
  options.source.once = true;
  options.source.store.local.settle_ms = 0;
  options.source.format.on_error = OnError::kReject;
  options.checkpoint_interval = std::chrono::milliseconds(20);
  std::atomic<int> left = 0;
  if (argc == 10) {
    left = std::stoi(argv[9]);
    const int signal = std::string(argv[7]) == "kill" ? SIGKILL : SIGSTOP;
    options.sink.on_step = [&left, signal, step = std::string(argv[8])](std::string_view name) {
      if (name == step && --left == 0) ::raise(signal);
    };
  }
  const Result<void> performed = perform(argv[1], options);
  if (performed) return 0;
  std::cerr << performed.error().to_string() << "\n";
  return performed.error().code == ErrorCode::kFenced ? 4 : 1;
}

}  // namespace
}  // namespace leat::crash

int main(int argc, char** argv) {
  if (argc != 7 && argc != 10) {
    std::cerr << leat::crash::kUsage;
    return 2;
  }
  return leat::crash::run(argc, argv);
}
