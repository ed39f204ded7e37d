// A thread that drives many transfers at once, over connections of its own.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "connector/s3/curl_exchange.h"
#include "connector/s3/http.h"
#include "connector/s3/http_client.h"

namespace leat::connector::s3 {

/// One curl_multi with its pool of connections, used by one thread, which runs from the first
/// transfer on. Transfers above the limit wait in line, first in, first out. Thread-safe. Borrows
/// the options.
class HttpLoop {
 public:
  explicit HttpLoop(const HttpClientOptions& options) : options_(options) {}
  HttpLoop(const HttpLoop&) = delete;
  HttpLoop& operator=(const HttpLoop&) = delete;
  /// No transfer is left.
  ~HttpLoop();

  /// As HttpTransport::start.
  std::unique_ptr<HttpTransfer> start(HttpRequest request, HttpReceiver& receiver);

 private:
  class Transfer;
  struct CleanupMulti {
    void operator()(void* multi) const noexcept;
  };

  bool ensure_thread();
  void cancel(Transfer& transfer);
  void wait_for_end(Transfer& transfer);
  void run() noexcept;
  /// @return  False: the loop is to end.
  bool take_orders();
  void begin_waiting();
  void begin(Transfer& transfer);
  void finish_what_ended();
  void finish_what_is_overdue();
  void detach(Transfer& transfer, bool keep_handle);
  void mark_over(Transfer& transfer);

  const HttpClientOptions& options_;
  std::mutex mutex_;
  std::condition_variable over_;
  bool stopping_ = false;
  std::vector<Transfer*> arrived_;
  std::vector<Transfer*> cancelled_;
  std::unique_ptr<void, CleanupMulti> multi_;  // Made before the thread; woken by any.

  // The thread's own.
  std::deque<Transfer*> waiting_;
  std::vector<Transfer*> active_;
  std::vector<CurlHandle> idle_;
  CurlExchange::Clock::time_point checked_;

  std::thread thread_;
};

}  // namespace leat::connector::s3
