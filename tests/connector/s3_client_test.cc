#include "connector/s3/s3_client.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "connector/s3/s3_reader.h"
#include "connector/s3/s3_store.h"
#include "connector/s3/sigv4.h"
#include "tests/connector/fake_transport.h"
#include "tests/support/manual_clock.h"

namespace leat::connector::s3 {
namespace {

using Kind = TransportFailure::Kind;

constexpr const char* kAccessKey = "AKIDEXAMPLE";
constexpr const char* kSecretKey = "secret/of+this/test";
constexpr const char* kSessionToken = "token/of+this/test==";

const std::string kEtag = "\"0123abc\"";

std::string keys_xml(const std::vector<std::string>& keys, const std::string& more = {}) {
  std::string text = "<ListBucketResult>" + more;
  for (const std::string& key : keys) {
    text += "<Contents><Key>" + key + "</Key><ETag>&quot;e&quot;</ETag><Size>1</Size></Contents>";
  }
  return text + "</ListBucketResult>";
}

/// Answers as S3 does for one object; a short answer delivers only part of the range.
FakeTransport::Step object_answer(const std::string& content, std::size_t bytes_max = SIZE_MAX) {
  return [=](const HttpRequest& request, const BodySink& sink) {
    const Range asked = asked_range(request);
    const HttpResponse head{.status = 206,
                            .headers = {{"Content-Range", "bytes " + std::to_string(asked.begin) +
                                                              "-" + std::to_string(asked.end - 1) +
                                                              "/" + std::to_string(content.size())},
                                        {"ETag", kEtag}}};
    const std::string body =
        content.substr(asked.begin, std::min<std::size_t>(asked.length(), bytes_max));
    HttpExchange exchange = answer(206, body, head.headers)(request, sink);
    if (!exchange.failure && body.size() < asked.length()) {
      exchange.failure = TransportFailure{.kind = Kind::kBroken, .reason = "closed early"};
    }
    return exchange;
  };
}

class S3ClientTest : public ::testing::Test {
 protected:
  S3ClientTest() {
    options_.bucket = "bucket";
    options_.endpoint = Endpoint{.tls = false, .authority = "host:9000", .path_prefix = {}};
    options_.credentials = static_credentials({.access_key_id = kAccessKey,
                                               .secret_access_key = Secret(kSecretKey),
                                               .session_token = Secret(kSessionToken)});
    options_.clock = &clock_;
    options_.random = [] { return 1.0; };
  }

  /// The transport is the client's; it lives as long as that.
  FakeTransport& transport() {
    client();
    return *transport_;
  }
  S3Client& client() {
    if (client_ == nullptr) {
      auto transport = std::make_unique<FakeTransport>();
      transport_ = transport.get();
      client_ = std::make_unique<S3Client>(options_, std::move(transport));
    }
    return *client_;
  }

  Result<std::string> read(const std::string& content, Range range) {
    std::string out(range.length(), '\0');
    const auto done = client().read_range({.key = "k", .version = kEtag, .size = content.size()},
                                          range, std::as_writable_bytes(std::span(out)));
    if (!done) return done.error();
    return out;
  }

  testing::ManualClock clock_{1'440'938'160'000};
  S3ClientOptions options_;
  FakeTransport* transport_ = nullptr;
  std::unique_ptr<S3Client> client_;
};

TEST_F(S3ClientTest, AddressesAndSignsRequests) {
  transport().then(answer(200, keys_xml({"a"})));
  ASSERT_TRUE(client().list_page("in/ +", "in/b&c", "").has_value());
  const auto seen = transport().seen();
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].request.method, "GET");
  EXPECT_EQ(seen[0].request.url,
            "http://host:9000/bucket?list-type=2&encoding-type=url&prefix=in%2F%20%2B"
            "&start-after=in%2Fb%26c");
  EXPECT_EQ(seen[0].header("host"), "host:9000");
  EXPECT_EQ(seen[0].header("x-amz-date"), "20150830T123600Z");
  EXPECT_EQ(seen[0].header("x-amz-content-sha256"), kEmptySha256);
  EXPECT_EQ(seen[0].header("x-amz-security-token"), kSessionToken);
  EXPECT_NE(seen[0].header("authorization").find("Credential=AKIDEXAMPLE/20150830/us-east-1/s3/"),
            std::string::npos);
  EXPECT_NE(seen[0]
                .header("authorization")
                .find("SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token"),
            std::string::npos);
}

