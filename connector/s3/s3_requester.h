// A request to S3, signed, retried, its failure classified: what all operations are made of.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "connector/s3/credentials.h"
#include "connector/s3/endpoint.h"
#include "connector/s3/http.h"
#include "connector/s3/retry.h"
#include "connector/s3/s3_error.h"
#include "connector/s3/shared_limits.h"
#include "leat/clock.h"
#include "leat/object_store.h"
#include "leat/result.h"

namespace leat::connector::s3 {

struct S3RequesterOptions {
  std::string bucket;
  std::optional<Endpoint> endpoint;  ///< nullopt: AWS, by region.
  std::string region = "us-east-1";
  AwsVariant aws = {};  ///< Which endpoint of AWS.
  S3Options::Addressing addressing = S3Options::Addressing::kAuto;
  std::shared_ptr<CredentialsProvider> credentials;  ///< nullptr: requests are not signed.
  RetryPolicy retry;
  const Clock* clock = nullptr;  ///< nullptr: system_clock(). Must outlive the requester.
  Random random;
  /// What it shares with others that ask the same service; nullptr: its own.
  std::shared_ptr<SharedLimits> limits;
  bool hedge_reads = false;  ///< See Hedge.
  /// Limits the waits that requests allow by themselves, see S3Options::stall_timeout_ms.
  std::chrono::milliseconds stall_timeout_max{30'000};
};

/// What is asked of S3, before it is addressed and signed.
struct S3Request {
  RequestContext::Operation operation = RequestContext::Operation::kGet;
  std::string key = {};  ///< Empty: the request is about the bucket.
  std::string method = "GET";
  std::vector<std::pair<std::string, std::string>> query = {};  ///< Not encoded.
  std::vector<HttpHeader> headers = {};                         ///< All of them are signed.
  std::string_view body = {};  ///< Borrowed until the operation is over; sent anew by each attempt.
  std::chrono::milliseconds first_byte_timeout{30'000};  ///< See HttpRequest, as for the next ones.
  std::chrono::milliseconds stall_timeout{10'000};
  std::chrono::milliseconds total_timeout{0};
  bool bulk = false;
  bool on_demand = false;
};

/// An answer of status 2xx.
struct S3Answer {
  HttpResponse head;
  std::string body;
  std::shared_ptr<const S3Credentials> signed_with = {};  ///< The request; nullptr: it was not.
};

/// Sends requests about one bucket and what is in it. All of them share their limits, the region
/// and the clock's correction. Thread-safe.
class S3Requester {
 public:
  using Operation = RequestContext::Operation;

  /// What one attempt brought: an answer of success whose body went to the sink, or a failure.
  struct Attempt {
    HttpResponse response = {};
    std::optional<S3Failure> failure = {};
    bool sink_refused = false;
    std::shared_ptr<const S3Credentials> signed_with = {};  ///< nullptr: it was not.
  };

  /// Where an attempt goes that nobody waits for. As HttpReceiver; sees bodies of 2xx only.
  class Receiver {
   public:
    virtual ~Receiver() = default;
    virtual bool on_body(const HttpResponse& head, std::span<const std::byte> bytes) = 0;
    virtual void on_pause() = 0;
    virtual void on_end(Attempt attempt) = 0;
  };

  /// An attempt under way. Its destructor breaks it off; after that the receiver is left alone.
  class Call;

  /// The failures of one operation, and what becomes of them. Used by one thread.
  class Recovery {
   public:
    /// Time runs from here on. Borrows the requester.
    Recovery(S3Requester& requester, std::stop_token stop);
    /// Puts right what can be (region, clock, credentials: each once, or it would never end), or
    /// waits as long as is due.
    /// @return  nullopt: try again. Otherwise the error to report.
    std::optional<Error> after(S3Failure failure);
    /// The same without waiting, for those who have something else to do meanwhile.
    /// @return  nullopt: something has to be put right first, which takes its time.
    std::optional<Retry::Decision> decide(const S3Failure& failure);

   private:
    bool needs_correction(const S3Failure& failure) const;
    void note(const S3Failure& failure);
    /// @return  True: try again at once.
    bool correct(S3Failure& failure);
    bool correct_region(const S3Failure& failure);

    S3Requester& requester_;
    const std::stop_token stop_;
    Retry retry_;
    bool region_corrected_ = false;
    bool clock_corrected_ = false;
    bool credentials_renewed_ = false;
  };

  /// Looks at an answer of success, which can be none: an <Error> under status 200.
  /// @return  nullopt: it is one. A failure that is retryable is tried again.
  using Check = std::function<std::optional<S3Failure>(const RequestContext&, const S3Answer&)>;

  static constexpr std::size_t kAnswerBytesMax = std::size_t{8} << 20;

  S3Requester(S3RequesterOptions options, std::unique_ptr<HttpTransport> transport);

  /// One whole operation: sends, tries again as long as it is worth it, and brings the answer.
  /// Blocks; a stop ends it early.
  ///   kPermissionDenied, kNotFound, kInvalidArgument (wrong region, or what the service refuses),
  ///   kUnsupported, kObjectChanged (412)
  ///   kUnavailable, kThrottled, kTimeout  After the retries were spent. Retryable.
  ///   kCorrupt    A body of more than kAnswerBytesMax.
  ///   kCancelled  A stop was requested.
  ///   Errors of `check`.
  Result<S3Answer> perform(const S3Request& request, std::stop_token stop = {},
                           const Check& check = {});

  // The parts of perform, for bodies that do not go into a string.

  /// What a request is about, as things are now: the region can change between attempts.
  RequestContext context(Operation operation, std::string_view key) const;
  /// Waits for the request's turn, signs and sends it, once. The sink sees bodies of 2xx only.
  /// @param attempt  0 for the first.
  Attempt send(const RequestContext& context, const S3Request& request, std::size_t attempt,
               std::stop_token stop, const BodySink& sink);
  /// As send, but returns when the request is on its way. `receiver` outlives the call; it may be
  /// told of the end before this returns.
  std::unique_ptr<Call> start(const RequestContext& context, const S3Request& request,
                              std::size_t attempt, std::stop_token stop, Receiver& receiver);
  /// An operation has succeeded: pays back to the budget of retries.
  void note_success();
  /// Repeats `attempt`, which is given its number from 0, until it has no failure, with Recovery in
  /// between.
  Result<void> with_retries(const std::function<std::optional<S3Failure>(std::size_t)>& attempt,
                            std::stop_token stop);

  const S3RequesterOptions& options() const noexcept { return options_; }
  const Clock& clock() const noexcept { return clock_; }
  const std::string& bucket() const noexcept { return options_.bucket; }
  bool is_aws() const noexcept { return !options_.endpoint; }
  std::string region() const;
  std::uint64_t retries() const noexcept { return retries_.load(std::memory_order_relaxed); }

 private:
  /// Credentials and turn are had, and the request is signed; or it failed.
  struct Prepared {
    HttpRequest request;
    std::shared_ptr<const S3Credentials> credentials;
    std::optional<S3Failure> failure;
  };

  /// The bucket's region, as a HEAD of the bucket has it; empty: it does not say.
  std::string ask_for_region(std::stop_token stop);
  Prepared prepare(const RequestContext& context, const S3Request& request, std::size_t attempt,
                   std::stop_token stop);
  HttpRequest sign(const RequestContext& context, const S3Request& request,
                   const S3Credentials* credentials) const;
  Attempt judge(const RequestContext& context, HttpExchange exchange, std::string_view error_body,
                std::shared_ptr<const S3Credentials> credentials) const;
  void guess_reason(const HttpResponse& response, S3Failure& failure) const;

  const S3RequesterOptions options_;
  const std::unique_ptr<HttpTransport> transport_;
  const Clock& clock_;
  const std::shared_ptr<SharedLimits> limits_;
  mutable std::mutex mutex_;
  std::string region_;                            // Changes when the service names the right one.
  std::atomic<std::int64_t> clock_offset_ms_{0};  // Server's minus ours.
  std::atomic<std::uint64_t> retries_{0};
};

class S3Requester::Call final : private HttpReceiver {
 public:
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  ~Call() override;

  /// As HttpTransfer::drive.
  bool drive(const std::stop_token& stop, std::chrono::steady_clock::time_point until) {
    return transfer_ != nullptr && transfer_->drive(stop, until);
  }

 private:
  friend class S3Requester;
  Call(const S3Requester& requester, RequestContext context, Receiver& receiver);

  bool on_body(const HttpResponse& head, std::span<const std::byte> bytes) override;
  void on_pause() override { receiver_.on_pause(); }
  void on_end(HttpExchange exchange) override;

  const S3Requester& requester_;
  const RequestContext context_;
  Receiver& receiver_;
  std::shared_ptr<const S3Credentials> credentials_;
  std::string error_body_;
  std::unique_ptr<HttpTransfer> transfer_;  // Last: it uses the others until it is gone.
};

}  // namespace leat::connector::s3
