// Each file of tests/fault/faults against each operation that it names: what came of it, with how
// many requests, in what time, and that the next operation works.

#include <gtest/gtest.h>

#include <cctype>
#include <chrono>
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "connector/s3/s3_upload.h"
#include "connector/s3/s3_writer.h"
#include "tests/fault/fault.h"
#include "tests/fault/s3_fixture.h"

namespace leat::fault {

// What CTest shows of the parameter.
void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

namespace {

using connector::s3::MultipartUpload;
using connector::s3::S3Client;
using connector::s3::S3Writer;

Result<void> wrong(const std::string& what) {
  return Error{.code = ErrorCode::kInternal, .message = what};
}

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
    const std::string key = prefix_ + "new/" + std::to_string(keys_++);
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
      auto read = read_all(*open_bucket(kBucket, options), object_, text);
      if (!data_.starts_with(text)) return wrong("wrong bytes");
      if (!read) return read;
      return text == data_ ? Result<void>() : wrong("only a part of the bytes");
    }
    if (operation == Operation::kPut) {
      const auto etag = open_client(kBucket, options)->put_object(key, data_);
      if (!etag) return etag.error();
      const auto objects = list_all(*direct_, key);
      if (!objects || objects->size() != 1) return wrong("it was not stored");
      if (objects->front().version != *etag)
        return wrong("the version " + *etag + " is not the one that was stored");
      return stored(key) == data_ ? Result<void>() : wrong("something else was stored");
    }
    const std::unique_ptr<S3Client> client = open_client(kBucket, options);
    switch (operation) {
      case Operation::kStartUpload:
      case Operation::kPart:
      case Operation::kComplete:
      case Operation::kAbort:
        return perform_upload(operation, *client, key);
      case Operation::kCopyPart:
        // All of it is one part.
        return settle_upload(
            S3Writer(client->requester(), {.copy_bytes_max = 1}).copy(object_, key), key);
      case Operation::kCopy: {
        auto copied = S3Writer(client->requester()).copy(object_, key);
        // When all answers were lost there is a whole copy all the same.
        if (!copied && stored(key) == "(no object)") return copied;
        if (!copied && stored(key) == data_) return copied;
        return stored(key) == data_ ? Result<void>() : wrong("something else was copied");
      }
      case Operation::kDelete: {
        const ObjectVersion doomed = put("new/" + std::to_string(keys_++), "x");
        auto removed = S3Writer(client->requester()).remove(doomed);
        const bool gone = stored(doomed.key) == "(no object)";
        if (!removed) return removed;
        return gone ? Result<void>() : wrong("the object is left");
      }
      case Operation::kDeleteMany:
        return perform_delete_many(*client);
      default:
        return wrong("the test does not know the operation");
    }
  }

  /// An upload of one part that is completed, or given up.
  Result<void> perform_upload(Operation operation, S3Client& client, const std::string& key) {
    Result<void> done;
    {
      auto upload = MultipartUpload::begin(client.requester(), key, {}, {});
      done = upload ? upload->add(data_) : Result<void>(upload.error());
      if (done && operation != Operation::kAbort) {
        const auto etag = upload->complete();
        if (!etag) done = etag.error();
      }
    }
    if (done && operation == Operation::kAbort) {
      return stored(key) == "(no object)" ? has_no_upload(key) : wrong("an object is left");
    }
    return settle_upload(std::move(done), key);
  }

  Result<void> has_no_upload(const std::string& key) {
    connector::s3::WriteAnswerReader reader("ListMultipartUploadsResult");
    const auto listed = direct_client_->requester().perform(
        {.operation = connector::s3::RequestContext::Operation::kList,
         .method = "GET",
         .query = {{"uploads", ""}, {"prefix", key}}},
        {}, reader.check());
    if (!listed) return listed.error();
    return reader.answer().uploads.empty() ? Result<void>() : wrong("an upload is left");
  }

  /// @return  `done`, if it is true, and nothing of the upload is left.
  Result<void> settle_upload(Result<void> done, const std::string& key) {
    if (const auto clean = has_no_upload(key); !clean) {
      return wrong(clean.error().message + "; " + (done ? "" : done.error().to_string()));
    }
    const std::string text = stored(key);
    if (!done) return text == "(no object)" ? done : wrong("an object is left");
    return text == data_ ? Result<void>() : wrong("something else was stored");
  }

  Result<void> perform_delete_many(S3Client& client) {
    std::vector<std::string> keys;
    for (int i = 0; i < 2; ++i) keys.push_back(put("new/" + std::to_string(keys_++), "x").key);
    const auto failures = S3Writer(client.requester()).remove_all(keys);
    if (!failures) return failures.error();
    if (!failures->empty()) return wrong("not deleted: " + failures->front().code);
    for (const std::string& key : keys) {
      if (stored(key) != "(no object)") return wrong("an object is left");
    }
    return {};
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
    const auto start = std::chrono::steady_clock::now();
    const Result<void> done = perform(expected.operation, options);
    // An attempt that stalls ends after a second.
    EXPECT_LT(std::chrono::steady_clock::now() - start,
              std::chrono::milliseconds(2'000) * (1 + expected.requests));
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
  int keys_ = 0;
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
