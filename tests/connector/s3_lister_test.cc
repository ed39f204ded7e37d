// Listings of servers that mean no good, or do not do it well.
#include "connector/s3/s3_lister.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/connector/fake_transport.h"
#include "tests/support/manual_clock.h"

namespace leat::connector::s3 {
namespace {

std::string page_xml(const std::vector<std::string>& keys, const std::string& next_token) {
  std::string text = "<ListBucketResult>";
  for (const std::string& key : keys) {
    text += "<Contents><Key>" + key + "</Key><ETag>e</ETag><Size>1</Size></Contents>";
  }
  if (!next_token.empty()) {
    text += "<IsTruncated>true</IsTruncated><NextContinuationToken>" + next_token +
            "</NextContinuationToken>";
  }
  return text + "</ListBucketResult>";
}

class S3ListerTest : public ::testing::Test {
 protected:
  S3ListerTest() {
    S3ClientOptions options;
    options.bucket = "bucket";
    options.endpoint = Endpoint{.tls = false, .authority = "host:9000", .path_prefix = {}};
    options.clock = &clock_;
    options.random = [] { return 1.0; };
    auto transport = std::make_unique<FakeTransport>();
    transport_ = transport.get();
    client_ = std::make_unique<S3Client>(std::move(options), std::move(transport));
  }

  /// The n-th request gets the body that `page` makes of n, from 0.
  void answer_with(std::function<std::string(std::size_t)> page) {
    auto asked = std::make_shared<std::size_t>(0);
    transport_->otherwise(
        [page = std::move(page), asked](const HttpRequest& request, const BodySink& sink) {
          return answer(200, page((*asked)++))(request, sink);
        });
  }

  /// Follows the listing to its end or to its error.
  struct Outcome {
    std::vector<std::string> keys;
    std::size_t pages = 0;
    std::optional<Error> error;
  };
  Outcome list() {
    Outcome outcome;
    S3Lister lister(*client_, "", "", {});
    for (bool last = false; !last; ++outcome.pages) {
      auto page = lister.next_page();
      if (!page) {
        outcome.error = std::move(page).error();
        break;
      }
      for (const ObjectVersion& object : page->objects) outcome.keys.push_back(object.key);
      last = page->last;
      lister.reuse(std::move(page->objects));
    }
    return outcome;
  }

  testing::ManualClock clock_;
  FakeTransport* transport_ = nullptr;
  std::unique_ptr<S3Client> client_;
};

TEST_F(S3ListerTest, AnEmptyPageIsNotTheEnd) {
  for (const char* next : {"1", "2", "3", ""}) {
    const bool has_key = *next == '1' || *next == '\0';
    transport_->then(
        answer(200, page_xml(has_key ? std::vector<std::string>{"k" + std::string(next)}
                                     : std::vector<std::string>(),
                             next)));
  }
  const Outcome outcome = list();
  EXPECT_FALSE(outcome.error);
  EXPECT_EQ(outcome.keys, (std::vector<std::string>{"k1", "k"}));
  EXPECT_EQ(outcome.pages, 4u);
}

TEST_F(S3ListerTest, TokensThatGoInACircleAreAnError) {
  for (const std::size_t circle : {1, 2, 3, 7, 100}) {
    auto key = std::make_shared<int>(0);  // A new one each time: only the tokens tell.
    answer_with([=](std::size_t n) {
      return page_xml({"k" + std::to_string(++*key)}, "t" + std::to_string(n % circle));
    });
    const Outcome outcome = list();
    ASSERT_TRUE(outcome.error) << circle;
    EXPECT_EQ(outcome.error->code, ErrorCode::kCorrupt);
    EXPECT_FALSE(outcome.error->retryable);
    EXPECT_NE(outcome.error->message.find("never end"), std::string::npos)
        << outcome.error->message;
    EXPECT_LE(outcome.pages, 4 * circle);
  }
}

TEST_F(S3ListerTest, AFreshTokenForTheSamePageIsAnError) {
  answer_with([](std::size_t n) { return page_xml({"a", "b"}, "t" + std::to_string(n)); });
  const Outcome outcome = list();
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.pages, 1u);
  EXPECT_NE(outcome.error->message.find("same page again"), std::string::npos);
}

TEST_F(S3ListerTest, PagesWithoutKeysComeToAnEnd) {
  answer_with([](std::size_t n) { return page_xml({}, "t" + std::to_string(n)); });
  const Outcome outcome = list();
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.pages, S3Lister::kEmptyPagesMax - 1);
}

