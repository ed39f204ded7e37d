#include "executor/source_executor.h"

#include <algorithm>
#include <random>
#include <system_error>
#include <thread>
#include <utility>

#include "executor/log.h"
#include "executor/settled_state.h"

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

/// Slices in flight beside one for each split: a single object keeps all threads busy.
std::uint32_t extra_slices_of(const SourceOptions& options) { return 2 * threads_of(options); }

/// Each slice in flight holds a chunk of bytes and the rows made of it, which may be several times
/// as large (lineage repeats the object's name in every row). A sixteenth of the budget over
/// all slices leaves room for that, beside what queued rows may take.
std::size_t chunk_bytes_of(const SourceOptions& options) {
  const std::size_t share = static_cast<std::size_t>(options.memory_bytes_max) / 16 /
                            (splits_in_flight_of(options) + extra_slices_of(options));
  const std::size_t expansion = options.lineage ? 4 : 1;
  return std::clamp(share / expansion, kChunkBytesMin, kChunkBytesMax);
}

const Clock& clock_of(const SourceOptions& options) {
  return options.clock != nullptr ? *options.clock : system_clock();
}

std::uint64_t random_token() {
  std::random_device random;
  return (static_cast<std::uint64_t>(random()) << 32) | random();
}

}  // namespace

Result<std::unique_ptr<SourceExecutor>> SourceExecutor::prepare(SourceOptions options,
                                                                std::unique_ptr<ObjectStore> store,
                                                                std::string_view consumer) {
  if (Result<void> valid = options.validate(); !valid) return std::move(valid).error();
  Result<SourceUri> uri = parse_source_uri(options.from);
  if (!uri) return std::move(uri).error();
  std::stop_source stop;
  if (store == nullptr) {
    if (options.store.clock == nullptr) options.store.clock = options.clock;
    options.store.stop = stop.get_token();
    options.store.read_memory_bytes_max =
        std::min<std::uint64_t>(options.store.read_memory_bytes_max, options.memory_bytes_max / 8);
    Result<std::unique_ptr<ObjectStore>> opened = open_store(*uri, options.store);
    if (!opened) return std::move(opened).error();
    store = std::move(*opened);
  }
  Result<connector::SplitEnumerator> enumerator =
      connector::SplitEnumerator::create(*store, uri->pattern);
  if (!enumerator) return std::move(enumerator).error();
  Result<ObjectFilter> filter = ObjectFilter::create(options);
  if (!filter) return std::move(filter).error();
  // Not of the whole pattern: one that is widened later is still the same pipeline.
  const std::string default_name =
      store->uri_of(enumerator->literal_prefix()) + " -> " + std::string(consumer);
  Result<std::unique_ptr<state::Ledger>> ledger =
      state::Ledger::open({.dir = options.state_dir, .read_only = false});
  if (!ledger) return std::move(ledger).error();
  std::unique_ptr<SourceExecutor> source(
      new SourceExecutor(std::move(options), std::move(stop), std::move(store),
                         std::move(*enumerator), *std::move(filter), std::move(*ledger)));
  if (Result<void> bound = source->bind(consumer, default_name); !bound) {
    return std::move(bound).error();
  }
  if (Result<void> known = source->schemas_.start(); !known) {
    return std::move(known).error();
  }
  return source;
}

SourceExecutor::SourceExecutor(SourceOptions options, std::stop_source stop,
                               std::unique_ptr<ObjectStore> store,
                               connector::SplitEnumerator enumerator, ObjectFilter filter,
                               std::unique_ptr<state::Ledger> ledger)
    : options_(std::move(options)),
      stop_(std::move(stop)),
      store_(std::move(store)),
      clock_(clock_of(options_)),
      ledger_(std::move(ledger)),
      schemas_(options_, *ledger_),
      sniffer_(options_, *store_, clock_, schemas_),
      drift_(options_, *store_),
      work_(clock_, kPendingSplitsMax),
      events_(static_cast<std::size_t>(options_.memory_bytes_max) * 3 / 8),
      discovery_(options_, std::move(enumerator), std::move(filter), *ledger_, clock_, work_,
                 events_),
      arena_(threads_of(options_)),
      parsing_(schemas_, arena_, extra_slices_of(options_)),
      worker_context_{options_, *store_,      clock_,
                      work_,    events_,      schemas_,
                      sniffer_, parsing_,     chunk_bytes_of(options_),
                      reading_, read_retries_} {}