TEST_F(S3ClientTest, AddressesBucketsOfAwsByHostName) {
  options_.endpoint.reset();
  options_.region = "eu-west-1";
  transport().then(answer(200, keys_xml({})));
  ASSERT_TRUE(client().list_page("", "", "").has_value());
  EXPECT_EQ(transport().seen()[0].request.url,
            "https://bucket.s3.eu-west-1.amazonaws.com/?list-type=2&encoding-type=url");
  EXPECT_EQ(transport().seen()[0].header("x-amz-content-sha256"), kUnsignedPayload);
}

TEST_F(S3ClientTest, AddressesBucketsWithDotsByPath) {
  options_.endpoint.reset();
  options_.bucket = "my.bucket";
  transport().then(answer(200, keys_xml({})));
  ASSERT_TRUE(client().list_page("", "", "").has_value());
  EXPECT_TRUE(transport().seen()[0].request.url.starts_with(
      "https://s3.us-east-1.amazonaws.com/my.bucket?"));
}

TEST_F(S3ClientTest, KeepsKeysByteForByteBelowAnEndpointsPath) {
  options_.endpoint->path_prefix = "/gate way";
  transport().then(answer(200, "", {{"ETag", kEtag}}));
  EXPECT_EQ(*client().put_object("/a//./../b c+d%20?#", "text"), kEtag);
  const auto seen = transport().seen();
  EXPECT_EQ(seen[0].request.url,
            "http://host:9000/gate%20way/bucket//a//./../b%20c%2Bd%2520%3F%23");
  EXPECT_EQ(seen[0].body, "text");
  EXPECT_EQ(seen[0].header("x-amz-content-sha256"), sha256_hex("text"));
}

TEST_F(S3ClientTest, SignsNothingWithoutCredentials) {
  options_.credentials = nullptr;
  transport().then(answer(200, keys_xml({})));
  ASSERT_TRUE(client().list_page("", "", "").has_value());
  EXPECT_EQ(transport().seen()[0].header("authorization"), "(none)");
  EXPECT_EQ(transport().seen()[0].header("x-amz-date"), "(none)");
}

TEST_F(S3ClientTest, ReadsARangeOfOneVersion) {
  transport().otherwise(object_answer("0123456789"));
  EXPECT_EQ(*read("0123456789", {2, 7}), "23456");
  const auto seen = transport().seen();
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].header("range"), "bytes=2-6");
  EXPECT_EQ(seen[0].header("if-match"), kEtag);
  EXPECT_NE(seen[0].header("authorization").find("if-match;range"), std::string::npos);
}

TEST_F(S3ClientTest, ResumesAShortBodyWhereItBrokeOff) {
  transport().then(object_answer("0123456789", 4)).then(object_answer("0123456789", 1));
  transport().otherwise(object_answer("0123456789"));
  EXPECT_EQ(*read("0123456789", {0, 10}), "0123456789");
  const auto seen = transport().seen();
  ASSERT_EQ(seen.size(), 3u);
  EXPECT_EQ(seen[1].header("range"), "bytes=4-9");
  EXPECT_EQ(seen[2].header("range"), "bytes=5-9");
  for (const auto& request : seen) EXPECT_EQ(request.header("if-match"), kEtag);
  EXPECT_EQ(client().stats().retries, 2u);
  EXPECT_EQ(client().stats().bytes_read, 10u);
}

TEST_F(S3ClientTest, NoticesAShortBodyThatEndsCleanly) {
  const std::vector<HttpHeader> head = {{"Content-Range", "bytes 0-9/10"}, {"ETag", kEtag}};
  transport().then(answer(206, "01234", head)).otherwise(object_answer("0123456789"));
  EXPECT_EQ(*read("0123456789", {0, 10}), "0123456789");
  EXPECT_EQ(transport().seen()[1].header("range"), "bytes=5-9");
}