TEST_F(S3ListerTest, ATruncatedPageWithoutATokenIsAnError) {
  answer_with([](std::size_t) {
    return "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>";
  });
  EXPECT_EQ(list().error->code, ErrorCode::kCorrupt);
}

TEST_F(S3ListerTest, APageWithoutEndIsReadToABoundOnce) {
  std::size_t sent = 0;
  transport_->otherwise([&](const HttpRequest&, const BodySink& sink) {
    HttpExchange exchange{.response = {.status = 200, .headers = {}}, .failure = std::nullopt};
    std::string piece;
    while (piece.size() < std::size_t{1} << 20) piece += "<a>" + std::string(60'000, 'b') + "</a>";
    const std::string root = "<ListBucketResult>";
    bool wanted = sink(exchange.response, std::as_bytes(std::span(root)));
    for (; wanted && sent < std::size_t{1} << 30; sent += piece.size()) {
      wanted = sink(exchange.response, std::as_bytes(std::span(piece)));
    }
    exchange.failure = TransportFailure{.kind = TransportFailure::Kind::kSink, .reason = {}};
    return exchange;
  });
  const Outcome outcome = list();
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->code, ErrorCode::kCorrupt);
  EXPECT_NE(outcome.error->message.find("16 MiB"), std::string::npos) << outcome.error->message;
  EXPECT_LE(sent, XmlReader::kDocumentBytesMax + (std::size_t{1} << 20));
  EXPECT_EQ(transport_->seen().size(), 1u);
  // One that drips has a time limit instead.
  EXPECT_GT(transport_->seen()[0].request.total_timeout.count(), 0);
}

TEST_F(S3ListerTest, EntitiesAreNotExpanded) {
  answer_with([](std::size_t) {
    return "<!DOCTYPE l [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]>"
           "<ListBucketResult><Contents><Key>&b;</Key></Contents></ListBucketResult>";
  });
  const Outcome outcome = list();
  ASSERT_TRUE(outcome.error);
  EXPECT_NE(outcome.error->message.find("document type"), std::string::npos)
      << outcome.error->message;
}

// Of MinIO, SeaweedFS, Garage, moto and others, as their documentation and their answers have it.
TEST_F(S3ListerTest, ReadsWhatOtherServersAnswer) {
  answer_with([](std::size_t) {
    return "<?xml version=\"1.0\"?>\n<ListBucketResult "
           "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\n"
           "  <Name>bucket</Name><Prefix></Prefix><KeyCount>3</KeyCount><MaxKeys>1000</MaxKeys>\n"
           "  <Contents><Key>a+b%20c</Key><LastModified>2026-11-20T16:51:27Z</LastModified>"
           "<Size>5</Size><ETag>0123</ETag></Contents>\n"
           "  <Contents><ETag>W/\"45\"</ETag><Size>6</Size><Owner><ID>me</ID></Owner>"
           "<LastModified>2026-11-20T16:51:27.123456789Z</LastModified><Key>b</Key></Contents>\n"
           "  <Contents><Key>c</Key><Size>0</Size><ETag>&#34;67&#34;</ETag>"
           "<StorageClass></StorageClass></Contents>\n"
           "  <IsTruncated>false</IsTruncated></ListBucketResult>";
  });
  S3Lister lister(*client_, "", "", {});
  const auto page = lister.next_page();
  ASSERT_TRUE(page.has_value()) << page.error().to_string();
  ASSERT_EQ(page->objects.size(), 3u);
  EXPECT_EQ(page->objects[0].key, "a+b%20c");  // The encoding is not echoed: nothing is decoded.
  EXPECT_EQ(page->objects[0].version, "0123");
  EXPECT_EQ(page->objects[0].modified_ms, 1'795'193'487'000);
  EXPECT_EQ(page->objects[1].version, "W/\"45\"");
  EXPECT_EQ(page->objects[1].modified_ms, 1'795'193'487'123);
  EXPECT_EQ(page->objects[2].version, "\"67\"");
  EXPECT_TRUE(page->last);
}

}  // namespace
}  // namespace leat::connector::s3
