// A load that ends, or stands still, at a chosen step of a chosen commit.
//
//   leat_crash_child FROM ENDPOINT TO TABLE STATE [kill|stop STEP COUNT]
//
// ENDPOINT may be empty. Exits as the command does.

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>

#include "leat/loader.h"

namespace leat::crash {
namespace {

int run(int argc, char** argv) {
  LoaderOptions options;
  options.source.from = argv[1];
  options.source.store.s3.endpoint_url = argv[2];
  options.to = argv[3];
  options.sink.table = argv[4];
  options.source.state_dir = argv[5];
  options.source.schema = *parse_schema("id bigint, name text, amount numeric(12,1)");
  options.source.lineage = true;
  options.source.once = true;
  options.source.store.local.settle_ms = 0;
  options.source.format.on_error = OnError::kReject;
  options.checkpoint_interval = std::chrono::milliseconds(20);
  std::atomic<int> left = 0;
  if (argc == 9) {
    left = std::stoi(argv[8]);
    const int signal = std::string(argv[6]) == "kill" ? SIGKILL : SIGSTOP;
    options.sink.on_step = [&left, signal, step = std::string(argv[7])](std::string_view name) {
      if (name == step && --left == 0) ::raise(signal);
    };
  }
  auto loader = Loader::create(options);
  const auto report = loader ? (*loader)->run({}, {}) : Result<LoadReport>(loader.error());
  if (report) return 0;
  std::cerr << report.error().to_string() << "\n";
  return report.error().code == ErrorCode::kFenced ? 4 : 1;
}

}  // namespace
}  // namespace leat::crash

int main(int argc, char** argv) {
  if (argc != 6 && argc != 9) {
    std::cerr << "usage: leat_crash_child FROM ENDPOINT TO TABLE STATE [kill|stop STEP COUNT]\n";
    return 2;
  }
  return leat::crash::run(argc, argv);
}
