// The source, for embedding: files that land become RowChunks, and progress becomes checkpoints.
//
// The consumer keeps rows and checkpoint together, in one transaction of its own, and then says so:
//
//     poll … poll  →  checkpoint()  →  consumer commits rows + checkpoint  →  commit(checkpoint)
//
// After a crash it hands the last checkpoint it committed to open(); no row is lost or doubled.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "leat/after_action.h"
#include "leat/clock.h"
#include "leat/object_store.h"
#include "leat/parser.h"
#include "leat/result.h"
#include "leat/row_chunk.h"
#include "leat/schema.h"
#include "leat/sniff.h"
#include "leat/split.h"

namespace leat {

/// A limit for requests.
struct RequestRate {
  std::uint32_t requests = 0;  ///< 0: there is no limit.
  std::chrono::milliseconds per{60'000};
};

struct SourceOptions {
  std::string from = {};                 ///< "s3://bucket/in/**/*.csv", a path, or file://.
  std::filesystem::path state_dir = {};  ///< The ledger's folder; made when absent.
  /// Name of this pipeline. Empty: the one that the state folder was begun with, or else a name
  /// made of the store and the literal front of `from`.
  std::string pipeline = {};
  /// None: the one that an earlier run settled on, which the state folder keeps; at the first start
  /// `types` says where it comes from.
  std::optional<Schema> schema = {};
  enum class Types {
    kText,   ///< The first header names the columns, and all of them are text.
    kSniff,  ///< A sample of the first objects decides, see leat/sniff.h.
  };
  /// kText unless told: a program mostly knows its columns, and what a sample suggests may differ
  /// from bucket to bucket.
  Types types = Types::kText;
  FormatOptions format = {};
  /// kSniff: what of `format` the sample may decide as well. It is kept with the schema, and holds
  /// for later runs as long as `format` does not say otherwise.
  SniffedSettings sniffed = {};
  StoreOptions store = {};
  /// Decoded bytes for each stored one above which a compressed object is taken for a bomb and
  /// quarantined, once it has decoded to 64 MiB; 0: there is no such limit.
  std::uint64_t decode_ratio_max = 1'100;

