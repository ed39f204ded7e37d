#include "connector/s3/range_read.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "connector/s3/etag.h"

namespace leat::connector::s3 {
namespace {

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [rest, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || rest != text.data() + text.size()) return std::nullopt;
  return value;
}

struct ContentRange {
  Range range;
  std::uint64_t total = 0;
};

/// "bytes 0-9/100".
std::optional<ContentRange> parse_content_range(std::string_view text) {
  if (!text.starts_with("bytes ")) return std::nullopt;
  text.remove_prefix(6);
  const std::size_t dash = text.find('-');
  const std::size_t slash = text.find('/');
  if (dash == text.npos || slash == text.npos || dash > slash) return std::nullopt;
  const auto first = parse_number(text.substr(0, dash));
  const auto last = parse_number(text.substr(dash + 1, slash - dash - 1));
  const auto total = parse_number(text.substr(slash + 1));
  if (!first || !last || !total || *last == UINT64_MAX) return std::nullopt;
  return ContentRange{.range = {*first, *last + 1}, .total = *total};
}

std::string text_of(Range range) {
  return "bytes " + std::to_string(range.begin) + " to " + std::to_string(range.end - 1);
}

/// Whether this is the range of this version that was asked for.
std::optional<S3Failure> check_range_answer(const RequestContext& context,
                                            const HttpResponse& response,
                                            const ObjectVersion& object, Range range) {
  const std::string* text = response.find("content-range");
  std::optional<ContentRange> got = text != nullptr ? parse_content_range(*text) : std::nullopt;
  // Who was asked for all of it may answer as if no range was named. Only the ETag tells the object
  // from a page of a gateway.
  if (response.status == 200 && text == nullptr && range == Range{0, object.size} &&
      response.find("etag") != nullptr) {
    const std::string* length = response.find("content-length");
    got = {.range = range,
           .total = length != nullptr ? parse_number(*length).value_or(0) : object.size};
  } else if (response.status != 206 || !got || !(got->range == range)) {
    return make_failure(context, ErrorCode::kCorrupt,
                        "asked for " + text_of(range) + ", the server answered " +
                            std::to_string(response.status) + " with " +
                            (got ? text_of(got->range) : std::string("no range")) +
                            "; it, or a proxy before it, does not support ranges",
                        /*retryable=*/false);
  }
  const std::string* etag = response.find("etag");
  if (got->total != object.size ||
      (etag != nullptr && bare_etag(*etag) != bare_etag(object.version))) {
    return make_failure(context, ErrorCode::kObjectChanged,
                        "the object was replaced after it was listed; list again",
                        /*retryable=*/false);
  }
  return std::nullopt;
}

}  // namespace

RangeRead::RangeRead(S3Requester& requester, ReadCounters& counters, Hedge* hedge,
                     const ObjectVersion& object, Range range, Buffer memory, std::stop_token stop)
    : requester_(requester),
      counters_(counters),
      hedge_(hedge),
      object_(object),
      range_(range),
      on_demand_(memory.capacity() < range.length()),
      stop_(std::move(stop)),
      memory_(std::move(memory)) {
  memory_.clear();
  for (Slot& slot : slots_) slot.owner = this;
}

RangeRead::~RangeRead() {
  for (Slot& slot : slots_) slot.call.reset();
}

void RangeRead::start() { send(slots_[0]); }

void RangeRead::send(Slot& slot) {
  // An attempt goes on where the one before it broke off.
  slot.asked = {range_.begin + received(), range_.end};
  slot.context = requester_.context(RequestContext::Operation::kGet, object_.key);
  slot.sent = std::chrono::steady_clock::now();
  S3Request request;
  request.key = object_.key;
  request.bulk = true;
  request.on_demand = on_demand_;
  // A service that is always this slow has to be readable, too: more patience each time.
  request.first_byte_timeout = std::chrono::seconds(5) * (1 << std::min<std::size_t>(attempt_, 2));
  request.headers = {{"Range", "bytes=" + std::to_string(slot.asked.begin) + "-" +
                                   std::to_string(slot.asked.end - 1)},
                     {"If-Match", quoted_etag(object_.version)}};
  counters_.requests.fetch_add(1, std::memory_order_relaxed);
  slot.call = requester_.start(slot.context, request, attempt_, stop_, slot);
}

