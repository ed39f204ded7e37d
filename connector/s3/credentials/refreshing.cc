#include "connector/s3/credentials/refreshing.h"

#include <algorithm>
#include <utility>

namespace leat::connector::s3 {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;

constexpr milliseconds kAfterFailure{5'000};
constexpr milliseconds kPastExpiry = minutes(5);

}  // namespace

RefreshingCredentials::RefreshingCredentials(std::unique_ptr<CredentialSource> source,
                                             const Clock& clock)
    : source_(std::move(source)), clock_(clock) {}

RefreshingCredentials::Age RefreshingCredentials::age() const {
  const Clock::Duration now = clock_.monotonic();
  if (expiry_ && now >= *expiry_) return Age::kExpired;
  if (mandatory_ && now >= *mandatory_) return Age::kMandatory;
  if (advisory_ && now >= *advisory_) return Age::kAdvisory;
  return Age::kFresh;
}

Result<void> RefreshingCredentials::fetch(std::unique_lock<std::mutex>& lock) {
  fetching_ = true;
  lock.unlock();
  Result<FetchedCredentials> fetched = source_->fetch();
  const Clock::Duration now = clock_.monotonic();
  const std::int64_t wall_ms = clock_.wall_ms();
  lock.lock();
  fetching_ = false;
  ++fetches_;
  fetched_.notify_all();
  if (!fetched) {
    not_before_ = now + kAfterFailure;
    failure_ = std::move(fetched).error();
    return *failure_;
  }
  failure_.reset();
  credentials_ = std::make_shared<const S3Credentials>(std::move(fetched->credentials));
  expires_ms_ = fetched->expires_ms;
  advisory_ = mandatory_ = expiry_ = std::nullopt;
  if (expires_ms_) {
    milliseconds life(*expires_ms_ - wall_ms);
    if (life <= milliseconds(0)) life = kPastExpiry;
    expiry_ = now + life;
    advisory_ = *expiry_ - std::min<milliseconds>(minutes(15), life / 2);
    mandatory_ = *expiry_ - std::min<milliseconds>(minutes(10), life / 3);
  }
  return {};
}

Result<std::shared_ptr<const S3Credentials>> RefreshingCredentials::current() {
  std::unique_lock lock(mutex_);
  while (true) {
    const Age age_now = credentials_ == nullptr ? Age::kExpired : age();
    const bool usable = age_now != Age::kExpired;
    if (age_now == Age::kFresh || (usable && clock_.monotonic() < not_before_)) break;
    if (!fetching_) {
      const Result<void> done = fetch(lock);
      if (!done && (credentials_ == nullptr || age() == Age::kExpired)) return done.error();
      break;
    }
    if (age_now == Age::kAdvisory) break;
    const std::uint64_t seen = fetches_;
    fetched_.wait(lock, [&] { return fetches_ != seen; });
    if (failure_ && (credentials_ == nullptr || age() == Age::kExpired)) return *failure_;
  }
  return credentials_;
}

Result<bool> RefreshingCredentials::renew(const S3Credentials& refused) {
  std::unique_lock lock(mutex_);
  const auto differs = [&] {
    return credentials_ != nullptr &&
           (credentials_->access_key_id != refused.access_key_id ||
            credentials_->secret_access_key.reveal() != refused.secret_access_key.reveal() ||
            credentials_->session_token.reveal() != refused.session_token.reveal());
  };
  if (differs()) return true;  // Another thread was faster.
  if (fetching_) {
    const std::uint64_t seen = fetches_;
    fetched_.wait(lock, [&] { return fetches_ != seen; });
    if (failure_) return *failure_;
  } else if (Result<void> done = fetch(lock); !done) {
    return std::move(done).error();
  }
  return differs();
}

std::optional<std::int64_t> RefreshingCredentials::expires_ms() {
  const std::lock_guard lock(mutex_);
  return expires_ms_;
}

}  // namespace leat::connector::s3
