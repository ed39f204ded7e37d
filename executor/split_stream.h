// One split on its way: bytes are read and decoded, cut into slices of whole records, parsed side
// by side, and delivered in order.
//
// Leader and followers: one thread at a time reads a chunk and cuts a slice off; then the next one
// may, while it parses what it has just read, which is still in its core's cache. Of a store that
// can be read anywhere it only looks where the slice may end, and reads it when its turn is over.
// Threads of the arena come to help as long as there is something to do for them.
//
// Where a record ends is decided by one parser first, which reads the header; from then on it only
// guesses the last boundary in what was read (ByteStreamParser::likely_whole_records), which takes
// next to no time, and other parsers do the work. A slice that is not used up shows that its end
// was guessed wrong: rows come from those in front of it, and what follows is cut anew, from then
// on by a safer guess, at last by whole_records(). What cannot be cut (a stray quote, a record
// larger than a chunk, the object's last record) the first parser takes itself, in its turn, and
// all that is read while other splits keep the cores busy. So rows, errors and positions are those
// of a single parser that reads all.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "executor/decoded_reader.h"
#include "executor/slice_cutter.h"
#include "executor/slice_queue.h"
#include "executor/turn.h"
#include "executor/work_queue.h"
#include "executor/worker_context.h"
#include "leat/parser.h"
#include "leat/result.h"
#include "leat/row_chunk.h"

namespace leat::executor {

/// How the objects of a source are read: retries are counted and logged. Borrows both.
connector::SplitReaderOptions reading_options(const WorkerContext& context,
                                              const ObjectVersion& object);

/// Used by one thread, which others may help. Borrows everything it is given.
class SplitStream {
 public:
  enum class Threads {
    kOwn,     ///< The one that runs the stream does all of it.
    kHelped,  ///< Others help; so whatever is called is called on any of them, one at a time.
  };
  /// Takes each chunk that holds rows or rejects, in order. An error ends the stream.
  using Deliver = std::function<Result<void>(RowChunk)>;
  /// Told of the schema as soon as `parser`, made without one, knows it: before its first rows are
  /// delivered, by the thread that runs the stream.
  using OnSchema = std::function<Result<void>(std::shared_ptr<const Schema>)>;

  SplitStream(const WorkerContext& context, const SplitAssignment& assignment,
              ByteStreamParser& parser, Deliver deliver, OnSchema on_schema, std::stop_token stop,
              Threads threads = Threads::kHelped);
  SplitStream(const SplitStream&) = delete;
  SplitStream& operator=(const SplitStream&) = delete;
  ~SplitStream();

  /// Reads to the split's end. All rows in front of an error are delivered before it is returned.
  Result<void> run();

  /// How far delivered rows and rejects go.
  const Position& reached() const noexcept { return reached_; }
  /// With SplitAssignment::end: the last record is not whole there, and was left for later.
  bool is_open() const noexcept { return is_open_; }
  /// After an error of content: the first bytes of the record at fault, if they are at hand.
  const std::string& offending() const noexcept { return offending_; }

 private:
  struct Helpers;

  static void help(Helpers& helpers, std::size_t place);
  void help();
  void call_helpers();
  bool advance(std::shared_ptr<SliceQueue::Entry>& to_parse);
  Result<bool> take_next(std::shared_ptr<SliceQueue::Entry>& to_parse);
  Result<bool> read_chunk();
  bool parses_alone();
  Result<bool> take_slice(std::shared_ptr<SliceQueue::Entry>& to_parse);
  Result<bool> take_unread_slice(std::shared_ptr<SliceQueue::Entry>& to_parse);
  Result<bool> send_slice(std::uint64_t offset, std::shared_ptr<SliceQueue::Entry>& to_parse);
  Result<void> take_serially(bool at_end);
  Result<void> parse_serially(ByteChunk chunk, bool at_end);
  Result<void> deliver_serially(RowChunk rows);
  Result<void> deliver_slice();
  void cut_anew(const Slice& wrong, std::uint64_t offset);
  void go_back(std::uint64_t offset);
  std::vector<std::unique_ptr<Slice>> take_back_slices();
  Result<void> deliver_all_slices();
  Result<void> deliver(RowChunk rows);
  void note_busy() noexcept;
  void note_waiting() noexcept;

  const WorkerContext& context_;
  const std::shared_ptr<const ObjectVersion> object_;
  ByteStreamParser& parser_;
  const Deliver deliver_;
  const OnSchema on_schema_;
  const Threads threads_;
  const bool may_grow_;  ///< What ends the split is no end of the object.
  std::atomic<std::int64_t> busy_threads_ = 0;
  std::shared_ptr<Helpers> helpers_;  ///< None: nothing was cut yet.

  /// Held by the thread whose turn it is to read, cut and deliver: it guards all that follows.
  Turn turn_;
  std::optional<Result<void>> result_;  ///< Set: the stream is over.
  bool schema_is_known_;
  bool is_open_ = false;
  DecodedReader reader_;
  SliceQueue slices_;

  SliceCutter cutter_;
  bool at_record_ = false;          ///< So that what is in cutter_ may be cut into slices.
  bool parses_alone_ = false;       ///< What is read here is parsed here: there are enough others.
  int chunks_with_few_others_ = 0;  ///< In a row.
  int chunks_in_turn_ = 0;          ///< To come, of rows that take much more memory than bytes.
  bool went_back_ = false;          ///< The next chunk is read in the turn.
  std::unique_ptr<Slice> next_slice_;  ///< Cut off, and waiting for a place among those in flight.
  /// parser_ was given all bytes in front of those of the last read.
  bool parser_follows_ = true;
  Position serial_end_;          ///< Where parser_ stands, its record number aside.
  std::uint64_t records_ = 0;    ///< In front of the next slice that is to be delivered.
  bool turns_are_long_ = false;  ///< The last one was.

  Position reached_;
  std::string offending_;
};

}  // namespace leat::executor