TEST_F(S3ClientTest, RefusesAnswersThatAreNotTheRange) {
  const std::string ten(10, 'x');
  const std::string eleven(11, 'x');
  for (const auto& [what, step, code] :
       std::vector<std::tuple<const char*, FakeTransport::Step, ErrorCode>>{
           {"the whole object", answer(200, ten), ErrorCode::kCorrupt},
           {"no range", answer(206, ten), ErrorCode::kCorrupt},
           {"another range", answer(206, ten, {{"Content-Range", "bytes 1-10/20"}}),
            ErrorCode::kCorrupt},
           {"nonsense", answer(206, ten, {{"Content-Range", "bytes 0-9/*"}}), ErrorCode::kCorrupt},
           {"too much", answer(206, eleven, {{"Content-Range", "bytes 0-9/20"}}),
            ErrorCode::kCorrupt},
           {"another size", answer(206, ten, {{"Content-Range", "bytes 0-9/21"}}),
            ErrorCode::kObjectChanged},
           {"another version",
            answer(206, ten, {{"Content-Range", "bytes 0-9/20"}, {"ETag", "\"other\""}}),
            ErrorCode::kObjectChanged},
           {"a replaced object", error_answer(412, "PreconditionFailed"),
            ErrorCode::kObjectChanged},
           {"a shorter object", error_answer(416, "InvalidRange"), ErrorCode::kObjectChanged},
           {"a deleted object", error_answer(404, "NoSuchKey"), ErrorCode::kNotFound},
           {"nothing", answer(204, ""), ErrorCode::kCorrupt}}) {
    client_.reset();
    transport().then(step);
    const auto text = read(std::string(20, 'x'), {0, 10});
    ASSERT_FALSE(text.has_value()) << what;
    EXPECT_EQ(text.error().code, code) << what << ": " << text.error().to_string();
    EXPECT_FALSE(text.error().retryable) << what;
    EXPECT_EQ(text.error().at.object, "s3://bucket/k") << what;
  }
}

// What takes the place of a service for a while mostly answers like this.
TEST_F(S3ClientTest, AnObjectIsNotGoneBecauseSomethingElseAnswers404) {
  const std::string whole(10, 'x');
  for (const auto& step :
       {answer(404, ""), answer(404, "404 page not found"), error_answer(404, "NoSuchHost")}) {
    client_.reset();
    transport().then(step).then(object_answer(whole));
    const auto text = read(whole, {0, 10});
    ASSERT_TRUE(text.has_value()) << text.error().to_string();
  }
  for (const auto& [code, expected] :
       {std::pair{"NoSuchBucket", ErrorCode::kUnavailable},
        std::pair{"NoSuchVersion", ErrorCode::kNotFound},
        std::pair{"XAdminUserNotFound", ErrorCode::kPermissionDenied}}) {
    client_.reset();
    transport().then(error_answer(404, code));
    const auto text = read(whole, {0, 10});
    ASSERT_FALSE(text.has_value()) << code;
    EXPECT_EQ(text.error().code, expected) << text.error().to_string();
  }
}

TEST_F(S3ClientTest, RetriesWhatMayPass) {
  const std::vector<FakeTransport::Step> passing = {
      transport_failure(Kind::kConnect), transport_failure(Kind::kTimeout),
      transport_failure(Kind::kBroken), transport_failure(Kind::kProtocol),
      error_answer(500, "InternalError"), error_answer(503, "SlowDown"),
      error_answer(503, "ServiceUnavailable"), error_answer(400, "RequestTimeout"),
      error_answer(409, "OperationAborted"), answer(500, ""), answer(502, "<html>oops</html>"),
      answer(504, ""), answer(429, ""), answer(408, ""),
      // Success that is none.
      answer(200, "<Error><Code>InternalError</Code></Error>"),
      answer(200, "<Error><Code>SlowDown</Code></Error>"),
      answer(200, "<ListBucketResult><Contents>"), answer(200, ""), answer(200, "<html></html>")};
  for (std::size_t i = 0; i < passing.size(); ++i) {
    client_.reset();
    transport().then(passing[i]).then(answer(200, keys_xml({"a"})));
    const auto page = client().list_page("", "", "");
    ASSERT_TRUE(page.has_value()) << i << ": " << page.error().to_string();
    EXPECT_EQ(page->objects.size(), 1u) << i;
    EXPECT_EQ(client().stats().retries, 1u);
    EXPECT_EQ(client().stats().list_requests, 2u);
  }
}

