#include "executor/source_executor.h"

#include <algorithm>
#include <map>
#include <system_error>
#include <thread>
#include <utility>

#include "executor/change_policy.h"
#include "executor/epoch.h"
#include "executor/log.h"
#include "executor/resumed_split.h"
#include "executor/settled_state.h"
#include "executor/usable_cores.h"

namespace leat::executor {
namespace {

using LogLevel = SourceOptions::LogLevel;

/// How often an object is begun before a source that reads all `once` gives it up.
constexpr std::uint32_t kStartsMax = 10;
constexpr std::size_t kPendingSplitsMax = 2'000;
constexpr std::size_t kQueuedBytesPerThread = 8u << 20;
constexpr std::size_t kChunkBytesMax = 1u << 20;
constexpr std::size_t kChunkBytesMin = 16u << 10;

std::uint32_t threads_of(const SourceOptions& options) {
  return options.threads != 0 ? options.threads : usable_cores();
}

std::uint32_t splits_in_flight_of(const SourceOptions& options) {
  return options.splits_in_flight_max != 0 ? options.splits_in_flight_max : 4 * threads_of(options);
}

/// Slices in flight beside one for each split: a single object keeps all threads busy.
std::uint32_t extra_slices_of(const SourceOptions& options) { return 2 * threads_of(options); }

/// Each slice in flight holds a chunk of bytes and the rows made of it, which may be several times
/// as large, with lineage more so. A sixteenth of the budget over all slices leaves room for that,
/// beside what queued rows may take.
std::size_t chunk_bytes_of(const SourceOptions& options) {
  const std::size_t share = static_cast<std::size_t>(options.memory_bytes_max) / 16 /
                            (splits_in_flight_of(options) + extra_slices_of(options));
  const std::size_t expansion = options.lineage ? 2 : 1;
  return std::clamp(share / expansion, kChunkBytesMin, kChunkBytesMax);
}

/// What the rows of a chunk may take, text aside: no less than any row takes whose fields are all
/// written down, be it with nothing but the delimiter. Sparse records take a thousand times as
/// much.
std::size_t rows_bytes_of(const SourceOptions& options) {
  constexpr std::size_t kWidest = 16;
  return std::max<std::size_t>(kWidest * chunk_bytes_of(options), 1u << 20);
}

/// Where the consumer is the slower one, this queue is full all the time. A long one helps nobody:
/// the kernel has to hand out its pages, and its rows have left the caches when they are taken.
std::size_t queued_bytes_of(const SourceOptions& options) {
  return std::min(static_cast<std::size_t>(options.memory_bytes_max) * 3 / 8,
                  threads_of(options) * kQueuedBytesPerThread);
}

/// The folder whose folders come in turn, where objects come in no order.
std::optional<std::string> folder_in_turn(const SourceOptions& options,
                                          const std::string& literal_prefix) {
  if (options.order != SourceOptions::Order::kNone) return std::nullopt;
  return literal_prefix.substr(0, literal_prefix.rfind('/') + 1);
}

const Clock& clock_of(const SourceOptions& options) {
  return options.clock != nullptr ? *options.clock : system_clock();
}

}  // namespace

Result<std::unique_ptr<SourceExecutor>> SourceExecutor::prepare(SourceOptions options,
                                                                std::unique_ptr<ObjectStore> store,
                                                                std::string_view consumer) {
  if (Result<void> valid = options.validate(); !valid) return std::move(valid).error();
  // As long as anybody means by it, and short enough for a clock's arithmetic.
  constexpr std::chrono::milliseconds kIntervalMax = std::chrono::hours(24 * 365);
  options.poll_interval = std::min(options.poll_interval, kIntervalMax);
  options.poll_interval_max = std::min(options.poll_interval_max, kIntervalMax);
  // Parts that are listed side by side come in no order.
  if (options.order == SourceOptions::Order::kKey) options.list_parallel = 1;
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
  Result<connector::Glob> glob = connector::Glob::compile(uri->pattern);
  if (!glob) return std::move(glob).error();
  filter->narrow(*glob);
  // Not of the whole pattern: one that is widened later is still the same pipeline.
  const std::string default_name =
      store->uri_of(enumerator->literal_prefix()) + " -> " + std::string(consumer);
  Result<std::unique_ptr<state::Ledger>> ledger =
      state::Ledger::open({.dir = options.state_dir, .read_only = false});
  if (!ledger) return std::move(ledger).error();
  std::unique_ptr<SourceExecutor> source(new SourceExecutor(
      std::move(options), std::move(stop), std::move(store), std::move(*enumerator),
      *std::move(filter), std::move(*glob), std::move(*ledger)));
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
                               connector::Glob glob, std::unique_ptr<state::Ledger> ledger)
    : options_(std::move(options)),
      stop_(std::move(stop)),
      store_(std::move(store)),
      clock_(clock_of(options_)),
      ledger_(std::move(ledger)),
      schemas_(options_, *ledger_),
      sniffer_(options_, *store_, clock_, schemas_),
      drift_(options_, *store_),
      work_(clock_, kPendingSplitsMax, folder_in_turn(options_, enumerator.literal_prefix())),
      events_(queued_bytes_of(options_)),
      backlog_(clock_, *store_, work_, *ledger_),
      discovery_(options_, std::move(enumerator), std::move(filter), *ledger_, clock_, work_,
                 events_, backlog_),
      after_actions_(options_, std::move(glob), *store_, clock_, *ledger_),
      // The thread that reads a single object parses as well.
      arena_(std::max(1u, threads_of(options_) - 1)),
      parsing_(schemas_, arena_, threads_of(options_), extra_slices_of(options_),
               rows_bytes_of(options_)),
      worker_context_{options_, *store_,      clock_,
                      work_,    events_,      schemas_,
                      sniffer_, parsing_,     chunk_bytes_of(options_),
                      reading_, read_retries_},
      reader_(worker_context_, stop_.get_token()) {}

SourceExecutor::~SourceExecutor() { (void)close(); }

/// A state folder belongs to one store, one pipeline and one consumer: keys of another bucket must
/// not be taken for loaded because they look alike, nor what went into one table for what is in
/// another.
Result<void> SourceExecutor::bind(std::string_view consumer, const std::string& default_name) {
  const std::optional<std::string> kept = ledger_->meta("pipeline");
  pipeline_ = !options_.pipeline.empty() ? options_.pipeline : kept.value_or(default_name);
  std::map<std::string, std::string> facts = {
      {"store", store_->uri()}, {"consumer", std::string(consumer)}, {"pipeline", pipeline_}};
  for (const char* name : {"store", "consumer", "pipeline"}) {
    const std::optional<std::string> known = ledger_->meta(name);
    if (!known) continue;
    const std::string wanted = facts.extract(name).mapped();
    if (*known == wanted) continue;
    return Error{ErrorCode::kStateMismatch, "the state folder " + options_.state_dir.string() +
                                                " was begun for the " + std::string(name) + " \"" +
                                                *known + "\" and cannot go on for \"" + wanted +
                                                "\"; name the folder that belongs to it"};
  }
  return facts.empty() ? Result<void>() : ledger_->put_meta(facts);
}

Recovery SourceExecutor::recovery() {
  return {*ledger_, pipeline_, options_,
          [this](const Checkpoint& checkpoint) { return after_actions_.entries_of(checkpoint); }};
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
      active->push_back(resumed(progress));
      return true;
    });
    if (!scanned) return scanned;
  }
  std::vector<SplitAssignment> rests;
  for (SplitProgress& progress : *active) {
    work_.take(progress.object.key);
    rests.push_back(rest_of(progress));
    tracker_.restore(std::move(progress));
  }
  started_ = true;
  try {
    start_threads(std::move(rests));
  } catch (const std::system_error& refused) {
    (void)close();
    return Error{ErrorCode::kUnavailable,
                 "no more threads can be started (a limit on processes, or on memory): " +
                     std::string(refused.what()) + "; allow more, or set fewer --splits-in-flight"};
  }
  return {};
}

