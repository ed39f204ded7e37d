// A transport that answers as a test tells it to.
#pragma once

#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "connector/s3/http.h"

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
    Step step;
    {
      const std::lock_guard lock(mutex_);
      seen_.push_back({request, std::string(request.body)});
      seen_.back().request.body = {};
      if (!script_.empty()) {
        step = std::move(script_.front());
        script_.pop_front();
      } else {
        step = fallback_;
      }
    }
    if (step) return step(request, sink);
    return {.response = {},
            .failure = TransportFailure{.kind = TransportFailure::Kind::kConnect,
                                        .reason = "the script is at its end"}};
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
  mutable std::mutex mutex_;
  std::deque<Step> script_;
  Step fallback_;
  std::vector<Seen> seen_;
};

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
