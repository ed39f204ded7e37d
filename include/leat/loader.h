// The loader: a source that runs into a sink, continuously and exactly once.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <stop_token>
#include <string>

#include "leat/result.h"
#include "leat/sink.h"
#include "leat/source.h"

namespace leat {

struct LoaderOptions {
  SourceOptions source = {};  ///< An empty pipeline name also tells the table.
  std::string to = {};        ///< Sink URI, see open_sink.
  SinkOptions sink = {};
  std::filesystem::path rejects_file = {};  ///< JSON lines; empty: the sink keeps rejects.
  std::chrono::milliseconds checkpoint_interval{1'000};  ///< Between two commits.
  /// More rejects than this in one run end it, before they are committed.
  std::uint64_t rejects_max = std::numeric_limits<std::uint64_t>::max();
  /// The same as a share of the records of this run, 0 to 100; heeded from 1,000 records on, and at
  /// the end.
  double rejects_percent_max = 100;
  /// With source.once: for how long after its last commit a sink is tried again that fails in a way
  /// that may pass, such as a lost connection. Otherwise it is tried again for ever.
  std::chrono::milliseconds sink_retry_for{60'000};

  ///   kInvalidArgument  Which option and why.
  Result<void> validate() const;
};

/// Totals of one run.
struct LoadReport {
  SourceStats source = {};
  std::uint64_t epoch = 0;  ///< Last committed.
  double seconds = 0;
};

/// Runs one pipeline. Used by one thread.
class Loader {
 public:
  /// Called about twice a second and at the end, from the thread of run(). It must not throw: an
  /// exception ends the run with kInternal, and what was not committed is loaded by the next one.
  using ProgressCallback = std::function<void(const LoadReport&)>;

  /// Opens nothing yet.
  ///   kInvalidArgument
  static Result<std::unique_ptr<Loader>> create(LoaderOptions options);
  virtual ~Loader() = default;

  /// Loads until all is done (once) or a stop is requested; then commits the open epoch and closes.
  /// Errors are those of Source::open, Source::poll and RowSink, with what to do about them. After
  /// an error nothing is half-committed: the next run goes on where this one stopped.
  virtual Result<LoadReport> run(std::stop_token stop, const ProgressCallback& progress) = 0;
};

}  // namespace leat
