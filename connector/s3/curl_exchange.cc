#include "connector/s3/curl_exchange.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <exception>
#include <utility>

namespace leat::connector::s3 {
namespace {

constexpr double kTrickleBytesPerSecond = 1'024;

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

TransportFailure::Kind kind_of(CURLcode code) {
  using Kind = TransportFailure::Kind;
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PROXY:
    case CURLE_FAILED_INIT:
    case CURLE_OUT_OF_MEMORY:
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

std::string seconds_text(std::chrono::milliseconds duration) {
  std::string text = std::to_string(duration.count() / 1'000);
  if (const auto rest = duration.count() % 1'000; rest != 0) {
    text += "." + std::to_string(1'000 + rest).substr(1);
  }
  return text + " s";
}

}  // namespace

void CleanupCurl::operator()(CurlEasy* handle) const noexcept { curl_easy_cleanup(handle); }

void CurlExchange::FreeList::operator()(curl_slist* list) const noexcept {
  curl_slist_free_all(list);
}

bool ensure_curl_is_ready() {
  static const bool ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return ready;
}

CurlExchange::CurlExchange(HttpRequest request, HttpReceiver& receiver)
    : request_(std::move(request)), receiver_(receiver), by_pieces_(request_.on_demand) {}

bool CurlExchange::add_header(const std::string& line) {
  curl_slist* longer = curl_slist_append(headers_.get(), line.c_str());
  if (longer == nullptr) return false;
  static_cast<void>(headers_.release());
  headers_.reset(longer);
  return true;
}

bool CurlExchange::prepare(CurlEasy* handle, const HttpClientOptions& options) {
  static_assert(std::tuple_size_v<decltype(reason_)> == CURL_ERROR_SIZE);
  handle_ = handle;
  header_bytes_max_ = options.header_bytes_max;
  for (const HttpHeader& header : request_.headers) {
    if (!add_header(header.name + ": " + header.value)) return false;
  }
  // Nothing of curl's own: it would add a type to a body, and wait for leave to send it.
  for (const char* line : {"Accept:", "Content-Type:", "Expect:"}) {
    if (!add_header(line)) return false;
  }
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, reason_.data());
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_URL, request_.url.c_str());
  curl_easy_setopt(handle, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
  curl_easy_setopt(handle, CURLOPT_USERAGENT, options.user_agent.c_str());
  curl_easy_setopt(handle, CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2});
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 2L);
  if (!request_.use_proxy) curl_easy_setopt(handle, CURLOPT_NOPROXY, "*");
  if (!options.ca_bundle.empty()) {
    curl_easy_setopt(handle, CURLOPT_CAINFO, options.ca_bundle.c_str());
  }
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(request_.connect_timeout.count()));
  curl_easy_setopt(handle, CURLOPT_FRESH_CONNECT, request_.fresh_connection ? 1L : 0L);
  curl_easy_setopt(handle, CURLOPT_DNS_CACHE_TIMEOUT, 5L);
  curl_easy_setopt(handle, CURLOPT_DNS_SHUFFLE_ADDRESSES, 1L);
  curl_easy_setopt(handle, CURLOPT_MAXAGE_CONN, options.idle_seconds_max);
  curl_easy_setopt(handle, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(handle, CURLOPT_BUFFERSIZE, long{kReceivedMax});
  curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, &CurlExchange::on_header);
  curl_easy_setopt(handle, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &CurlExchange::on_body);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(handle, CURLOPT_PREREQFUNCTION, &CurlExchange::on_connected);
  curl_easy_setopt(handle, CURLOPT_PREREQDATA, this);
  if (request_.method == "HEAD") {
    curl_easy_setopt(handle, CURLOPT_NOBODY, 1L);
  } else if (request_.method != "GET") {
    curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  }
  if (request_.method == "PUT" || request_.method == "POST") {
    // From memory, so that curl can send it again when a kept connection turns out to be closed.
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request_.body.size()));
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request_.body.empty() ? "" : request_.body.data());
  }
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers_.get());
  return true;
}

std::size_t CurlExchange::on_header(char* data, std::size_t, std::size_t length,
                                    void* self) noexcept {
  auto& exchange = *static_cast<CurlExchange*>(self);
  try {
    if (exchange.take_header({data, length})) return length;
  } catch (const std::exception&) {
  }
  exchange.headers_too_long_ = true;
  return length + 1;  // Not 0: an empty line may have that length.
}

std::size_t CurlExchange::on_body(char* data, std::size_t, std::size_t length,
                                  void* self) noexcept {
  auto& exchange = *static_cast<CurlExchange*>(self);
  exchange.bytes_received_ += length;
  exchange.body_received_ += length;
  exchange.received_ = true;
  try {
    const auto bytes = std::as_bytes(std::span(data, length));
    if (exchange.receiver_.on_body(exchange.response_, bytes)) {
      if (exchange.by_pieces_) exchange.end_piece();
      return length;
    }
  } catch (const std::exception&) {
  }
  exchange.refused_ = true;
  return length + 1;
}

