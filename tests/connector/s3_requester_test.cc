#include "connector/s3/s3_requester.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/connector/fake_transport.h"
#include "tests/connector/manual_clock.h"

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

  ManualClock clock_;
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

}  // namespace
}  // namespace leat::connector::s3
