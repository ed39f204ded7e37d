#include "connector/s3/http_loop.h"

#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace leat::connector::s3 {
namespace {

/// How exact the clocks of the transfers are.
constexpr std::chrono::milliseconds kCheckEvery{100};
/// Who drives looks at them before that: for so long there was no driver.
constexpr std::chrono::milliseconds kUnchecked = 3 * kCheckEvery;
/// Without anything to do the thread looks around for so long before it has to be woken, which
/// costs who does it more.
constexpr std::chrono::milliseconds kSleepsAfter{100};
constexpr std::size_t kCalmRounds = 16;

/// Signals are for the program's own threads, and a connection that the server closed must not end
/// the process: SIGPIPE stays blocked here. A library does not change what the process does with
/// signals; a thread of its own it may.
class WithoutSignals {
 public:
  WithoutSignals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  WithoutSignals(const WithoutSignals&) = delete;
  WithoutSignals& operator=(const WithoutSignals&) = delete;
  ~WithoutSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

/// libcurl asks for none when it writes to a plain connection; what writes for TLS may not.
bool may_raise_sigpipe(const HttpRequest& request) {
  if (!request.url.starts_with("http://")) return true;
  if (!request.use_proxy) return false;
  constexpr std::array kOfProxies = {"http_proxy", "all_proxy", "ALL_PROXY"};
  return std::any_of(kOfProxies.begin(), kOfProxies.end(),
                     [](const char* name) { return std::getenv(name) != nullptr; });
}

}  // namespace

/// SIGPIPE alone, for a thread of the program that drives for a while. One that came is taken back,
/// or it would come when the signal is let through again.
class HttpLoop::WithoutSigpipe {
 public:
  WithoutSigpipe() {
    sigemptyset(&sigpipe_);
    sigaddset(&sigpipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &sigpipe_, &before_);
  }
  WithoutSigpipe(const WithoutSigpipe&) = delete;
  WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;
  ~WithoutSigpipe() {
    if (sigismember(&before_, SIGPIPE) != 0) return;
    constexpr timespec kAtOnce{};
    sigtimedwait(&sigpipe_, nullptr, &kAtOnce);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t sigpipe_;
  sigset_t before_;
};

class HttpLoop::Transfer final : public HttpTransfer {
 public:
  Transfer(HttpLoop& loop, HttpRequest request, HttpReceiver& receiver)
      : exchange(std::move(request), receiver), loop_(loop) {}
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer() override {
    loop_.cancel(*this);
    loop_.wait_for_end(*this);
  }
  void cancel() override { loop_.cancel(*this); }
  bool drive(const std::stop_token& stop, Clock::time_point until) override {
    return loop_.drive(*this, stop, until);
  }

  CurlExchange exchange;
  CurlHandle handle;  // While it is active.
  bool over = false;  // Guarded by the loop's mutex, as are the next.
  bool cancel_requested = false;
  bool has_news = false;  // Its receiver was told something since drive() last came back with it.
  /// Somebody waits, and has not been told anything yet. The driver looks at it without the mutex.
  std::atomic<bool> awaited = false;

 private:
  HttpLoop& loop_;
};

void HttpLoop::CleanupMulti::operator()(void* multi) const noexcept { curl_multi_cleanup(multi); }

HttpLoop::~HttpLoop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    work_.notify_one();
  }
  thread_.join();
}

bool HttpLoop::ensure_thread() {
  if (thread_.joinable()) return true;
  if (multi_ == nullptr) multi_.reset(ensure_curl_is_ready() ? curl_multi_init() : nullptr);
  if (multi_ == nullptr) return false;
  curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS,
                    static_cast<long>(options_.idle_connections_max));
  curl_multi_setopt(multi_.get(), CURLMOPT_PIPELINING, long{CURLPIPE_NOTHING});
  try {
    const WithoutSignals inherited;
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error&) {
    return false;
  }
  return true;
}

std::unique_ptr<HttpTransfer> HttpLoop::start(HttpRequest request, HttpReceiver& receiver) {
  auto transfer = std::make_unique<Transfer>(*this, std::move(request), receiver);
  bool runs = false;
  {
    const std::lock_guard lock(mutex_);
    runs = ensure_thread();
    if (runs) {
      // Who starts it is likely to wait for it: for so long it may drive it.
      if (!driven_ && !has_work()) left_ = Clock::now();
      arrived_.push_back(transfer.get());
      attend();
    } else {
      transfer->over = true;
    }
  }
  if (!runs) {
    transfer->exchange.end(
        TransportFailure{.kind = TransportFailure::Kind::kConnect,
                         .reason = "libcurl or a thread for it could not be started"});
  }
  return transfer;
}

void HttpLoop::cancel(Transfer& transfer) {
  {
    const std::lock_guard lock(mutex_);
    if (transfer.over || std::exchange(transfer.cancel_requested, true)) return;
    cancelled_.push_back(&transfer);
    attend();
  }
}

