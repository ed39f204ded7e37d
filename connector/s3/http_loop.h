// Many transfers at once over one set of connections, driven by those who wait for them.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "connector/s3/curl_exchange.h"
#include "connector/s3/http.h"
#include "connector/s3/http_client.h"

namespace leat::connector::s3 {

/// One curl_multi with its pool of connections. It has one driver at a time, which calls libcurl
/// and the receivers. Whoever waits alone for a transfer drives it, so that its bytes do not have
/// to pass from one core to another; where several wait, or nobody has for kUnattendedMax, the
/// loop's own thread does, which runs from the first transfer on. Transfers above the limit wait in
/// line, first in, first out. Thread-safe. Borrows the options.
class HttpLoop {
 public:
  /// For so long a transfer may stand still while those who want it do something else.
  static constexpr std::chrono::milliseconds kUnattendedMax{2};

  explicit HttpLoop(const HttpClientOptions& options) : options_(options) {}
  HttpLoop(const HttpLoop&) = delete;
  HttpLoop& operator=(const HttpLoop&) = delete;
  /// No transfer is left.
  ~HttpLoop();

  /// As HttpTransport::start.
  std::unique_ptr<HttpTransfer> start(HttpRequest request, HttpReceiver& receiver);

 private:
  using Clock = CurlExchange::Clock;
  class Transfer;
  class WithoutSigpipe;
  struct CleanupMulti {
    void operator()(void* multi) const noexcept;
  };

  bool ensure_thread();
  void run() noexcept;
  bool has_work() const;
  void attend();
  void cancel(Transfer& transfer);
  void wait_for_end(Transfer& transfer);
  bool drive(Transfer& transfer, const std::stop_token& stop, Clock::time_point until);
  void leave();
  void tell(Transfer& transfer);

  // The driver's.
  static bool rests(const Transfer& transfer);
  bool moves() const;
  void drive_for_others();
  std::size_t go_round(bool by_pieces, std::optional<WithoutSigpipe>* guard) noexcept;
  void resume(bool by_pieces);
  void poll(Clock::duration time_max);
  void tell_pauses();
  void take_orders();
  void begin_waiting();
  void begin(Transfer& transfer);
  void finish_what_ended();
  void finish_what_is_overdue();
  void detach(Transfer& transfer, bool keep_handle);
  void mark_over(Transfer& transfer);

  const HttpClientOptions& options_;
  std::mutex mutex_;
  std::condition_variable over_;
  std::condition_variable work_;  // For the thread.
  bool stopping_ = false;
  bool thread_sleeps_ = false;
  bool driven_ = false;      // There is a driver.
  bool unfinished_ = false;  // There was none, and transfers were under way that do not rest.
  bool all_rest_ = false;    // All that were under way when the last driver stopped, at least one.
  Clock::time_point left_;   // When the last driver stopped.
  std::vector<Transfer*> arrived_;
  std::vector<Transfer*> cancelled_;
  std::size_t awaited_ = 0;  // Somebody waits for them, and has not been told anything yet.
  std::unique_ptr<void, CleanupMulti> multi_;  // Made before the thread; woken by any.

  // The driver's own.
  std::deque<Transfer*> waiting_;
  std::vector<Transfer*> active_;
  std::vector<CurlHandle> idle_;
  Clock::time_point checked_;
  bool may_raise_sigpipe_ = false;
  std::size_t told_ = 0;  // Of those awaited, in this round.

  std::thread thread_;
};

}  // namespace leat::connector::s3
