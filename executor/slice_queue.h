// The parts of one split that are parsed at the same time, in their order.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <semaphore>
#include <string>
#include <utility>
#include <vector>

#include "executor/parse_arena.h"
#include "executor/schema_registry.h"
#include "executor/usable_cores.h"
#include "leat/object_store.h"
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
  /// Where `bytes`, so many of them, are read from by whoever parses them; null: they are there.
  std::shared_ptr<const ObjectReader> source;
  std::size_t unread_bytes = 0;

  RowChunk rows;
  Result<void> parsed;
  std::string offending;   ///< Where parsed is an error.
  bool is_unread = false;  ///< Reading it failed: nothing was parsed.
  bool is_full = false;    ///< Not all of it was parsed: its rows take too much memory.

  /// Reads what is still to be read.
  void read();
  /// Counts all records from the split's first on: `before` are in front of the slice.
  void shift_records(std::uint64_t before);
};

/// What the slices of all splits share. Thread-safe.
class SliceParsing {
 public:
  /// At most `threads` parse at a time, and at most `extra_slices` are in flight beside one for
  /// each split. Rows of one slice take at most about `rows_bytes_max`, text aside.
  SliceParsing(const SchemaRegistry& schemas, ParseArena& arena, std::uint32_t threads,
               std::ptrdiff_t extra_slices, std::size_t rows_bytes_max)
      : schemas_(schemas),
        arena_(arena),
        rows_bytes_max_(rows_bytes_max),
        others_to_suffice_(others_to_suffice(threads, usable_cores())),
        free_places_(threads),
        permits_(extra_slices) {}

  ParseArena& arena() noexcept { return arena_; }
  std::size_t rows_bytes_max() const noexcept { return rows_bytes_max_; }
  /// A thread has bytes to parse, or waits: for bytes, for others, or for rows to be taken.
  void note_busy() noexcept { ++busy_threads_; }
  void note_waiting() noexcept { --busy_threads_; }
  /// Whether threads other than the `own` busy ones of a split keep all cores so. Then another one
  /// would only get in their way.
  bool others_suffice(std::int64_t own) const noexcept {
    return busy_threads_ - own >= others_to_suffice_;
  }
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
  const std::size_t rows_bytes_max_;
  const std::int64_t others_to_suffice_;
  std::atomic<std::int64_t> busy_threads_ = 0;
  // No std::counting_semaphore: that of GCC 12 may leave one of several waiters asleep beside a
  // free place (GCC bug 104928). The permits below nobody waits for.
  std::mutex places_mutex_;
  std::condition_variable place_is_free_;
  std::uint32_t free_places_;
  std::counting_semaphore<> permits_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<ByteStreamParser>> idle_;  ///< All of the pipeline's schema.
};

/// One split's slices in flight, first in, first out. Used by one thread at a time, but for
/// parse().
class SliceQueue {
 public:
  explicit SliceQueue(SliceParsing& parsing) : parsing_(parsing) {}
  /// Waits for all that are in flight.
  ~SliceQueue();
  SliceQueue(const SliceQueue&) = delete;
  SliceQueue& operator=(const SliceQueue&) = delete;

  /// A slice in flight.
  class Entry {
   public:
    explicit Entry(std::unique_ptr<Slice> slice) : slice_(std::move(slice)) {}

   private:
    friend class SliceQueue;
    std::unique_ptr<Slice> slice_;
    std::shared_ptr<const Schema> schema_;
    std::atomic<bool> parsed_ = false;
    bool has_permit_ = false;
  };

  bool empty() const noexcept { return in_flight_.empty(); }
  /// True when pop() would not wait.
  bool front_is_parsed() const noexcept;
  /// Takes the slice, if it may be in flight now; an empty queue always takes one. The caller has
  /// to parse() it. `schema` is the pipeline's.
  std::shared_ptr<Entry> try_push(std::unique_ptr<Slice>& slice,
                                  const std::shared_ptr<const Schema>& schema);
  /// Once for each entry; at any time, by any thread.
  void parse(Entry& entry);
  /// The next slice, parsed; waits for it. Not of an empty queue.
  std::unique_ptr<Slice> pop();

 private:
  SliceParsing& parsing_;
  std::deque<std::shared_ptr<Entry>> in_flight_;
};

}  // namespace leat::executor