bool RangeRead::take(Slot& slot, const HttpResponse& head, std::span<const std::byte> bytes) {
  if (!std::exchange(slot.checked, true)) {
    slot.wrong = check_range_answer(slot.context, head, object_, slot.asked);
    if (slot.wrong) return false;
    if (hedge_ != nullptr && attempt_ == 0) {
      hedge_->note(std::chrono::duration_cast<Hedge::Duration>(std::chrono::steady_clock::now() -
                                                               slot.sent));
    }
  }
  const std::lock_guard lock(mutex_);
  if (writer_ == nullptr) writer_ = &slot;
  if (writer_ != &slot) return false;
  if (bytes.size() > range_.length() - written_) {
    slot.wrong = make_failure(slot.context, ErrorCode::kCorrupt,
                              "the server sent more bytes than the range it announced",
                              /*retryable=*/false);
    return false;
  }
  if (written_ == 0) first_written_ = std::chrono::steady_clock::now();
  const std::size_t direct = std::min(lent_.size(), bytes.size());
  if (direct != 0) std::memcpy(lent_.data(), bytes.data(), direct);
  memory_.append(bytes.data() + direct, bytes.size() - direct);
  lent_ = lent_.subspan(direct);
  written_ += bytes.size();
  counters_.bytes.fetch_add(bytes.size(), std::memory_order_relaxed);
  if (written_ == range_.length()) last_written_ = std::chrono::steady_clock::now();
  if (direct != 0 && lent_.empty() && written_ != range_.length()) publish();
  return true;
}

/// Not with each piece: who sees the last byte lets go of this range, and then a connection whose
/// answer has not quite ended could not be used again.
void RangeRead::pause(const Slot& slot) {
  const std::lock_guard lock(mutex_);
  ++pauses_;
  if (writer_ == &slot) publish();
}

/// mutex_ is held.
void RangeRead::publish() {
  received_.store(written_, std::memory_order_release);
  arrived_.notify_one();
}

std::optional<RangeWindow::Came> RangeRead::came() const {
  const std::lock_guard lock(mutex_);
  // Of several attempts the first byte may be older than the last request.
  if (written_ != range_.length() || writer_ == nullptr || attempt_ != 0) return std::nullopt;
  // What comes on demand comes as fast as it is wanted, unless that is rarely waited for.
  const auto took = last_written_ - first_written_;
  const bool wanted_slowly = on_demand_ && waited_ < took / 8;
  return RangeWindow::Came{.bytes = written_,
                           .until_first = first_written_ - writer_->sent,
                           .to_last = wanted_slowly ? waited_ : took};
}

void RangeRead::take_end(Slot& slot, S3Requester::Attempt attempt) {
  const std::lock_guard lock(mutex_);
  if (writer_ == &slot) {
    received_.store(written_, std::memory_order_release);
    if (written_ == range_.length() && !slot.wrong) requester_.note_success();
  }
  slot.ended = std::move(attempt);
  arrived_.notify_one();
}

/// What comes on demand may take as long as its reader does: a failure far behind the one before is
/// the first of its own.
S3Requester::Recovery& RangeRead::recovery() {
  constexpr std::uint64_t kFar = std::uint64_t{1} << 20;
  if (recovery_ && received() - failed_at_ >= kFar) recovery_.reset();
  if (!recovery_) recovery_.emplace(requester_, stop_);
  failed_at_ = received();
  return *recovery_;
}

void RangeRead::send_again() {
  failure_.reset();
  due_.reset();
  ++attempt_;
  send(slots_[0]);
}

void RangeRead::tend() {
  if (error_ || failure_) return;
  if (!due_) {
    {
      const std::lock_guard lock(mutex_);
      if (!all_ended() || written_ == range_.length()) return;
    }
    failure_ = take_failure();
    std::optional<Retry::Decision> decision = recovery().decide(*failure_);
    if (!decision) return;
    failure_.reset();
    error_ = std::move(decision->error);
    if (error_) return;
    due_ = requester_.clock().monotonic() + decision->pause;
  }
  if (requester_.clock().monotonic() >= *due_) send_again();
}

void RangeRead::wait(std::unique_lock<std::mutex>& lock,
                     std::chrono::steady_clock::time_point until,
                     const std::function<bool()>& ready) {
  while (!ready() && !stop_.stop_requested() && std::chrono::steady_clock::now() < until) {
    // Who drives comes back when one transfer has news: of two the other one may be the first.
    if (slots_[1].call != nullptr && !slots_[0].ended && !slots_[1].ended) {
      arrived_.wait_until(lock, stop_, until, ready);
      continue;
    }
    S3Requester::Call& call = *(slots_[0].ended ? slots_[1] : slots_[0]).call;
    const std::size_t pauses = pauses_;
    lock.unlock();
    const bool driven = call.drive(stop_, until);
    lock.lock();
    // A pause may be that of bytes which were read before: then it has to be waited for anew.
    if (!driven) {
      arrived_.wait_until(lock, stop_, until, [&] { return ready() || pauses_ != pauses; });
    }
  }
}

