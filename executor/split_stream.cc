#include "executor/split_stream.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "executor/log.h"

namespace leat::executor {
namespace {

/// A turn that takes longer is a long one: of a slow store, a slow decoder or a slow consumer.
constexpr std::chrono::milliseconds kPatience{2};

}  // namespace

connector::SplitReaderOptions reading_options(const WorkerContext& context,
                                              const ObjectVersion& object) {
  connector::SplitReaderOptions options;
  options.attempts_max = context.options.split_attempts_max;
  options.on_retry = [&context, &object](const Error& error) {
    ++context.read_retries;
    log(context.options, SourceOptions::LogLevel::kWarning,
        "reading " + context.store.uri_of(object.key) +
            " failed, trying again: " + error.to_string());
  };
  return options;
}

/// The threads of the arena that were called. Outlives the stream, as one that was called may come
/// when all is over.
struct SplitStream::Helpers {
  explicit Helpers(SplitStream& helped, std::size_t places) : stream(&helped), called(places) {}

  std::mutex mutex;
  std::condition_variable left;
  SplitStream* stream;       ///< Null: it is over.
  std::vector<bool> called;  ///< By place: it was called, and has not left yet.
  std::size_t active = 0;
};

SplitStream::SplitStream(const WorkerContext& context, const SplitAssignment& assignment,
                         ByteStreamParser& parser, Deliver deliver, OnSchema on_schema,
                         std::stop_token stop, Threads threads)
    : context_(context),
      object_(assignment.object),
      parser_(parser),
      deliver_(std::move(deliver)),
      on_schema_(std::move(on_schema)),
      threads_(threads),
      may_grow_(assignment.end.has_value()),
      schema_is_known_(parser.schema() != nullptr),
      reader_(context.store, context.clock, *object_, assignment.from, assignment.end,
              reading_options(context, *object_), context.options.format.encoding,
              {.ratio_max = context.options.decode_ratio_max}, std::move(stop)),
      slices_(context.parsing),
      cutter_(assignment.from.offset),
      serial_end_(assignment.from),
      records_(assignment.from.record),
      reached_(assignment.from) {
  parser_.limit_rows(context.parsing.rows_bytes_max());
  note_busy();
}

SplitStream::~SplitStream() { note_waiting(); }

void SplitStream::note_busy() noexcept {
  ++busy_threads_;
  context_.parsing.note_busy();
}

void SplitStream::note_waiting() noexcept {
  --busy_threads_;
  context_.parsing.note_waiting();
}

Result<void> SplitStream::run() {
  if (Result<void> reset = parser_.reset_for_new_split(object_, serial_end_); !reset) return reset;
  for (bool more = true; more;) {
    std::shared_ptr<SliceQueue::Entry> to_parse;
    {
      note_waiting();
      const std::lock_guard turn(turn_);
      note_busy();
      more = advance(to_parse);
    }
    if (to_parse != nullptr) slices_.parse(*to_parse);
  }
  if (helpers_ != nullptr) {
    note_waiting();
    std::unique_lock lock(helpers_->mutex);
    helpers_->stream = nullptr;
    helpers_->left.wait(lock, [this] { return helpers_->active == 0; });
    note_busy();
  }
  return *std::move(result_);
}

/// Calls those that are not here; one is enough where turns are long, as the others would wait.
void SplitStream::call_helpers() {
  ParseArena& arena = context_.parsing.arena();
  if (helpers_ == nullptr) helpers_ = std::make_shared<Helpers>(*this, arena.threads());
  const std::lock_guard lock(helpers_->mutex);
  const std::size_t wanted = turns_are_long_ ? 1 : helpers_->called.size();
  for (std::size_t i = 0; i < wanted; ++i) {
    if (helpers_->called[i]) continue;
    helpers_->called[i] = true;
    arena.submit([helpers = helpers_, i] { help(*helpers, i); });
  }
}

void SplitStream::help(Helpers& helpers, std::size_t place) {
  SplitStream* stream = nullptr;
  {
    const std::lock_guard lock(helpers.mutex);
    stream = helpers.stream;
    if (stream == nullptr) return;
    ++helpers.active;
  }
  stream->help();
  const std::lock_guard lock(helpers.mutex);
  helpers.called[place] = false;
  --helpers.active;
  helpers.left.notify_one();
}

/// Until there is nothing to do for it: the stream is over, or enough others are busy. Nor does it
/// wait for a slow store, as other splits may need it.
void SplitStream::help() {
  while (true) {
    std::shared_ptr<SliceQueue::Entry> to_parse;
    const auto begin = std::chrono::steady_clock::now();
    {
      const std::unique_lock turn(turn_, kPatience);
      if (!turn.owns_lock() || result_ || parses_alone_) return;
      note_busy();
      advance(to_parse);
    }
    const bool had_to_wait = std::chrono::steady_clock::now() - begin > kPatience;
    if (to_parse != nullptr) slices_.parse(*to_parse);
    note_waiting();
    if (to_parse == nullptr || had_to_wait) return;
  }
}

/// One turn: delivers what is parsed, reads a chunk, and has it parsed, or cuts a slice from it
/// that the caller has to parse when its turn is over. False: the stream is over.
bool SplitStream::advance(std::shared_ptr<SliceQueue::Entry>& to_parse) {
  if (result_) return false;
  const auto begin = std::chrono::steady_clock::now();
  Result<bool> more = take_next(to_parse);
  turns_are_long_ = std::chrono::steady_clock::now() - begin > kPatience;
  if (!more) {
    result_.emplace(std::move(more).error());
  } else if (!*more) {
    result_.emplace();
  }
  return !result_;
}

Result<bool> SplitStream::take_next(std::shared_ptr<SliceQueue::Entry>& to_parse) {
  while (slices_.front_is_parsed()) {
    if (Result<void> delivered = deliver_slice(); !delivered) return std::move(delivered).error();
  }
  const bool may_cut = at_record_ && chunks_in_turn_ == 0 && !parses_alone();
  if (chunks_in_turn_ > 0) --chunks_in_turn_;
  if (may_cut && !went_back_) {
    Result<bool> taken = take_unread_slice(to_parse);
    if (!taken || *taken) return taken;
  }
  went_back_ = false;
  Result<bool> more = read_chunk();
  if (!more) {
    // What was read before the failure is good; some of it may still have to be cut.
    if (Result<void> delivered = deliver_all_slices(); !delivered) {
      return std::move(delivered).error();
    }
    if (went_back_) return true;
    if (!parser_follows_ && !cutter_.empty()) {
      if (Result<void> taken = take_serially(false); !taken) return std::move(taken).error();
    }
    return std::move(more).error();
  }
  if (*more && may_cut) {
    Result<bool> taken = take_slice(to_parse);
    if (!taken || *taken) return taken;
  }
  if (Result<void> taken = take_serially(!*more); !taken) return std::move(taken).error();
  return *more || went_back_;
}

/// Reads behind what is carried over. False: the split is over.
Result<bool> SplitStream::read_chunk() {
  note_waiting();
  Result<std::size_t> bytes = cutter_.read(reader_, context_.chunk_bytes);
  note_busy();
  if (!bytes) return std::move(bytes).error();
  return *bytes != 0;
}

/// Others may be reading at just this moment: slices begin again when they have been few for a
/// while.
bool SplitStream::parses_alone() {
  if (threads_ == Threads::kOwn) return true;
  constexpr int kWhile = 4;
  if (context_.parsing.others_suffice(busy_threads_)) {
    parses_alone_ = true;
    chunks_with_few_others_ = 0;
  } else if (++chunks_with_few_others_ >= kWhile) {
    parses_alone_ = false;
  }
  return parses_alone_;
}

/// Cuts whole records off. False: none seems to end in what was read. No slice is larger than what
/// one read adds to a record's part, even if several were put back.
Result<bool> SplitStream::take_slice(std::shared_ptr<SliceQueue::Entry>& to_parse) {
  std::optional<SliceCutter::Cut> cut = cutter_.cut(parser_, 2 * context_.chunk_bytes);
  if (!cut) return false;
  next_slice_ = std::make_unique<Slice>();
  next_slice_->bytes = std::move(cut->bytes);
  return send_slice(cut->offset, to_parse);
}

/// The same, of what is still to be read: by the thread that parses it, when its turn is over.
Result<bool> SplitStream::take_unread_slice(std::shared_ptr<SliceQueue::Entry>& to_parse) {
  std::optional<SliceCutter::UnreadCut> cut =
      cutter_.cut_unread(reader_, parser_, context_.chunk_bytes, object_->size);
  if (!cut) return false;
  next_slice_ = std::make_unique<Slice>();
  next_slice_->unread_bytes = cut->bytes;
  next_slice_->source = std::move(cut->source);
  return send_slice(cut->offset, to_parse);
}

/// Puts next_slice_, which begins at `offset`, among those in flight.
Result<bool> SplitStream::send_slice(std::uint64_t offset,
                                     std::shared_ptr<SliceQueue::Entry>& to_parse) {
  next_slice_->object = object_;
  next_slice_->begin = {offset, 0, serial_end_.parser_state, {}};
  parser_follows_ = false;
  while (next_slice_ != nullptr) {
    if (!slices_.front_is_parsed()) {
      to_parse = slices_.try_push(next_slice_, context_.schemas.parsed());
      if (to_parse != nullptr) break;
    }
    if (Result<void> delivered = deliver_slice(); !delivered) return std::move(delivered).error();
  }
  call_helpers();
  return true;
}

/// Has parser_ parse what was read, in its turn.
Result<void> SplitStream::take_serially(bool at_end) {
  if (Result<void> delivered = deliver_all_slices(); !delivered) return delivered;
  if (went_back_) return {};
  std::size_t known = cutter_.carried();  // Bytes that parser_ has had already.
  if (!parser_follows_) {
    if (at_end && cutter_.empty()) return {};
    serial_end_.offset = cutter_.chunk().offset;
    serial_end_.record = records_;
    if (Result<void> reset = parser_.reset_for_new_split(object_, serial_end_); !reset) {
      return reset;
    }
    parser_follows_ = true;
    known = 0;
  }
  const ByteChunk all = cutter_.chunk();
  const ByteChunk chunk = cutter_.chunk(known);
  if (Result<void> parsed = parse_serially(chunk, at_end); !parsed) {
    offending_ = offending_bytes(parsed.error(), all);
    return parsed;
  }
  // A record that began before this chunk is parser_'s alone; one in it may be cut off from here.
  const bool may_cut = !serial_end_.parser_state.empty() && serial_end_.offset >= chunk.offset;
  at_record_ = may_cut;
  cutter_.drop(may_cut ? static_cast<std::size_t>(serial_end_.offset - all.offset)
                       : all.payload.size());
  return {};
}

/// What parser_ makes of `chunk`; more than one of rows where they take much memory.
Result<void> SplitStream::parse_serially(ByteChunk chunk, bool at_end) {
  Result<void> parsed;
  while (parsed && (!chunk.payload.empty() || parser_.has_more())) {
    RowChunk rows;
    context_.parsing.run([&] { parsed = parser_.parse(chunk, rows); });
    if (Result<void> delivered = deliver_serially(std::move(rows)); !delivered) return delivered;
    chunk = {chunk.offset + chunk.payload.size(), {}};
  }
  if (!at_end || !parsed) return parsed;
  RowChunk last_rows;
  context_.parsing.run([&] { parsed = parser_.finish(last_rows); });
  // A line end in quotes is no end of a record: what closes them is still to come.
  is_open_ = may_grow_ && !parsed && parsed.error().code == ErrorCode::kUnterminatedQuote;
  if (is_open_) parsed = {};
  if (Result<void> delivered = deliver_serially(std::move(last_rows)); !delivered) return delivered;
  return parsed;
}

Result<void> SplitStream::deliver_serially(RowChunk rows) {
  if (!schema_is_known_ && parser_.schema() != nullptr) {
    if (Result<void> fixed = on_schema_(parser_.schema()); !fixed) return fixed;
    schema_is_known_ = true;
  }
  serial_end_ = rows.end;
  records_ = serial_end_.record;
  return deliver(std::move(rows));
}

Result<void> SplitStream::deliver_slice() {
  note_waiting();
  std::unique_ptr<Slice> slice = slices_.pop();
  note_busy();
  if (slice->is_unread) {
    go_back(slice->begin.offset);
    return {};
  }
  slice->shift_records(records_);
  records_ = slice->rows.end.record;
  const std::uint64_t end = slice->rows.end.offset;
  if (Result<void> delivered = deliver(std::move(slice->rows)); !delivered) return delivered;
  if (!slice->parsed) {
    offending_ = std::move(slice->offending);
    return std::move(slice->parsed);
  }
  if (slice->is_full) {
    constexpr int kWhile = 16;
    chunks_in_turn_ = kWhile;
    cut_anew(*slice, end);
  } else if (end != slice->begin.offset + slice->bytes.size()) {
    cutter_.note_wrong_guess();
    cut_anew(*slice, end);
  }
  return {};
}

/// Has the bytes from `offset`, where a record of the slice `wrong` begins, cut anew, up to those
/// that were cut last. What they were parsed to is dropped: where a guess was wrong, it began
/// inside a record.
void SplitStream::cut_anew(const Slice& wrong, std::uint64_t offset) {
  const std::vector<std::unique_ptr<Slice>> later = take_back_slices();
  bool all_at_hand = wrong.source == nullptr;
  const auto bytes_of = [](const Slice& slice) {
    return std::span<const std::byte>(slice.bytes.data(), slice.bytes.size());
  };
  std::vector<std::span<const std::byte>> pieces = {
      bytes_of(wrong).subspan(static_cast<std::size_t>(offset - wrong.begin.offset))};
  for (const std::unique_ptr<Slice>& slice : later) {
    pieces.push_back(bytes_of(*slice));
    all_at_hand = all_at_hand && slice->source == nullptr;
  }
  if (all_at_hand) {
    cutter_.put_back(offset, pieces);
  } else {
    go_back(offset);
  }
}

/// Drops what is in flight: the next chunk is read in a turn, from `offset` on.
void SplitStream::go_back(std::uint64_t offset) {
  take_back_slices();
  cutter_.go_back(offset);
  went_back_ = true;
}

std::vector<std::unique_ptr<Slice>> SplitStream::take_back_slices() {
  std::vector<std::unique_ptr<Slice>> slices;
  while (!slices_.empty()) slices.push_back(slices_.pop());
  if (next_slice_ != nullptr) slices.push_back(std::move(next_slice_));
  return slices;
}

Result<void> SplitStream::deliver_all_slices() {
  while (!slices_.empty()) {
    if (Result<void> delivered = deliver_slice(); !delivered) return delivered;
  }
  return {};
}

Result<void> SplitStream::deliver(RowChunk rows) {
  if (rows.rows == 0 && rows.rejects.empty()) return {};
  rows.end.decoder_state = reader_.state_before(rows.end.offset);
  Position end = rows.end;
  note_waiting();
  Result<void> delivered = deliver_(std::move(rows));
  note_busy();
  if (!delivered) return delivered;
  reached_ = std::move(end);
  return {};
}

}  // namespace leat::executor
