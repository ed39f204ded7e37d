// One HTTP exchange over one easy handle of libcurl.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "connector/s3/http.h"
#include "connector/s3/http_client.h"

struct curl_slist;

namespace leat::connector::s3 {

/// libcurl gives its handles no type of their own.
using CurlEasy = void;

struct CleanupCurl {
  void operator()(CurlEasy* handle) const noexcept;
};
using CurlHandle = std::unique_ptr<CurlEasy, CleanupCurl>;

/// Once for the process; never undone, as others may use libcurl, too.
bool ensure_curl_is_ready();

/// Options, callbacks and clocks of one exchange. Used by one thread. libcurl calls it from C:
/// nothing is thrown through.
class CurlExchange {
 public:
  using Clock = std::chrono::steady_clock;
  /// By one call of the kernel. While it copies, what the server sends has to be queued aside: with
  /// 512 KiB a server on the same machine was a third slower. With 64 KiB the calls cost more.
  static constexpr std::size_t kReceivedMax = std::size_t{96} << 10;
  static constexpr std::size_t kPieceMin = 3 * kReceivedMax;
  static constexpr std::size_t kPieceMax = kPieceMin + kReceivedMax;

  CurlExchange(HttpRequest request, HttpReceiver& receiver);
  CurlExchange(const CurlExchange&) = delete;
  CurlExchange& operator=(const CurlExchange&) = delete;

  const HttpRequest& request() const { return request_; }

  /// Makes `handle`, new or reset, ready for the request. It must not outlive this exchange
  /// without being reset. False: out of memory.
  bool prepare(CurlEasy* handle, const HttpClientOptions& options);

  /// Tells the receiver that no more bytes come at this moment, if any came since the last call.
  /// @return  Whether it did.
  bool report_pause() {
    if (!std::exchange(received_, false)) return false;
    receiver_.on_pause();
    return true;
  }
  /// Goes on where it has paused.
  /// @param by_pieces  Pauses again after a piece of the body: at least kPieceMin bytes, if so many
  ///   are there, and less than kPieceMax. What comes behind it waits in the kernel. Always so when
  ///   the request is on demand.
  void resume(bool by_pieces);
  /// It needs nobody to move it while nobody waits for it: it is on demand, and has brought its
  /// first piece, or what was waited for.
  bool may_rest() const {
    return request_.on_demand && (paused_ || (resumed_ && body_received_ != 0));
  }

  /// Why it is to be given up at `now`; nullopt: it goes on.
  /// @param rested  It did since the last call, so that it was not the server that took its time.
  std::optional<std::string> overdue(Clock::time_point now, bool rested);

  /// Tells the receiver that it is over.
  /// @param code  A CURLcode.
  void end(int code);
  void end(TransportFailure failure);

 private:
  struct FreeList {
    void operator()(curl_slist* list) const noexcept;
  };

  static std::size_t on_header(char* data, std::size_t, std::size_t length, void* self) noexcept;
  static std::size_t on_body(char* data, std::size_t, std::size_t length, void* self) noexcept;
  static int on_connected(void* self, char*, char*, int, int) noexcept;
  void end_piece();
  bool take_header(std::string_view line);
  bool add_header(const std::string& line);

  const HttpRequest request_;
  HttpReceiver& receiver_;
  CurlEasy* handle_ = nullptr;
  std::unique_ptr<curl_slist, FreeList> headers_;
  std::array<char, 256> reason_{};  // As libcurl wants it.
  HttpResponse response_;
  std::size_t header_bytes_ = 0;
  std::size_t header_bytes_max_ = 0;
  std::uint64_t bytes_received_ = 0;  // Headers included.
  std::uint64_t body_received_ = 0;
  std::uint64_t piece_begin_ = 0;  // Of body_received_.
  bool received_ = false;
  bool by_pieces_ = false;
  bool paused_ = false;
  bool resumed_ = false;
  bool headers_too_long_ = false;
  bool refused_ = false;
  // The stall clock: at mark_ the bytes moved were mark_bytes_, and since then they are too few.
  bool connected_ = false;
  Clock::time_point begun_;
  Clock::time_point mark_;
  std::uint64_t mark_bytes_ = 0;
};

}  // namespace leat::connector::s3
