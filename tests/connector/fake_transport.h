// A transport that answers as a test tells it to.
#pragma once

#include <charconv>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "connector/s3/http.h"
#include "leat/split.h"

namespace leat::connector::s3 {

/// Answers each request with the next step of a script, or with the fallback once it is used up.
/// Notes all requests. Thread-safe.
class FakeTransport final : public HttpTransport {
 public:
  using Step = std::function<HttpExchange(const HttpRequest&, const BodySink&)>;

  struct Seen {
    HttpRequest request;
    std::string body;
    std::string header(std::string_view name) const {
      HttpResponse holder{.status = 0, .headers = request.headers};
      const std::string* value = holder.find(name);
      return value == nullptr ? "(none)" : *value;
    }
  };

  HttpExchange send(const HttpRequest& request, const BodySink& sink) override {
    return next_step(request)(request, sink);
  }
  /// In the order in which they are started, each on a thread of its own.
  std::unique_ptr<HttpTransfer> start(HttpRequest request, HttpReceiver& receiver) override {
    Step step = next_step(request);
    return std::make_unique<Transfer>(std::move(step), std::move(request), receiver);
  }

  FakeTransport& then(Step step) {
    const std::lock_guard lock(mutex_);
    script_.push_back(std::move(step));
    return *this;
  }
  FakeTransport& otherwise(Step step) {
    const std::lock_guard lock(mutex_);
    fallback_ = std::move(step);
    return *this;
  }
  std::vector<Seen> seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }

 private:
  class Transfer final : public HttpTransfer {
   public:
    Transfer(Step step, HttpRequest request, HttpReceiver& receiver) {
      request.stop = stop_.get_token();
      thread_ = std::jthread([&receiver, step = std::move(step), request = std::move(request)] {
        receiver.on_end(
            step(request, [&](const HttpResponse& head, std::span<const std::byte> bytes) {
              const bool more = receiver.on_body(head, bytes);
              receiver.on_pause();
              return more;
            }));
      });
    }
    ~Transfer() override { stop_.request_stop(); }
    void cancel() override { stop_.request_stop(); }

   private:
    std::stop_source stop_;
    std::jthread thread_;
  };

  Step next_step(const HttpRequest& request) {
    const std::lock_guard lock(mutex_);
    seen_.push_back({request, std::string(request.body)});
    seen_.back().request.body = {};
    Step step = fallback_;
    if (!script_.empty()) {
      step = std::move(script_.front());
      script_.pop_front();
    }
    if (step) return step;
    return [](const HttpRequest&, const BodySink&) {
      return HttpExchange{.response = {},
                          .failure = TransportFailure{.kind = TransportFailure::Kind::kConnect,
                                                      .reason = "the script is at its end"}};
    };
  }

  mutable std::mutex mutex_;
  std::deque<Step> script_;
  Step fallback_;
  std::vector<Seen> seen_;
};

/// Of a request that has a Range header: "bytes=0-9".
inline Range asked_range(const HttpRequest& request) {
  const std::string range = FakeTransport::Seen{request, {}}.header("range");
  Range asked;
  std::from_chars(range.data() + 6, range.data() + range.size(), asked.begin);
  std::from_chars(range.data() + range.find('-') + 1, range.data() + range.size(), asked.end);
  ++asked.end;
  return asked;
}

/// An answer; the body comes in two pieces.
inline FakeTransport::Step answer(int status, std::string body,
                                  std::vector<HttpHeader> headers = {}) {
  return [status, body = std::move(body), headers = std::move(headers)](const HttpRequest&,
                                                                        const BodySink& sink) {
    HttpExchange exchange{.response = {.status = status, .headers = headers},
                          .failure = std::nullopt};
    const auto bytes = std::as_bytes(std::span(body));
    for (const auto piece : {bytes.first(bytes.size() / 2), bytes.subspan(bytes.size() / 2)}) {
      if (!piece.empty() && !sink(exchange.response, piece)) {
        exchange.failure = TransportFailure{.kind = TransportFailure::Kind::kSink, .reason = {}};
        break;
      }
    }
    return exchange;
  };
}

inline FakeTransport::Step error_answer(int status, const std::string& code,
                                        const std::string& more = {},
                                        std::vector<HttpHeader> headers = {}) {
  return answer(status, "<Error><Code>" + code + "</Code>" + more + "</Error>", std::move(headers));
}

inline FakeTransport::Step transport_failure(TransportFailure::Kind kind, bool reused = false) {
  return [=](const HttpRequest&, const BodySink&) {
    return HttpExchange{.response = {},
                        .failure = TransportFailure{
                            .kind = kind, .reason = "the reason", .connection_reused = reused}};
  };
}

}  // namespace leat::connector::s3