void HttpLoop::wait_for_end(Transfer& transfer) {
  std::unique_lock lock(mutex_);
  while (!transfer.over) {
    if (driven_) {
      over_.wait(lock, [&] { return transfer.over || !driven_; });
      continue;
    }
    driven_ = true;
    lock.unlock();
    {
      std::optional<WithoutSigpipe> guard;
      go_round(/*by_pieces=*/false, &guard);
    }
    lock.lock();
    leave();
  }
}

bool HttpLoop::drive(Transfer& transfer, const std::stop_token& stop, Clock::time_point until) {
  {
    const std::lock_guard lock(mutex_);
    // It may have been told by another driver after it was last looked at: those bytes are here,
    // and there may be no others for a long time.
    if (transfer.over || std::exchange(transfer.has_news, false)) return true;
    const bool is_new = !transfer.awaited.exchange(true);
    if (is_new) ++awaited_;
    if (driven_) {
      if (is_new && transfer.exchange.request().on_demand) curl_multi_wakeup(multi_.get());
      return false;
    }
    if (awaited_ > 1) {
      work_.notify_one();
      return false;
    }
    driven_ = true;
  }
  std::optional<WithoutSigpipe> guard;
  const std::stop_callback on_stop(stop, [this] { curl_multi_wakeup(multi_.get()); });
  while (true) {
    go_round(/*by_pieces=*/true, &guard);
    const Clock::time_point now = Clock::now();
    {
      const std::lock_guard lock(mutex_);
      if (!transfer.awaited || stop.stop_requested() || now >= until) {
        if (transfer.awaited.exchange(false)) --awaited_;
        transfer.has_news = false;
        leave();
        return true;
      }
    }
    resume(/*by_pieces=*/true);
    poll(until - now);
  }
}

/// mutex_ is held.
void HttpLoop::leave() {
  driven_ = false;
  unfinished_ = moves();
  all_rest_ = !unfinished_ && !active_.empty();
  left_ = Clock::now();
  over_.notify_all();
  if (awaited_ != 0 || (thread_sleeps_ && has_work())) work_.notify_one();
}

/// mutex_ is held.
void HttpLoop::tell(Transfer& transfer) {
  if (!transfer.awaited.exchange(false)) return;
  --awaited_;
  ++told_;
}

bool HttpLoop::rests(const Transfer& transfer) {
  return transfer.exchange.may_rest() && !transfer.awaited;
}

/// Something goes on though nobody waits for it.
bool HttpLoop::moves() const {
  return !waiting_.empty() || std::any_of(active_.begin(), active_.end(),
                                          [](const Transfer* each) { return !rests(*each); });
}

/// mutex_ is held.
bool HttpLoop::has_work() const { return unfinished_ || !arrived_.empty() || !cancelled_.empty(); }

/// There is something new for the driver. mutex_ is held.
void HttpLoop::attend() {
  if (driven_) {
    curl_multi_wakeup(multi_.get());
  } else if (thread_sleeps_) {
    work_.notify_one();  // Otherwise it looks by itself, in time.
  }
}

void HttpLoop::run() noexcept {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const Clock::duration alone = Clock::now() - left_;
    if (!driven_ && (awaited_ != 0 || (has_work() && alone >= kUnattendedMax))) {
      driven_ = true;
      lock.unlock();
      drive_for_others();
      lock.lock();
      leave();
    } else if (has_work() || (!all_rest_ && (driven_ || alone < kSleepsAfter))) {
      work_.wait_for(lock, kUnattendedMax);
    } else {
      thread_sleeps_ = true;
      work_.wait(lock);
      thread_sleeps_ = false;
    }
  }
}

/// Until nobody waits, and for some time no two have waited at once: the next one to wait drives
/// itself. Or until there is nothing to do.
void HttpLoop::drive_for_others() {
  for (std::size_t calm = 0;; ++calm) {
    const std::size_t told = go_round(/*by_pieces=*/false, /*guard=*/nullptr);
    {
      const std::lock_guard lock(mutex_);
      if (told + awaited_ > 1) calm = 0;
      if (awaited_ == 0 && (!moves() || (told != 0 && calm >= kCalmRounds))) return;
    }
    poll(kCheckEvery);
  }
}

/// An exception would leave the loop without a driver that ends it, and others waiting for ever.
/// @param guard  Filled where SIGPIPE may come: on any thread but the loop's own.
/// @return  How many of those awaited were told something.
std::size_t HttpLoop::go_round(bool by_pieces, std::optional<WithoutSigpipe>* guard) noexcept {
  const auto keep_sigpipe_away = [&] {
    if (may_raise_sigpipe_ && guard != nullptr && !*guard) guard->emplace();
  };
  told_ = 0;
  keep_sigpipe_away();
  take_orders();
  begin_waiting();
  keep_sigpipe_away();
  resume(by_pieces);
  int running = 0;
  curl_multi_perform(multi_.get(), &running);
  finish_what_ended();  // First: its receivers need not be told that bytes pause.
  tell_pauses();
  finish_what_is_overdue();
  return told_;
}

