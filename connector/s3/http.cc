#include "connector/s3/http.h"

#include <algorithm>
#include <cctype>
#include <system_error>
#include <thread>
#include <utility>

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
  const auto same_letter = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  };
  for (const HttpHeader& header : headers) {
    if (std::equal(header.name.begin(), header.name.end(), name.begin(), name.end(), same_letter)) {
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
