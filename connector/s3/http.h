// HTTP as the S3 client sees it: one request, one exchange, whatever carries it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace leat::connector::s3 {

struct HttpHeader {
  std::string name;
  std::string value;
};

struct HttpRequest {
  std::string method;               ///< "GET", "PUT", "POST", "DELETE", "HEAD".
  std::string url;                  ///< Absolute, percent-encoded; sent byte for byte.
  std::vector<HttpHeader> headers;  ///< Host included.
  std::string_view body;            ///< Borrowed until the exchange is over.
  std::chrono::milliseconds connect_timeout{3'000};  ///< Name, TCP and TLS together.
  /// From the last byte of the request to the first of the answer.
  std::chrono::milliseconds first_byte_timeout{30'000};
  /// Gives up when less than 1 KiB/s moved for so long.
  std::chrono::milliseconds stall_timeout{10'000};
  /// Of the whole exchange; 0: none, as a large body on a slow line is no failure.
  std::chrono::milliseconds total_timeout{0};
  /// On a new connection: kept ones are not to be trusted at the moment.
  bool fresh_connection = false;
  /// Moves the bytes of objects: must not get in the way of listings and tokens.
  bool bulk = false;
  /// The body is taken a piece at a time, and only while somebody waits for it
  /// (HttpTransfer::drive); the rest stays in the kernel and with the server. A transport may do
  /// without it.
  bool on_demand = false;
  bool use_proxy = true;  ///< False: directly, whatever the environment says of proxies.
  std::stop_token stop;
};

struct HttpResponse {
  int status = 0;
  std::vector<HttpHeader> headers;

  /// Value of the first header of this name, in any case; nullptr: there is none.
  const std::string* find(std::string_view name) const noexcept;
};

/// Takes the next bytes of the body; status and headers are complete. False ends the exchange.
using BodySink = std::function<bool(const HttpResponse&, std::span<const std::byte>)>;

/// Why an exchange did not come to its end.
struct TransportFailure {
  enum class Kind {
    kConnect,   ///< No connection: name, route, port, TLS handshake.
    kTimeout,   ///< Connecting took too long, or the connection stalled.
    kBroken,    ///< The connection ended before the response did.
    kSink,      ///< The sink wanted no more.
    kStopped,   ///< A stop was requested.
    kProtocol,  ///< What came is no HTTP, or its headers are beyond all bounds.
    kTrust,     ///< The server's certificate cannot be trusted. Trying again does not help.
  };
  Kind kind = Kind::kBroken;
  std::string reason;              ///< The transport's own words.
  bool connection_reused = false;  ///< It had carried another request: it may just have been idle
                                   ///< for too long.
};

/// Status and headers are valid as far as they came.
struct HttpExchange {
  HttpResponse response;
  std::optional<TransportFailure> failure;
};

/// Where an exchange goes that nobody waits for. Its functions are called by one thread at a time,
/// which carries other transfers, too: they must not block.
class HttpReceiver {
 public:
  virtual ~HttpReceiver() = default;
  /// As BodySink.
  virtual bool on_body(const HttpResponse& head, std::span<const std::byte> bytes) = 0;
  /// No more bytes at this moment: the time to wake who waits for them.
  virtual void on_pause() {}
  /// The last call.
  virtual void on_end(HttpExchange exchange) = 0;
};

/// An exchange under way. When its destructor returns, which breaks the exchange off, the receiver
/// is not called any more.
class HttpTransfer {
 public:
  virtual ~HttpTransfer() = default;
  /// Ends it soon, with kStopped, unless it is over. Any thread; does not wait.
  virtual void cancel() = 0;
  /// For a thread with nothing to do until the receiver is told something: moves the bytes itself,
  /// of other transfers, too, until the receiver has been told, a stop is requested or `until` has
  /// come. Called by one thread, with no lock that the receiver takes.
  /// @return  False, at once: another thread moves them. Wait until the receiver is told.
  virtual bool drive(const std::stop_token& stop, std::chrono::steady_clock::time_point until) {
    static_cast<void>(stop);
    static_cast<void>(until);
    return false;
  }
};

/// Carries requests; follows no redirect: it would need another signature. Thread-safe. Must
/// outlive its transfers.
class HttpTransport {
 public:
  virtual ~HttpTransport() = default;
  /// Blocks until the exchange is over.
  virtual HttpExchange send(const HttpRequest& request, const BodySink& sink) = 0;
  /// Returns at once. `receiver` outlives the transfer. Ignores request.stop. By default: on a
  /// thread of its own.
  virtual std::unique_ptr<HttpTransfer> start(HttpRequest request, HttpReceiver& receiver);
};

}  // namespace leat::connector::s3
