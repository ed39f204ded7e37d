// HTTP as the S3 client sees it: one request, one exchange, whatever carries it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
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
  std::chrono::milliseconds connect_timeout{3'000};
  /// Gives up when less than a trickle arrives for so long, the wait for the first byte included.
  /// There is no limit on the whole: a large body on a slow line is no failure.
  std::chrono::seconds stall_timeout{10};
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

/// Carries requests. Thread-safe.
class HttpTransport {
 public:
  virtual ~HttpTransport() = default;
  /// Blocks until the exchange is over. Follows no redirect: it would need another signature.
  virtual HttpExchange send(const HttpRequest& request, const BodySink& sink) = 0;
};

}  // namespace leat::connector::s3
