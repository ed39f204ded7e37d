#include "executor/source_executor.h"

#include <tbb/global_control.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <condition_variable>
#include <thread>
#include <utility>

namespace leat::executor {
namespace {

using LogLevel = SourceOptions::LogLevel;

constexpr std::size_t kPendingSplitsMax = 2'000;
constexpr std::size_t kChunkBytesMax = 1u << 20;
constexpr std::size_t kChunkBytesMin = 16u << 10;

std::uint32_t threads_of(const SourceOptions& options) {
  return options.threads != 0 ? options.threads : std::max(1u, std::thread::hardware_concurrency());
}

std::uint32_t splits_in_flight_of(const SourceOptions& options) {
  return options.splits_in_flight_max != 0 ? options.splits_in_flight_max : 4 * threads_of(options);
}

/// Each split in flight holds a chunk of bytes and the rows made of it, which may be several times
/// as large (lineage repeats the object's name in every row). An eighth of the budget over all
/// splits leaves room for that, beside the half that queued rows may take.
std::size_t chunk_bytes_of(const SourceOptions& options) {
  const std::size_t share =
      static_cast<std::size_t>(options.memory_bytes_max) / 16 / splits_in_flight_of(options);
  const std::size_t expansion = options.lineage ? 4 : 1;
  return std::clamp(share / expansion, kChunkBytesMin, kChunkBytesMax);
}

const Clock& clock_of(const SourceOptions& options) {
  return options.clock != nullptr ? *options.clock : system_clock();
}

}  // namespace

/// Workers are tasks of an arena of their own: they wait for bytes and for room, and must not take
/// the embedding program's TBB threads while they do.
class SourceExecutor::WorkerArena {
 public:
  WorkerArena(const WorkerContext& context, std::uint32_t workers, std::stop_token stop)
      : parallelism_(tbb::global_control::max_allowed_parallelism,
                     std::max<std::size_t>(tbb::global_control::active_value(
                                               tbb::global_control::max_allowed_parallelism),
                                           workers + 1)),
        arena_(static_cast<int>(workers), 0),
        context_(context),
        stop_(std::move(stop)),
        running_(workers) {
    handed_over_.store(true, std::memory_order_release);
    for (std::uint32_t i = 0; i < workers; ++i) {
      arena_.enqueue([this] { work(); });
    }
  }

  /// Waits for workers that were told to stop.
  ~WorkerArena() {
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [this] { return running_ == 0; });
  }

 private:
  void work() {
    // TBB orders this after the constructor anyway; ThreadSanitizer sees it only here.
    if (handed_over_.load(std::memory_order_acquire)) SplitWorker(context_, stop_).run();
    const std::lock_guard lock(mutex_);
    --running_;
    ended_.notify_all();
  }

  tbb::global_control parallelism_;
  tbb::task_arena arena_;
  const WorkerContext& context_;
  const std::stop_token stop_;
  std::atomic<bool> handed_over_ = false;
  std::mutex mutex_;
  std::condition_variable ended_;
  std::uint32_t running_;
};

Result<std::unique_ptr<SourceExecutor>> SourceExecutor::prepare(
    SourceOptions options, std::unique_ptr<ObjectStore> store) {
  if (Result<void> valid = options.validate(); !valid) return std::move(valid).error();
  Result<SourceUri> uri = parse_source_uri(options.from);
  if (!uri) return std::move(uri).error();
  std::stop_source stop;
  if (store == nullptr) {
    if (options.store.clock == nullptr) options.store.clock = options.clock;
    options.store.stop = stop.get_token();
    options.store.reader_memory_bytes_max =
        std::min<std::uint64_t>(options.store.reader_memory_bytes_max,
                                options.memory_bytes_max / 8 / splits_in_flight_of(options));
    Result<std::unique_ptr<ObjectStore>> opened = open_store(*uri, options.store);
    if (!opened) return std::move(opened).error();
    store = std::move(*opened);
  }
  Result<connector::SplitEnumerator> enumerator =
      connector::SplitEnumerator::create(*store, uri->pattern);
  if (!enumerator) return std::move(enumerator).error();
  Result<std::unique_ptr<state::Ledger>> ledger =
      state::Ledger::open({.dir = options.state_dir, .read_only = false});
  if (!ledger) return std::move(ledger).error();
  std::unique_ptr<SourceExecutor> source(
      new SourceExecutor(std::move(options), std::move(stop), std::move(store),
                         std::move(*enumerator), std::move(*ledger)));
  if (Result<void> bound = source->bind_pipeline(); !bound) return std::move(bound).error();
  if (Result<void> known = source->schemas_.start(source->options_.schema); !known) {
    return std::move(known).error();
  }
  return source;
}

