// Each file of tests/fault/faults against each operation that it names: what came of it, with how
// many requests, in what time, and that the next operation works.

#include <gtest/gtest.h>

#include <cctype>
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "tests/fault/fault.h"
#include "tests/fault/s3_fixture.h"

namespace leat::fault {

// What CTest shows of the parameter.
void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

namespace {

class CannedFault : public S3FaultTest, public ::testing::WithParamInterface<Fault> {
 protected:
  void SetUp() override {
    S3FaultTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    data_ = random_bytes(100'000, 7);
    object_ = put("b", data_);
    put("a", "1");
    put("c", "333");
    listing_ = *list_all(*direct_, prefix_);
  }

  /// Does it once, through the proxy.
  /// @return  Its error, or one that says what is wrong with its result.
  Result<void> perform(Operation operation, const StoreOptions& options) {
    const auto wrong = [](const std::string& what) {
      return Error{.code = ErrorCode::kInternal, .message = what};
    };
    if (operation == Operation::kList) {
      const auto listed = list_all(*open_bucket(kBucket, options), prefix_);
      if (!listed) return listed.error();
      if (listed->size() != listing_.size()) {
        return wrong(std::to_string(listed->size()) + " objects instead of " +
                     std::to_string(listing_.size()));
      }
      for (std::size_t i = 0; i < listing_.size(); ++i) {
        if (!(*listed)[i].same_version(listing_[i]))
          return wrong("another object: " + (*listed)[i].key);
      }
      return {};
    }
    if (operation == Operation::kRead) {
      std::string text;
      const auto read = read_all(*open_bucket(kBucket, options), object_, text);
      if (!data_.starts_with(text)) return wrong("wrong bytes");
      if (!read) return read;
      return text == data_ ? Result<void>() : wrong("only a part of the bytes");
    }
    if (operation == Operation::kPut) {
      const std::string key = prefix_ + "put/" + std::to_string(puts_++);
      const auto etag = open_client(kBucket, options)->put_object(key, data_);
      if (!etag) return etag.error();
      const auto objects = list_all(*direct_, key);
      if (!objects || objects->size() != 1) return wrong("it was not stored");
      if (objects->front().version != *etag)
        return wrong("the version " + *etag + " is not the one that was stored");
      return stored(key) == data_ ? Result<void>() : wrong("something else was stored");
    }
    return wrong("the test does not know the operation");
  }

  void expect_outcome(const Fault& fault, const Fault::Expectation& expected) {
    SCOPED_TRACE(fault.name + ", operation " +
                 std::to_string(static_cast<int>(expected.operation)));
    HurriedClock clock(fault.clock);
    std::size_t left = fault.times;
    proxy_->set([&](const SeenRequest& seen) -> const Fault* {
      const bool befallen = seen.operation == expected.operation && left > 0 &&
                            (!fault.reused_only || seen.on_connection > 0);
      if (!befallen || fault.refused) return nullptr;
      --left;
      return &fault;
    });
    if (fault.refused) {
      proxy_->refuse();
      clock.on_pause([&] {
        if (--left == 0) proxy_->listen();
      });
    }
    const StoreOptions options = store_options(proxy_->url(), &clock);
    const Result<void> done = perform(expected.operation, options);
    clock.on_pause({});
    const std::string outcome = done ? "ok" : std::string(error_code_name(done.error().code));
    const std::string said = done ? std::string() : done.error().to_string();
    EXPECT_EQ(outcome, expected.outcome) << said;
    EXPECT_EQ(proxy_->seen(expected.operation), expected.requests) << said;
    EXPECT_NE(said.find(expected.says), said.npos) << said;
    // No pause is longer than the policy has it: a second, doubled each time.
    EXPECT_LE(clock.skipped(), Clock::Duration(1'000 * ((1 << options.s3.attempts_max) - 1)));

    if (fault.refused && left > 0) proxy_->listen();
    proxy_->set({});
    const Result<void> again = perform(expected.operation, store_options(proxy_->url()));
    EXPECT_TRUE(again.has_value()) << "afterwards: " << again.error().to_string();
  }

  std::string data_;
  ObjectVersion object_;
  std::vector<ObjectVersion> listing_;
  int puts_ = 0;
};

TEST_P(CannedFault, EndsAsItsFileSays) {
  ASSERT_FALSE(GetParam().expectations.empty());
  for (const Fault::Expectation& expected : GetParam().expectations) {
    expect_outcome(GetParam(), expected);
  }
}

INSTANTIATE_TEST_SUITE_P(Files, CannedFault, ::testing::ValuesIn(load_faults()),
                         [](const auto& tested) {
                           std::string name;
                           bool upper = true;
                           for (const char c : tested.param.name) {
                             if (c != '-') name += upper ? static_cast<char>(std::toupper(c)) : c;
                             upper = c == '-';
                           }
                           return name;
                         });

}  // namespace
}  // namespace leat::fault
