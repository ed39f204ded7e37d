#include "connector/s3/http.h"

#include <system_error>
#include <thread>
#include <utility>

#include "core/ascii_case.h"

namespace leat::connector::s3 {
namespace {

/// A blocking exchange on its own thread.
class ThreadTransfer final : public HttpTransfer {
 public:
  ThreadTransfer(HttpTransport& transport, HttpRequest request, HttpReceiver& receiver) {
    request.stop = stop_.get_token();
    thread_ = std::jthread([&transport, &receiver, request = std::move(request)] {
      receiver.on_end(
          transport.send(request, [&](const HttpResponse& head, std::span<const std::byte> bytes) {
            const bool more = receiver.on_body(head, bytes);
            receiver.on_pause();
            return more;
          }));
    });
  }
  ThreadTransfer(const ThreadTransfer&) = delete;
  ThreadTransfer& operator=(const ThreadTransfer&) = delete;
  ~ThreadTransfer() override { stop_.request_stop(); }
  void cancel() override { stop_.request_stop(); }

 private:
  std::stop_source stop_;
  std::jthread thread_;  // Last: joined first.
};

/// One that was over before it began.
class EndedTransfer final : public HttpTransfer {
 public:
  void cancel() override {}
};

}  // namespace

const std::string* HttpResponse::find(std::string_view name) const noexcept {
  for (const HttpHeader& header : headers) {
    if (core::equal_ignoring_case(header.name, name)) {
      return &header.value;
    }
  }
  return nullptr;
}

std::unique_ptr<HttpTransfer> HttpTransport::start(HttpRequest request, HttpReceiver& receiver) {
  try {
    return std::make_unique<ThreadTransfer>(*this, std::move(request), receiver);
  } catch (const std::system_error&) {
    receiver.on_end({.response = {},
                     .failure = TransportFailure{.kind = TransportFailure::Kind::kConnect,
                                                 .reason = "there is no thread to be had"}});
    return std::make_unique<EndedTransfer>();
  }
}

}  // namespace leat::connector::s3
