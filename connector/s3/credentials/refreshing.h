// Credentials that are renewed before they expire.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>

#include "connector/s3/credentials.h"
#include "connector/s3/credentials/source.h"
#include "leat/clock.h"

namespace leat::connector::s3 {

/// Keeps what a source gave. Thread-safe.
///
/// From 15 minutes before they expire, one caller renews them while the others go on with the old
/// ones; from 10 minutes before, all wait for that. Where they live for less than half an hour, a
/// half and a third of their life take the place of these times: otherwise they would be renewed
/// all the time. Only one request to the source is under way at a time. When it fails, the old ones
/// are used as long as they hold, and the source is asked again at the earliest after five seconds.
///
/// A source may hand out credentials that have expired by this machine's clock: the clock may be
/// wrong, or the source cannot renew them right now. They are used for five minutes: the service
/// has the last word.
class RefreshingCredentials final : public CredentialsProvider {
 public:
  RefreshingCredentials(std::unique_ptr<CredentialSource> source, const Clock& clock);

  Result<std::shared_ptr<const S3Credentials>> current() override;
  Result<bool> renew(const S3Credentials& refused) override;
  std::optional<std::int64_t> expires_ms() override;
  std::string description() const override { return source_->description(); }

 private:
  enum class Age { kFresh, kAdvisory, kMandatory, kExpired };

  Age age() const;
  /// Asks the source, as the only one. Takes the lock held, and holds it when it returns.
  Result<void> fetch(std::unique_lock<std::mutex>& lock);

  const std::unique_ptr<CredentialSource> source_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable fetched_;
  bool fetching_ = false;
  std::uint64_t fetches_ = 0;
  std::optional<Error> failure_;  // Of the last fetch.
  std::shared_ptr<const S3Credentials> credentials_;
  std::optional<std::int64_t> expires_ms_;  // As the source said.
  // On the clock that never goes back: it is how long they live that counts.
  std::optional<Clock::Duration> advisory_, mandatory_, expiry_;
  Clock::Duration not_before_{0};  // The source is not asked again earlier, while these hold.
};

}  // namespace leat::connector::s3