void HttpLoop::resume(bool by_pieces) {
  for (Transfer* transfer : active_) {
    if (transfer->exchange.request().on_demand && !transfer->awaited) continue;
    transfer->exchange.resume(by_pieces);
  }
}

void HttpLoop::tell_pauses() {
  const std::lock_guard lock(mutex_);
  for (Transfer* transfer : active_) {
    if (!transfer->exchange.report_pause()) continue;
    transfer->has_news = true;
    tell(*transfer);
  }
}

void HttpLoop::poll(Clock::duration time_max) {
  const bool more_can_begin = !waiting_.empty() && active_.size() < options_.transfers_max;
  if (more_can_begin) return;
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(
      std::min<Clock::duration>(time_max, kCheckEvery));
  curl_multi_poll(multi_.get(), nullptr, 0, static_cast<int>(wait.count()), nullptr);
}

void HttpLoop::take_orders() {
  std::vector<Transfer*> cancelled;
  {
    const std::lock_guard lock(mutex_);
    waiting_.insert(waiting_.end(), arrived_.begin(), arrived_.end());
    arrived_.clear();
    cancelled.swap(cancelled_);
    // What ended by itself in the meantime may be gone already.
    std::erase_if(cancelled, [](const Transfer* transfer) { return transfer->over; });
  }
  for (Transfer* transfer : cancelled) {
    std::erase(waiting_, transfer);
    transfer->exchange.end(
        TransportFailure{.kind = TransportFailure::Kind::kStopped, .reason = "stopped"});
    detach(*transfer, /*keep_handle=*/false);
    mark_over(*transfer);
  }
}

void HttpLoop::begin_waiting() {
  while (!waiting_.empty() && active_.size() < options_.transfers_max) {
    Transfer& transfer = *waiting_.front();
    waiting_.pop_front();
    begin(transfer);
  }
}

void HttpLoop::begin(Transfer& transfer) {
  if (idle_.empty()) {
    transfer.handle.reset(curl_easy_init());
  } else {
    transfer.handle = std::move(idle_.back());
    idle_.pop_back();
  }
  CURL* const handle = transfer.handle.get();
  if (handle == nullptr || !transfer.exchange.prepare(handle, options_) ||
      curl_easy_setopt(handle, CURLOPT_PRIVATE, &transfer) != CURLE_OK ||
      curl_multi_add_handle(multi_.get(), handle) != CURLM_OK) {
    transfer.exchange.end(
        TransportFailure{.kind = TransportFailure::Kind::kConnect, .reason = "out of memory"});
    transfer.handle.reset();
    return mark_over(transfer);
  }
  may_raise_sigpipe_ = may_raise_sigpipe_ || may_raise_sigpipe(transfer.exchange.request());
  active_.push_back(&transfer);
}

void HttpLoop::finish_what_ended() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;
    Transfer* transfer = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    transfer->exchange.end(code);
    // After a failure a handle goes, with its connection: its state cannot be relied upon.
    detach(*transfer, /*keep_handle=*/code == CURLE_OK);
    mark_over(*transfer);
  }
}

void HttpLoop::finish_what_is_overdue() {
  const Clock::time_point now = Clock::now();
  const Clock::duration unchecked = now - checked_;
  if (unchecked < kCheckEvery) return;
  checked_ = now;
  for (std::size_t i = active_.size(); i-- != 0;) {
    Transfer& transfer = *active_[i];
    const bool rested =
        rests(transfer) || (transfer.exchange.may_rest() && unchecked >= kUnchecked);
    std::optional<std::string> why = transfer.exchange.overdue(now, rested);
    if (!why) continue;
    transfer.exchange.end(
        TransportFailure{.kind = TransportFailure::Kind::kTimeout, .reason = *std::move(why)});
    detach(transfer, /*keep_handle=*/false);
    mark_over(transfer);
  }
}

void HttpLoop::detach(Transfer& transfer, bool keep_handle) {
  if (transfer.handle == nullptr) return;
  std::erase(active_, &transfer);
  curl_multi_remove_handle(multi_.get(), transfer.handle.get());
  if (keep_handle && idle_.size() < options_.idle_connections_max) {
    curl_easy_reset(transfer.handle.get());
    idle_.push_back(std::move(transfer.handle));
  }
  transfer.handle.reset();
}

void HttpLoop::mark_over(Transfer& transfer) {
  const std::lock_guard lock(mutex_);
  transfer.over = true;
  tell(transfer);
  if (transfer.cancel_requested) std::erase(cancelled_, &transfer);
  over_.notify_all();
}

}  // namespace leat::connector::s3
