// HTTP/1.1 over libcurl.
#pragma once

#include <memory>
#include <string>

#include "connector/s3/http.h"

namespace leat::connector::s3 {

struct HttpClientOptions {
  std::string ca_bundle;  ///< PEM file of trusted CAs; empty: the system's.
  std::string user_agent = "leat";
  /// Connections kept open between requests. Requests under way are not limited here.
  std::size_t idle_connections_max = 64;
  std::size_t header_bytes_max = std::size_t{64} << 10;
  /// A connection that was idle for longer is not used again: servers close theirs after 5 s or
  /// more.
  long idle_seconds_max = 4;
};

/// One connection per request under way, kept open for the next one. TLS 1.2 or better,
/// certificates verified; no redirects, no cookies, no .netrc, no compression. Proxies are taken
/// from the environment (HTTPS_PROXY, NO_PROXY …), as every AWS tool does. Thread-safe.
class HttpClient final : public HttpTransport {
 public:
  explicit HttpClient(HttpClientOptions options);
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  ~HttpClient() override;

  HttpExchange send(const HttpRequest& request, const BodySink& sink) override;

 private:
  class Pool;
  const HttpClientOptions options_;
  std::unique_ptr<Pool> pool_;
};

}  // namespace leat::connector::s3