void SourceExecutor::start_threads(std::vector<SplitAssignment> rests) {
  // Threads of their own, because they wait: for bytes, for room, for what is being parsed.
  for (std::uint32_t i = 0; i < splits_in_flight_of(options_); ++i) {
    workers_.emplace_back([this] { SplitWorker(worker_context_, stop_.get_token()).run(); });
  }
  discovery_thread_ = std::jthread([this, rests = std::move(rests)]() mutable {
    discovery_.run(std::move(rests), stop_.get_token());
  });
  after_thread_ =
      std::jthread([this](std::stop_token stop) { after_actions_.run(std::move(stop)); });
}

bool SourceExecutor::all_done() const {
  // In this order: once discovery says done, the number it queued is final.
  return discovery_.done() && settled_ == discovery_.queued();
}

Result<Polled> SourceExecutor::poll(std::chrono::milliseconds timeout) {
  if (closed_) return Error{ErrorCode::kInvalidArgument, "the source is closed"};
  if (fatal_) return *fatal_;
  // Longer than anybody waits, and short enough for the clock's arithmetic.
  constexpr std::chrono::milliseconds kLongest = std::chrono::hours(24);
  const auto deadline = std::chrono::steady_clock::now() +
                        std::clamp(timeout, std::chrono::milliseconds(0), kLongest);
  while (true) {
    // Asked before the queue is: when all was done then, all that is left to tell is in the queue.
    const bool done = all_done();
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    std::optional<Event> event = events_.pop(
        std::max(done ? std::chrono::milliseconds(0) : left, std::chrono::milliseconds(0)));
    if (event) {
      if (std::optional<Polled> polled = handle(std::move(*event))) return std::move(*polled);
      if (fatal_) return *fatal_;
      // Events that bring no rows may come faster than they are handled.
      if (std::chrono::steady_clock::now() >= deadline) return Polled{};
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
      if (!fatal_) fatal_ = after_actions_.fault_of(*event.object);
      tracker_.finished(*event.object);
      drift_.ended(event.object->key, nullptr);
      if (event.open_ended) {
        log(options_, LogLevel::kInfo,
            "the last record of " + store_->uri_of(event.object->key) +
                " has no end yet, and waits until it has one");
      }
      const std::lock_guard lock(stats_mutex_);
      ++stats_.objects_finished;
      stats_.objects_open_ended += event.open_ended ? 1 : 0;
      return std::nullopt;
    }
    case Event::Kind::kFailed:
      ++settled_;
      return handle_failure(std::move(event));
    case Event::Kind::kReported:
      return handle_change(std::move(event));
    case Event::Kind::kOpened: {
      const bool grown = event.opened->rows + event.opened->rejected > 0 &&
                         tracker_.find(event.object->key) == nullptr;
      tracker_.opened(*event.opened);
      const std::lock_guard lock(stats_mutex_);
      stats_.objects_grown += grown ? 1 : 0;
      return std::nullopt;
    }
    case Event::Kind::kReturned:
      tracker_.restore(*event.opened);
      return std::nullopt;
    case Event::Kind::kNotGrown:
      ++settled_;
      return handle_change(std::move(event));
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

Error SourceExecutor::forbidden_change(const ObjectVersion& object) const {
  return {
      .code = ErrorCode::kObjectChanged,
      .message =
          "an object is there in another version than the one that was loaded, and --on-change "
          "fail asks to stop then; load its new rows with --on-change replace, or leave them "
          "with --on-change ignore",
      .at = {.object = store_->uri_of(object.key), .record = {}, .byte_offset = {}, .column = {}}};
}

/// An object that was loaded is listed in another version.
std::optional<Polled> SourceExecutor::handle_change(Event event) {
  const ObjectVersion& object = *event.object;
  const auto known = irreplaceable_.find(object.key);
  const bool irreplaceable = known != irreplaceable_.end() && known->second == object.version;
  switch (step_for(options_.on_change, {.seen = event.seen, .irreplaceable = irreplaceable})) {
    case ChangeStep::kFail:
      fatal_ = forbidden_change(object);
      return std::nullopt;
    case ChangeStep::kReplace:
      replacement_ = std::move(event.object);
      return Polled{};
    case ChangeStep::kLeave:
      work_.release(object.key);
      return std::nullopt;
    default:
      break;
  }
  tracker_.noted(object);
  if (event.is_known) return std::nullopt;
  count(object, SplitState::kChanged,
        "is listed in another version than the one that was loaded; its new rows are not loaded" +
            (event.error.message.empty() ? "" : ": " + event.error.message));
  return std::nullopt;
}

std::optional<std::string> SourceExecutor::key_of(std::string_view uri) const {
  const std::string front = store_->uri_of("");
  if (!uri.starts_with(front)) return std::nullopt;
  return std::string(uri.substr(front.size()));
}

Result<std::vector<SplitProgress>> SourceExecutor::loaded_versions(std::string_view key) const {
  Result<std::vector<SplitProgress>> entries = ledger_->find(key);
  if (!entries) return entries;
  std::erase_if(*entries,
                [](const SplitProgress& entry) { return entry.rows + entry.rejected == 0; });
  return entries;
}

void SourceExecutor::replaced(const SplitProgress& split) {
  log(options_, LogLevel::kInfo,
      store_->uri_of(split.object.key) +
          " was replaced by its new version: " + std::to_string(split.rows) + " rows");
  work_.release(split.object.key);
  const std::lock_guard lock(stats_mutex_);
  stats_.rows += split.rows;
  stats_.rows_rejected += split.rejected;
  ++stats_.objects_replaced;
}

Result<void> SourceExecutor::not_replaced(const ObjectVersion& object, Error error) {
  const std::optional<SplitState> state = settled_state(error.code);
  if (!state) {
    work_.release_to_list_again(object.key);
    if (options_.once) return error;
    log(options_, LogLevel::kError,
        "the new version of an object was not read, and is tried again at the next poll: " +
            error.to_string());
    return {};
  }
  const Change change{.seen = *state == SplitState::kQuarantined ? Change::Seen::kReplaceFailed
                                                                 : Change::Seen::kReplaceMissed};
  if (step_for(options_.on_change, change) == ChangeStep::kWaitForNext) {
    list_again(object.key);
    return {};
  }
  tracker_.noted(object);
  irreplaceable_.insert_or_assign(object.key, object.version);
  count(object, SplitState::kChanged,
        "its new version cannot be loaded, so that the rows of its former one stay: " +
            error.to_string());
  return {};
}

void SourceExecutor::list_again(const std::string& key) {
  work_.release_to_list_again(key);
  discovery_.relist();
}

void SourceExecutor::finish_after_actions(std::stop_token stop) {
  after_thread_.request_stop();
  if (after_thread_.joinable()) after_thread_.join();
  after_actions_.drain(std::move(stop));
}

/// Nothing of the object's old version is in the table: forgets it, to take up the new one.
std::optional<Polled> SourceExecutor::start_over(std::shared_ptr<const ObjectVersion> object,
                                                 Error why) {
  const SplitProgress* progress = tracker_.find(object->key);
  const bool delivered = progress != nullptr && progress->rows + progress->rejected > 0;
  if (delivered) {
    const std::lock_guard lock(stats_mutex_);
    stats_.rows -= progress->rows;
    stats_.rows_rejected -= progress->rejected;
  }
  tracker_.forget(object->key);
  drift_.forget(object->key);
  if (++started_over_[object->key] >= kStartsMax && options_.once) {
    if (!failure_) failure_ = std::move(why);
    work_.release(object->key);
  } else {
    list_again(object->key);
  }
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
    const SplitProgress* const progress = tracker_.find(object.key);
    const bool delivered = progress != nullptr && progress->rows + progress->rejected > 0;
    const Change change{.seen = Change::Seen::kWhileReading,
                        .grows = progress != nullptr && progress->fingerprint,
                        .durable = tracker_.may_be_durable(object.key),
                        .got_on = delivered && started_over_.contains(object.key)};
    switch (step_for(options_.on_change, change)) {
      case ChangeStep::kStartOver:
        return start_over(std::move(event.object), std::move(event.error));
      case ChangeStep::kWaitForNext:
        drift_.ended(object.key, &event.error);
        if (tracker_.interrupted(object.key)) {
          list_again(object.key);
        } else {
          awaited_.insert(object.key);
        }
        return std::nullopt;
      case ChangeStep::kReplace:
        // The next listing shows the version that is to take its place.
        drift_.ended(object.key, &event.error);
        tracker_.stopped(object, *state, std::move(event.error), std::move(event.end), {});
        awaited_.insert(object.key);
        discovery_.relist();
        return std::nullopt;
      case ChangeStep::kFail:
        fatal_ = forbidden_change(object);
        break;
      default:
        break;
    }
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
    case SplitState::kRewound:
    case SplitState::kNoted:
      break;
  }
}

Checkpoint SourceExecutor::checkpoint() {
  Checkpoint checkpoint = checkpoint_of({});
  checkpoint.splits = tracker_.changes(checkpoint.epoch, clock_.wall_ms());
  return checkpoint;
}

Checkpoint SourceExecutor::checkpoint_of(std::vector<SplitProgress> splits) {
  if (closed_) return {};
  Checkpoint checkpoint = next_epoch(*ledger_, std::move(splits), clock_);
  latest_token_ = checkpoint.token;
  return checkpoint;
}

Result<void> SourceExecutor::commit(const Checkpoint& checkpoint) {
  if (closed_) return Error{ErrorCode::kInvalidArgument, "the source is closed"};
  if (checkpoint.epoch != ledger_->epoch() + 1) {
    return Error{ErrorCode::kInvalidArgument,
                 "commit of epoch " + std::to_string(checkpoint.epoch) + ", but the next one is " +
                     std::to_string(ledger_->epoch() + 1)};
  }
  if (checkpoint.token != latest_token_) {
    return Error{
        ErrorCode::kInvalidArgument,
        "commit of a checkpoint that is not the latest one: what came since would be taken "
        "for committed as well"};
  }
  {
    Result<void> written = ledger_->commit(checkpoint, after_actions_.entries_of(checkpoint));
    if (!written) return written;
  }
  after_actions_.wake();
  for (const std::string& key : tracker_.committed(checkpoint)) {
    started_over_.erase(key);
    if (awaited_.erase(key) == 0) {
      work_.release(key);
    } else {
      list_again(key);  // Not before: a listing takes up no key whose outcome is not committed.
    }
  }
  return {};
}

Result<void> SourceExecutor::close() {
  if (closed_) return {};
  closed_ = true;
  stop_.request_stop();
  after_thread_.request_stop();
  if (discovery_thread_.joinable()) discovery_thread_.join();
  if (after_thread_.joinable()) after_thread_.join();
  workers_.clear();
  if (started_) backlog_.keep();
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
  const BacklogState backlog = backlog_.now();
  stats.bytes_pending = backlog.bytes;
  stats.oldest_pending_modified_ms = backlog.oldest_modified_ms;
  stats.last_complete_listing_ms = backlog.last_complete_listing_ms;
  stats.listing = backlog.listing;
  stats.list_requests_per_minute = backlog.list_requests_per_minute;
  stats.after_actions_done = after_actions_.done();
  stats.after_actions_failing = after_actions_.failing();
  stats.store = store_->stats();
  stats.store.retries += read_retries_.load();
  return stats;
}

}  // namespace leat::executor