  bool once = false;  ///< End when all that is listed has been delivered.
  /// Take quarantined objects up again, each from where it stopped: for options that now let its
  /// bad record pass.
  bool retry_quarantined = false;
  /// An object that was loaded is listed in another version.
  enum class OnChange {
    kIgnore,   ///< It is reported as changed, once; its new rows are not loaded.
    kReplace,  ///< The new version's rows take the place of the old one's, in one transaction.
               ///< leat::Loader alone can: it needs lineage, and a sink that takes rows out.
    kFail,     ///< poll() fails with kObjectChanged.
    /// For objects that only grow, plain text of lines: reading goes on at the old end when the
    /// object begins as it did (see docs/guarantees.md for how that is known). A last record
    /// without a line end waits until it has one. What did not merely grow is reported as with
    /// kIgnore.
    kAppend,
  };
  OnChange on_change = OnChange::kIgnore;
  /// What becomes of finished objects, after their commit: carried out in the background, again
  /// and again until it is done, across restarts. Other versions of them are left alone.
  AfterAction after = {};
  bool lineage = false;  ///< Append columns _object, _version, _offset, _record.
  /// With it: also _modified, the version's time of modification as the store gives it.
  bool lineage_modified = false;
  /// Hive partitions of the keys ("dt=2026-11-20/hour=07/…") as columns behind those of the data. A
  /// partition that a key lacks is null; an object whose partitions do not fit is quarantined.
  Schema partitions = {};
  /// In which order objects are begun. Those that are read at the same time bring their rows side
  /// by side: for rows in this order, splits_in_flight_max has to be 1.
  enum class Order {
    /// None that could be relied on: what is listed goes to the readers at once, folders in turn:
    /// a large one does not keep the others waiting.
    kNone,
    /// As keys ascend in byte order, within each listing; a key that comes later waits for the
    /// next one. Of stores that list so: poll() fails with kUnsupported at others.
    kKey,
    /// Those that were modified first come first, within each listing, which is complete before the
    /// first object is read. Memory holds ordered_objects_max of them: when these were queued, all
    /// is listed again for the next ones.
    kModified,
  };
  Order order = Order::kNone;
  std::uint32_t ordered_objects_max = 50'000;  ///< About 300 bytes each. kModified only.
  /// Only objects whose partitions fulfil this are read: comparisons (=, <>, <, <=, >, >=, BETWEEN,
  /// [NOT] IN, IS [NOT] NULL) of names in `partitions` with values, joined by AND. Empty: all are.
  std::string where = {};
  /// Only objects modified after this are read; Unix time in ms.
  std::optional<std::int64_t> modified_after_ms = {};
  /// Only objects whose keys come after this one, in byte order, are read. Empty: all are.
  std::string key_after = {};
  enum class Discovery {
    kSweep,  ///< Each poll lists all keys.
    kTail,   ///< For keys that grow: new ones sort behind those that are there. A poll lists the
             ///< last keys alone, from a frontier below which everything is settled. Others are
             ///< found when all is listed.
  };
  /// kSweep unless told: it needs no promise about keys.
  Discovery discovery = Discovery::kSweep;
  /// kTail: so many of the highest keys are listed again by each poll, for keys that come to stand
  /// between them. 1,000 unless told: one request of S3.
  std::uint64_t late_window_keys = 1'000;
  /// kTail: how long after a complete listing the next one begins. An hour unless told: the longest
  /// time that a key far behind the frontier stays unseen.
  std::chrono::milliseconds reconcile_interval{3'600'000};
  /// From the end of a listing to the next one, where that found something. Each one that finds
  /// nothing doubles it, up to poll_interval_max.
  std::chrono::milliseconds poll_interval{10'000};
  std::chrono::milliseconds poll_interval_max{0};  ///< 0: six times poll_interval.
  /// So many parts of a listing of many pages are listed at a time, cut at folders; 1: there is one
  /// part, in the order of keys. 4 unless told: each has its own connection and thread.
  std::uint32_t list_parallel = 4;
  /// Of listing, retries of failed ones not counted. A tenth of it may come at once.
  RequestRate list_budget = {};
  /// How long complete listings must not show an object before its entry is dropped from the
  /// ledger: then it would be new if it came again. 0: the second such listing. Seven days unless
  /// told: longer than what a weekend takes to find a bucket's name or a mount that is wrong.
  std::chrono::milliseconds forget_after{7 * 24 * 3'600'000};
  std::uint32_t threads = 0;                      ///< That parse at a time; 0: one per core.
  std::uint64_t memory_bytes_max = 512ull << 20;  ///< For chunks on their way.
  std::uint32_t splits_in_flight_max = 0;         ///< Splits read at once; 0: 4 × threads.
  /// A split whose reads fail in a way that may pass is tried this often, with growing pauses.
  std::uint32_t split_attempts_max = 5;

  /// Messages for people, e.g. a quarantined split. Called from any thread; may be empty. It must
  /// not throw: an exception is dropped.
  enum class LogLevel { kDebug, kInfo, kWarning, kError };
  std::function<void(LogLevel, const std::string&)> log = {};

  const Clock* clock = nullptr;  ///< nullptr: system_clock(). Must outlive the source.

  ///   kInvalidArgument  Which option and why.
  Result<void> validate() const;
};

/// Counters since open(), for progress and reports.
struct SourceStats {
  std::uint64_t rows = 0;  ///< Handed out by poll().
  std::uint64_t rows_rejected = 0;
  std::uint64_t values_nulled = 0;  ///< OnError::kNull: did not fit, and were read as null.
  std::uint64_t bytes = 0;          ///< Object bytes consumed by the rows handed out.
  std::uint64_t objects_finished = 0;
  std::uint64_t objects_quarantined = 0;
  std::uint64_t objects_changed = 0;   ///< (Partly) loaded before, listed in another version.
  std::uint64_t objects_replaced = 0;  ///< OnChange::kReplace: loaded anew.
  std::uint64_t objects_grown = 0;     ///< OnChange::kAppend: gone on with; once for each version.
  /// OnChange::kAppend: finished with a last record that has no end yet, and waits.
  std::uint64_t objects_open_ended = 0;
  std::uint64_t objects_gone = 0;
  std::uint64_t objects_forgotten = 0;  ///< No longer listed, and dropped: see forget_after.
  std::uint64_t objects_pending = 0;    ///< Listed so far, and not yet started.
  std::uint64_t objects_reading = 0;
  std::uint64_t bytes_pending =
      0;  ///< As stored, of the objects that are listed and not committed.
  std::uint64_t objects_unsettled = 0;  ///< Left out by the last listing: still being written.
  /// Schema drift, in objects that brought rows; see docs/sniff.md.
  std::uint64_t objects_with_extra_columns = 0;    ///< Which were ignored.
  std::uint64_t objects_with_missing_columns = 0;  ///< Which were read as null.
  std::uint64_t objects_with_misfits = 0;          ///< Values that do not fit their column's type.
  std::uint64_t after_actions_done = 0;
  std::uint64_t after_actions_failing = 0;  ///< Of which the latest attempt failed.
  /// Unix time of the oldest object that is queued, being read, or not yet committed; 0: none is.
  std::int64_t oldest_pending_modified_ms = 0;
  std::int64_t last_complete_listing_ms = 0;  ///< Unix time; 0: none yet, in no run.
  bool listing = false;  ///< A listing is under way: more may be pending than it showed so far.
  double list_requests_per_minute = 0;  ///< Of the last ten minutes, or since the start.
  StoreStats store = {};
};

/// What poll() brings.
struct Polled {
  enum class Kind {
    kRows,     ///< `rows`: zero or more rows and rejects of one split, next in its order.
    kDiscard,  ///< Drop what came of split `discarded` since the last checkpoint() was committed:
               ///< its object changed while being read. Its new version comes later.
    kIdle,     ///< Nothing came within the timeout.
    kEnd,      ///< once: all that was listed has been delivered.
  };
  Kind kind = Kind::kIdle;
  RowChunk rows = {};
  std::shared_ptr<const ObjectVersion> discarded = {};
};

/// A running source. poll, checkpoint and commit come from one thread; stats() from any.
/// Works on threads of its own; no exception leaves it.
class Source {
 public:
  /// Opens ledger and store, recovers, and begins to list and read.
  ///
  /// @param recovered  The last checkpoint the consumer made durable, if it keeps one. It outranks
  ///                   the ledger, which may be one commit behind it.
  ///   kInvalidArgument   Options.
  ///   kAlreadyOpen       Another process uses the state folder.
  ///   kStateMismatch     The checkpoint is older than the ledger, or of another pipeline or
  ///                      store; or the ledger was lost: a checkpoint holds what its epoch
  ///                      changed, not all.
  ///   kPermissionDenied, kIo, kDiskFull, kCorrupt
  static Result<std::unique_ptr<Source>> open(SourceOptions options,
                                              std::optional<Checkpoint> recovered = {});
  /// As above, with a store of the caller's own in place of open_store(options.from). That still
  /// says which keys are meant: "s3://NAME/PATTERN" for keys without a leading '/', where NAME is
  /// any bucket's name, and "/PATTERN" for those with one.
  ///   kInvalidArgument   The store is null.
  ///   kInternal          An exception came out of its uri().
  static Result<std::unique_ptr<Source>> open(SourceOptions options,
                                              std::unique_ptr<ObjectStore> store,
                                              std::optional<Checkpoint> recovered = {});
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  virtual ~Source() = default;

