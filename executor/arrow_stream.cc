#include "leat/arrow_stream.h"

#include <cerrno>
#include <chrono>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>

namespace leat {
namespace {

/// How long a stop may go unnoticed.
constexpr std::chrono::milliseconds kPollTimeout{100};

int errno_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kObjectChanged:
      return ESTALE;
    case ErrorCode::kCancelled:
      return ECANCELED;
    case ErrorCode::kInvalidArgument:
      return EINVAL;
    case ErrorCode::kPermissionDenied:
      return EACCES;
    case ErrorCode::kNotFound:
      return ENOENT;
    case ErrorCode::kDiskFull:
      return ENOSPC;
    case ErrorCode::kTimeout:
      return ETIMEDOUT;
    default:
      return EIO;
  }
}

Error discarded(const ObjectVersion& object) {
  return {ErrorCode::kObjectChanged,
          "The object changed while it was read: drop its rows that came since the last commit, "
          "then read on, and its new version comes later. To drop all rows since then, open the "
          "source again with the last checkpoint that was committed",
          {.object = object.key}};
}

Error rejects_without_a_taker(const RowChunk& chunk) {
  const RejectedRow& first = chunk.rejects.front();
  return {ErrorCode::kInvalidArgument,
          "A record was rejected, and nobody takes rejects: set ArrowStreamOptions::on_rejects, or "
          "another OnError than kReject. The record: " +
              first.reason,
          {.object = chunk.split->key,
           .record = first.record,
           .byte_offset = first.byte_offset,
           .column = first.column}};
}

class SourceStream {
 public:
  SourceStream(Source& source, ArrowStreamOptions options)
      : source_(source), options_(std::move(options)) {}

  Result<void> get_schema(ArrowSchema* out) {
    std::shared_ptr<const Schema> schema = source_.schema();
    if (schema == nullptr && !ended_ && !waiting_) {
      Result<std::optional<RowChunk>> chunk = next_chunk();
      if (!chunk) return std::move(chunk).error();
      waiting_ = std::move(*chunk);
      schema = source_.schema();
    }
    export_schema(schema != nullptr ? *schema : Schema{}, out);
    return {};
  }

  Result<void> get_next(ArrowArray* out) {
    std::optional<RowChunk> chunk = std::exchange(waiting_, std::nullopt);
    if (!chunk && !ended_) {
      Result<std::optional<RowChunk>> next = next_chunk();
      if (!next) return std::move(next).error();
      chunk = std::move(*next);
    }
    if (chunk) export_chunk(std::move(*chunk), out);
    return {};
  }

  /// Runs get_schema or get_next for C. No exception gets there: neither one for want of memory,
  /// nor the consumer's own from its callback.
  template <class Call>
  int run(Call call) noexcept {
    if (failure_ != 0) return failure_;
    last_error_ = nullptr;
    try {
      Result<void> done = call();
      if (done) return 0;
      message_ = done.error().to_string();
      last_error_ = message_.c_str();
      const int number = errno_of(done.error().code);
      if (number != ESTALE) failure_ = number;
      return number;
    } catch (const std::bad_alloc&) {
      last_error_ = "out of memory";
      failure_ = ENOMEM;
    } catch (...) {
      last_error_ = "an exception came out of ArrowStreamOptions::on_rejects";
      failure_ = EIO;
    }
    return failure_;
  }

  const char* last_error() const noexcept { return last_error_; }

 private:
  /// The next chunk that has rows; none: the source is at its end.
  Result<std::optional<RowChunk>> next_chunk() {
    while (true) {
      if (options_.stop.stop_requested()) {
        return Error{ErrorCode::kCancelled, "The stream was told to stop"};
      }
      Result<Polled> polled = source_.poll(kPollTimeout);
      if (!polled) return std::move(polled).error();
      switch (polled->kind) {
        case Polled::Kind::kRows:
          if (Result<void> taken = hand_over_rejects(polled->rows); !taken) {
            return std::move(taken).error();
          }
          if (polled->rows.rows > 0) return std::optional(std::move(polled->rows));
          break;
        case Polled::Kind::kDiscard:
          return discarded(*polled->discarded);
        case Polled::Kind::kIdle:
          break;
        case Polled::Kind::kEnd:
          ended_ = true;
          return std::optional<RowChunk>();
      }
    }
  }

  Result<void> hand_over_rejects(const RowChunk& chunk) {
    if (chunk.rejects.empty()) return {};
    if (!options_.on_rejects) return rejects_without_a_taker(chunk);
    options_.on_rejects(*chunk.split, chunk.rejects);
    return {};
  }

  Source& source_;
  const ArrowStreamOptions options_;
  std::optional<RowChunk> waiting_;  ///< Read for its schema, not handed out yet.
  bool ended_ = false;
  int failure_ = 0;  ///< What every further call gives; rows that were polled may be lost.
  std::string message_;
  const char* last_error_ = nullptr;
};

SourceStream& stream_of(ArrowArrayStream* stream) noexcept {
  return *static_cast<SourceStream*>(stream->private_data);
}

int get_schema(ArrowArrayStream* stream, ArrowSchema* out) noexcept {
  out->release = nullptr;
  return stream_of(stream).run([&] { return stream_of(stream).get_schema(out); });
}

int get_next(ArrowArrayStream* stream, ArrowArray* out) noexcept {
  out->release = nullptr;
  return stream_of(stream).run([&] { return stream_of(stream).get_next(out); });
}

const char* get_last_error(ArrowArrayStream* stream) noexcept {
  return stream_of(stream).last_error();
}

void release(ArrowArrayStream* stream) noexcept {
  delete &stream_of(stream);
  stream->release = nullptr;
}

}  // namespace

void export_stream(Source& source, ArrowArrayStream* out, ArrowStreamOptions options) {
  *out = {.get_schema = get_schema,
          .get_next = get_next,
          .get_last_error = get_last_error,
          .release = release,
          .private_data = new SourceStream(source, std::move(options))};
}

}  // namespace leat
