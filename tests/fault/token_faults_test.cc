// Credentials of a role, from the server's own token service, that are refused in the middle of
// things.

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/fault/s3_fixture.h"

namespace leat::fault {
namespace {

class TokenFaults : public S3FaultTest {
 protected:
  /// What the proxy sees of requests for credentials.
  static constexpr Operation kToken = Operation::kOther;

  void SetUp() override {
    S3FaultTest::SetUp();
    if (IsSkipped()) return;
    const char* role = std::getenv("LEAT_TEST_S3_ROLE");
    if (role == nullptr) GTEST_SKIP() << "LEAT_TEST_S3_ROLE is not set";
    // Whose role it is is taken from the environment.
    ::setenv("AWS_ACCESS_KEY_ID", std::getenv("LEAT_TEST_S3_ACCESS_KEY"), 1);
    ::setenv("AWS_SECRET_ACCESS_KEY", std::getenv("LEAT_TEST_S3_SECRET_KEY"), 1);
    ::unsetenv("AWS_SESSION_TOKEN");
    ::unsetenv("AWS_PROFILE");
    options_ = store_options(proxy_->url(), &clock_);
    options_.s3.credentials.reset();
    options_.s3.role = S3Role{.arn = role};
    options_.s3.sts_endpoint_url = proxy_->url();
    options_.read_memory_bytes_max = 128u << 10;
    for (Fault& fault : load_faults()) {
      const std::string name = fault.name;
      faults_.emplace(name, std::move(fault));
    }
  }
  const Fault* fault(const char* name) const { return &faults_.at(name); }

  HurriedClock clock_;
  StoreOptions options_;
  std::map<std::string, Fault> faults_;
};

TEST_F(TokenFaults, ExpiredTokensAreRenewedThoughTheTokenServiceFails) {
  const std::string data = random_bytes(1'000'000, 5);
  const ObjectVersion object = put("a", data);
  int reads = 0;
  int tokens = 0;
  proxy_->set([&](const SeenRequest& seen) -> const Fault* {
    if (seen.operation == Operation::kRead) {
      return reads++ % 5 == 0 ? fault("token-expired") : nullptr;
    }
    if (seen.operation != kToken) return nullptr;
    switch (tokens++ % 3) {
      case 0:
        return fault("connection-reset-before-answer");
      case 1:
        return fault("internal-error");
      default:
        return nullptr;
    }
  });
  std::string text;
  const auto read = read_all(*open_bucket(kBucket, options_), object, text);
  EXPECT_TRUE(read.has_value()) << read.error().to_string();
  EXPECT_TRUE(text == data);
  EXPECT_GE(reads, 15);
  EXPECT_GE(tokens, 9);
  EXPECT_EQ(tokens % 3, 0);  // Each time until it had one, and no longer.
}

TEST_F(TokenFaults, ManyWhoAreRefusedAskForOneNewToken) {
  constexpr int kReaders = 8;
  std::vector<ObjectVersion> objects;
  std::vector<std::string> contents;
  for (int i = 0; i < kReaders; ++i) {
    contents.push_back(random_bytes(300'000, 10 + static_cast<unsigned>(i)));
    objects.push_back(put(std::to_string(i), contents.back()));
  }
  std::string first_key;
  int reads = 0;
  proxy_->set([&](const SeenRequest& seen) -> const Fault* {
    if (seen.operation != Operation::kRead) return nullptr;
    const std::size_t begin = seen.head.find("Credential=") + 11;
    const std::string key = seen.head.substr(begin, seen.head.find('/', begin) - begin);
    if (first_key.empty()) first_key = key;
    // It expires when half of what it is to read is read.
    return key == first_key && ++reads > kReaders ? fault("token-expired") : nullptr;
  });
  const auto store = open_bucket(kBucket, options_);
  std::vector<Result<void>> outcomes(kReaders);
  std::vector<std::string> texts(kReaders);
  {
    std::vector<std::jthread> readers;
    for (std::size_t i = 0; i < kReaders; ++i) {
      readers.emplace_back([&, i] { outcomes[i] = read_all(*store, objects[i], texts[i]); });
    }
  }
  for (std::size_t i = 0; i < kReaders; ++i) {
    EXPECT_TRUE(outcomes[i].has_value()) << outcomes[i].error().to_string();
    EXPECT_TRUE(texts[i] == contents[i]) << i;
  }
  EXPECT_EQ(proxy_->seen(kToken), 2u);
}

TEST_F(TokenFaults, ARoleThatIsTakenAwayEndsIt) {
  const ObjectVersion object = put("a", "1,2\n");
  int tokens = 0;
  proxy_->set([&](const SeenRequest& seen) -> const Fault* {
    if (seen.operation == kToken) return tokens++ > 0 ? fault("access-denied") : nullptr;
    return fault("token-expired");
  });
  std::string text;
  const auto read = read_all(*open_bucket(kBucket, options_), object, text);
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().code, ErrorCode::kPermissionDenied) << read.error().to_string();
  EXPECT_FALSE(read.error().retryable);
  EXPECT_NE(read.error().message.find("expired"), std::string::npos) << read.error().message;
  EXPECT_EQ(proxy_->seen(Operation::kRead), 1u);
  EXPECT_EQ(tokens, 2);
}

}  // namespace
}  // namespace leat::fault
