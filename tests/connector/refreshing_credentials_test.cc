#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include "connector/s3/credentials/refreshing.h"
#include "tests/support/manual_clock.h"

namespace leat::connector::s3 {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

/// Hands out "key 1", "key 2", …, each for `life`; fails while told to.
struct Script {
  std::atomic<int> asked = 0;
  std::atomic<bool> fails = false;
  std::chrono::milliseconds life{minutes(60)};
  std::function<void()> before = [] {};
};

class ScriptedSource final : public CredentialSource {
 public:
  ScriptedSource(Script& script, const Clock& clock) : script_(script), clock_(clock) {}
  Result<FetchedCredentials> fetch() override {
    const int number = ++script_.asked;
    script_.before();
    if (script_.fails) {
      return Error{
          .code = ErrorCode::kUnavailable, .message = "not now", .at = {}, .retryable = true};
    }
    return FetchedCredentials{.credentials = {.access_key_id = "key " + std::to_string(number),
                                              .secret_access_key = Secret("s")},
                              .expires_ms = clock_.wall_ms() + script_.life.count()};
  }
  std::string description() const override { return "a script"; }

 private:
  Script& script_;
  const Clock& clock_;
};

class RefreshingCredentialsTest : public ::testing::Test {
 protected:
  std::string key() {
    const auto current = credentials_.current();
    return current ? (*current)->access_key_id : current.error().message;
  }

  testing::ManualClock clock_;
  Script script_;
  RefreshingCredentials credentials_{std::make_unique<ScriptedSource>(script_, clock_), clock_};
};

TEST_F(RefreshingCredentialsTest, RenewAheadOfExpiry) {
  EXPECT_EQ(key(), "key 1");
  clock_.advance(minutes(44));
  EXPECT_EQ(key(), "key 1");
  clock_.advance(minutes(1));
  EXPECT_EQ(key(), "key 2");
  EXPECT_EQ(script_.asked, 2);
}

TEST_F(RefreshingCredentialsTest, GoOnWithTheOldOnesWhileTheSourceFails) {
  EXPECT_EQ(key(), "key 1");
  script_.fails = true;
  clock_.advance(minutes(46));
  EXPECT_EQ(key(), "key 1");
  EXPECT_EQ(script_.asked, 2);
  EXPECT_EQ(key(), "key 1");  // Too soon to ask again.
  EXPECT_EQ(script_.asked, 2);
  clock_.advance(seconds(5));
  EXPECT_EQ(key(), "key 1");
  EXPECT_EQ(script_.asked, 3);
  clock_.advance(minutes(14));  // They have expired.
  EXPECT_EQ(key(), "not now");
  script_.fails = false;
  EXPECT_EQ(key(), "key 5");
}

TEST_F(RefreshingCredentialsTest, ShortLivedOnesAreNotRenewedAllTheTime) {
  script_.life = minutes(15);
  for (int i = 0; i < 7; ++i) {
    EXPECT_EQ(key(), "key 1");
    clock_.advance(minutes(1));
  }
  clock_.advance(minutes(1));
  EXPECT_EQ(key(), "key 2");
}

TEST_F(RefreshingCredentialsTest, UseWhatHasExpiredByAWrongClock) {
  script_.life = minutes(-90);
  EXPECT_EQ(key(), "key 1");
  clock_.advance(minutes(2));
  EXPECT_EQ(key(), "key 1");
  clock_.advance(minutes(3));
  EXPECT_EQ(key(), "key 2");
}

TEST_F(RefreshingCredentialsTest, RenewWhatTheServiceRefuses) {
  const auto old = *credentials_.current();
  EXPECT_TRUE(*credentials_.renew(*old));
  EXPECT_EQ(key(), "key 2");
  EXPECT_TRUE(*credentials_.renew(*old));  // Another thread has renewed them.
  EXPECT_EQ(script_.asked, 2);
  script_.fails = true;
  EXPECT_FALSE(credentials_.renew(**credentials_.current()));
}

TEST_F(RefreshingCredentialsTest, AskOnceHoweverManyWait) {
  constexpr int kThreads = 8;
  std::latch started(kThreads);
  script_.before = [&] { started.wait(); };
  std::atomic<int> right = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        started.count_down();
        right += key() == "key 1";
      });
    }
  }
  EXPECT_EQ(right, kThreads);
  EXPECT_EQ(script_.asked, 1);
}

TEST_F(RefreshingCredentialsTest, OneRenewsWhileTheOthersGoOn) {
  EXPECT_EQ(key(), "key 1");
  clock_.advance(minutes(46));
  // While the source is being asked, another caller is served at once.
  std::string meanwhile;
  script_.before = [&] {
    if (script_.asked == 2) std::jthread([&] { meanwhile = key(); });
  };
  EXPECT_EQ(key(), "key 2");
  EXPECT_EQ(meanwhile, "key 1");
}

}  // namespace
}  // namespace leat::connector::s3