SourceExecutor::~SourceExecutor() { (void)close(); }

/// A state folder belongs to one store, one pipeline and one consumer: keys of another bucket must
/// not be taken for loaded because they look alike, nor what went into one table for what is in
/// another.
Result<void> SourceExecutor::bind(std::string_view consumer, const std::string& default_name) {
  const auto bind_fact = [this](std::string_view name, std::string_view wanted) -> Result<void> {
    const std::optional<std::string> kept = ledger_->meta(name);
    if (!kept) return ledger_->put_meta(name, wanted);
    if (*kept == wanted) return {};
    return Error{ErrorCode::kStateMismatch,
                 "the state folder " + options_.state_dir.string() + " was begun for the " +
                     std::string(name) + " \"" + *kept + "\" and cannot go on for \"" +
                     std::string(wanted) + "\"; name the folder that belongs to it"};
  };
  if (Result<void> bound = bind_fact("store", store_->uri()); !bound) return bound;
  if (Result<void> bound = bind_fact("consumer", consumer); !bound) return bound;
  const std::optional<std::string> kept = ledger_->meta("pipeline");
  pipeline_ = !options_.pipeline.empty() ? options_.pipeline : kept.value_or(default_name);
  return bind_fact("pipeline", pipeline_);
}

Result<void> SourceExecutor::recover(const Checkpoint& consumer) {
  if (!consumer.mark().follows(mark())) {
    return Error{ErrorCode::kStateMismatch,
                 "the state folder " + options_.state_dir.string() + " is at epoch " +
                     std::to_string(ledger_->epoch()) + ", and the rows are at epoch " +
                     std::to_string(consumer.epoch) +
                     ", which does not follow it: rows were lost or rolled back, or belong to "
                     "another history. Restore what belongs together"};
  }
  if (consumer.epoch == ledger_->epoch()) return {};
  return ledger_->commit(consumer);
}

void SourceExecutor::refused(const std::string& key, std::uint64_t count) {
  tracker_.refused(key, count);
  const std::lock_guard lock(stats_mutex_);
  stats_.rows -= count;
  stats_.rows_rejected += count;
}

Result<void> SourceExecutor::start() {
  Result<std::vector<SplitProgress>> active = ledger_->active();
  if (!active) return std::move(active).error();
  if (options_.retry_quarantined) {
    Result<void> scanned = ledger_->scan([&active](const SplitProgress& progress) {
      if (progress.state != SplitState::kQuarantined) {
        return progress.state != SplitState::kFinished;  // Finished entries come last.
      }
      SplitProgress again = progress;
      again.state = SplitState::kReading;
      again.error.reset();
      again.offending.clear();
      active->push_back(std::move(again));
      return true;
    });
    if (!scanned) return scanned;
  }
  std::vector<SplitAssignment> resumed;
  for (SplitProgress& progress : *active) {
    work_.take(progress.object);
    resumed.push_back({.object = std::make_shared<const ObjectVersion>(progress.object),
                       .from = progress.position});
    tracker_.restore(std::move(progress));
  }
  // Threads of their own, because they wait: for bytes, for room, for what is being parsed.
  for (std::uint32_t i = 0; i < splits_in_flight_of(options_); ++i) {
    workers_.emplace_back([this] { SplitWorker(worker_context_, stop_.get_token()).run(); });
  }
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
      drift_.delivered(event.chunk);
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
      drift_.ended(event.object->key, nullptr);
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
    case Event::Kind::kForgotten: {
      tracker_.forgotten(*event.object);
      const std::lock_guard lock(stats_mutex_);
      ++stats_.objects_forgotten;
      return std::nullopt;
    }
    case Event::Kind::kWake:
      return std::nullopt;
  }
  return std::nullopt;
}

