#include "connector/s3/http_client.h"

#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <exception>
#include <mutex>
#include <utility>

namespace leat::connector::s3 {
namespace {

struct CleanupHandle {
  void operator()(CURL* handle) const noexcept { curl_easy_cleanup(handle); }
};
using Handle = std::unique_ptr<CURL, CleanupHandle>;

struct FreeList {
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, FreeList>;

/// Keeps SIGPIPE from this thread while OpenSSL may write to a connection that the server closed. A
/// library must not change what the process does with signals.
class WithoutSigpipe {
 public:
  WithoutSigpipe() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  WithoutSigpipe(const WithoutSigpipe&) = delete;
  WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;
  ~WithoutSigpipe() {
    const timespec at_once = {};
    if (!was_pending_) {
      while (sigtimedwait(&pipe_, nullptr, &at_once) < 0 && errno == EINTR) {
      }
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t pipe_;
  sigset_t before_;
  bool was_pending_ = false;
};

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

/// What the callbacks of one exchange share. They are called from C: nothing may be thrown.
class Receiver {
 public:
  Receiver(const BodySink& sink, std::size_t header_bytes_max, std::stop_token stop)
      : sink_(sink), header_bytes_max_(header_bytes_max), stop_(std::move(stop)) {}

  static std::size_t on_header(char* data, std::size_t, std::size_t length, void* self) noexcept {
    try {
      return static_cast<Receiver*>(self)->take_header({data, length}) ? length : 0;
    } catch (const std::exception&) {
      return 0;
    }
  }

  static std::size_t on_body(char* data, std::size_t, std::size_t length, void* self) noexcept {
    auto& receiver = *static_cast<Receiver*>(self);
    try {
      const auto bytes = std::as_bytes(std::span(data, length));
      if (receiver.sink_(receiver.response_, bytes)) return length;
    } catch (const std::exception&) {
    }
    receiver.sink_refused_ = true;
    return 0;
  }

  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) noexcept {
    return static_cast<Receiver*>(self)->stop_.stop_requested() ? 1 : 0;
  }

  HttpResponse&& take_response() { return std::move(response_); }
  bool sink_refused() const { return sink_refused_; }
  bool stopped() const { return stop_.stop_requested(); }

 private:
  bool take_header(std::string_view line) {
    header_bytes_ += line.size();
    if (header_bytes_ > header_bytes_max_) return false;
    line = trim(line);
    if (line.starts_with("HTTP/")) {
      // Answers can come in a row: 100 Continue, a proxy's 200, the server's own.
      response_ = {};
      const std::size_t space = std::min(line.find(' '), line.size());
      const std::string_view status = trim(line.substr(space));
      std::from_chars(status.data(), status.data() + status.size(), response_.status);
    } else if (const std::size_t colon = line.find(':'); colon != line.npos) {
      response_.headers.push_back(
          {std::string(trim(line.substr(0, colon))), std::string(trim(line.substr(colon + 1)))});
    }
    return true;
  }

  const BodySink& sink_;
  const std::size_t header_bytes_max_;
  const std::stop_token stop_;
  HttpResponse response_;
  std::size_t header_bytes_ = 0;
  bool sink_refused_ = false;
};

TransportFailure::Kind kind_of(CURLcode code) {
  using Kind = TransportFailure::Kind;
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PROXY:
      return Kind::kConnect;
    case CURLE_OPERATION_TIMEDOUT:
      return Kind::kTimeout;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
      return Kind::kTrust;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_HTTP2:
      return Kind::kProtocol;
    default:
      return Kind::kBroken;
  }
}

bool ensure_curl_is_ready() {
  // Once for the process; never undone, as others may use libcurl, too.
  static const bool ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return ready;
}

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

/// Handles that are not in use, each with its open connection.
class HttpClient::Pool {
 public:
  Handle take() {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        Handle handle = std::move(idle_.back());  // The warmest.
        idle_.pop_back();
        return handle;
      }
    }
    return Handle(curl_easy_init());
  }

  void put_back(Handle handle, std::size_t idle_max) {
    curl_easy_reset(handle.get());
    const std::lock_guard lock(mutex_);
    if (idle_.size() < idle_max) idle_.push_back(std::move(handle));
  }

