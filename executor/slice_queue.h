// The parts of one split that are parsed at the same time, in their order.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <semaphore>
#include <string>
#include <vector>

#include "executor/parse_arena.h"
#include "executor/schema_registry.h"
#include "leat/parser.h"
#include "leat/result.h"
#include "leat/row_chunk.h"
#include "leat/source.h"
#include "leat/split.h"

namespace leat::executor {

/// The first bytes of the record at fault, as far as `bytes` hold them; empty: they do not.
std::string offending_bytes(const Error& error, const ByteChunk& bytes);

/// Whole records of a split, and what they were parsed to.
struct Slice {
  std::shared_ptr<const ObjectVersion> object;
  /// Of bytes[0]. Its record number is 0: how many records are in front of a slice is known only
  /// when those are parsed, so all numbers in `rows` and `parsed` count from the slice's begin.
  Position begin;
  Buffer bytes;

  RowChunk rows;
  Result<void> parsed;
  std::string offending;  ///< Where parsed is an error.

  /// Counts all records from the split's first on: `before` are in front of the slice.
  void shift_records(std::uint64_t before);
};

/// What the slices of all splits share. Thread-safe.
class SliceParsing {
 public:
  /// At most `threads` parse at a time, those that read among them, and at most `extra_slices` are
  /// in flight beside one for each split.
  SliceParsing(const SchemaRegistry& schemas, ParseArena& arena, std::uint32_t threads,
               std::ptrdiff_t extra_slices)
      : schemas_(schemas),
        arena_(arena),
        handed_over_max_(arena.threads() < threads ? 2 * std::int64_t{arena.threads()}
                                                   : std::numeric_limits<std::int64_t>::max()),
        others_to_suffice_(others_to_suffice(threads, ParseArena::cores())),
        free_places_(threads),
        permits_(extra_slices) {}

  /// A split has bytes to parse, or waits: for others, or for its rows to be taken.
  void note_busy() noexcept { ++busy_splits_; }
  void note_waiting() noexcept { --busy_splits_; }
  /// Whether splits other than the caller's, which is busy, keep all threads so. Then a slice would
  /// only move its bytes from one core's cache to another's.
  bool others_suffice() const noexcept { return busy_splits_ - 1 >= others_to_suffice_; }
  /// Runs `task`, which parses and waits for nothing, as soon as it may.
  void run(const std::function<void()>& task);

 private:
  friend class SliceQueue;
  void parse(Slice& slice, const std::shared_ptr<const Schema>& schema);
  /// At least one, so that one thread still parses beside the one that reads; but on one core
  /// there is no beside.
  static std::int64_t others_to_suffice(std::uint32_t threads, std::uint32_t cores) noexcept {
    if (threads == 1 && cores == 1) return 0;
    return std::max(1u, std::min(threads, cores) - 1);
  }

  const SchemaRegistry& schemas_;
  ParseArena& arena_;
  /// Then as many wait in the arena as are being parsed there, and readers parse what comes more;
  /// without a bound where the arena has all threads that may parse.
  const std::int64_t handed_over_max_;
  std::atomic<std::int64_t> handed_over_ = 0;
  const std::int64_t others_to_suffice_;
  std::atomic<std::int64_t> busy_splits_ = 0;
  // No std::counting_semaphore: that of GCC 12 may leave one of several waiters asleep beside a
  // free place (GCC bug 104928). The permits below nobody waits for.
  std::mutex places_mutex_;
  std::condition_variable place_is_free_;
  std::uint32_t free_places_;
  std::counting_semaphore<> permits_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<ByteStreamParser>> idle_;  ///< All of the pipeline's schema.
};

/// One split's slices in flight, first in, first out. Used by one thread.
class SliceQueue {
 public:
  explicit SliceQueue(SliceParsing& parsing) : parsing_(parsing) {}
  /// Waits for all that are in flight.
  ~SliceQueue();
  SliceQueue(const SliceQueue&) = delete;
  SliceQueue& operator=(const SliceQueue&) = delete;

  bool empty() const noexcept { return in_flight_.empty(); }
  /// True when pop() would not wait.
  bool front_is_parsed() const noexcept;
  /// Has the slice parsed, if it may be in flight now; an empty queue always takes one. While the
  /// parsing threads have enough to do, it is parsed before this returns. `schema` is the
  /// pipeline's.
  bool try_push(std::unique_ptr<Slice>& slice, const std::shared_ptr<const Schema>& schema);
  /// The next slice, parsed; waits for it. Not of an empty queue.
  std::unique_ptr<Slice> pop();

 private:
  struct Entry {
    std::unique_ptr<Slice> slice;
    std::shared_ptr<const Schema> schema;
    std::atomic<bool> parsed = false;
    bool has_permit = false;
  };

  SliceParsing& parsing_;
  std::deque<std::shared_ptr<Entry>> in_flight_;
};

}  // namespace leat::executor