/// Nothing of the object's old version is in the table: forgets it, to take up the new one.
std::optional<Polled> SourceExecutor::start_over(std::shared_ptr<const ObjectVersion> object) {
  const SplitProgress* progress = tracker_.find(object->key);
  const bool delivered = progress != nullptr;
  if (delivered) {
    const std::lock_guard lock(stats_mutex_);
    stats_.rows -= progress->rows;
    stats_.rows_rejected -= progress->rejected;
  }
  tracker_.forget(object->key);
  drift_.forget(object->key);
  work_.release(object->key);
  discovery_.relist();
  if (!delivered) return std::nullopt;
  Polled polled;
  polled.kind = Polled::Kind::kDiscard;
  polled.discarded = std::move(object);
  return polled;
}

std::optional<Polled> SourceExecutor::handle_failure(Event event) {
  const ObjectVersion& object = *event.object;
  const std::optional<SplitState> state = settled_state(event.error.code);
  if (!state) {
    // Not the split's fault: it stays as it is in the ledger, and comes again with the next run.
    log(options_, LogLevel::kError, event.error.to_string());
    if (!failure_) failure_ = std::move(event.error);
    return std::nullopt;
  }
  if (*state == SplitState::kChanged) {
    if (!tracker_.may_be_durable(object.key)) return start_over(std::move(event.object));
    event.error.message +=
        "; rows of its former version are in the table already, so that its new version was not "
        "loaded";
  }
  drift_.ended(object.key, &event.error);
  count(object, *state, event.error.to_string());
  tracker_.stopped(object, *state, std::move(event.error), std::move(event.end),
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
    case SplitState::kForgotten:
      break;
  }
}

Checkpoint SourceExecutor::checkpoint() {
  Checkpoint checkpoint;
  checkpoint.epoch = ledger_->epoch() + 1;
  checkpoint.token = random_token();
  checkpoint.parent = ledger_->epoch_token();
  checkpoint.splits = tracker_.changes(checkpoint.epoch, clock_.wall_ms());
  return checkpoint;
}

Result<void> SourceExecutor::commit(const Checkpoint& checkpoint) {
  if (checkpoint.epoch != ledger_->epoch() + 1) {
    return Error{ErrorCode::kInvalidArgument,
                 "commit of epoch " + std::to_string(checkpoint.epoch) + ", but the next one is " +
                     std::to_string(ledger_->epoch() + 1)};
  }
  if (Result<void> written = ledger_->commit(checkpoint); !written) return written;
  for (const std::string& key : tracker_.committed(checkpoint)) work_.release(key);
  return {};
}

Result<void> SourceExecutor::close() {
  if (closed_) return {};
  closed_ = true;
  stop_.request_stop();
  if (discovery_thread_.joinable()) discovery_thread_.join();
  workers_.clear();
  ledger_.reset();
  return {};
}

SourceStats SourceExecutor::stats() const {
  SourceStats stats;
  {
    const std::lock_guard lock(stats_mutex_);
    stats = stats_;
  }
  drift_.add_to(stats);
  stats.objects_pending = work_.pending();
  stats.objects_reading = reading_.load();
  stats.objects_unsettled = discovery_.unsettled();
  stats.oldest_pending_modified_ms = work_.oldest_taken_modified_ms();
  stats.last_complete_listing_ms = discovery_.last_complete_listing_ms();
  stats.store = store_->stats();
  stats.store.retries += read_retries_.load();
  return stats;
}

}  // namespace leat::executor
