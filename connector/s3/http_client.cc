#include "connector/s3/http_client.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>

#include "connector/s3/http_loop.h"

namespace leat::connector::s3 {
namespace {

/// For those who wait.
class WaitingReceiver final : public HttpReceiver {
 public:
  explicit WaitingReceiver(const BodySink& sink) : sink_(sink) {}

  bool on_body(const HttpResponse& head, std::span<const std::byte> bytes) override {
    return sink_(head, bytes);
  }
  void on_end(HttpExchange exchange) override {
    const std::lock_guard lock(mutex_);
    exchange_ = std::move(exchange);
    ended_.notify_one();
  }
  HttpExchange wait(HttpTransfer& transfer, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (!exchange_) {
      lock.unlock();
      const bool driven = transfer.drive(stop, std::chrono::steady_clock::time_point::max());
      lock.lock();
      if (!driven) ended_.wait(lock, [this] { return exchange_.has_value(); });
    }
    return *std::move(exchange_);
  }

 private:
  const BodySink& sink_;
  std::mutex mutex_;
  std::condition_variable ended_;
  std::optional<HttpExchange> exchange_;
};

}  // namespace

HttpClient::HttpClient(HttpClientOptions options) : options_(std::move(options)) {
  const std::size_t cores = std::thread::hardware_concurrency();
  const std::size_t bulk =
      options_.bulk_threads != 0 ? options_.bulk_threads : std::clamp<std::size_t>(cores / 4, 1, 8);
  for (std::size_t i = 0; i < 1 + bulk; ++i) loops_.push_back(std::make_unique<HttpLoop>(options_));
}

HttpClient::~HttpClient() = default;

HttpExchange HttpClient::send(const HttpRequest& request, const BodySink& sink) {
  WaitingReceiver receiver(sink);
  const std::unique_ptr<HttpTransfer> transfer = start(request, receiver);
  const std::stop_callback on_stop(request.stop, [&] { transfer->cancel(); });
  return receiver.wait(*transfer, request.stop);
}

std::unique_ptr<HttpTransfer> HttpClient::start(HttpRequest request, HttpReceiver& receiver) {
  const std::size_t bulk_loops = loops_.size() - 1;
  const std::size_t index =
      request.bulk ? 1 + next_bulk_.fetch_add(1, std::memory_order_relaxed) % bulk_loops : 0;
  return loops_[index]->start(std::move(request), receiver);
}

}  // namespace leat::connector::s3