 private:
  std::mutex mutex_;
  std::vector<Handle> idle_;
};

HttpClient::HttpClient(HttpClientOptions options)
    : options_(std::move(options)), pool_(std::make_unique<Pool>()) {}

HttpClient::~HttpClient() = default;

HttpExchange HttpClient::send(const HttpRequest& request, const BodySink& sink) {
  const auto failed = [](TransportFailure::Kind kind, std::string reason) {
    return HttpExchange{.response = {},
                        .failure = TransportFailure{.kind = kind, .reason = std::move(reason)}};
  };
  if (!ensure_curl_is_ready()) {
    return failed(TransportFailure::Kind::kConnect, "libcurl could not be initialised");
  }
  Handle handle = pool_->take();
  HeaderList headers;
  for (const HttpHeader& header : request.headers) {
    const std::string line = header.name + ": " + header.value;
    curl_slist* longer = curl_slist_append(headers.get(), line.c_str());
    if (longer == nullptr) return failed(TransportFailure::Kind::kConnect, "out of memory");
    static_cast<void>(headers.release());
    headers.reset(longer);
  }
  // Nothing of curl's own: it would add a type to a body, and wait for leave to send it.
  for (const char* line : {"Accept:", "Content-Type:", "Expect:"}) {
    curl_slist* longer = curl_slist_append(headers.get(), line);
    if (longer == nullptr) return failed(TransportFailure::Kind::kConnect, "out of memory");
    static_cast<void>(headers.release());
    headers.reset(longer);
  }
  if (handle == nullptr) return failed(TransportFailure::Kind::kConnect, "out of memory");

  Receiver receiver(sink, options_.header_bytes_max, request.stop);
  std::array<char, CURL_ERROR_SIZE> reason{};
  CURL* const curl = handle.get();
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason.data());
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
  curl_easy_setopt(curl, CURLOPT_USERAGENT, options_.user_agent.c_str());
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2});
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
  if (!request.use_proxy) curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
  if (!options_.ca_bundle.empty()) {
    curl_easy_setopt(curl, CURLOPT_CAINFO, options_.ca_bundle.c_str());
  }
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(request.connect_timeout.count()));
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1'024L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, static_cast<long>(request.stall_timeout.count()));
  curl_easy_setopt(curl, CURLOPT_DNS_CACHE_TIMEOUT, 5L);
  curl_easy_setopt(curl, CURLOPT_DNS_SHUFFLE_ADDRESSES, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXAGE_CONN, options_.idle_seconds_max);
  curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, 256L << 10);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &Receiver::on_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &receiver);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &Receiver::on_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &receiver);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &Receiver::on_progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &receiver);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  if (request.method == "HEAD") {
    curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  } else if (request.method != "GET") {
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
  if (request.method == "PUT" || request.method == "POST") {
    // From memory, so that curl can send it again when a kept connection turns out to be closed.
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.empty() ? "" : request.body.data());
  }
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());

  CURLcode code = CURLE_OK;
  {
    const WithoutSigpipe guard;
    code = curl_easy_perform(curl);
  }
  HttpExchange exchange{.response = receiver.take_response(), .failure = std::nullopt};
  if (code == CURLE_OK) {
    pool_->put_back(std::move(handle), options_.idle_connections_max);
    return exchange;
  }
  // The handle goes, with its connection: after a failure its state cannot be relied upon.
  long connections_made = 0;
  curl_easy_getinfo(curl, CURLINFO_NUM_CONNECTS, &connections_made);
  TransportFailure failure{.kind = kind_of(code),
                           .reason = reason[0] != '\0' ? reason.data() : curl_easy_strerror(code),
                           .connection_reused = connections_made == 0};
  if (code == CURLE_WRITE_ERROR) {
    failure.kind =
        receiver.sink_refused() ? TransportFailure::Kind::kSink : TransportFailure::Kind::kProtocol;
    if (!receiver.sink_refused()) failure.reason = "the headers of the answer are too long";
  } else if (code == CURLE_ABORTED_BY_CALLBACK && receiver.stopped()) {
    failure.kind = TransportFailure::Kind::kStopped;
  }
  exchange.failure = std::move(failure);
  return exchange;
}

}  // namespace leat::connector::s3
