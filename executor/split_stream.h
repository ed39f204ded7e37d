// One split on its way: bytes are read and decoded, cut into slices of whole records, parsed side
// by side, and delivered in order.
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

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "executor/decoded_reader.h"
#include "executor/slice_queue.h"
#include "executor/work_queue.h"
#include "executor/worker_context.h"
#include "leat/parser.h"
#include "leat/result.h"
#include "leat/row_chunk.h"

namespace leat::executor {

/// How the objects of a source are read: retries are counted and logged. Borrows both.
connector::SplitReaderOptions reading_options(const WorkerContext& context,
                                              const ObjectVersion& object);

/// Used by one thread. Borrows everything it is given.
class SplitStream {
 public:
  /// Takes each chunk that holds rows or rejects, in order. An error ends the stream.
  using Deliver = std::function<Result<void>(RowChunk)>;
  /// Told of the schema as soon as `parser`, made without one, knows it: before its first rows are
  /// delivered.
  using OnSchema = std::function<Result<void>(std::shared_ptr<const Schema>)>;

  SplitStream(const WorkerContext& context, const SplitAssignment& assignment,
              ByteStreamParser& parser, Deliver deliver, OnSchema on_schema, std::stop_token stop);
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
  Result<bool> read_chunk();
  bool parses_alone();
  std::size_t cut() const noexcept;
  Result<void> take_slices();
  Result<void> take_serially(bool at_end);
  Result<void> deliver_slice();
  void cut_anew(const Slice& wrong, std::uint64_t offset);
  Result<void> deliver_all_slices();
  Result<void> deliver(RowChunk rows);
  void carry(std::size_t from);
  std::string_view bytes() const noexcept {
    return {reinterpret_cast<const char*>(buffer_.data()), buffer_.size()};
  }

  const WorkerContext& context_;
  const std::shared_ptr<const ObjectVersion> object_;
  ByteStreamParser& parser_;
  const Deliver deliver_;
  const OnSchema on_schema_;
  bool schema_is_known_;
  const bool may_grow_;  ///< What ends the split is no end of the object.
  bool is_open_ = false;
  DecodedReader reader_;
  SliceQueue slices_;

  Buffer buffer_;            ///< Bytes carried over, then those of the last read.
  std::size_t carried_ = 0;  ///< Of buffer_.
  std::uint64_t offset_;     ///< Of buffer_[0].
  /// buffer_ begins with a record, so that it may be cut into slices.
  bool at_record_ = false;
  bool parses_alone_ = false;       ///< What is read here is parsed here: there are enough others.
  int chunks_with_few_others_ = 0;  ///< In a row.
  /// How ends of slices are guessed: not at all, once both ways were wrong.
  std::optional<RecordEndGuess> guess_ = RecordEndGuess::kLineEnd;
  std::unique_ptr<Slice> next_slice_;  ///< Cut off, and waiting for a place among those in flight.
  /// parser_ was given all bytes in front of those of the last read.
  bool parser_follows_ = true;
  Position serial_end_;        ///< Where parser_ stands, its record number aside.
  std::uint64_t records_ = 0;  ///< In front of the next slice that is to be delivered.
  Buffer spare_;               ///< Memory of a slice that is done.

  Position reached_;
  std::string offending_;
};

}  // namespace leat::executor