TEST_F(S3ClientTest, DoesNotRetryWhatStaysWrong) {
  for (const auto& [step, code, part] :
       std::vector<std::tuple<FakeTransport::Step, ErrorCode, const char*>>{
           {error_answer(404, "NoSuchBucket"), ErrorCode::kNotFound, "'bucket'"},
           {answer(404, "<html/>"), ErrorCode::kNotFound, "http://host:9000"},
           {error_answer(403, "AccessDenied"), ErrorCode::kPermissionDenied, "s3:ListBucket"},
           {answer(403, ""), ErrorCode::kPermissionDenied, "s3:ListBucket"},
           {error_answer(403, "SignatureDoesNotMatch"), ErrorCode::kPermissionDenied,
            "secret access key"},
           {error_answer(403, "InvalidAccessKeyId"), ErrorCode::kPermissionDenied, "not known"},
           {error_answer(400, "ExpiredToken"), ErrorCode::kPermissionDenied, "expired"},
           {error_answer(400, "InvalidToken"), ErrorCode::kPermissionDenied, "AWS_SESSION_TOKEN"},
           {error_answer(501, "NotImplemented"), ErrorCode::kUnsupported, "does not offer"},
           {error_answer(400, "InvalidArgument", "<Message>what\nis this</Message>"),
            ErrorCode::kInvalidArgument, "what is this"},
           {answer(302, ""), ErrorCode::kInvalidArgument, "elsewhere"},
           {answer(200, "<ListAllMyBucketsResult></ListAllMyBucketsResult>"), ErrorCode::kCorrupt,
            "--addressing path"},
           {transport_failure(Kind::kTrust), ErrorCode::kUnavailable, "AWS_CA_BUNDLE"},
           {transport_failure(Kind::kStopped), ErrorCode::kCancelled, "stopped"}}) {
    client_.reset();
    transport().then(step);
    const auto page = client().list_page("", "", "");
    ASSERT_FALSE(page.has_value()) << part;
    EXPECT_EQ(page.error().code, code) << page.error().to_string();
    EXPECT_NE(page.error().message.find(part), std::string::npos) << page.error().to_string();
    EXPECT_EQ(transport().seen().size(), 1u) << part;
    EXPECT_TRUE(clock_.waits().empty()) << part;
  }
}

