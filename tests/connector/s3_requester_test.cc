#include "connector/s3/s3_requester.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/connector/fake_transport.h"
#include "tests/support/manual_clock.h"

namespace leat::connector::s3 {
namespace {

class S3RequesterTest : public ::testing::Test {
 protected:
  S3RequesterTest() {
    options_.bucket = "bucket";
    options_.endpoint = Endpoint{.tls = false, .authority = "host:9000", .path_prefix = {}};
    options_.clock = &clock_;
    options_.random = [] { return 1.0; };
  }

  FakeTransport& transport() {
    requester();
    return *transport_;
  }
  S3Requester& requester() {
    if (requester_ == nullptr) {
      auto transport = std::make_unique<FakeTransport>();
      transport_ = transport.get();
      requester_ = std::make_unique<S3Requester>(options_, std::move(transport));
    }
    return *requester_;
  }

  testing::ManualClock clock_;
  S3RequesterOptions options_;
  FakeTransport* transport_ = nullptr;
  std::unique_ptr<S3Requester> requester_;
};

TEST_F(S3RequesterTest, BringsHeadersAndBodyOfTheAnswerThatSucceeded) {
  transport().then(error_answer(503, "SlowDown")).then(answer(200, "<Done/>", {{"ETag", "\"e\""}}));
  S3Request request;
  request.operation = RequestContext::Operation::kPut;
  request.key = "a b";
  request.method = "POST";
  request.query = {{"uploads", ""}};
  request.body = "text";
  const auto answer = requester().perform(request);
  ASSERT_TRUE(answer.has_value()) << answer.error().to_string();
  EXPECT_EQ(answer->head.status, 200);
  EXPECT_EQ(*answer->head.find("etag"), "\"e\"");
  EXPECT_EQ(answer->body, "<Done/>");
  EXPECT_EQ(requester().retries(), 1u);
  const auto seen = transport().seen();
  ASSERT_EQ(seen.size(), 2u);
  for (const auto& request_seen : seen) {
    EXPECT_EQ(request_seen.request.method + " " + request_seen.request.url,
              "POST http://host:9000/bucket/a%20b?uploads=");
    EXPECT_EQ(request_seen.body, "text");
  }
}

TEST_F(S3RequesterTest, TriesAgainWhatTheCheckFindsToBeNoSuccess) {
  transport()
      .then(answer(200, "<Error><Code>InternalError</Code></Error>"))
      .then(answer(200, "<Done/>"));
  const S3Requester::Check has_no_error = [](const RequestContext& context,
                                             const S3Answer& answer) {
    const S3ErrorBody error = parse_error_body(answer.body);
    return error.code.empty() ? std::optional<S3Failure>()
                              : failure_from_answer(context, answer.head, error);
  };
  const auto answer = requester().perform({}, {}, has_no_error);
  ASSERT_TRUE(answer.has_value()) << answer.error().to_string();
  EXPECT_EQ(answer->body, "<Done/>");
}

TEST_F(S3RequesterTest, AnAnswerWithoutEndIsRefused) {
  transport().otherwise([](const HttpRequest&, const BodySink& sink) {
    const std::string piece(1u << 20, 'x');
    HttpExchange exchange{.response = {.status = 200, .headers = {}}, .failure = std::nullopt};
    while (sink(exchange.response, std::as_bytes(std::span(piece)))) {
    }
    exchange.failure = TransportFailure{.kind = TransportFailure::Kind::kSink, .reason = {}};
    return exchange;
  });
  const auto answer = requester().perform({});
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::kCorrupt);
  EXPECT_FALSE(answer.error().retryable);
}

TEST_F(S3RequesterTest, AsksTheBucketForItsRegionWhenNobodyNamesIt) {
  options_.endpoint.reset();
  transport()
      .then(answer(301, ""))
      .then(answer(400, "", {{"x-amz-bucket-region", "eu-west-1"}}))
      .otherwise(answer(200, "<Done/>"));
  ASSERT_TRUE(requester().perform({}).has_value());
  ASSERT_TRUE(requester().perform({}).has_value());
  const auto seen = transport().seen();
  ASSERT_EQ(seen.size(), 4u);
  EXPECT_EQ(seen[1].request.method, "HEAD");
  EXPECT_TRUE(seen[2].request.url.starts_with("https://bucket.s3.eu-west-1.amazonaws.com/"));
  EXPECT_TRUE(seen[3].request.url.starts_with("https://bucket.s3.eu-west-1.amazonaws.com/"));
}

// Both were signed before the first one had brought the region.
TEST_F(S3RequesterTest, ARegionThatAnotherRequestHasLearnedIsUsed) {
  const RequestContext context = requester().context(RequestContext::Operation::kGet, "k");
  const S3Failure failure = failure_from_answer(
      context, {.status = 301, .headers = {{"x-amz-bucket-region", "eu-west-1"}}},
      {.code = "PermanentRedirect"});
  S3Requester::Recovery first(requester(), {});
  S3Requester::Recovery second(requester(), {});
  EXPECT_FALSE(first.after(failure));
  EXPECT_FALSE(second.after(failure));
  EXPECT_EQ(requester().region(), "eu-west-1");
  EXPECT_TRUE(clock_.waits().empty());
  EXPECT_TRUE(second.after(failure));  // A circle.
}

TEST_F(S3RequesterTest, AnAnswerToHeadNamesTheRegionInItsHeader) {
  transport()
      .then(answer(400, "", {{"x-amz-bucket-region", "eu-west-1"}}))
      .then(answer(200, "", {{"ETag", "e"}}));
  S3Request request;
  request.method = "HEAD";
  const auto answer = requester().perform(request);
  ASSERT_TRUE(answer.has_value()) << answer.error().to_string();
  EXPECT_EQ(requester().region(), "eu-west-1");
}

// HEAD has no body that says so.
TEST_F(S3RequesterTest, AClockThatIsWrongIsToldByTheDateOfARefusal) {
  options_.credentials = static_credentials(
      {.access_key_id = "AKID", .secret_access_key = Secret("s"), .session_token = Secret()});
  const std::string date = "Fri, 20 Nov 2026 16:51:27 GMT";  // Two months before the clock's time.
  transport().then(answer(403, "", {{"Date", date}})).then(answer(200, ""));
  S3Request request;
  request.method = "HEAD";
  EXPECT_TRUE(requester().perform(request).has_value());
  EXPECT_EQ(transport().seen()[1].header("X-Amz-Date"), "20261120T165127Z");

  // With the right time it is what it says.
  transport().then(answer(403, "", {{"Date", date}}));
  const auto denied = requester().perform(request);
  ASSERT_FALSE(denied.has_value());
  EXPECT_EQ(denied.error().code, ErrorCode::kPermissionDenied);
}

TEST_F(S3RequesterTest, ARedirectToElsewhereIsNotFollowed) {
  for (const int status : {301, 302, 303, 307, 308}) {
    requester_.reset();
    transport().otherwise(answer(status, "", {{"Location", "http://evil.example/"}}));
    const auto answer = requester().perform({});
    ASSERT_FALSE(answer.has_value());
    EXPECT_FALSE(answer.error().retryable);
    EXPECT_NE(answer.error().message.find("elsewhere"), std::string::npos)
        << answer.error().message;
    for (const auto& seen : transport().seen()) {
      EXPECT_TRUE(seen.request.url.starts_with("http://host:9000/")) << seen.request.url;
    }
    EXPECT_LE(transport().seen().size(), 3u);
  }
}

TEST_F(S3RequesterTest, ThrottlesWhatSaysSoAndWhatSaysNothing) {
  options_.retry.attempts_max = 1;
  for (const auto& [step, code] : std::vector<std::pair<FakeTransport::Step, ErrorCode>>{
           {answer(500, ""), ErrorCode::kThrottled},
           {answer(503, ""), ErrorCode::kThrottled},
           {answer(429, ""), ErrorCode::kThrottled},
           {error_answer(503, "SlowDown"), ErrorCode::kThrottled},
           {error_answer(500, "InternalError"), ErrorCode::kUnavailable},
           {error_answer(400, "RequestTimeout"), ErrorCode::kTimeout},
           {error_answer(409, "OperationAborted"), ErrorCode::kUnavailable}}) {
    requester_.reset();
    transport().then(step);
    const auto answer = requester().perform({});
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().code, code) << answer.error().to_string();
    EXPECT_TRUE(answer.error().retryable);
  }
}

}  // namespace
}  // namespace leat::connector::s3
