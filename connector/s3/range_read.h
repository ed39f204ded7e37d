// One range of one version of an object, under way.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>

#include "connector/s3/curl_exchange.h"
#include "connector/s3/hedge.h"
#include "connector/s3/range_window.h"
#include "connector/s3/s3_error.h"
#include "connector/s3/s3_requester.h"
#include "leat/object_store.h"
#include "leat/result.h"
#include "leat/row_chunk.h"
#include "leat/split.h"

namespace leat::connector::s3 {

/// Counters of what was read. Thread-safe.
struct ReadCounters {
  std::atomic<std::uint64_t> requests{0};
  std::atomic<std::uint64_t> bytes{0};
};

/// Its bytes come while the thread that uses it waits, which moves them itself, and as far as there
/// is memory for them while it does something else, on another one. What it needs beyond that
/// (another attempt, which begins where the one before broke off) happens while that thread waits,
/// or tends it.
///
/// Used by one thread. Borrows what it is given references of.
class RangeRead {
 public:
  /// Memory of a range on demand: for the piece that comes while nobody waits.
  static constexpr std::size_t kOnDemandBytes = CurlExchange::kPieceMax;

  /// Sends nothing yet.
  /// @param range   Not empty; end <= object.size.
  /// @param memory  With room for less than the range, the range comes on demand: behind the first
  ///   piece only while somebody waits for it.
  /// @param hedge   nullptr: no request is sent twice.
  RangeRead(S3Requester& requester, ReadCounters& counters, Hedge* hedge,
            const ObjectVersion& object, Range range, Buffer memory, std::stop_token stop);
  RangeRead(const RangeRead&) = delete;
  RangeRead& operator=(const RangeRead&) = delete;
  /// Breaks off what is on its way.
  ~RangeRead();

  /// Sends the first request. Waits only where the service has asked for fewer requests.
  void start();

  /// What the service has not sent yet.
  std::uint64_t to_come() const noexcept { return range_.length() - received(); }
  /// What has not been read yet.
  std::uint64_t left() const noexcept { return range_.length() - read_; }

  /// Begins another attempt where one has failed and its pause is over. Does not wait for either;
  /// what takes its time, such as new credentials, is left to read().
  void tend();

  /// The next bytes. Waits for the first of them; those that come meanwhile go to `out` without a
  /// copy in between.
  /// @param out  Not empty.
  /// @return  > 0; left() is not 0.
  ///   Errors of S3Client::read_range.
  Result<std::size_t> read(std::span<std::byte> out);

  /// How it came. Nothing: not all is there, or it took more than one attempt.
  std::optional<RangeWindow::Came> came() const;
  /// For the next range. All of this one is read.
  Buffer take_memory() { return std::move(memory_); }

 private:
  /// One request: usually the only one; a hedge is a second one for the same bytes.
  struct Slot final : S3Requester::Receiver {
    bool on_body(const HttpResponse& head, std::span<const std::byte> bytes) override {
      return owner->take(*this, head, bytes);
    }
    void on_pause() override { owner->pause(*this); }
    void on_end(S3Requester::Attempt attempt) override {
      owner->take_end(*this, std::move(attempt));
    }

    RangeRead* owner = nullptr;
    RequestContext context;
    Range asked;
    bool checked = false;
    std::optional<S3Failure> wrong;
    std::chrono::steady_clock::time_point sent;
    std::optional<S3Requester::Attempt> ended;  // Guarded by mutex_.
    std::unique_ptr<S3Requester::Call> call;    // Last. Set: it was sent.
  };

  std::uint64_t received() const noexcept { return received_.load(std::memory_order_acquire); }
  bool has_arrived() const noexcept { return received() > read_; }
  S3Requester::Recovery& recovery();
  /// Sends the next attempt.
  void send_again();
  void send(Slot& slot);
  /// Waits until ready(), moving bytes meanwhile where no other thread does.
  void wait(std::unique_lock<std::mutex>& lock, std::chrono::steady_clock::time_point until,
            const std::function<bool()>& ready);
  void wait_for_bytes(std::unique_lock<std::mutex>& lock, bool may_hedge);
  std::size_t hand_out(std::unique_lock<std::mutex>& lock, std::span<std::byte> out);
  bool take(Slot& slot, const HttpResponse& head, std::span<const std::byte> bytes);
  void pause(const Slot& slot);
  void publish();
  void take_end(Slot& slot, S3Requester::Attempt attempt);
  bool all_ended() const;
  void drop_loser();
  S3Failure take_failure();

  S3Requester& requester_;
  ReadCounters& counters_;
  Hedge* const hedge_;
  const ObjectVersion& object_;
  const Range range_;
  const bool on_demand_;
  const std::stop_token stop_;
  std::atomic<std::uint64_t> received_{0};
  std::uint64_t read_ = 0;
  std::size_t attempt_ = 0;
  std::optional<S3Requester::Recovery> recovery_;  // Time runs from the first failure on,
  std::uint64_t failed_at_ = 0;                    // which came behind so many bytes.
  // What has become of the last attempt, at most one of them; none: it is under way.
  std::optional<S3Failure> failure_;    // It failed, and that has to be dealt with.
  std::optional<Clock::Duration> due_;  // When the next one is to be sent.
  std::optional<Error> error_;          // There will be no other.

  mutable std::mutex mutex_;
  std::condition_variable_any arrived_;
  const Slot* writer_ = nullptr;  // The first one that had bytes; the other one is refused.
  std::uint64_t written_ = 0;     // received_ follows when bytes pause.
  Buffer memory_;                 // Of what was written, the end,
  std::size_t memory_read_ = 0;   // read up to here.
  std::size_t pauses_ = 0;
  std::span<std::byte> lent_;  // What is left of it, while somebody waits.
  std::chrono::steady_clock::time_point first_written_;
  std::chrono::steady_clock::time_point last_written_;  // Of the last byte.
  std::chrono::steady_clock::duration waited_{0};       // Behind the first byte.
  std::array<Slot, 2> slots_;                           // Last: their calls use the others.
};

}  // namespace leat::connector::s3