SourceExecutor::SourceExecutor(SourceOptions options, std::stop_source stop,
                               std::unique_ptr<ObjectStore> store,
                               connector::SplitEnumerator enumerator,
                               std::unique_ptr<state::Ledger> ledger)
    : options_(std::move(options)),
      stop_(std::move(stop)),
      store_(std::move(store)),
      clock_(clock_of(options_)),
      ledger_(std::move(ledger)),
      schemas_(*ledger_, ledger_writes_, options_.lineage),
      work_(clock_, kPendingSplitsMax),
      events_(static_cast<std::size_t>(options_.memory_bytes_max) / 2),
      discovery_(options_, std::move(enumerator), *ledger_, clock_, work_, events_),
      parse_permits_(threads_of(options_)),
      worker_context_{options_, *store_,      clock_,         work_,
                      events_,  schemas_,     parse_permits_, chunk_bytes_of(options_),
                      reading_, read_retries_} {}

SourceExecutor::~SourceExecutor() { (void)close(); }

/// A state folder belongs to one pipeline and one store: keys of another bucket must not be taken
/// for finished because they look alike.
Result<void> SourceExecutor::bind_pipeline() {
  const auto bind = [this](std::string_view name, const std::string& wanted, bool optional,
                           std::string& bound) -> Result<void> {
    const std::optional<std::string> kept = ledger_->meta(name);
    if (!kept) {
      bound = wanted;
      return ledger_->put_meta(name, wanted);
    }
    bound = *kept;
    if (optional || *kept == wanted) return {};
    return Error{ErrorCode::kStateMismatch, "the state folder " + options_.state_dir.string() +
                                                " belongs to " + std::string(name) + " \"" + *kept +
                                                "\", not to \"" + wanted +
                                                "\"; use another --state for it"};
  };
  std::string bound_store;
  if (Result<void> bound = bind("store", store_->uri(), false, bound_store); !bound) return bound;
  return bind("pipeline", options_.pipeline.empty() ? options_.from : options_.pipeline,
              options_.pipeline.empty(), pipeline_);
}

Result<void> SourceExecutor::keep_fact(std::string_view name, std::string_view value) {
  const std::lock_guard lock(ledger_writes_);
  return ledger_->put_meta(name, value);
}

Result<void> SourceExecutor::recover(const Checkpoint& consumer) {
  if (consumer.epoch == ledger_->epoch()) return {};
  if (consumer.epoch < ledger_->epoch()) {
    return Error{ErrorCode::kStateMismatch,
                 "the state folder " + options_.state_dir.string() + " is at epoch " +
                     std::to_string(ledger_->epoch()) + ", but the rows are only at epoch " +
                     std::to_string(consumer.epoch) +
                     ": the table was lost, rolled back, or is another one. Restore it, or load "
                     "into it afresh with a new --state folder"};
  }
  const std::lock_guard lock(ledger_writes_);
  return ledger_->commit(consumer);
}

Result<void> SourceExecutor::start() {
  Result<std::vector<SplitProgress>> active = ledger_->active();
  if (!active) return std::move(active).error();
  std::vector<SplitAssignment> resumed;
  for (SplitProgress& progress : *active) {
    resumed.push_back({.object = std::make_shared<const ObjectVersion>(progress.object),
                       .from = progress.position});
    work_.take(progress.object.key);
    tracker_.restore(std::move(progress));
  }
  arena_ = std::make_unique<WorkerArena>(worker_context_, splits_in_flight_of(options_),
                                         stop_.get_token());
  discovery_thread_ = std::jthread([this, resumed = std::move(resumed)]() mutable {
    discovery_.run(std::move(resumed), stop_.get_token());
  });
  return {};
}

bool SourceExecutor::all_done() const {
  // In this order: once discovery says done, the number it queued is final.
  return discovery_.done() && settled_ == discovery_.queued();
}

Result<Polled> SourceExecutor::poll(std::chrono::milliseconds timeout) {
  if (closed_) return Error{ErrorCode::kInvalidArgument, "the source is closed"};
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (true) {
    // Asked before the queue is: when all was done then, all that is left to tell is in the queue.
    const bool done = all_done();
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    std::optional<Event> event = events_.pop(
        std::max(done ? std::chrono::milliseconds(0) : left, std::chrono::milliseconds(0)));
    if (event) {
      if (std::optional<Polled> polled = handle(std::move(*event))) return std::move(*polled);
      continue;
    }
    if (!done) return Polled{};
    if (std::optional<Error> error = discovery_.failure()) return *std::move(error);
    if (failure_) return *failure_;
    return Polled{.kind = Polled::Kind::kEnd};
  }
}

std::optional<Polled> SourceExecutor::handle(Event event) {
  switch (event.kind) {
    case Event::Kind::kRows: {
      tracker_.delivered(*event.object, event.chunk);
      {
        const std::lock_guard lock(stats_mutex_);
        stats_.rows += static_cast<std::uint64_t>(event.chunk.rows);
        stats_.rows_rejected += event.chunk.rejects.size();
        stats_.bytes += event.chunk.bytes.length();
      }
      Polled polled;
      polled.kind = Polled::Kind::kRows;
      polled.rows = std::move(event.chunk);
      return polled;
    }
    case Event::Kind::kFinished: {
      ++settled_;
      tracker_.finished(*event.object);
      const std::lock_guard lock(stats_mutex_);
      ++stats_.objects_finished;
      return std::nullopt;
    }
    case Event::Kind::kFailed:
      ++settled_;
      return handle_failure(std::move(event));
    case Event::Kind::kReported:
      tracker_.reported_changed(*event.object);
      count(
          *event.object, SplitState::kChanged,
          "is listed in another version than the one that was loaded; its new rows are not loaded");
      return std::nullopt;
    case Event::Kind::kWake:
      return std::nullopt;
  }
  return std::nullopt;
}

