// What all clients of one service in this process have in common.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "connector/s3/retry.h"
#include "connector/s3/send_rate.h"
#include "leat/clock.h"

namespace leat::connector::s3 {

/// A service that asks for fewer requests means all of them, whoever sends them. Thread-safe.
struct SharedLimits {
  /// Shared with nobody. Borrows the clock.
  explicit SharedLimits(const Clock& clock)
      : send_rate(std::make_shared<SendRate>(clock)), budget(std::make_shared<RetryBudget>()) {}
  SharedLimits(std::shared_ptr<SendRate> rate, std::shared_ptr<RetryBudget> retries)
      : send_rate(std::move(rate)), budget(std::move(retries)) {}

  const std::shared_ptr<SendRate> send_rate;  ///< Of the endpoint.
  const std::shared_ptr<RetryBudget> budget;  ///< Of the bucket at this endpoint.
};

/// Those of a bucket at an endpoint ("https://host:port"), by this clock: the same ones as long as
/// anybody uses them. Borrows the clock.
std::shared_ptr<SharedLimits> shared_limits(const std::string& endpoint, const std::string& bucket,
                                            const Clock& clock);

}  // namespace leat::connector::s3