  /// Waits up to `timeout`, or a day, for the next event; not at all below 0.
  ///   kNotFound, kPermissionDenied  The bucket or folder itself, at the first listing.
  ///   kUnavailable, kThrottled, kTimeout  once: after all retries. Otherwise the source goes on.
  ///   kObjectChanged    OnChange::kFail.
  ///   kInvalidArgument  An after-action would put the object where it is found again.
  ///   kDiskFull, kIo  The ledger.
  virtual Result<Polled> poll(std::chrono::milliseconds timeout) = 0;

  /// A cut of the stream: covers everything that poll() has returned so far. Cumulative since the
  /// last commit(), so one that was never committed may simply be replaced by a later one.
  /// Holds no splits when nothing happened since.
  virtual Checkpoint checkpoint() = 0;

  /// The rows up to `checkpoint`, and the checkpoint itself, are durable at the consumer's: write
  /// them into the ledger. Must be the latest that checkpoint() returned, as it returned it: epoch
  /// and token tell which one it is, and the rest is written as it stands.
  ///   kInvalidArgument  It is not.
  ///   kDiskFull, kIo    Nothing was written; the same call may be repeated.
  virtual Result<void> commit(const Checkpoint& checkpoint) = 0;

  /// Stops reading, waits for the threads, closes the ledger. Rows not committed come again at
  /// the next open(). Idempotent.
  virtual Result<void> close() = 0;

  virtual SourceStats stats() const = 0;
  /// The schema of the chunks, lineage columns included; null until it is known.
  virtual std::shared_ptr<const Schema> schema() const = 0;

 protected:
  Source() = default;
};

}  // namespace leat