std::optional<Polled> SourceExecutor::handle_failure(Event event) {
  const ObjectVersion& object = *event.object;
  SplitState state = SplitState::kQuarantined;
  switch (event.error.code) {
    case ErrorCode::kObjectChanged: {
      if (!tracker_.may_be_durable(object.key)) {
        // Nothing of the old version is in the table: forget it, and take up the new one.
        const SplitProgress* progress = tracker_.find(object.key);
        if (progress != nullptr) {
          const std::lock_guard lock(stats_mutex_);
          stats_.rows -= progress->rows;
          stats_.rows_rejected -= progress->rejected;
        }
        const bool delivered = progress != nullptr;
        tracker_.forget(object.key);
        work_.release(object.key);
        discovery_.relist();
        if (!delivered) return std::nullopt;
        Polled polled;
        polled.kind = Polled::Kind::kDiscard;
        polled.discarded = std::move(event.object);
        return polled;
      }
      state = SplitState::kChanged;
      event.error.message +=
          "; rows of its former version are in the table already, so that its new version was not "
          "loaded";
      break;
    }
    case ErrorCode::kNotFound:
      state = SplitState::kGone;
      break;
    case ErrorCode::kMalformedRecord:
    case ErrorCode::kRecordTooLarge:
    case ErrorCode::kUnterminatedQuote:
    case ErrorCode::kNotText:
    case ErrorCode::kBadValue:
    case ErrorCode::kFieldCount:
    case ErrorCode::kSchemaMismatch:
      break;
    default:
      // Not the split's fault: it stays as it is in the ledger, and comes again with the next run.
      log(options_, LogLevel::kError, event.error.to_string());
      if (!failure_) failure_ = std::move(event.error);
      return std::nullopt;
  }
  count(object, state, event.error.to_string());
  tracker_.stopped(object, state, std::move(event.error), std::move(event.end),
                   std::move(event.offending));
  return std::nullopt;
}

void SourceExecutor::count(const ObjectVersion& object, SplitState state, const std::string& why) {
  log(options_, state == SplitState::kQuarantined ? LogLevel::kError : LogLevel::kWarning,
      store_->uri_of(object.key) + " " + std::string(split_state_name(state)) + ": " + why);
  const std::lock_guard lock(stats_mutex_);
  switch (state) {
    case SplitState::kQuarantined:
      ++stats_.objects_quarantined;
      break;
    case SplitState::kGone:
      ++stats_.objects_gone;
      break;
    case SplitState::kChanged:
      ++stats_.objects_changed;
      break;
    case SplitState::kReading:
    case SplitState::kFinished:
      break;
  }
}

Checkpoint SourceExecutor::checkpoint() {
  Checkpoint checkpoint;
  checkpoint.epoch = ledger_->epoch() + 1;
  checkpoint.splits = tracker_.changes(checkpoint.epoch, clock_.wall_ms());
  return checkpoint;
}

Result<void> SourceExecutor::commit(const Checkpoint& checkpoint) {
  if (checkpoint.epoch != ledger_->epoch() + 1) {
    return Error{ErrorCode::kInvalidArgument,
                 "commit of epoch " + std::to_string(checkpoint.epoch) + ", but the next one is " +
                     std::to_string(ledger_->epoch() + 1)};
  }
  {
    const std::lock_guard lock(ledger_writes_);
    if (Result<void> written = ledger_->commit(checkpoint); !written) return written;
  }
  for (const std::string& key : tracker_.committed(checkpoint)) work_.release(key);
  return {};
}

Result<void> SourceExecutor::close() {
  if (closed_) return {};
  closed_ = true;
  stop_.request_stop();
  if (discovery_thread_.joinable()) discovery_thread_.join();
  arena_.reset();
  ledger_.reset();
  return {};
}

SourceStats SourceExecutor::stats() const {
  SourceStats stats;
  {
    const std::lock_guard lock(stats_mutex_);
    stats = stats_;
  }
  stats.objects_pending = work_.pending();
  stats.objects_reading = reading_.load();
  stats.objects_unsettled = discovery_.unsettled();
  stats.oldest_pending_modified_ms = work_.oldest_pending_modified_ms();
  stats.last_complete_listing_ms = discovery_.last_complete_listing_ms();
  stats.store = store_->stats();
  stats.store.retries += read_retries_.load();
  return stats;
}

}  // namespace leat::executor
