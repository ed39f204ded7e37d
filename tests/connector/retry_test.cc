#include "connector/s3/retry.h"

#include <gtest/gtest.h>

#include <string>

#include "connector/s3/send_rate.h"
#include "connector/s3/shared_limits.h"
#include "tests/support/manual_clock.h"

namespace leat::connector::s3 {
namespace {

using std::chrono::milliseconds;

S3Failure failure_of(ErrorCode code, bool retryable = true, bool reused = false) {
  S3Failure failure;
  failure.error = {.code = code, .message = "it failed", .at = {}, .retryable = retryable};
  failure.connection_reused = reused;
  return failure;
}

class RetryTest : public ::testing::Test {
 protected:
  Retry begin() { return Retry(policy_, budget_, clock_, random_, stop_.get_token()); }

  RetryPolicy policy_;
  RetryBudget budget_;
  testing::ManualClock clock_;
  Random random_ = [] { return 1.0; };
  std::stop_source stop_;
};

TEST_F(RetryTest, PausesGrowToTheirMaximum) {
  Retry retry = begin();
  std::optional<Error> error;
  while (!error) error = retry.after(failure_of(ErrorCode::kUnavailable));
  EXPECT_EQ(clock_.waits(), (std::vector<milliseconds>{
                                milliseconds(50), milliseconds(100), milliseconds(200),
                                milliseconds(400), milliseconds(800), milliseconds(1'600),
                                milliseconds(3'200), milliseconds(6'400), milliseconds(12'800)}));
  EXPECT_NE(error->message.find("gave up after 10 attempts"), std::string::npos) << error->message;
  EXPECT_EQ(error->code, ErrorCode::kUnavailable);
  EXPECT_TRUE(error->retryable);
}

TEST_F(RetryTest, ThrottlingPausesLonger) {
  Retry retry = begin();
  for (int i = 0; i < 6; ++i) ASSERT_FALSE(retry.after(failure_of(ErrorCode::kThrottled)));
  EXPECT_EQ(clock_.waits(), (std::vector<milliseconds>{
                                milliseconds(1'000), milliseconds(2'000), milliseconds(4'000),
                                milliseconds(8'000), milliseconds(16'000), milliseconds(20'000)}));
}

TEST_F(RetryTest, PausesAreRandom) {
  random_ = [] { return 0.25; };
  Retry retry = begin();
  ASSERT_FALSE(retry.after(failure_of(ErrorCode::kThrottled)));
  EXPECT_EQ(clock_.waits(), std::vector<milliseconds>{milliseconds(250)});
}

TEST_F(RetryTest, WhatCannotPassIsReportedAtOnce) {
  Retry retry = begin();
  const auto error = retry.after(failure_of(ErrorCode::kNotFound, /*retryable=*/false));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->message, "it failed");
  EXPECT_TRUE(clock_.waits().empty());
}

TEST_F(RetryTest, AFirstFailureOnAReusedConnectionIsFree) {
  policy_.attempts_max = 2;
  Retry retry = begin();
  EXPECT_FALSE(retry.after(failure_of(ErrorCode::kUnavailable, true, /*reused=*/true)));
  EXPECT_TRUE(clock_.waits().empty());
  EXPECT_FALSE(retry.after(failure_of(ErrorCode::kUnavailable, true, /*reused=*/true)));
  EXPECT_EQ(clock_.waits().size(), 1u);
  EXPECT_TRUE(retry.after(failure_of(ErrorCode::kUnavailable, true, /*reused=*/true)));
}

TEST_F(RetryTest, AnOperationEndsInTime) {
  policy_.attempts_max = 1'000;
  Retry retry = begin();
  std::optional<Error> error;
  while (!error) error = retry.after(failure_of(ErrorCode::kThrottled));
  EXPECT_LT(clock_.monotonic(), milliseconds(180'000));
  EXPECT_GT(clock_.monotonic(), milliseconds(150'000));
  EXPECT_NE(error->message.find("180000 ms"), std::string::npos) << error->message;
}

TEST_F(RetryTest, OneAttemptMeansNoRetry) {
  policy_.attempts_max = 1;
  Retry retry = begin();
  EXPECT_TRUE(retry.after(failure_of(ErrorCode::kUnavailable)));
}

TEST_F(RetryTest, AllOperationsShareOneBudget) {
  int retries = 0;
  std::optional<Error> error;
  for (int i = 0; i < 1'000 && !error; ++i) {
    Retry retry = begin();
    error = retry.after(failure_of(ErrorCode::kUnavailable));
    if (!error) ++retries;
  }
  ASSERT_TRUE(error);
  EXPECT_EQ(retries, RetryBudget::kTokensMax / RetryBudget::kRetryCost);
  EXPECT_NE(error->message.find("too many requests fail"), std::string::npos) << error->message;

  for (int i = 0; i < RetryBudget::kTimeoutCost; ++i) budget_.give_back();
  Retry timed_out = begin();
  EXPECT_FALSE(timed_out.after(failure_of(ErrorCode::kTimeout)));  // Costs all ten.
  EXPECT_TRUE(begin().after(failure_of(ErrorCode::kUnavailable)));
}

TEST_F(RetryTest, TheBudgetNeverGrowsBeyondItsMaximum) {
  for (int i = 0; i < 10'000; ++i) budget_.give_back();
  EXPECT_FALSE(budget_.take(RetryBudget::kTokensMax + 1));
  EXPECT_TRUE(budget_.take(RetryBudget::kTokensMax));
}

TEST_F(RetryTest, AStopEndsTheWait) {
  Retry retry = begin();
  stop_.request_stop();
  const auto error = retry.after(failure_of(ErrorCode::kUnavailable));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, ErrorCode::kCancelled);
}

class SendRateTest : public ::testing::Test {
 protected:
  /// `count` requests, evenly over `duration`.
  void send(int count, milliseconds duration) {
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE(rate_.wait_for_turn({}));
      clock_.advance(duration / count);
    }
  }
  testing::ManualClock clock_;
  SendRate rate_{clock_};
};

TEST_F(SendRateTest, LimitsNothingUntilThrottled) {
  send(1'000, milliseconds(1'000));
  EXPECT_TRUE(clock_.waits().empty());
  EXPECT_EQ(rate_.limit(), 0);
}

TEST_F(SendRateTest, SlowsAllDownWhenThrottled) {
  send(2'000, milliseconds(2'000));
  rate_.throttled();
  EXPECT_GT(rate_.limit(), 400);
  EXPECT_LE(rate_.limit(), 710);
  const double before = rate_.limit();
  rate_.throttled();
  EXPECT_LT(rate_.limit(), before);

  const auto start = clock_.monotonic();
  for (int i = 0; i < 1'000; ++i) ASSERT_TRUE(rate_.wait_for_turn({}));
  EXPECT_GT(clock_.monotonic() - start, milliseconds(1'000));
}

TEST_F(SendRateTest, GrowsBackAndIsLiftedInTheEnd) {
  send(2'000, milliseconds(2'000));
  rate_.throttled();
  const double low = rate_.limit();
  for (int i = 0; i < 200; ++i) {
    send(100, milliseconds(100));
    rate_.succeeded();
  }
  EXPECT_GT(rate_.limit(), low);
  clock_.advance(milliseconds(61'000));
  ASSERT_TRUE(rate_.wait_for_turn({}));
  EXPECT_EQ(rate_.limit(), 0);
}

TEST_F(SendRateTest, OneRefusalAtABurstsBeginLimitsNothing) {
  for (int burst = 0; burst < 2; ++burst) {
    for (int i = 0; i < 16; ++i) ASSERT_TRUE(rate_.wait_for_turn({}));
    rate_.throttled();
    for (int i = 0; i < 15; ++i) rate_.succeeded();
    EXPECT_EQ(rate_.limit(), 0);
    send(5'000, milliseconds(5'000));
    EXPECT_TRUE(clock_.waits().empty());
    clock_.advance(milliseconds(60'000));
  }
}

TEST_F(SendRateTest, RefusalsFromTheBeginOnLimitOnceTheRateIsKnown) {
  for (int i = 0; i < 10; ++i) {
    send(2, milliseconds(100));
    rate_.throttled();
  }
  EXPECT_GT(rate_.limit(), 0);
  EXPECT_LT(rate_.limit(), 20);
}

TEST_F(SendRateTest, TheLimitHoldsOverAPauseWhileItIsRemembered) {
  send(2'000, milliseconds(2'000));
  rate_.throttled();
  const double before = rate_.limit();
  clock_.advance(milliseconds(10'000));
  ASSERT_TRUE(rate_.wait_for_turn({}));
  EXPECT_EQ(rate_.limit(), before);
  rate_.throttled();
  EXPECT_GT(rate_.limit(), 0);
  EXPECT_LT(rate_.limit(), before);
}

TEST(SharedLimitsTest, BucketsOfAnEndpointSlowDownTogetherAndHaveBudgetsOfTheirOwn) {
  const testing::ManualClock clock;
  const auto limits = shared_limits("https://one:1", "a", clock);
  const auto same = shared_limits("https://one:1", "a", clock);
  EXPECT_EQ(same->send_rate, limits->send_rate);
  EXPECT_EQ(same->budget, limits->budget);
  const auto other_bucket = shared_limits("https://one:1", "b", clock);
  EXPECT_EQ(other_bucket->send_rate, limits->send_rate);
  EXPECT_NE(other_bucket->budget, limits->budget);
  const auto other_endpoint = shared_limits("https://two:1", "a", clock);
  EXPECT_NE(other_endpoint->send_rate, limits->send_rate);
  EXPECT_NE(other_endpoint->budget, limits->budget);
  const testing::ManualClock other_clock;
  EXPECT_NE(shared_limits("https://one:1", "a", other_clock)->send_rate, limits->send_rate);
}

TEST(SharedLimitsTest, LastAsLongAsSomebodyUsesThem) {
  const testing::ManualClock clock;
  auto limits = shared_limits("https://one:1", "a", clock);
  const auto later = shared_limits("https://one:1", "a", clock);
  EXPECT_TRUE(limits->budget->take(RetryBudget::kTokensMax));
  limits.reset();
  EXPECT_FALSE(shared_limits("https://one:1", "a", clock)->budget->take(1));
  const std::weak_ptr<RetryBudget> gone = shared_limits("https://two:1", "a", clock)->budget;
  EXPECT_TRUE(gone.expired());
}

TEST_F(SendRateTest, AStopEndsTheWait) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(rate_.wait_for_turn(stop.get_token()));
}

}  // namespace
}  // namespace leat::connector::s3
