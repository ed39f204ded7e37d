// HTTP/1.1 over libcurl.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "connector/s3/http.h"

namespace leat::connector::s3 {

struct HttpClientOptions {
  std::string ca_bundle;  ///< PEM file of trusted CAs; empty: the system's.
  std::string user_agent = "leat";
  /// Threads for bulk transfers. 0: one for each four cores, as one moves more than 1 GB/s.
  std::size_t bulk_threads = 0;
  /// Transfers under way on one thread; those above it wait in line.
  std::size_t transfers_max = 128;
  /// Connections that a thread keeps open between requests.
  std::size_t idle_connections_max = 64;
  std::size_t header_bytes_max = std::size_t{64} << 10;
  /// A connection that was idle for longer is not used again: servers close theirs after 5 s or
  /// more.
  long idle_seconds_max = 4;
};

class HttpLoop;

/// One connection per request under way, kept open for the next one. TLS 1.2 or better,
/// certificates verified; no redirects, no cookies, no .netrc, no compression. Proxies are taken
/// from the environment (HTTPS_PROXY, NO_PROXY …), as every AWS tool does. Thread-safe.
///
/// Bulk transfers share their threads; all others have one of their own, so that a thousand reads
/// do not hold up a listing. Threads begin with the first request that needs them. Bodies are
/// handed over on those threads.
class HttpClient final : public HttpTransport {
 public:
  explicit HttpClient(HttpClientOptions options);
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  ~HttpClient() override;

  HttpExchange send(const HttpRequest& request, const BodySink& sink) override;
  std::unique_ptr<HttpTransfer> start(HttpRequest request, HttpReceiver& receiver) override;

 private:
  const HttpClientOptions options_;
  std::vector<std::unique_ptr<HttpLoop>> loops_;  // The first is for what is not bulk.
  std::atomic<std::size_t> next_bulk_{0};
};

}  // namespace leat::connector::s3