/// libcurl reads on as long as there are bytes, into memory that has long left the caches when it
/// is used. Not behind the last byte: then the answer would not end.
void CurlExchange::end_piece() {
  if (body_received_ - piece_begin_ < kPieceMin) return;
  curl_off_t length = -1;
  curl_easy_getinfo(handle_, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  if (length < 0 && !request_.on_demand) return;
  if (length >= 0 && body_received_ >= static_cast<std::uint64_t>(length)) {
    // libcurl hands what it received over in parts of 16 KiB: one before this one has paused.
    if (std::exchange(paused_, false)) curl_easy_pause(handle_, CURLPAUSE_CONT);
    return;
  }
  paused_ = paused_ || curl_easy_pause(handle_, CURLPAUSE_RECV) == CURLE_OK;
}

void CurlExchange::resume(bool by_pieces) {
  by_pieces_ = by_pieces || request_.on_demand;
  piece_begin_ = body_received_;
  resumed_ = true;
  if (!std::exchange(paused_, false)) return;
  curl_easy_pause(handle_, CURLPAUSE_CONT);
}

int CurlExchange::on_connected(void* self, char*, char*, int, int) noexcept {
  auto& exchange = *static_cast<CurlExchange*>(self);
  exchange.connected_ = true;
  exchange.mark_ = exchange.begun_ = Clock::now();
  exchange.mark_bytes_ = 0;
  return CURL_PREREQFUNC_OK;
}

bool CurlExchange::take_header(std::string_view line) {
  bytes_received_ += line.size();
  header_bytes_ += line.size();
  if (header_bytes_ > header_bytes_max_) return false;
  line = trim(line);
  if (line.starts_with("HTTP/")) {
    // Answers can come in a row: 100 Continue, a proxy's 200, the server's own.
    response_ = {};
    const std::size_t space = std::min(line.find(' '), line.size());
    const std::string_view status = trim(line.substr(space));
    std::from_chars(status.data(), status.data() + status.size(), response_.status);
    // Who says so may be in the service's place for a moment only, and keep its connections.
    const bool may_be_another = response_.status == 404 || response_.status >= 500;
    curl_easy_setopt(handle_, CURLOPT_FORBID_REUSE, may_be_another ? 1L : 0L);
  } else if (const std::size_t colon = line.find(':'); colon != line.npos) {
    response_.headers.push_back(
        {std::string(trim(line.substr(0, colon))), std::string(trim(line.substr(colon + 1)))});
  }
  return true;
}

std::optional<std::string> CurlExchange::overdue(Clock::time_point now, bool rested) {
  if (!connected_) return std::nullopt;  // curl watches over connecting.
  if (rested) {
    mark_ = now;
    mark_bytes_ = bytes_received_;
    return std::nullopt;
  }
  if (request_.total_timeout.count() != 0 && now - begun_ >= request_.total_timeout) {
    return "no end of the answer within " + seconds_text(request_.total_timeout);
  }
  curl_off_t uploaded = 0;
  curl_easy_getinfo(handle_, CURLINFO_SIZE_UPLOAD_T, &uploaded);
  const std::uint64_t moved = bytes_received_ + static_cast<std::uint64_t>(uploaded);
  const std::chrono::duration<double> since = now - mark_;
  if (moved > mark_bytes_ &&
      static_cast<double>(moved - mark_bytes_) >= kTrickleBytesPerSecond * since.count()) {
    mark_ = now;
    mark_bytes_ = moved;
    return std::nullopt;
  }
  const bool waiting =
      bytes_received_ == 0 && static_cast<std::uint64_t>(uploaded) >= request_.body.size();
  if (waiting && since >= request_.first_byte_timeout) {
    return "no answer within " + seconds_text(request_.first_byte_timeout);
  }
  if (!waiting && since >= request_.stall_timeout) {
    return "less than 1 KiB/s for " + seconds_text(request_.stall_timeout);
  }
  return std::nullopt;
}

void CurlExchange::end(int curl_code) {
  const auto code = static_cast<CURLcode>(curl_code);
  if (code == CURLE_OK) {
    return receiver_.on_end({.response = std::move(response_), .failure = std::nullopt});
  }
  TransportFailure failure{
      .kind = kind_of(code),
      .reason = reason_[0] != '\0' ? reason_.data() : curl_easy_strerror(code)};
  if (refused_) failure.kind = TransportFailure::Kind::kSink;
  if (headers_too_long_) {
    failure.kind = TransportFailure::Kind::kProtocol;
    failure.reason = "the headers of the answer are too long";
  }
  end(std::move(failure));
}

void CurlExchange::end(TransportFailure failure) {
  if (handle_ != nullptr && connected_) {
    long connections_made = 0;
    curl_easy_getinfo(handle_, CURLINFO_NUM_CONNECTS, &connections_made);
    failure.connection_reused = connections_made == 0;
  }
  receiver_.on_end({.response = std::move(response_), .failure = std::move(failure)});
}

}  // namespace leat::connector::s3