TEST_F(S3ClientTest, SaysWhereItCouldNotConnectAndHowOftenItTried) {
  options_.retry.attempts_max = 3;
  transport().otherwise(transport_failure(Kind::kConnect));
  const auto page = client().list_page("", "", "");
  ASSERT_FALSE(page.has_value());
  EXPECT_EQ(page.error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(page.error().retryable);
  for (const char* part : {"host:9000", "the reason", "endpoint URL", "3 attempts"}) {
    EXPECT_NE(page.error().message.find(part), std::string::npos) << page.error().message;
  }
}

TEST_F(S3ClientTest, AClosedConnectionCostsNothing) {
  transport()
      .then(transport_failure(Kind::kBroken, /*reused=*/true))
      .then(answer(200, keys_xml({})));
  EXPECT_TRUE(client().list_page("", "", "").has_value());
  EXPECT_TRUE(clock_.waits().empty());
}

TEST_F(S3ClientTest, ConnectsPatientlyOnlyAtTheSecondAttempt) {
  transport().then(transport_failure(Kind::kTimeout)).then(answer(200, keys_xml({})));
  ASSERT_TRUE(client().list_page("", "", "").has_value());
  EXPECT_EQ(transport().seen()[0].request.connect_timeout, std::chrono::milliseconds(1'000));
  EXPECT_EQ(transport().seen()[1].request.connect_timeout, std::chrono::milliseconds(3'000));
}

TEST_F(S3ClientTest, SignsEachAttemptAnew) {
  transport().then(answer(503, "")).then(answer(200, keys_xml({})));
  ASSERT_TRUE(client().list_page("", "", "").has_value());
  EXPECT_EQ(transport().seen()[0].header("x-amz-date"), "20150830T123600Z");
  EXPECT_EQ(transport().seen()[1].header("x-amz-date"), "20150830T123601Z");
}

TEST_F(S3ClientTest, GoesToTheRightRegionOnce) {
  options_.endpoint.reset();
  transport()
      .then(answer(301, "", {{"x-amz-bucket-region", "eu-west-1"}}))
      .otherwise(answer(200, keys_xml({})));
  ASSERT_TRUE(client().list_page("", "", "").has_value());
  ASSERT_TRUE(client().list_page("", "", "").has_value());
  const auto seen = transport().seen();
  ASSERT_EQ(seen.size(), 3u);  // The right region is remembered.
  EXPECT_TRUE(seen[1].request.url.starts_with("https://bucket.s3.eu-west-1.amazonaws.com/"));
  EXPECT_NE(seen[1].header("authorization").find("/eu-west-1/s3/"), std::string::npos);
  EXPECT_TRUE(seen[2].request.url.starts_with("https://bucket.s3.eu-west-1.amazonaws.com/"));
}

TEST_F(S3ClientTest, NamesTheRightRegionWhenItKeepsChanging) {
  transport()
      .then(error_answer(400, "AuthorizationHeaderMalformed", "<Region>eu-west-1</Region>"))
      .then(error_answer(400, "AuthorizationHeaderMalformed", "<Region>eu-west-2</Region>"));
  const auto page = client().list_page("", "", "");
  ASSERT_FALSE(page.has_value());
  EXPECT_EQ(page.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(page.error().message.find("'eu-west-2'"), std::string::npos) << page.error().message;
  EXPECT_EQ(transport().seen().size(), 2u);
}

TEST_F(S3ClientTest, GoesToNoRegionThatIsNoName) {
  options_.endpoint.reset();
  transport().then(answer(301, "", {{"x-amz-bucket-region", "evil.example/"}}));
  EXPECT_FALSE(client().list_page("", "", "").has_value());
  EXPECT_EQ(transport().seen().size(), 1u);
}

TEST_F(S3ClientTest, SignsWithTheServersTimeWhenTheClockIsWrong) {
  const auto skewed =
      error_answer(403, "RequestTimeTooSkewed", "", {{"Date", "Sun, 30 Aug 2015 13:36:00 GMT"}});
  transport().then(skewed).then(answer(200, keys_xml({})));
  ASSERT_TRUE(client().list_page("", "", "").has_value());
  EXPECT_EQ(transport().seen()[1].header("x-amz-date"), "20150830T133600Z");

  transport().then(skewed).then(skewed);
  const auto page = client().list_page("", "", "");
  ASSERT_FALSE(page.has_value());
  EXPECT_NE(page.error().message.find("clock"), std::string::npos);
}

TEST_F(S3ClientTest, TakesNewCredentialsWhenTheTokenHasExpired) {
  class Renewing final : public CredentialsProvider {
   public:
    Result<std::shared_ptr<const S3Credentials>> current() override { return current_; }
    Result<bool> renew(const S3Credentials& refused) override {
      if (refused.session_token.reveal() != "old") return false;
      current_ = with_token("new");
      return true;
    }

   private:
    static std::shared_ptr<const S3Credentials> with_token(const char* token) {
      return std::make_shared<const S3Credentials>(
          S3Credentials{.access_key_id = kAccessKey,
                        .secret_access_key = Secret(kSecretKey),
                        .session_token = Secret(token)});
    }
    std::shared_ptr<const S3Credentials> current_ = with_token("old");
  };
  options_.credentials = std::make_shared<Renewing>();
  transport().then(error_answer(400, "ExpiredToken")).then(answer(200, keys_xml({})));
  ASSERT_TRUE(client().list_page("", "", "").has_value());
  EXPECT_EQ(transport().seen()[0].header("x-amz-security-token"), "old");
  EXPECT_EQ(transport().seen()[1].header("x-amz-security-token"), "new");
}

// The token service was away for a moment: that is no reason to give up.
TEST_F(S3ClientTest, ARenewalThatFailsForNowIsTriedAgain) {
  class Renewing final : public CredentialsProvider {
   public:
    Result<std::shared_ptr<const S3Credentials>> current() override { return credentials_; }
    Result<bool> renew(const S3Credentials&) override {
      if (++asked_ < 3) {
        return Error{
            .code = ErrorCode::kUnavailable, .message = "away", .at = {}, .retryable = true};
      }
      return true;
    }
    int asked() const { return asked_; }

   private:
    std::shared_ptr<const S3Credentials> credentials_ = std::make_shared<const S3Credentials>(
        S3Credentials{.access_key_id = kAccessKey, .secret_access_key = Secret(kSecretKey)});
    int asked_ = 0;
  };
  const auto provider = std::make_shared<Renewing>();
  options_.credentials = provider;
  for (int i = 0; i < 3; ++i) transport().then(error_answer(400, "ExpiredToken"));
  transport().then(answer(200, keys_xml({})));
  ASSERT_TRUE(client().list_page("", "", "").has_value());
  EXPECT_EQ(provider->asked(), 3);
  EXPECT_EQ(clock_.waits().size(), 2u);
  // Once renewed, a second refusal is final.
  transport().otherwise(error_answer(400, "ExpiredToken"));
  const auto refused = client().list_page("", "", "");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kPermissionDenied);
  EXPECT_EQ(provider->asked(), 4);
}

TEST_F(S3ClientTest, ThrottlingSlowsTheRequestsThatFollow) {
  transport().otherwise(answer(200, keys_xml({})));
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(client().list_page("", "", "").has_value());
    clock_.advance(std::chrono::milliseconds(50));
  }
  EXPECT_TRUE(clock_.waits().empty());
  transport().then(error_answer(503, "SlowDown"));
  ASSERT_TRUE(client().list_page("", "", "").has_value());
  const std::size_t waits = clock_.waits().size();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(client().list_page("", "", "").has_value());
  EXPECT_GT(clock_.waits().size(), waits);
}

TEST_F(S3ClientTest, DeletesAndMakesBuckets) {
  transport().then(answer(204, ""));
  EXPECT_TRUE(client().delete_object("a b").has_value());
  transport().then(error_answer(409, "BucketAlreadyOwnedByYou"));
  EXPECT_TRUE(client().create_bucket().has_value());
  transport().then(error_answer(409, "BucketAlreadyExists"));
  EXPECT_FALSE(client().create_bucket().has_value());
  const auto seen = transport().seen();
  EXPECT_EQ(seen[0].request.method + " " + seen[0].request.url,
            "DELETE http://host:9000/bucket/a%20b");
  EXPECT_EQ(seen[1].request.method + " " + seen[1].request.url, "PUT http://host:9000/bucket");
}

// Whatever goes wrong, and whatever the server says: no key, no token, no signature.
TEST_F(S3ClientTest, NoMessageHoldsASecret) {
  const std::vector<std::string> codes = {"AccessDenied",
                                          "SignatureDoesNotMatch",
                                          "InvalidAccessKeyId",
                                          "ExpiredToken",
                                          "InvalidToken",
                                          "RequestTimeTooSkewed",
                                          "NoSuchBucket",
                                          "NoSuchKey",
                                          "SlowDown",
                                          "InternalError",
                                          "AuthorizationHeaderMalformed",
                                          "PermanentRedirect",
                                          "PreconditionFailed",
                                          "InvalidRange",
                                          "Whatever"};
  options_.retry.attempts_max = 1;
  std::vector<std::string> messages;
  const auto note = [&](const auto& result) {
    ASSERT_FALSE(result.has_value());
    messages.push_back(result.error().to_string());
  };
  const std::string more =
      "<Message>no " + std::string(290, '-') + kSessionToken + " for " + kSecretKey +
      ", https://host/k?X-Amz-Credential=AKIDEXAMPLE%2Fof%2Bthis&amp;X-Amz-Signature=abc'"
      "</Message><Region>eu-x-1</Region><StringToSign>" +
      kSecretKey + "</StringToSign><Token-0>" + kSessionToken + "</Token-0>";
  for (const std::string& code : codes) {
    for (const int status : {200, 301, 400, 403, 404, 409, 412, 416, 500, 503}) {
      client_.reset();
      transport().otherwise(error_answer(status, code, more));
      note(client().list_page("", "", ""));
      note(read("0123456789", {0, 10}));
      if (status == 200) continue;
      note(client().put_object("k", "x"));
      note(client().delete_object("k"));
    }
  }
  for (const Kind kind : {Kind::kConnect, Kind::kTimeout, Kind::kBroken, Kind::kProtocol,
                          Kind::kTrust, Kind::kStopped}) {
    client_.reset();
    transport().otherwise(transport_failure(kind));
    note(client().list_page("", "", ""));
  }
  EXPECT_GT(messages.size(), 400u);
  for (const std::string& message : messages) {
    for (const char* secret : {kSecretKey, kSessionToken, "abc", "%2Fof%2Bthis", "AKIDEXAMPLE"}) {
      EXPECT_EQ(message.find(secret), std::string::npos) << message;
    }
  }
}

class S3StoreTest : public S3ClientTest {
 protected:
  S3Store& store() {
    if (store_ == nullptr) {
      client();
      store_ = std::make_unique<S3Store>(std::move(client_), 16u << 20, stop_.get_token());
    }
    return *store_;
  }
  struct ReadToEnd {
    std::string text;
    std::optional<Error> error;
  };
  static ReadToEnd read_to_end(ObjectReader& reader, std::size_t step = 1'000'003) {
    ReadToEnd outcome;
    std::vector<std::byte> buffer(step);
    while (true) {
      auto received = reader.read(buffer);
      if (!received) {
        outcome.error = std::move(received).error();
        return outcome;
      }
      if (*received == 0) return outcome;
      outcome.text.append(reinterpret_cast<const char*>(buffer.data()), *received);
    }
  }
  Result<std::string> read_all(const ObjectVersion& object, std::uint64_t offset,
                               std::size_t step) {
    auto reader = store().open(object, offset);
    if (!reader) return std::move(reader).error();
    ReadToEnd outcome = read_to_end(**reader, step);
    if (outcome.error) return *std::move(outcome.error);
    return std::move(outcome.text);
  }

  std::stop_source stop_;
  std::unique_ptr<S3Store> store_;
};

TEST_F(S3StoreTest, FollowsTheTokensOfAListing) {
  transport()
      .then(answer(200, keys_xml({"a"},
                                 "<IsTruncated>true</IsTruncated>"
                                 "<NextContinuationToken>t+1</NextContinuationToken>")))
      .then(answer(200, keys_xml({},
                                 "<IsTruncated>true</IsTruncated>"
                                 "<NextContinuationToken>t2</NextContinuationToken>")))
      .then(answer(200, keys_xml({"b"}, "<IsTruncated>false</IsTruncated>")));
  const auto lister = store().list("", "0");
  EXPECT_EQ(lister->next_page()->objects.size(), 1u);
  auto page = lister->next_page();
  EXPECT_TRUE(page->objects.empty());
  EXPECT_FALSE(page->last);  // An empty page is not the end.
  page = lister->next_page();
  EXPECT_EQ(page->objects.size(), 1u);
  EXPECT_TRUE(page->last);
  const auto seen = transport_->seen();
  EXPECT_NE(seen[0].request.url.find("start-after=0"), std::string::npos);
  EXPECT_NE(seen[1].request.url.find("continuation-token=t%2B1"), std::string::npos);
  EXPECT_EQ(seen[1].request.url.find("start-after"), std::string::npos);
}

TEST_F(S3StoreTest, AListingThatRepeatsItsTokenIsAnError) {
  transport().otherwise(answer(200, keys_xml({},
                                             "<IsTruncated>true</IsTruncated>"
                                             "<NextContinuationToken>t</NextContinuationToken>")));
  const auto lister = store().list("");
  ASSERT_TRUE(lister->next_page().has_value());
  const auto page = lister->next_page();
  ASSERT_FALSE(page.has_value());
  EXPECT_EQ(page.error().code, ErrorCode::kCorrupt);
  EXPECT_FALSE(page.error().retryable);
}

TEST_F(S3StoreTest, AFailedPageCanBeAskedForAgain) {
  options_.retry.attempts_max = 1;
  transport()
      .then(answer(200, keys_xml({"a"},
                                 "<IsTruncated>true</IsTruncated>"
                                 "<NextContinuationToken>t</NextContinuationToken>")))
      .then(answer(500, ""))
      .then(answer(200, keys_xml({"b"})));
  const auto lister = store().list("");
  ASSERT_TRUE(lister->next_page().has_value());
  ASSERT_FALSE(lister->next_page().has_value());
  const auto page = lister->next_page();
  ASSERT_TRUE(page.has_value());
  EXPECT_EQ(page->objects[0].key, "b");
}

TEST_F(S3StoreTest, RangesGrowAndNothingIsAskedForTwice) {
  std::string content((std::size_t{15} << 20) + 5, '\0');
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 7 + i / 251);
  transport().otherwise(object_answer(content));
  const ObjectVersion object{.key = "k", .version = kEtag, .size = content.size()};
  EXPECT_TRUE(*read_all(object, 0, 1'000'003) == content);
  std::vector<Range> ranges;
  for (const auto& seen : transport_->seen()) ranges.push_back(asked_range(seen.request));
  ASSERT_GE(ranges.size(), 3u);
  EXPECT_EQ(ranges[0], (Range{0, std::uint64_t{1} << 20}));
  EXPECT_EQ(ranges[1], (Range{std::uint64_t{1} << 20, std::uint64_t{3} << 20}));
  for (std::size_t i = 2; i < ranges.size(); ++i) {
    EXPECT_EQ(ranges[i].begin, ranges[i - 1].end);
    // How much longer each is, and how many there are, depends on how fast they came.
    if (ranges[i].end == content.size()) continue;
    EXPECT_GE(ranges[i].length(), 2 * ranges[i - 1].length());
  }
  EXPECT_EQ(ranges.back().end, content.size());
  EXPECT_TRUE(*read_all(object, 15'700'000, 1'000'003) == content.substr(15'700'000));
}

TEST_F(S3StoreTest, AnEmptyObjectNeedsNoRequest) {
  transport();
  EXPECT_EQ(*read_all({.key = "k", .version = kEtag, .size = 0}, 0, 10), "");
  EXPECT_TRUE(transport_->seen().empty());
  EXPECT_EQ(read_all({.key = "k", .version = kEtag, .size = 1}, 2, 10).error().code,
            ErrorCode::kInvalidArgument);
}

TEST_F(S3StoreTest, HandsOutWhatCameBeforeAnError) {
  const std::string content(std::size_t{2} << 20, 'x');
  transport().then(object_answer(content)).otherwise(error_answer(412, "PreconditionFailed"));
  const auto reader = store().open({.key = "k", .version = kEtag, .size = content.size()}, 0);
  const ReadToEnd outcome = read_to_end(**reader);
  EXPECT_EQ(outcome.text, content.substr(0, std::size_t{1} << 20));
  EXPECT_EQ(outcome.error->code, ErrorCode::kObjectChanged);
}

TEST_F(S3StoreTest, NeverReadsPastARangeThatFailed) {
  const std::string content(std::size_t{8} << 20, 'x');
  options_.retry.attempts_max = 1;
  transport().then(object_answer(content)).then(answer(500, "")).otherwise(object_answer(content));
  const auto reader = store().open({.key = "k", .version = kEtag, .size = content.size()}, 0);
  const ReadToEnd outcome = read_to_end(**reader);
  EXPECT_EQ(outcome.text.size(), std::size_t{1} << 20);
  EXPECT_TRUE(outcome.error->retryable);
  EXPECT_EQ(read_to_end(**reader).text, "");
}

TEST_F(S3StoreTest, LettingGoOfAReaderEndsItsTransfer) {
  const std::string content(std::size_t{4} << 20, 'x');
  transport()
      .then(object_answer(content))
      .otherwise([](const HttpRequest& request, const BodySink&) {
        // Never ends by itself.
        std::mutex mutex;
        std::condition_variable_any stopped;
        std::unique_lock lock(mutex);
        stopped.wait(lock, request.stop, [] { return false; });
        return HttpExchange{.response = {},
                            .failure = TransportFailure{.kind = Kind::kStopped, .reason = {}}};
      });
  auto reader = store().open({.key = "k", .version = kEtag, .size = content.size()}, 0);
  std::vector<std::byte> buffer(1'000);
  ASSERT_GT(*(*reader)->read(buffer), 0u);
  reader->reset();

  // And so does a stop of the whole store.
  auto second = store().open({.key = "k", .version = kEtag, .size = content.size()}, 0);
  stop_.request_stop();
  EXPECT_EQ((*second)->read(buffer).error().code, ErrorCode::kCancelled);
}

TEST(Endpoint, IsReadAndChecked) {
  struct Good {
    const char *url, *origin, *path;
  };
  for (const auto& [url, origin, path] :
       std::vector<Good>{{"http://127.0.0.1:9000", "http://127.0.0.1:9000", ""},
                         {"https://s3.example.com/", "https://s3.example.com", ""},
                         {"https://s3.example.com:443", "https://s3.example.com", ""},
                         {"http://s3.example.com:80/a/b/", "http://s3.example.com", "/a/b"},
                         {"http://[::1]:9000/x%20y", "http://[::1]:9000", "/x y"},
                         {"http://[::1]", "http://[::1]", ""}}) {
    const auto endpoint = parse_endpoint(url);
    ASSERT_TRUE(endpoint.has_value()) << url << ": " << endpoint.error().message;
    EXPECT_EQ(endpoint->origin(), origin);
    EXPECT_EQ(endpoint->path_prefix, path);
  }
  for (const char* url :
       {"", "localhost:9000", "ftp://host", "http://", "http://:9000", "http://host:0",
        "http://host:99999", "http://host:x", "http://a b", "http://host?x=1", "http://host/#a",
        "http://host/%zz", "http://user:hunter2@host"}) {
    const auto endpoint = parse_endpoint(url);
    ASSERT_FALSE(endpoint.has_value()) << url;
    EXPECT_EQ(endpoint.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(endpoint.error().message.find("hunter2"), std::string::npos);
  }
}

TEST(S3Error, ReadsHttpDates) {
  EXPECT_EQ(parse_http_date("Fri, 20 Nov 2026 16:51:27 GMT"), 1'795'193'487'000);
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), 784'111'777'000);
  for (const char* text : {"", "20 Nov 2026", "Fri, 20 Xyz 2026 16:51:27 GMT"}) {
    EXPECT_FALSE(parse_http_date(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace leat::connector::s3