/// Until there is something to read, all attempts have ended, or a hedge is due. mutex_ is held.
void RangeRead::wait_for_bytes(std::unique_lock<std::mutex>& lock, bool may_hedge) {
  auto until = std::chrono::steady_clock::time_point::max();
  if (may_hedge) {
    if (const auto patience = hedge_->patience()) until = slots_[0].sent + *patience;
  }
  const auto begin = std::chrono::steady_clock::now();
  wait(lock, until, [this] { return has_arrived() || all_ended(); });
  if (written_ != 0) waited_ += std::chrono::steady_clock::now() - std::max(begin, first_written_);
}

/// Memory that has room for the whole range does not move. mutex_ is held, and then perhaps not.
std::size_t RangeRead::hand_out(std::unique_lock<std::mutex>& lock, std::span<std::byte> out) {
  const std::size_t length = std::min(out.size(), memory_.size() - memory_read_);
  const std::byte* const bytes = memory_.data() + memory_read_;
  if (!on_demand_) lock.unlock();
  std::memcpy(out.data(), bytes, length);
  memory_read_ += length;
  return length;
}

Result<std::size_t> RangeRead::read(std::span<std::byte> out) {
  std::optional<std::size_t> refused;  // The attempt that may not be hedged.
  while (true) {
    if (!has_arrived() && due_) {
      const Clock::Duration pause = *due_ - requester_.clock().monotonic();
      if (pause.count() <= 0 || requester_.clock().wait(pause, stop_)) {
        send_again();
        continue;
      }
    }
    if (!has_arrived() && error_) return *error_;
    const bool may_hedge =
        hedge_ != nullptr && slots_[1].call == nullptr && received() == 0 && refused != attempt_;
    std::size_t length = 0;
    bool ended = false;
    {
      std::unique_lock lock(mutex_);
      const auto is_whole = [this] { return written_ == range_.length(); };
      // More may have come since bytes last paused; all of them only with the answer's end.
      if (!is_whole()) received_.store(written_, std::memory_order_release);
      if (written_ == read_) {
        memory_.clear();
        memory_read_ = 0;
        lent_ = out;
      }
      const bool under_way = !failure_ && !due_;
      if (under_way && !has_arrived()) wait_for_bytes(lock, may_hedge);
      if (is_whole()) {
        wait(lock, std::chrono::steady_clock::time_point::max(),
             [&] { return received() == written_ || all_ended(); });
      }
      received_.store(written_, std::memory_order_release);
      if (lent_.data() != nullptr) length = out.size() - lent_.size();
      lent_ = {};
      ended = all_ended();
      if (length == 0 && has_arrived()) length = hand_out(lock, out);
    }
    if (length != 0) {
      read_ += length;
      drop_loser();
      return length;
    }
    if (ended || failure_) {
      if (!failure_) failure_ = take_failure();
      if ((error_ = recovery().after(*failure_))) return *error_;
      send_again();
      continue;
    }
    if (stop_.stop_requested()) {
      return make_failure(slots_[0].context, ErrorCode::kCancelled, "stopped", false).error;
    }
    if (hedge_->take()) {
      send(slots_[1]);
    } else {
      // Its time has passed: to wait for that again would be no wait.
      refused = attempt_;
    }
  }
}

/// Of those that were sent. mutex_ is held.
bool RangeRead::all_ended() const {
  return slots_[0].ended && (slots_[1].call == nullptr || slots_[1].ended);
}

/// The request that was answered second goes.
void RangeRead::drop_loser() {
  if (slots_[1].call == nullptr) return;
  const Slot* writer = nullptr;
  {
    const std::lock_guard lock(mutex_);
    writer = writer_;
  }
  Slot& loser = writer == &slots_[0] ? slots_[1] : slots_[0];
  loser.call.reset();
}

/// All requests have ended without another byte: why. They are ready to be sent again.
S3Failure RangeRead::take_failure() {
  for (Slot& slot : slots_) slot.call.reset();
  Slot& slot = writer_ == &slots_[1] ? slots_[1] : slots_[0];
  S3Requester::Attempt attempt = *std::move(slot.ended);
  std::optional<S3Failure> failure = std::move(slot.wrong);
  if (!failure) failure = std::move(attempt.failure);
  if (!failure && !slot.checked) {
    failure = check_range_answer(slot.context, attempt.response, object_, slot.asked);
  }
  if (!failure) {
    failure = make_failure(slot.context, ErrorCode::kUnavailable,
                           "the answer ended after " + std::to_string(received()) + " of " +
                               std::to_string(range_.length()) + " bytes",
                           /*retryable=*/true);
  }
  writer_ = nullptr;
  for (Slot& each : slots_) {
    each.checked = false;
    each.wrong.reset();
    each.ended.reset();
  }
  return *std::move(failure);
}

}  // namespace leat::connector::s3
